"""Clocks and restless places in drawn footage: found where they are, and nowhere else."""

from datetime import datetime, timedelta

import cv2
import numpy as np
import pytest

from tlae.footage.mask_proposal import Samples, find_clocks, find_restless
from tlae.footage.zones import Polygon, covered

SIZE_HW = (240, 320)
BEGAN = datetime(2024, 5, 6, 9, 58, 50)


def street(count: int = 60, *, light: bool = False) -> Samples:
    """A street of blurred texture with noise and a walker; with light, day and night."""
    random = np.random.default_rng(0)
    ground = cv2.resize(random.integers(60, 160, (24, 32), dtype=np.uint8), SIZE_HW[::-1])
    samples = np.repeat(ground[np.newaxis], count, axis=0).astype(np.float32)
    for i, sample in enumerate(samples):
        left = (7 * i) % 300
        sample[150:180, left : left + 10] = 30
        if light:
            sample *= 1.2 if i % 20 < 10 else 0.25
    samples += random.normal(0, 2, samples.shape)
    return samples.clip(0, 255).astype(np.uint8)


def with_clock(samples: Samples, corner: tuple[int, int], step_s: float, ink: int = 255) -> Samples:
    stamped = samples.copy()
    for i, sample in enumerate(stamped):
        text = (BEGAN + timedelta(seconds=i * step_s)).strftime("%Y-%m-%d %H:%M:%S")
        for colour, thick in ((255 - ink, 3), (ink, 1)):
            cv2.putText(
                sample, text, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, thick, cv2.LINE_AA
            )
    return stamped


def with_tree(samples: Samples) -> Samples:
    random = np.random.default_rng(1)
    waving = samples.copy()
    for sample in waving:
        leaves = random.integers(20, 200, (12, 10), dtype=np.uint8)
        sample[60:120, 200:250] = cv2.resize(leaves, (50, 60))
    return waving


def with_loaded_car(samples: Samples) -> Samples:
    """A parked car at the border; towards the end somebody loads it for a third of the time."""
    random = np.random.default_rng(2)
    loaded = samples.copy()
    loaded[:, 20:42, 296:] = 100
    for sample in loaded[-len(loaded) // 3 :]:
        things = random.integers(0, 2, (11, 12), dtype=np.uint8) * 200
        sample[20:42, 296:] = cv2.resize(things, (24, 22), interpolation=cv2.INTER_NEAREST)
    loaded[:, 20:42, 296::6] = 0  # the tyres and windows stay as dark as they are
    return loaded


def pixels(polygon: Polygon) -> np.ndarray:
    return covered(polygon, SIZE_HW)


@pytest.mark.parametrize("step_s", [0.3, 1.0, 900.0])
@pytest.mark.parametrize("corner", [(5, 15), (140, 232)])
@pytest.mark.parametrize("ink", [255, 0])
def test_a_clock_is_found_at_every_pace(step_s: float, corner: tuple[int, int], ink: int) -> None:
    samples = with_clock(street(), corner, step_s, ink)
    clocks = find_clocks(samples)
    assert len(clocks) == 1
    digits = (samples.max(axis=0).astype(int) - samples.min(axis=0)) > 150
    digits[140:190] = False  # the walker
    assert digits.any()
    assert pixels(clocks[0])[digits].mean() > 0.95
    assert pixels(clocks[0]).mean() < 0.08
    assert not pixels(clocks[0])[30:200].any()


def test_a_clock_is_found_through_day_and_night() -> None:
    clocks = find_clocks(with_clock(street(light=True), (5, 15), 900.0))
    assert len(clocks) == 1


def test_a_clock_takes_the_standing_date_beside_it_along() -> None:
    """Over a minute only the seconds change; the date would be a false alarm a day."""
    samples = with_clock(street(), (5, 15), 0.3)
    (clock,) = find_clocks(samples)
    left = min(x for x, _ in clock) * SIZE_HW[1]
    assert left < 12


@pytest.mark.parametrize("light", [False, True])
def test_a_street_without_a_clock_has_none(light: bool) -> None:
    assert find_clocks(street(light=light)) == []
    assert find_clocks(with_tree(street(light=light))) == []


def test_what_changes_for_a_while_is_no_clock() -> None:
    assert find_clocks(with_loaded_car(street())) == []
    (clock,) = find_clocks(with_loaded_car(with_clock(street(), (5, 15), 1.0)))
    assert max(x for x, _ in clock) < 0.6


def test_a_waving_tree_is_restless_and_a_walker_is_not() -> None:
    nothing = np.zeros(SIZE_HW, bool)
    (place,) = find_restless(with_tree(street()), 0.7, nothing)
    tree = np.zeros(SIZE_HW, bool)
    tree[60:120, 200:250] = True
    both, either = (pixels(place) & tree).sum(), (pixels(place) | tree).sum()
    assert both / either > 0.8
    assert find_restless(street(), 0.7, nothing) == []
    assert find_restless(with_tree(street()), 0.7, tree | pixels(place)) == []
