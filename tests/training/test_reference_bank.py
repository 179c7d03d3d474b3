from pathlib import Path

import numpy as np
import pytest
import torch

from tests.small_footage import frame_image, write_clips
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import array_footage, open_footage
from tlae.footage.store import FrameStore, open_store
from tlae.training.reference_bank import TrainingFrames, fit_bank, frames_of_all_times


def test_what_passes_by_is_not_in_the_backgrounds(tmp_path: Path) -> None:
    folder = write_clips(tmp_path / "normal", (24,))
    store = open_store(open_footage(str(folder)), Preprocessing((32, 32), 1), tmp_path / "cache")
    (background,) = fit_bank(store, [np.arange(24)], 1)
    empty = torch.from_numpy(frame_image(0)[:1, :, :1]).permute(2, 0, 1) / 255  # no walker there
    far = (background - empty).abs().amax(dim=(0, 2))  # of each row of pixels
    assert background.shape == (1, 32, 32)
    assert far.median() < 0.05


def test_few_frames_give_fewer_backgrounds(tmp_path: Path) -> None:
    folder = write_clips(tmp_path / "normal", (7,))
    store = open_store(open_footage(str(folder)), Preprocessing((32, 32), 1), tmp_path / "cache")
    assert 1 <= len(fit_bank(store, [np.arange(7)], 32)) <= 2


def test_alike_frames_give_fewer_backgrounds(tmp_path: Path) -> None:
    folder = write_clips(tmp_path / "normal", (26,))  # the walker is back after 13 frames
    store = open_store(open_footage(str(folder)), Preprocessing((32, 32), 1), tmp_path / "cache")
    rows = np.array([0, 13] * 6)
    assert len(fit_bank(store, [rows], 4)) == 1


def test_frames_of_all_times_are_in_order_and_as_many_as_asked_for(tmp_path: Path) -> None:
    folder = write_clips(tmp_path / "normal", (7,))
    store = open_store(open_footage(str(folder)), Preprocessing((32, 32), 1), tmp_path / "cache")
    three, ten = (frames_of_all_times(store, [np.arange(7)], count) for count in (3, 10))
    expected = torch.from_numpy(store.read(np.array([0, 3, 6]))).permute(0, 3, 1, 2) / 255
    torch.testing.assert_close(three, expected)
    assert ten.shape == (10, 1, 32, 32)


def numbered_store(folder: Path, count: int) -> FrameStore:
    """Frames each of which is as bright as its number."""
    frames = np.arange(count, dtype=np.uint8)[:, None, None].repeat(16, 1).repeat(16, 2)
    return open_store(array_footage(frames), Preprocessing((16, 16), 1), folder)


def followed(frames: TrainingFrames, most: int = 10_000) -> list[list[tuple[int, bool]]]:
    """Number of each frame that is passed, and whether it is to learn from, by stretch."""
    return [
        [
            (int(picture.flatten()[0]), is_learnt)
            for piece, learnt in stretch
            for picture, is_learnt in zip(piece, learnt.tolist(), strict=True)
        ]
        for stretch in frames.followed(most)
    ]


def test_neighbouring_stretches_are_followed_as_one(tmp_path: Path) -> None:
    store = numbered_store(tmp_path, 160)
    runs = [np.arange(first, first + 20) for first in (0, 20, 60, 80, 100, 140)]
    whole = [np.arange(0, 100), np.arange(100, 160)]  # rows 40 to 59 and 120 to 139 are held out
    passed = followed(TrainingFrames(store, runs, whole=whole))
    learnt = set(np.concatenate(runs).tolist())
    assert passed == [[(row, row in learnt) for row in run.tolist()] for run in whole]


def test_stretches_far_apart_and_those_of_other_runs_stay_apart(tmp_path: Path) -> None:
    store = numbered_store(tmp_path, 100)
    runs = [np.arange(0, 10), np.arange(40, 50), np.arange(50, 60)]
    whole = [np.arange(0, 50), np.arange(50, 100)]
    passed = followed(TrainingFrames(store, runs, whole=whole))
    assert [[row for row, _ in part] for part in passed] == [run.tolist() for run in runs]
    passed = followed(TrainingFrames(store, runs))  # nothing is known of what lies between
    assert [[row for row, _ in part] for part in passed] == [run.tolist() for run in runs]


def test_stills_with_things_are_seen_through_a_wet_lens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_clips(tmp_path / "normal", (7,))
    store = open_store(open_footage(str(folder)), Preprocessing((32, 32), 1), tmp_path / "cache")
    frames = torch.rand(12, 1, 32, 32)

    def drawn() -> torch.Tensor:
        footage = TrainingFrames(store, [np.arange(7)])
        return footage.with_things(frames, torch.Generator().manual_seed(1))[0]

    wet = drawn()
    monkeypatch.setattr("tlae.training.lens_drops.WET", 0.0)
    changed = (wet != drawn()).flatten(1).any(1)
    assert 0 < changed.float().mean() < 1
