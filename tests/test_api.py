"""`import tlae`: light, silent, equal to the command line, on paths and on arrays."""

import doctest
import gc
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tlae
from tests.small_footage import frame_image, write_clips
from tlae.cli import main
from tlae.errors import UserError
from tlae.model_file import Model
from tlae.scoring.results import Scores

SMALL = {"footage.size_hw": [32, 32]}
HEAVY = ("torch", "numpy", "pandas", "hydra", "cv2")


def walking(count: int, odd: range = range(0)) -> np.ndarray:
    return np.stack([frame_image(number, odd=number in odd)[..., 0] for number in range(count)])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("gate")
    return tlae.train(walking(200), "copy_last", out=folder, settings=SMALL, progress=False)


@pytest.fixture(scope="module")
def scores(model: Model) -> Scores:
    today = walking(40, odd=range(20, 30))
    return tlae.score(model, today, budget=tlae.Budget(threshold=0.1), progress=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Scores:
    """The ``scores`` of the example of ``score``."""
    frames = np.random.default_rng(0).integers(0, 99, (60, 32, 48), np.uint8)
    frames[40:50, 8:24, 8:24] = 255
    folder = tmp_path_factory.mktemp("made")
    model = tlae.train(frames, "copy_last", out=folder, settings={"footage.size_hw": [32, 48]})
    return tlae.score(model, frames)


def test_importing_brings_nothing_heavy() -> None:
    code = f"import sys, tlae; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_there_are_few_names_and_each_explains_itself() -> None:
    assert len(tlae.__all__) <= 12
    assert set(tlae.__all__) <= set(dir(tlae))
    for name in tlae.__all__:
        assert len(getattr(tlae, name).__doc__) > 40
    with pytest.raises(AttributeError, match="no attribute 'scroe'"):
        _ = tlae.scroe  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", tlae.__all__)
def test_examples_run(
    name: str, made: Scores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    known = {"tlae": tlae, "scores": made}
    examples = doctest.DocTestFinder(recurse=False).find(getattr(tlae, name), name, globs=known)
    assert sum(len(example.examples) for example in examples) > 0
    for example in examples:
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        assert doctest.DocTestRunner(optionflags=flags).run(example).failed == 0


def test_frames_in_memory_are_scored_drawn_and_reported(
    scores: Scores, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scores.table["raw"].argmax() in range(20, 31)
    assert len(repr(scores)) < 200 + len(str(scores.folder))
    assert any(event.first_frame <= 20 <= event.last_frame for event in scores.events)
    assert scores.map_of(20).shape == (32, 32)
    assert scores.map_of(20).dtype == np.float32
    assert tlae.render(scores, tmp_path / "today.mp4") == [tmp_path / "today.mp4"]
    page = tlae.report(scores, tmp_path / "today.html")
    assert "data:image/" in page.read_text(encoding="utf-8")
    assert capsys.readouterr().out == ""


def test_the_same_as_the_command_line(tmp_path: Path, model: Model) -> None:
    write_clips(tmp_path / "today", (30,), odd=((0, 12),))
    words = [f"model_file={model.file}", f"footage={tmp_path}/today", "name=cli"]
    places = [f"paths.scores={tmp_path}/scores", f"paths.cache={tmp_path}/cache"]
    assert main(["score", *words, *places, "scoring.false_alarm_rate=0.1"]) == 0
    settings = {"paths.cache": tmp_path / "cache"}
    budget = tlae.Budget(false_alarm_rate=0.1)
    mine = tlae.score(model, tmp_path / "today", budget=budget, settings=settings)
    other = tlae.open_scores(tmp_path / "scores/cli")
    pd.testing.assert_frame_equal(mine.table, other.table)
    assert mine.events == other.events
    np.testing.assert_array_equal(mine.map_of(12), other.map_of(12))


def test_events_are_found_anew_without_the_net(scores: Scores, tmp_path: Path) -> None:
    kept = scores.save(tmp_path / "kept")
    none = tlae.find_events(kept, budget=tlae.Budget(threshold=9.0))
    assert none.events == []
    assert tlae.open_scores(tmp_path / "kept").events == []
    assert len(scores.events) > 0
    with pytest.raises(UserError, match="saved into a new folder"):
        scores.save(tmp_path / "kept")


def test_events_found_anew_outlive_temporary_scores(model: Model) -> None:
    scores = tlae.score(model, walking(30), progress=False)
    scores = tlae.find_events(scores, budget=tlae.Budget(threshold=0.1))
    gc.collect()
    assert scores.map_of(2).shape == (32, 32)
    folder = scores.folder
    del scores
    gc.collect()
    assert not folder.exists()


def test_only_a_video_of_ours_is_replaced(scores: Scores, tmp_path: Path) -> None:
    path = tmp_path / "mine.mp4"
    for _ in range(2):
        tlae.render(scores, path)
    path.write_bytes(b"a film of somebody else")
    with pytest.raises(UserError, match="is not a video of tlae, so it is not replaced"):
        tlae.render(scores, path)
    assert path.read_bytes() == b"a film of somebody else"


def test_scores_without_a_score_are_rendered_without_a_sheet(scores: Scores) -> None:
    unknown = replace(scores, stored=scores.columns.assign(raw=np.nan))
    assert [path.suffix for path in tlae.render(unknown)] == [".mp4"]


def test_frames_in_memory_are_not_looked_for_on_disk(scores: Scores, tmp_path: Path) -> None:
    scores.save(tmp_path / "kept")
    with pytest.raises(UserError, match="frames in memory, which are not kept"):
        tlae.render(tlae.open_scores(tmp_path / "kept"))


def test_a_table_is_evaluated(tmp_path: Path) -> None:
    table = pd.DataFrame({"clip": "a", "frame": range(20), "score": np.linspace(0, 1, 20)})
    table["label"] = (table["frame"] > 10).astype(int)
    table.to_csv(tmp_path / "table.csv", index=False)
    found = tlae.evaluate(tmp_path / "table.csv")
    assert found.value_of("auc_raw") == 1


def test_settings_say_how_a_path_is_read_and_scores_remember_it(
    model: Model, tmp_path: Path
) -> None:
    write_clips(tmp_path / "today", (30,))
    cache = {"paths.cache": tmp_path / "cache"}
    reading = {"footage.exclude": "00[0-4].*", "footage.interval_s": 0.2}
    mine = tlae.score(model, tmp_path / "today", settings=cache | reading, out=tmp_path / "mine")
    opened = tlae.open_footage(tmp_path / "today", exclude="00[0-4].*", interval_s=0.2)
    other = tlae.score(model, opened, settings=cache, out=tmp_path / "other")
    for scores in (mine, other):
        assert len(scores.table) == 25
        assert scores.table["time_s"].iloc[1] == 0.2
        assert len(tlae.render(scores, tmp_path / "today.mp4")) == 1  # reads the same frames again
    with pytest.raises(UserError, match=r"give every=\.\.\. to tlae\.open_footage"):
        tlae.score(model, opened, settings={"footage.every": "1s"})
    with pytest.raises(UserError, match="started_at must be None for a path"):
        tlae.open_footage(tmp_path / "today", started_at=datetime(2026, 1, 1))


def test_an_experiment_chooses_the_model(tmp_path: Path) -> None:
    short = {"experiment": "ped2_cae", "trainer.max_steps": 1, **SMALL}
    model = tlae.train(walking(80), out=tmp_path / "run", settings=short, progress=False)
    assert model.training["model"] == "cae"


def test_what_is_given_twice_or_is_of_another_kind_is_refused(scores: Scores) -> None:
    budget = tlae.Budget(threshold=1)
    for settings in ({"footage": "x"}, {"footage.path": "x"}, {"model": "cae"}):
        with pytest.raises(UserError, match="must be given once"):
            tlae.train(walking(40), "copy_last", settings=settings)
    for settings in ({"scores": "x"}, {"scoring.threshold": 2}):
        with pytest.raises(UserError, match="must be given once"):
            tlae.find_events(scores, budget=budget, settings=settings)
    with pytest.raises(UserError, match=r"budget must be a tlae\.Budget"):
        tlae.find_events(scores, budget={"threshold": 1})  # type: ignore[arg-type]
    for use in (tlae.render, tlae.report, tlae.find_events):
        with pytest.raises(UserError, match=r"scores must be what tlae\.score returned"):
            use("scores/today")  # type: ignore[operator]
    with pytest.raises(UserError, match="labels must be a path"):
        tlae.evaluate(scores, np.zeros(40))  # type: ignore[arg-type]
    with pytest.raises(UserError, match="settings must be a dict"):
        tlae.render(scores, settings=["layout"])  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"interval_s must be > 0 seconds, got '1'"):
        tlae.open_footage(walking(4), interval_s="1")
    with pytest.raises(UserError, match="started_at must be a datetime"):
        tlae.open_footage(walking(4), started_at="2026")  # type: ignore[arg-type]


def test_any_iterable_of_frames_and_a_clock(model: Model) -> None:
    def frames() -> Iterator[np.ndarray]:
        yield from walking(24)

    footage = tlae.open_footage(frames(), interval_s=0.5, started_at=datetime(2026, 1, 1))
    table = tlae.score(model, footage).table
    assert table["time_s"].iloc[-1] == 11.5
    assert table["taken_at"].iloc[2] == pd.Timestamp("2026-01-01 00:00:01")


@pytest.mark.parametrize(
    ("frames", "shown"),
    [
        (np.zeros((4, 8, 8)), "type uint8, got float64"),
        (np.zeros((4, 8), np.uint8), r"\(N, H, W\) or \(N, H, W, 3\)"),
        (np.zeros((0, 8, 8), np.uint8), "N >= 1"),
        ([np.zeros((8, 8), np.uint8), np.zeros((9, 8), np.uint8)], "one shape"),
        ([], "N >= 1"),
    ],
)
def test_other_arrays_are_refused(frames: np.ndarray, shown: str) -> None:
    with pytest.raises(UserError, match=shown):
        tlae.open_footage(frames)


def test_a_budget_per_day_needs_a_pace(model: Model) -> None:
    with pytest.raises(UserError, match="alarms_per_day needs the time between frames"):
        tlae.score(model, walking(24), budget=tlae.Budget(alarms_per_day=2))


def test_temporary_results_go_with_their_scores(model: Model) -> None:
    found = tlae.score(model, walking(24))
    folder = found.folder
    assert folder.is_dir()
    del found
    gc.collect()
    assert not folder.exists()


def test_the_core_needs_no_library_of_the_wings(tmp_path: Path) -> None:
    code = """
import sys
sys.modules.update(dict.fromkeys(["sklearn", "skops", "fastapi", "uvicorn"]))
import cv2, numpy as np, tlae
from tlae.cli import main
frames = np.random.default_rng(0).integers(0, 99, (60, 32, 48), np.uint8)
model = tlae.train(frames, "cae_small", out="gate", settings={
    "footage.size_hw": [32, 48], "trainer.max_steps": 1, "training.compute": "float32",
    "training.batch_size": 2, "trainer.accelerator": "cpu"})
tlae.report(tlae.score(model, frames), "page.html")
for number, frame in enumerate(frames):
    cv2.imwrite(f"{number:02d}.png", frame)
sys.exit(main(["novelty", "fit", "images=.", "name=x", "descriptor=colour_histogram"]))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert (tmp_path / "page.html").is_file()
    assert "pip install 'tlae[images]'" in done.stderr


def test_the_working_folder_without_scores_is_refused_plainly(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="scores must be a folder written by"):
        tlae.open_scores(".")


@pytest.mark.parametrize("model", [None, "model.safetensors"])
def test_live_asks_for_a_loaded_model(model):
    with pytest.raises(UserError, match="model must be a loaded model"):
        tlae.Live(model)


@pytest.mark.parametrize("nothing", [None, 3])
def test_what_is_no_path_is_refused_in_plain_words(nothing: object) -> None:
    with pytest.raises(UserError, match="model_file must be a path"):
        tlae.load(nothing)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="scores must be a path"):
        tlae.open_scores(nothing)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="footage must be a path or frames"):
        tlae.open_footage(nothing)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["2", True])
def test_a_budget_is_a_number(value: object) -> None:
    with pytest.raises(ValueError, match="alarms_per_day must be a number"):
        tlae.Budget(alarms_per_day=value)  # type: ignore[arg-type]


def test_an_empty_path_is_no_default(model: Model) -> None:
    with pytest.raises(UserError, match="out must be a path, got ''"):
        tlae.train(np.zeros((4, 32, 48), np.uint8), "copy_last", out="")
    with pytest.raises(UserError, match="out must be a path, got ''"):
        tlae.score(model, np.zeros((4, 32, 48), np.uint8), out="")


def test_a_device_is_named(model: Model) -> None:
    with pytest.raises(UserError, match=r"device must be auto, cpu, .* got None"):
        tlae.Live(model, device=None)  # type: ignore[arg-type]
