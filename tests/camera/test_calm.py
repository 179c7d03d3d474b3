"""Calm windows: what equals what was looked at, and what opens the net's eyes again."""

import numpy as np
import pytest

from tlae.camera.calm import LOOK_AGAIN, CalmWindows
from tlae.footage.frames import Image

SCENE = np.random.default_rng(0).integers(60, 180, (48, 64, 1), np.uint8)
REACH = 3


def noisy(count: int, sigma: float = 1.5) -> Image:
    noise = np.random.default_rng(1).normal(0, sigma, (count, *SCENE.shape))
    return np.clip(SCENE + noise, 0, 255).astype(np.uint8)


def calm(frames: Image) -> list[bool]:
    windows = CalmWindows(REACH)
    return [windows.push(frame) for frame in frames]


def test_noise_is_calm_once_the_window_and_the_one_before_show_nothing_else() -> None:
    assert calm(noisy(20)) == [False] * (REACH + 1) + [True] * (19 - REACH)


@pytest.mark.parametrize("contrast", [12, -12])
def test_a_small_faint_thing_is_looked_at_and_so_are_the_windows_that_hold_it(
    contrast: int,
) -> None:
    frames = noisy(30, 0.5)
    frames[15, 20:25, 30:35] += np.uint8(contrast % 256)
    found = calm(frames)
    assert found[14]
    assert not any(found[15 : 15 + REACH + 2])  # gone again is a change as well
    assert all(found[15 + REACH + 2 :])


def test_a_change_of_a_tenth_of_a_level_a_frame_cannot_creep_in() -> None:
    dusk = np.round(SCENE - 0.1 * np.arange(100)[:, None, None, None]).astype(np.uint8)
    looked_at = np.flatnonzero(~np.array(calm(dusk)))
    assert len(looked_at) >= 9


def test_calm_windows_are_looked_at_now_and_then() -> None:
    looked_at = np.flatnonzero(~np.array(calm(noisy(2 * LOOK_AGAIN + 20, 0))))
    assert looked_at.tolist() == [0, 1, 2, 3, 4 + LOOK_AGAIN, 5 + 2 * LOOK_AGAIN]


@pytest.mark.parametrize("cut", [0, 2, 9])
def test_what_is_carried_on_is_what_an_unbroken_run_knows(cut: int) -> None:
    frames, windows, later = noisy(20), CalmWindows(REACH), CalmWindows(REACH)
    first = [windows.push(frame) for frame in frames[:cut]]
    later.restore(windows.state())
    assert first + [later.push(frame) for frame in frames[cut:]] == calm(frames)


def test_a_reset_begins_a_run() -> None:
    windows = CalmWindows(REACH)
    for frame in noisy(10):
        windows.push(frame)
    windows.reset()
    assert windows.state() == {}
    assert not windows.push(SCENE)
