"""A camera as tensors and plain facts, as the model file keeps it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tlae.camera.background import BackgroundBank
from tlae.camera.camera import Camera, CameraOptions
from tlae.camera.health import Limits
from tlae.camera.modes import Modes

LIMITS = ("dark", "white", "contrast", "sharpness", "response")


def camera_tensors(camera: Camera) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors by name, and facts that go into JSON."""
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
    return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}, facts


def camera_of(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Camera:
    """The camera that ``camera_tensors`` took apart."""
    return Camera(
        CameraOptions(**facts["options"]),
        Modes(tuple(facts["modes"]), tensors["looks"].numpy(), tensors["reach"].numpy()),
        BackgroundBank(tensors["backgrounds"].numpy(), tensors["background_mode"].numpy()),
        Limits(
            **{name: tensors[f"limits.{name}"].numpy() for name in LIMITS},
            frozen_after=facts["frozen_after"],
        ),
    )
