from pathlib import Path

import numpy as np
import torch

from tests.small_footage import frame_image, write_clips
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import open_footage
from tlae.footage.store import open_store
from tlae.training.reference_bank import fit_bank, frames_of_all_times


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
