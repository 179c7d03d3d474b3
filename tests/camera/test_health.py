from dataclasses import replace

import numpy as np
import pytest

from tlae.camera.health import Health, HealthLimits, Signs, fit_limits, judge
from tlae.camera.registration import Shift

NORMAL = Signs(0, 0.1, 0.05, 1.0, 1.0, Shift(0.3, 0.1, 0.5))
LIMITS = fit_limits([[NORMAL] * 10], longest_copies=1)


@pytest.mark.parametrize(
    ("changed", "health"),
    [
        ({}, Health.OK),
        ({"copies": 1}, Health.REPEATED),
        ({"copies": 3}, Health.REPEATED),
        ({"copies": 4}, Health.FROZEN),
        ({"dark": 0.99}, Health.BLACK),
        ({"white": 0.8}, Health.SATURATED),
        ({"contrast": 0.3}, Health.COVERED),
        ({"sharpness": 0.5}, Health.BLURRED),
        ({"shift": Shift(9.0, 0.0, 0.4)}, Health.MOVED),
        ({"shift": Shift(9.0, 0.0, 0.02)}, Health.MOVED),  # another scene
        ({"shift": Shift(2.0, 0.0, 0.4)}, Health.OK),  # shake
    ],
)
def test_states(changed: dict[str, object], health: Health) -> None:
    assert judge(replace(NORMAL, **changed), LIMITS, 0, 100) == health  # type: ignore[arg-type]


def limits_of(**changed: object) -> HealthLimits:
    normal = [replace(NORMAL, **changed)] * 30  # type: ignore[arg-type]
    return fit_limits([normal, [NORMAL]], longest_copies=5)


@pytest.mark.parametrize(
    "normal",
    [
        {"dark": 0.99},  # a night without a lamp
        {"white": 0.9},  # the sun in the lens
        {"contrast": 0.1},  # an empty fog
        {"sharpness": 0.2},
        {"shift": Shift(0.0, 0.0, 0.01)},  # nothing to hold on to
        {"copies": 5},
    ],
)
def test_what_is_normal_here_is_no_illness(normal: dict[str, object]) -> None:
    frame = replace(NORMAL, **normal)  # type: ignore[arg-type]
    health = judge(frame, limits_of(**normal), 0, 100)
    assert health == (Health.REPEATED if "copies" in normal else Health.OK)


def test_limits_by_hand() -> None:
    limits = limits_of(dark=0.96, contrast=0.5)
    np.testing.assert_allclose(limits.dark, [0.98, 0.97])
    np.testing.assert_allclose(limits.contrast, [0.35, 0.55])
    np.testing.assert_allclose(limits.sharpness, 0.85)
    np.testing.assert_allclose(limits.response, 0.15)
    assert limits.frozen_after == 10
