"""A camera as arrays and plain facts, as the model file keeps it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.camera.background import BackgroundBank
from tlae.camera.camera import Camera
from tlae.camera.health import HealthLimits
from tlae.camera.modes import Modes
from tlae.camera.options import CameraOptions
from tlae.plain_values import from_plain

Array = npt.NDArray[Any]

LOOKS = 4  # measures of a look
LIMITS = ("dark", "white", "contrast", "sharpness", "response")


def camera_arrays(camera: Camera) -> tuple[dict[str, Array], dict[str, Any]]:
    """Arrays by name, and facts that go into JSON."""
    arrays = {
        "backgrounds": camera.bank.pictures,
        "background_mode": camera.bank.mode,
        "looks": camera.modes.centres,
        "reach": camera.modes.reach,
        **{f"limits.{name}": getattr(camera.limits, name) for name in LIMITS},
    }
    facts = {
        "options": asdict(camera.options),
        "modes": list(camera.modes.names),
        "frozen_after": camera.limits.frozen_after,
    }
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}, facts


def camera_of(arrays: Mapping[str, Array], facts: Mapping[str, Any]) -> Camera:
    """The camera that ``camera_arrays`` took apart.

    Raises:
        ValueError: its parts do not fit together.
    """
    names = [str(name) for name in facts["modes"]]
    per_mode: dict[str, tuple[int, ...]] = {
        "looks": (len(names), LOOKS),
        "reach": (len(names), LOOKS),
    }
    per_mode |= {f"limits.{name}": (len(names),) for name in LIMITS}
    for name, shape in per_mode.items():
        if tuple(arrays[name].shape) != shape:
            raise ValueError(f"camera.{name} must be of shape {shape}")
    of_mode = arrays["background_mode"]
    known = bool(((of_mode >= 0) & (of_mode < len(names))).all())
    if not known or len(of_mode) != len(arrays["backgrounds"]):
        raise ValueError("every background of the camera must be of one of its modes")
    return Camera(
        from_plain(CameraOptions, facts["options"]),
        Modes(tuple(names), arrays["looks"], arrays["reach"]),
        BackgroundBank(arrays["backgrounds"], arrays["background_mode"]),
        HealthLimits(
            **{name: arrays[f"limits.{name}"] for name in LIMITS},
            frozen_after=int(facts["frozen_after"]),
        ),
    )
