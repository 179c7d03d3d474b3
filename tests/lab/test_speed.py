"""`tlae benchmark speed`: what is made of the times, and the whole on little footage."""

from pathlib import Path

import pandas as pd
import pytest

from tlae.cli import main
from tlae.lab.speed.costs import Cost
from tlae.lab.speed.run import SpeedReport, markdown_of
from tlae.lab.speed.stages import STAGES, WHOLE, Stage, shares_of_slowest
from tlae.lab.speed.timing import Pace, pace_of


def stage(name: str, footage: str, model: str, pace: float) -> Stage:
    return Stage(name, footage, model, Pace(pace, pace, pace))


TABLE = [
    stage(STAGES[0], "video", "", 100),
    stage(STAGES[0], "pictures", "", 20),
    stage("decode", "pictures", "", 1),  # part of the stage above, no stage of the whole
    stage(STAGES[1], "", "small", 50),
    stage(STAGES[1], "", "large", 10),
    stage(STAGES[2], "", "small", 1000),
    stage(STAGES[2], "", "large", 1000),
    stage(WHOLE, "video", "small", 40),
    stage(WHOLE, "pictures", "small", 16),
    stage(WHOLE, "video", "large", 9),
]


def test_the_whole_is_compared_with_its_slowest_stage() -> None:
    assert shares_of_slowest(TABLE) == [
        ("small", "video", STAGES[1], 0.8),
        ("small", "pictures", STAGES[0], 0.8),
        ("large", "video", STAGES[1], 0.9),
    ]


def test_a_pace_is_of_all_repeats_and_of_no_warm_up() -> None:
    calls: list[int] = []
    pace = pace_of(lambda: calls.append(1), 10, 3)
    assert len(calls) == 4
    assert 0 < pace.low <= pace.median <= pace.high


def test_the_page_holds_every_table() -> None:
    pace = Pace(30.0, 20.0, 40.0)
    costs = [Cost("pixels", 6144, 1.5)]
    text = "\n".join(markdown_of(SpeedReport(1e9, TABLE, [("small", pace, pace)], costs)))
    assert f"| small | video | {STAGES[1]} | 0.80 of it |" in text
    assert "| small | 30 (20 to 40) | 30 (20 to 40) | 1.00 |" in text
    assert "| pixels | 6,144 | 1.50 |" in text


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("frames=2", "frames must be at least 64, got 2"),
        ("repeats=0", "repeats must be at least 1, got 0"),
        ("models=[]", "models must name at least one net"),
        ("models=[nonsense]", "model"),
    ],
)
def test_bad_settings_get_one_line(
    word: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", "speed", f"out={tmp_path}/speed", word]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_folder_of_something_else_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "speed.md").write_text("mine")
    for out, said in ((tmp_path, "holds something else"), (tmp_path / "speed.md", "speed.md")):
        assert main(["benchmark", "speed", f"out={out}"]) == 2
        assert said in capsys.readouterr().err
    assert (tmp_path / "speed.md").read_text() == "mine"


@pytest.mark.slow
def test_every_stage_is_measured(tmp_path: Path) -> None:
    words = ["models=[cae_small]", "frames=64", "repeats=1", f"out={tmp_path}/speed"]
    assert main(["benchmark", "speed", *words]) == 0
    table = pd.read_csv(tmp_path / "speed/speed.csv")
    assert {"net alone", WHOLE, *STAGES} <= set(table["stage"])
    assert (table["median"] > 0).all()
    assert "cae_small" in (tmp_path / "speed/speed.md").read_text()
    assert (tmp_path / "speed/speed.svg").read_text().startswith("<svg")
