"""Reasons in words, of what was measured."""

import numpy as np
import pytest

from tlae.attributes.kinds import Scale
from tlae.attributes.reasons import NAMES, VALUES, Habits, reason

GRID = (2, 2)
SCALE = Scale((16, 16), 0.0, 8.0, 4.0, 1.0, 0.1, np.zeros((16, 16, 4), np.float32))
TYPICAL = {"cells": 100.0, "speed": 2.0, "vx": 1.0, "upper": 1.0, "lower": 1.5}


def habits(**at_0_1: float) -> Habits:
    """The same everywhere but at one place."""
    zero = dict.fromkeys(Habits.__dataclass_fields__, 0.0)
    planes = {k: np.full(GRID, v, np.float32) for k, v in (zero | TYPICAL).items()}
    for name, value in at_0_1.items():
        planes[name][0, 1] = value
    return Habits(**planes)


def evidence(z: dict[str, float], **seen: float) -> np.ndarray:
    deviations = [z.get(name, 0.0) for name in NAMES]
    return np.array([*deviations, *(seen.get(name, 0.0) for name in VALUES)], np.float32)


@pytest.mark.parametrize(
    ("upper", "lower", "words"),
    [
        (2.9, 1.5, "has an upper half that moves 2.7 times as fast as that of the median thing"),
        (1.0, 0.3, "has a lower half that moves only 0.3 times as fast as that"),
        (1.0, 1.6, "has halves that move together in a way not seen near here in training"),
    ],
)
def test_the_half_that_differs_most_is_named(upper: float, lower: float, words: str) -> None:
    found = evidence({"halves": 2.0}, upper=upper, lower=lower, speed=1.2, vx=1.2)
    assert reason(found, (0, 1), habits(), SCALE, 0.1).startswith(words)


@pytest.mark.parametrize(
    ("standing", "longest", "words"),
    [
        (3.0, 1.0, "has stood here for 4.0 s; the longest in training was 0.1 s"),
        (3.0, 0.0, "has stood here for 4.0 s; nothing stood here in training"),
        (2.9, 1.0, "is 5.0 times wider"),  # not at its ceiling
        (3.0, 60.0, "is 5.0 times wider"),  # so long stood others
    ],
)
def test_a_longest_stand_comes_first_where_the_deviation_is_at_its_ceiling(
    standing: float, longest: float, words: str
) -> None:
    z = {"size": 4.0, "lingering": 3.0, "standing": standing}
    found = evidence(z, stands=40.0, lingers=30.0, width=50.0, height=10.0)
    usual = habits(width=10.0, height=10.0, stands=longest)
    assert reason(found, (0, 1), usual, SCALE, 0.1).startswith(words)


@pytest.mark.parametrize(
    ("cells", "attribute", "words"),
    [
        (4.0, "size", "is at a place where little was in training (4% of what the median"),
        (4.0, "speed", "moves at a place where little moved in training (4% of what the"),
        (0.0, "ground", "is at a place where nothing was in training"),
        (12.0, "ground", "is on ground on which nothing stood in training"),
    ],
)
def test_a_place_is_hardly_known_beside_the_median_place(
    cells: float, attribute: str, words: str
) -> None:
    found = evidence({attribute: 2.0}, speed=1.2, vx=1.2)
    assert reason(found, (0, 1), habits(cells=cells), SCALE, 0.1).startswith(words)
