"""Sampling, odd clocks and footage that grows, through the command line."""

import json
import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import zarr

from tests.small_footage import frame_image, raises_at, small_model
from tlae.cli import main
from tlae.footage.preprocess import Preprocessing
from tlae.model_file import save_model
from tlae.scoring import job as job_module
from tlae.scoring import job_folder
from tlae.scoring.job import ScoringJob

TABLES = ("scores.parquet", "scores.csv", "events.json", "ledger.csv")
BEGIN = datetime(2023, 6, 13, 3, 0)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (job_module, job_folder):
        monkeypatch.setattr(module, "CHUNK_FRAMES", 8)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model/model.safetensors"
    path.parent.mkdir()
    made = small_model("stae")
    save_model(replace(made, detector=replace(made.detector, gap_s=3600.0)), path)
    return path


def write_stills(root: Path, numbers: range, minutes: float = 10) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        name = f"{BEGIN + timedelta(minutes=minutes * number):%Y-%m-%dT%H_%M_%S}.png"
        cv2.imwrite(str(root / name), frame_image(number, odd=number == 20)[..., ::-1])
    return root


def score(
    tmp_path: Path, model: Path, footage: Path, *words: str, name: str = "s", cache: str = "cache"
) -> int:
    return main(
        [
            "score",
            f"model_file={model}",
            f"footage={footage}",
            f"name={name}",
            f"paths.scores={tmp_path}/scores",
            f"paths.cache={tmp_path}/{cache}",
            "scoring.threshold=0.3",
            *words,
        ]
    )


