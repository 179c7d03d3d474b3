"""A camera with a day and a night, through the command line: train, score, look at the table."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.camera.small_camera import SIZE_HW, day_and_night
from tlae.cli import main
from tlae.footage.frames import Image
from tlae.model_file import load_model
from tlae.scoring.results import read_results

SETTINGS = [
    "experiment=timelapse",
    "footage.interval_s=0.1",
    "model=cae_small",
    "model.widths=[4,4]",
    f"footage.size_hw=[{SIZE_HW[0]},{SIZE_HW[1]}]",
    "training.windows_per_epoch=16",
    "training.batch_size=8",
    "training.compute=float32",
    "trainer.max_epochs=1",
    "trainer.accelerator=cpu",
]


@pytest.fixture
def places(tmp_path: Path) -> list[str]:
    return [f"paths.{name}={tmp_path / name}" for name in ("checkpoints", "scores", "cache")]


def write(folder: Path, frames: Image) -> Path:
    folder.mkdir()
    for number, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{number:03}.png"), frame[..., ::-1])
    return folder


def trained(tmp_path: Path, places: list[str]) -> Path:
    normal = write(tmp_path / "normal", day_and_night())
    assert main(["train", f"footage={normal}", "name=run", *SETTINGS, *places]) == 0
    return tmp_path / "checkpoints/run/model.safetensors"


def test_ill_frames_never_alarm(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    model_file = trained(tmp_path, places)
    frames = day_and_night(10)
    frames[4] = 0
    frames[7] = frames[6]
    frames[12] = 255
    frames[15, 20:36, 60:76] = 255  # a thing in the night
    new = write(tmp_path / "new", frames)
    words = ["score", f"model_file={model_file}", f"footage={new}", "name=s", *places]
    assert main([*words, "scoring.threshold=0.02"]) == 0
    shown = capsys.readouterr().out
    assert "9 night" in shown
    assert "1 black" in shown
    table = read_results(tmp_path / "scores/s").table
    expected = ["ok"] * 20
    expected[4], expected[7], expected[12] = "black", "repeated", "saturated"
    assert table["health"].tolist() == expected
    assert table["mode"].drop([4, 12]).tolist() == ["day"] * 9 + ["night"] * 9
    assert table["raw"][4] > 0.02
    assert table["raw"].notna().all()
    assert table["alarm"][15]
    assert not table["alarm"][[4, 12]].any()
    summary = read_results(tmp_path / "scores/s").summary
    assert summary["health"]["black"] == 1
    assert main([*words, "scoring.threshold=9"]) == 0  # no net is run
    again = read_results(tmp_path / "scores/s").table
    assert not again["alarm"].any()
    asked = ["alarm", "threshold"]
    assert again.drop(columns=asked).equals(table.drop(columns=asked))


def test_ill_training_frames_are_left_out(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    frames = day_and_night()
    frames[20] = 0
    normal = write(tmp_path / "normal", frames)
    assert main(["train", f"footage={normal}", "name=run", *SETTINGS, *places]) == 0
    assert "left out 1: 1 x black" in capsys.readouterr().out


def test_off_by_default(tmp_path: Path, places: list[str]) -> None:
    normal = write(tmp_path / "normal", day_and_night(20))
    plain = [word for word in SETTINGS if not word.startswith("experiment")]
    words = ["footage.channels=3", "name=run", *plain]
    assert main(["train", f"footage={normal}", *words, *places]) == 0
    model_file = tmp_path / "checkpoints/run/model.safetensors"
    assert load_model(model_file).camera is None
    words = ["score", f"model_file={model_file}", f"footage={normal}", "name=s", *places]
    assert main(words) == 0
    table = read_results(tmp_path / "scores/s").table
    assert set(table["mode"]) == {""}
    assert set(table["health"]) == {"ok"}
    assert (table[["shift_x", "shift_y"]] == 0).all(axis=None)


def test_black_training_footage_is_one_line(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    black = write(tmp_path / "normal", np.zeros((20, *SIZE_HW, 3), np.uint8))
    assert main(["train", f"footage={black}", "name=run", *SETTINGS, *places]) == 2
    shown = capsys.readouterr().err.strip()
    assert "camera.* needs training frames that show something, got" in shown
    assert "\n" not in shown
    assert not (tmp_path / "checkpoints/run").exists()
