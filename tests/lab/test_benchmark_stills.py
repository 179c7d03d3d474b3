"""`tlae benchmark planted=true` end to end, and what it refuses."""

from pathlib import Path

import pandas as pd
import pytest

from tests.command_words import reworded
from tests.lab.test_planted_stills import write_days
from tlae.cli import main
from tlae.lab.nuisances import KINDS

BASELINES = {"nearest_in_time", "running_median", "most_alike", "most_alike_light"}


def words(site: Path, out: Path) -> list[str]:
    return [
        "benchmark",
        f"footage={site}",
        "planted=true",
        "experiment=timelapse",
        "model=cae_small",
        "footage.size_hw=[48,64]",
        "footage.holdout=0.35",  # of few frames
        "trainer.max_epochs=1",
        "training.windows_per_epoch=64",
        "trainer.accelerator=cpu",
        "training.compute=float32",
        "training.pictures=0",
        "camera.health=false",  # of few frames of noise, a camera knows too little
        "stills.split=[2,1,1]",
        "stills.rounds=1",
        "stills.sizes=[0.05,0.2]",
        "stills.contrasts=[0.5]",
        "stills.stands=[1]",
        "stills.height_px=64",
        f"out={out}",
        f"paths.cache={out}/cache",
    ]


@pytest.mark.slow
def test_planted_stills_are_found_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = write_days(tmp_path / "site")
    assert main(words(site, tmp_path / "out")) == 0
    folder = tmp_path / "out" / "site"
    text = (folder / "benchmark.md").read_text()
    assert text in capsys.readouterr().out
    assert (folder / "maps.png").is_file()
    table = pd.read_csv(folder / "benchmark.csv")
    assert set(table["model"]) == {*BASELINES, "cae_small"}
    alarms = table[table["figure"] == "things_per_day"]
    assert set(alarms["group"]) == {"clean", *KINDS}
    large = table.query("figure == 'recall' and group == 'cell' and size == 0.2 and budget == 5")
    assert large.set_index("model")["value"]["most_alike"] == 1.0  # nothing else moves here
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("figures.csv")}
    assert main(words(site, tmp_path / "out")) == 0  # nothing is done again
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("figures.csv")} == before
    assert "baseline" not in capsys.readouterr().out.split("run cae_small")[0]
    other = reworded(words(site, tmp_path / "out"), "stills.rounds=3")
    assert main(other) == 2
    assert "planted with other options" in capsys.readouterr().err


def test_too_few_days_end_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = write_days(tmp_path / "site", days=2)
    assert main(words(site, tmp_path / "out")) == 2
    assert "needs 4 days of footage, got 2" in capsys.readouterr().err
    assert not (tmp_path / "out" / "site").exists()