def same_results(tmp_path: Path, one: str, other: str) -> None:
    for table in TABLES:
        first, second = (tmp_path / "scores" / name / table for name in (one, other))
        assert first.read_bytes() == second.read_bytes(), table
    for array in ("maps.zarr", "rebuilt.zarr"):
        first, second = (
            np.asarray(zarr.open_array(tmp_path / "scores" / name / array, mode="r")[:])
            for name in (one, other)
        )
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("rule", [(), ("scoring.causal=false", "scoring.kernel_frames=3")])
def test_footage_that_grew_twice_gives_the_tables_of_scoring_it_once(
    rule: tuple[str, ...],
    tmp_path: Path,
    model: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cam = write_stills(tmp_path / "cam", range(21))
    assert score(tmp_path, model, cam, *rule) == 0
    assert "21 were scored now; nothing left out" in capsys.readouterr().out
    write_stills(cam, range(21, 50))
    assert score(tmp_path, model, cam, *rule) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("done: 50 of 50 frames have a score, ")
    assert int(last.split("score, ")[1].split()[0]) <= 29 + 16
    write_stills(cam, range(50, 63))
    with monkeypatch.context() as patch:  # killed while it takes up what is new
        patch.setattr(ScoringJob, "_write", raises_at(2, KeyboardInterrupt(), ScoringJob._write))
        assert score(tmp_path, model, cam, *rule) == 130
    assert len(pd.read_csv(tmp_path / "scores/s/scores.csv")) == 50
    write_stills(cam, range(63, 70))
    assert score(tmp_path, model, cam, *rule) == 0
    assert score(tmp_path, model, cam, *rule, name="once", cache="other") == 0
    assert len(pd.read_csv(tmp_path / "scores/s/scores.csv")) == 70
    same_results(tmp_path, "s", "once")
    capsys.readouterr()
    assert score(tmp_path, model, cam, *rule) == 0
    assert " 0 were scored now" in capsys.readouterr().out


def test_a_lost_cache_does_not_lose_scores(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cam = write_stills(tmp_path / "cam", range(21))
    assert score(tmp_path, model, cam) == 0
    write_stills(cam, range(21, 30))
    assert score(tmp_path, model, cam, cache="other") == 0
    assert " 14 were scored now" in capsys.readouterr().out
    assert score(tmp_path, model, cam, name="once") == 0
    same_results(tmp_path, "s", "once")


def test_footage_that_changed_is_not_taken_for_grown(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cam = write_stills(tmp_path / "cam", range(21))
    assert score(tmp_path, model, cam) == 0
    before = (tmp_path / "scores/s/scores.parquet").read_bytes()
    write_stills(cam, range(-1, 0))
    assert score(tmp_path, model, cam) == 2
    assert "must only grow, but files that were scored have changed" in capsys.readouterr().err
    assert (tmp_path / "scores/s/scores.parquet").read_bytes() == before
    assert score(tmp_path, model, cam, "overwrite=true") == 0
    assert len(pd.read_csv(tmp_path / "scores/s/scores.csv")) == 22


def test_all_is_scored_anew_on_request(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cam = write_stills(tmp_path / "cam", range(21))
    assert score(tmp_path, model, cam) == 0
    assert score(tmp_path, model, cam) == 0
    assert " 0 were scored now" in capsys.readouterr().out
    assert score(tmp_path, model, cam, "overwrite=true") == 0
    assert " 21 were scored now" in capsys.readouterr().out
    write_stills(cam, range(21, 30))
    assert score(tmp_path, model, cam, "overwrite=true") == 0
    assert " 30 were scored now" in capsys.readouterr().out
    assert score(tmp_path, model, cam, name="once") == 0
    same_results(tmp_path, "s", "once")


def test_a_file_being_written_waits_in_the_ledger(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cam = write_stills(tmp_path / "cam", range(21))
    for path in cam.iterdir():
        os.utime(path, (1e9, 1e9))
    first, last = sorted(cam.iterdir())[0], sorted(cam.iterdir())[-1]
    whole = last.read_bytes()
    first.write_bytes(b"")
    last.write_bytes(whole[:-30])
    assert score(tmp_path, model, cam) == 0
    out = capsys.readouterr().out.splitlines()[-1]
    assert out.endswith("left out 2: 1 x empty file; 1 x still being written, not read yet")
    ledger = pd.read_csv(tmp_path / "scores/s/ledger.csv", keep_default_na=False)
    assert ledger["outcome"].tolist() == ["skipped", *["done"] * 19, "waiting"]
    assert ledger.iloc[0].tolist() == [str(first), "skipped", 1, "empty file"]
    last.write_bytes(whole)
    assert score(tmp_path, model, cam) == 0
    ledger = pd.read_csv(tmp_path / "scores/s/ledger.csv", keep_default_na=False)
    assert ledger["outcome"].tolist() == ["skipped", *["done"] * 20]


def test_a_sample_is_scored_and_drawn_again_from_its_own_frames(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cam = write_stills(tmp_path / "cam", range(60))
    decoded = []
    original = Preprocessing.__call__
    monkeypatch.setattr(
        Preprocessing, "__call__", lambda self, image: decoded.append(1) or original(self, image)
    )
    assert score(tmp_path, model, cam, "footage.every=20min", "footage.hours=4-6,8-9") == 0
    assert len(decoded) == 9
    assert "51 x not asked for" in capsys.readouterr().out
    table = pd.read_parquet(tmp_path / "scores/s/scores.parquet")
    assert table["frame"].tolist() == list(range(9))
    assert table["taken_at"].dt.hour.tolist() == [4, 4, 4, 5, 5, 5, 8, 8, 8]
    summary = json.loads((tmp_path / "scores/s/summary.json").read_text())
    assert summary["footage"]["hours"] == "4-6,8-9"
    assert summary["clock"]["gap"]["first"]["frame"] == 6
    assert main(["render", f"scores={tmp_path}/scores/s", "frames=[8]"]) == 0
    assert main(["render", f"scores={tmp_path}/scores/s", "top=0"]) == 0
    assert "(9 frames)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["footage.every=0"], "footage.every must be a time > 0 with its unit"),
        (["footage.every=banana"], "got 'banana'; an example is 10min"),
        (["footage.hours=25"], "footage.hours must be ranges"),
        (["footage.start=2023-06-14", "footage.end=2023-06-13"], "footage.end must be later"),
        (
            ["footage.start=2024-01-01"],
            "got none of 5, taken from 2023-06-13T03:00 to 2023-06-13T03:40; widen them",
        ),
        (["footage.time_source=interval", "footage.hours=6-20"], "need wall-clock times"),
    ],
)
def test_bad_sampling_is_one_line(
    words: list[str],
    message: str,
    tmp_path: Path,
    model: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cam = write_stills(tmp_path / "cam", range(5))
    assert score(tmp_path, model, cam, *words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "scores/s").exists()


def test_frames_further_apart_than_the_gap_are_told(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cam = write_stills(tmp_path / "cam", range(12), minutes=120)
    assert score(tmp_path, model, cam) == 0
    shown = capsys.readouterr().out
    assert "12 of 12 frames with a score are in runs shorter than the net's window of 4" in shown
    assert "get no score" not in shown


def test_frames_that_end_without_a_score_for_want_of_a_past_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = small_model("segmenter")
    save_model(made, tmp_path / "model.safetensors")
    cam = write_stills(tmp_path / "cam", range(12), minutes=120)
    assert score(tmp_path, tmp_path / "model.safetensors", cam) == 0
    shown = capsys.readouterr().out
    assert "note: 12 of 12 frames get no score (warm-up), because too few frames" in shown
    assert "with a score" not in shown
