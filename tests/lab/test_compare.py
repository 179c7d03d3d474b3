"""Comparisons: other days change what they say, runs go on, and one table sums them up."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.command_words import reworded
from tests.small_footage import write_clips
from tlae.cli import main
from tlae.footage.sources import open_footage
from tlae.lab.compare.days import DAYS, changed, write_day

PICTURE = np.random.default_rng(0).integers(40, 200, (48, 64, 3)).astype(np.uint8)


@pytest.mark.parametrize("kind", DAYS)
def test_every_day_is_another_picture_of_the_same_size_and_repeatable(kind: str) -> None:
    before = PICTURE.copy()
    once, again = changed(PICTURE, kind, 5), changed(PICTURE, kind, 5)
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(PICTURE, before)
    assert once.shape == PICTURE.shape
    assert (once != PICTURE).any()


def test_a_dark_day_is_18_levels_darker_and_a_shifted_one_2_px_away() -> None:
    difference = PICTURE.astype(int) - changed(PICTURE, "dark", 0)
    assert (difference == 18).all()
    np.testing.assert_array_equal(changed(PICTURE, "shift", 0)[2:, 2:], PICTURE[:-2, :-2])


def test_only_the_shadow_and_the_noise_move() -> None:
    moving = {
        kind for kind in DAYS if (changed(PICTURE, kind, 1) != changed(PICTURE, kind, 60)).any()
    }
    assert moving == {"shadow", "noise"}


def test_a_day_is_written_clip_by_clip_and_once(tmp_path: Path) -> None:
    write_clips(tmp_path / "Test", (4, 3))
    write_day(tmp_path / "Test", "dark", tmp_path / "dark")
    before, after = (open_footage(str(tmp_path / name)) for name in ("Test", "dark"))
    assert [clip.name for clip in after.clips] == [clip.name for clip in before.clips]
    assert [clip.length for clip in after.clips] == [4, 3]
    first = next(iter((tmp_path / "dark").rglob("*.png")))
    stamp = first.stat().st_mtime_ns
    write_day(tmp_path / "Test", "dark", tmp_path / "dark")
    assert first.stat().st_mtime_ns == stamp


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scenes") / "yard"
    write_clips(root / "Train", (40,))
    write_clips(root / "Test", (80,), odd=((0, 60),))
    lines = ["TestVideoFile = {};", "TestVideoFile{end+1}.gt_frame = [60:64];"]
    (root / "Test" / "yard.m").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def test_a_comparison_sums_up_scenes_and_goes_on(
    scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["compare", f"scenes=[{scene}]", "models=[copy_last]", f"out={out}", "maps=false"]
    words += [f"paths.cache={tmp_path / 'cache'}", 'train=["scoring.kernel_px=3"]']
    assert main(words) == 0
    assert main([*words, "days=[dark]"]) == 0
    table = pd.read_csv(out / "comparison.csv")
    assert list(table["day"]) == ["clean", "dark"]
    assert table["auc_raw"].between(0, 1).all()
    assert (table["calm_frames"] > 10).all()
    text = (out / "comparison.md").read_text(encoding="utf-8")
    assert "| copy_last |" in text
    assert text in capsys.readouterr().out + "\n"
    figures = json.loads((out / "yard/figures/copy_last-seed0-clean.json").read_text("utf-8"))
    assert set(figures["realised"]) == {"0.01", "0.001"}
    capsys.readouterr()
    assert main(reworded(words, "train=[]")) == 2
    assert "holds a comparison with another train; give another out=" in capsys.readouterr().err
    moved = tmp_path / "elsewhere/yard"
    shutil.copytree(scene, moved)
    assert main(reworded(words, f"scenes=[{moved}]")) == 2
    assert "another scene yard" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "rule"),
    [
        ("days=[rain]", "days must be of dark"),
        ("scenes=[/nowhere]", "has no Train"),
        ("scenes=[]", "at least one each"),
        ("seeds=[]", "at least one each"),
        ("models=[copy_last,magic]", "no model is called 'magic'"),
        ('train=["magic=1"]', "no setting 'magic'"),
        ('score=["scoring.magic=1"]', "no setting 'magic'"),
    ],
)
def test_bad_comparisons_are_one_line(
    word: str, rule: str, scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(reworded(["compare", f"scenes=[{scene}]", f"out={tmp_path / 'out'}"], word)) == 2
    assert rule in capsys.readouterr().err
    assert not (tmp_path / "out").exists()  # nothing was trained before
