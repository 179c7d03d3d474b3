"""A model's thresholds moved to a new normal, through the command line."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.camera.small_camera import ALL_ON, footage, store_of
from tests.small_footage import small_model, write_clips
from tlae.budget import Budget
from tlae.camera.fit import fit_camera
from tlae.cli import main
from tlae.model_file import load_model, save_model


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "run/model.safetensors"
    path.parent.mkdir()
    save_model(small_model("cae"), path)
    return path


def words(model_file: Path, tmp_path: Path, *more: str) -> list[str]:
    normal = tmp_path / "week"
    if not normal.is_dir():
        write_clips(normal, (30, 30))
    return [
        "calibrate",
        f"model_file={model_file}",
        f"footage={normal}",
        f"paths.cache={tmp_path}/cache",
        *more,
    ]


def test_calibrated_footage_keeps_the_budget_it_was_asked_for(
    model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(model_file, tmp_path, "scoring.false_alarm_rate=0.05")) == 0
    shown = capsys.readouterr().out
    assert "calibrated on 60 normal frames" in shown
    assert "thresholds rest on 48 of them, because smoothing in time is not settled" in shown
    now = next(line for line in shown.splitlines() if line.strip().startswith("now:"))
    per_day = float(now.split(": ")[-1].split()[0])
    assert per_day * 60 * 0.1 / 86400 <= 0.05 * 60  # alarms in these 60 frames of 0.1 s each
    new = model_file.with_name("model-week.safetensors")
    score = ["score", f"model_file={new}", f"footage={tmp_path}/week", "name=s"]
    places = [f"paths.cache={tmp_path}/cache", f"paths.scores={tmp_path}/scores"]
    assert main([*score, *places]) == 0
    summary = json.loads((tmp_path / "scores/s/summary.json").read_text())
    assert summary["alarm_frames"] <= 0.05 * 60
    assert summary["calibrated_on_frames"] == 60 - 2 * 6  # the first 6 of each clip are unsettled
    assert [day["frames"] for day in summary["drift"]] == [60]
    assert summary["drift"][0]["score"] == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize(
    "budget",
    [["scoring.false_alarm_rate=1e-3"], ["scoring.alarms_per_day=1", "footage.interval_s=0.1"]],
)
def test_a_budget_beyond_the_footage_is_extrapolated_to_as_training_does(
    budget: list[str], model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(model_file, tmp_path, *budget)) == 0
    asked = budget[0].removeprefix("scoring.").replace("1e-3", "0.001")
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith(asked)]
    assert "the threshold is extrapolated to it" in said[0]
    assert load_model(model_file.with_name("model-week.safetensors")).budget


def test_before_is_what_the_model_of_before_says(
    model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own budget counts, not the new one."""
    model = replace(load_model(model_file), budget=Budget(false_alarm_rate=0.3))
    save_model(model, model_file)
    asked = words(model_file, tmp_path, "scoring.false_alarm_rate=0.05", f"out={tmp_path}/new.st")
    places = [f"paths.cache={tmp_path}/cache", f"paths.scores={tmp_path}/scores"]
    assert main(["score", f"model_file={model_file}", asked[2], "name=s", *places]) == 0
    summary = json.loads((tmp_path / "scores/s/summary.json").read_text())
    capsys.readouterr()
    assert main(asked) == 0
    assert f"before: threshold {summary['threshold']:.4g}:" in capsys.readouterr().out


def test_weights_stay_as_they_were(model_file: Path, tmp_path: Path) -> None:
    assert main(words(model_file, tmp_path)) == 0
    old, new = load_model(model_file), load_model(model_file.with_name("model-week.safetensors"))
    for name, value in old.detector.net.state_dict().items():
        assert value.equal(new.detector.net.state_dict()[name])


def test_added_scores_stand_beside_the_old_ones(model_file: Path, tmp_path: Path) -> None:
    assert main(words(model_file, tmp_path, "add=true")) == 0
    new = load_model(model_file.with_name("model-week.safetensors"))
    assert len(new.calibration.raw) == 50 + 60


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        (["scoring.alarms_per_day=1"], "footage.interval_s is not given"),
        (["scoring.false_alarm_rate=2"], "false_alarm_rate must be in (0, 1)"),
    ],
)
def test_a_wrong_budget_leaves_no_file(
    more: list[str],
    shown: str,
    model_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(words(model_file, tmp_path, *more)) == 2
    assert shown in capsys.readouterr().err
    assert [path.name for path in model_file.parent.iterdir()] == ["model.safetensors"]


def test_footage_of_a_covered_lens_is_no_normal_footage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = small_model("cae")
    frames = np.stack([cv2.resize(frame, (32, 32)) for frame in footage(40, channels=1)])[..., None]
    normal = store_of(tmp_path / "normal", frames, size_hw=(32, 32))
    camera = fit_camera(normal, np.arange(40), ALL_ON)
    save_model(replace(model, camera=camera), tmp_path / "m.safetensors")
    black = tmp_path / "black"
    black.mkdir()
    for number in range(10):
        cv2.imwrite(str(black / f"{number}.png"), np.zeros((32, 32, 3), np.uint8))
    places = [f"footage={black}", f"paths.cache={tmp_path}/cache"]
    assert main(["calibrate", f"model_file={tmp_path}/m.safetensors", *places]) == 2
    shown = capsys.readouterr().err
    assert (
        f"footage {black} must hold normal frames that can be judged, got none (left out 10"
        in shown
    )
    assert "x black" in shown
    assert shown.count("\n") == 1
    assert not list(tmp_path.glob("m-*"))


def test_an_existing_file_is_kept(
    model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(model_file, tmp_path, f"out={model_file}", "overwrite=true")) == 2
    assert "out must not be the model file itself" in capsys.readouterr().err
    assert main(words(model_file, tmp_path)) == 0
    assert main(words(model_file, tmp_path)) == 2
    assert "give out=... or overwrite=true" in capsys.readouterr().err
