"""Every frame of the footage is accounted for in the last line of a training."""

from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from tlae.commands.train import use_of_frames
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import open_footage
from tlae.footage.store import open_store
from tlae.training.normal_footage import split_footage
from tlae.workflows.footage_notes import TOO_SHORT


def test_frames_between_gaps_and_damaged_ones_are_accounted_for(tmp_path: Path) -> None:
    minutes = [*range(40), *range(100, 103), *range(200, 240), *range(300, 303)]
    for minute in minutes:
        name = f"{datetime(2023, 6, 13) + timedelta(minutes=minute):%Y%m%d_%H%M%S}.png"
        cv2.imwrite(str(tmp_path / name), np.full((32, 32), minute % 200, np.uint8))
    (tmp_path / "20230613_000500.png").write_bytes(b"")
    footage = open_footage(str(tmp_path))
    store = open_store(footage, Preprocessing((32, 32), 1), tmp_path / "cache")
    split = split_footage(store, window_frames=8, strides=[1], holdout=0.2, gap_factor=5.0)
    assert use_of_frames(split, footage) == (
        f"79 of 86 frames were used; left out 7: 1 x empty file; 6 x {TOO_SHORT}"
    )
