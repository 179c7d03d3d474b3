"""Which frames of footage are planted into, and which are learnt from."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tlae.errors import FootageError
from tlae.footage.sources import Footage, open_footage
from tlae.lab.planting import PlantOptions
from tlae.lab.planting.split import split_footage

OPTIONS = PlantOptions(
    parts=1, train_share=0.5, train_frames=None, clips=4, clip_frames=12, size_hw=None, seed=0
)


@pytest.fixture
def footage(tmp_path: Path) -> Footage:
    for number in range(200):
        cv2.imwrite(str(tmp_path / f"{number:03d}.png"), np.full((20, 24), number, np.uint8))
    return open_footage(str(tmp_path))


def test_one_part_is_training_a_gap_and_test(footage: Footage) -> None:
    split = split_footage(footage, OPTIONS)
    assert [rows.tolist() for rows in split.train] == [list(range(100))]
    assert [rows.tolist() for rows in split.test] == [list(range(104, 200))]


def test_several_parts_each_give_both_with_gaps_between(footage: Footage) -> None:
    split = split_footage(footage, replace(OPTIONS, parts=2))
    assert [(rows[0], rows[-1]) for rows in split.train] == [(0, 49), (100, 149)]
    assert [(rows[0], rows[-1]) for rows in split.test] == [(54, 95), (154, 199)]


def test_training_frames_come_evenly_from_the_parts(footage: Footage) -> None:
    split = split_footage(footage, replace(OPTIONS, parts=2, train_frames=30))
    assert [(rows[0], rows[-1]) for rows in split.train] == [(35, 49), (135, 149)]


def test_too_many_parts_leave_no_room_for_a_clip(footage: Footage) -> None:
    with pytest.raises(FootageError, match=r"clip_frames=12 test frames .* change train_share or"):
        split_footage(footage, replace(OPTIONS, parts=10))
