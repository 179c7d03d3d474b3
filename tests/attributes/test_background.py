"""Foreground: things, under any light and small shift, and nothing else."""

import numpy as np
import pytest

from tests.attributes.drawn_street import Walker, background, drawn, normal_street
from tlae.attributes.background import Aligned, Background, foreground_of, moved_back

SCENE = Background.of(normal_street()[::4])
THING = drawn([Walker(60, 70, 0, tall=30, wide=14)], 1, seed=3)[0]
EMPTY = drawn([], 1, seed=4)[0]


def seen(frame: np.ndarray) -> np.ndarray:
    return foreground_of(SCENE.excess(frame, SCENE.tones(frame)))


def lit(frame: np.ndarray, light: str) -> np.ndarray:
    levels = frame.astype(np.float64)
    changed = {
        "as it was": levels,
        "darker": levels - 18,
        "dimmed": levels * 0.8,
        "gamma": 255 * (levels / 255) ** 1.3,
        "warm": levels * np.array([1.1, 1.0, 0.85]),
    }[light]
    return np.clip(changed, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("light", ["as it was", "darker", "dimmed", "gamma", "warm"])
def test_a_thing_stands_out_in_any_light_and_nothing_else_does(light: str) -> None:
    empty, thing = (seen(lit(frame, light)) for frame in (EMPTY, THING))
    assert empty.mean() < 0.01
    inside = np.zeros(thing.shape, bool)
    inside[42:68, 62:72] = True
    assert thing[inside].mean() > 0.9
    assert thing.sum() < 1.3 * 30 * 14  # the thing, and an edge of a pixel or two


def test_the_background_is_the_scene_without_walkers() -> None:
    assert np.abs(SCENE.frame.astype(int) - background()).mean() < 2


@pytest.mark.parametrize("shift", [(2, 0), (-1, 3), (0, 0)])
def test_a_small_shift_is_measured_and_undone(shift: tuple[int, int]) -> None:
    shaken = np.roll(EMPTY, (shift[1], shift[0]), axis=(0, 1))
    found = Aligned(SCENE.frame).shift_of(shaken)
    np.testing.assert_allclose(found, shift, atol=0.3)
    still = moved_back(shaken, found, 0.3)
    inside = (slice(8, -8), slice(8, -8))
    assert np.abs(still[inside].astype(int) - EMPTY[inside]).mean() < 3


def test_a_camera_that_was_moved_is_not_called_shaken() -> None:
    moved = np.roll(EMPTY, 40, axis=1)
    assert Aligned(SCENE.frame).shift_of(moved) == (0.0, 0.0)
