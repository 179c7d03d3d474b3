import cv2
import numpy as np
import pytest

from tests.camera.small_camera import footage, scene
from tlae.camera.measures import edges, luminance
from tlae.camera.registration import Shift, find_shift, hanning, undo


def moved(x: float, y: float) -> np.ndarray:
    frame = footage(5)[4].astype(np.float32)
    matrix = np.array([[1, 0, x], [0, 1, y]], float)
    return cv2.warpAffine(frame, matrix, (96, 64), borderMode=cv2.BORDER_REPLICATE)


def shift_of(frame: np.ndarray) -> Shift:
    rough = np.sqrt(edges(luminance(np.stack([frame, scene()]).astype(np.uint8))))
    before = rough.copy()
    found = find_shift(rough[0], rough[1], hanning((64, 96)))
    np.testing.assert_array_equal(rough, before)  # OpenCV's own window would change them
    return found


@pytest.mark.parametrize(("x", "y"), [(0, 0), (2, -1), (-1.5, 0.5), (14, 9)])
def test_a_shift_is_found_whatever_the_light(x: float, y: float) -> None:
    found = shift_of(0.4 * moved(x, y) + 10)
    assert found.is_sure
    assert abs(found.x - x) < 0.25
    assert abs(found.y - y) < 0.25


def test_another_scene_is_not_sure() -> None:
    assert not shift_of(scene(seed=9)).is_sure


def test_undo_brings_it_back() -> None:
    frame = moved(0, 0)
    back = undo(moved(2, -1), Shift(2, -1, 1.0))
    assert np.abs(back - frame)[4:-4, 4:-4].mean() < 0.5
    assert undo(frame, Shift(0.05, 0.1, 1.0)) is frame  # too little to blur it for
