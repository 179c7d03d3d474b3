"""Footage that cannot teach anything is refused before anything is written."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.command_words import reworded
from tests.small_footage import frame_image, write_clips
from tlae.cli import main
from tlae.training.teachable import FEWEST_FRAMES, FEWEST_HELD_OUT, _cure


def pictures(folder: Path, images: list[np.ndarray]) -> Path:
    folder.mkdir()
    for number, image in enumerate(images):
        cv2.imwrite(str(folder / f"{number:03d}.png"), image)
    return folder


def refused(footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    words = reworded(["train", f"footage={footage}", "name=run", "model=cae_small"], *more)
    words += ["footage.size_hw=[32,32]", "trainer.max_steps=1", "training.compute=float32"]
    words += [f"paths.{name}={tmp_path}/{name}" for name in ("checkpoints", "cache")]
    assert main(words) == 2
    assert not (tmp_path / "checkpoints").exists()
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said.strip().splitlines()[-1]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_few_frames(count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    footage = write_clips(tmp_path / "few", (count,))
    said = refused(footage, tmp_path, capsys)
    assert "footage" in said
    assert "frames" in said


@pytest.mark.parametrize("model", ["cae_small", "copy_last"])
@pytest.mark.parametrize("image", [np.zeros((32, 32, 3), np.uint8), frame_image(3)])
def test_one_picture_again_and_again(
    image: np.ndarray, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    footage = pictures(tmp_path / "same", [image] * 40)
    said = refused(footage, tmp_path, capsys, f"model={model}")
    assert "must show change, all 34 frames to learn from are the same picture" in said


def test_change_in_ignored_places_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    footage = write_clips(tmp_path / "walker", (40,))
    mask = np.full((32, 32), 255, np.uint8)
    mask[15:23] = 0  # where the walker walks
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    said = refused(footage, tmp_path, capsys, f"footage.mask={tmp_path / 'mask.png'}")
    assert "must show change" in said


@pytest.mark.parametrize("frames", range(13, 24))
def test_a_share_to_hold_out_that_is_named_is_enough(frames: int) -> None:
    """A still a day; whole days are held out."""
    held_out = round(0.15 * frames)
    words = _cure(frames - held_out, held_out)
    share = float(words.rpartition("footage.holdout=")[2].rstrip(")"))
    assert round(share * frames) >= FEWEST_HELD_OUT
    assert frames - round(share * frames) >= FEWEST_FRAMES
    assert _cure(5, 1) == "give more footage"
