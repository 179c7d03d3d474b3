"""`tlae scene`, through the command line."""

from pathlib import Path

import pytest

from tests.command_words import reworded
from tlae.cli import main

FEW = ["size_hw=[32,48]", "train_frames=8", "test_clips=2", "test_frames=16", "walkers=3"]


@pytest.mark.parametrize("view", ["side", "deep"])
def test_scene_writes_both_views(
    view: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scene", f"out={tmp_path}/street", f"view={view}", *FEW]) == 0
    assert len(list((tmp_path / "street/Train/Train001").glob("*.jpg"))) == 8
    assert len(list((tmp_path / "street/Test/Test002_gt").glob("*.png"))) == 16
    assert (tmp_path / "street/Test/labels.m").is_file()
    out = capsys.readouterr().out
    assert "2 clips, 32 frames" in out
    assert "fast_mover" in out


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("view=above", "view must be side or deep, got above"),
        ("size_hw=[32]", "size_hw must be [height,width], got [32]"),
        ("train_frames=2", "train_frames must be in 8 to 99999, got 2; raise it"),
    ],
)
def test_bad_settings_get_one_line(
    setting: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(reworded(["scene", f"out={tmp_path}/street", *FEW], setting)) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())
