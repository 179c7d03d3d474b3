"""Reasons in words, of what was measured."""

import numpy as np
import pytest

from tlae.attributes.kinds import Scale
from tlae.attributes.reasons import NAMES, VALUES, Habits, reason

GRID = (2, 2)
SCALE = Scale((16, 16), 0.0, 8.0, 4.0, 1.0, 0.1, np.zeros((16, 16, 4), np.float32))
TYPICAL = {"cells": 100.0, "speed": 2.0, "vx": 1.0, "upper": 1.0, "lower": 1.5}


def habits() -> Habits:
    zero = dict.fromkeys(Habits.__dataclass_fields__, 0.0)
    return Habits(**{k: np.full(GRID, v, np.float32) for k, v in (zero | TYPICAL).items()})


@pytest.mark.parametrize(
    ("upper", "lower", "words"),
    [
        (2.9, 1.5, "has an upper half that moves 2.7 times as fast as that of the median thing"),
        (1.0, 0.3, "has a lower half that moves only 0.3 times as fast as that"),
        (1.0, 1.6, "has halves that move together in a way not seen near here in training"),
    ],
)
def test_the_half_that_differs_most_is_named(upper: float, lower: float, words: str) -> None:
    z = [2.0 if name == "halves" else 0.0 for name in NAMES]
    seen = {"upper": upper, "lower": lower, "speed": 1.2, "vx": 1.2}
    evidence = np.array([*z, *(seen.get(name, 0.0) for name in VALUES)], np.float32)
    assert reason(evidence, (0, 1), habits(), SCALE, 0.1).startswith(words)
