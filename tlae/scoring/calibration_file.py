"""A calibration as tensors and plain facts, as the model file keeps it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tlae.scoring.calibrate import Calibration


def calibration_tensors(calibration: Calibration) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors by name, and facts that go into JSON."""
    modes = [] if calibration.mode is None else sorted(set(calibration.mode))
    tensors = {"raw": torch.from_numpy(calibration.raw), "run": torch.from_numpy(calibration.run)}
    if calibration.frame_mean is not None:
        tensors["frame_mean"] = torch.from_numpy(calibration.frame_mean)
    if calibration.stands_for_s is not None:
        tensors["stands_for_s"] = torch.from_numpy(calibration.stands_for_s)
    if calibration.mode is not None:
        numbers = {mode: number for number, mode in enumerate(modes)}
        tensors["mode"] = torch.tensor([numbers[mode] for mode in calibration.mode])
    facts = {
        "frames": len(calibration.raw),
        "interval_s": calibration.interval_s,
        "created": calibration.created,
        "modes": modes,
    }
    return tensors, facts


def calibration_of(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> Calibration:
    """The calibration that ``calibration_tensors`` took apart; older files lack some tensors."""
    mode = frame_mean = None
    if "mode" in tensors:
        names = np.array([str(name) for name in facts["modes"]], dtype=object)
        number = tensors["mode"].numpy()
        if not ((number >= 0) & (number < len(names))).all():
            raise ValueError("every score must be of one of the calibration's modes")
        mode = names[number]
    stands_for_s = None
    if "stands_for_s" in tensors:
        stands_for_s = tensors["stands_for_s"].numpy().astype(np.float64)
    if "frame_mean" in tensors:
        frame_mean = tensors["frame_mean"].numpy().astype(np.float64)
    return Calibration(
        tensors["raw"].numpy().astype(np.float64),
        tensors["run"].numpy().astype(np.int64),
        float(facts["interval_s"]),
        str(facts["created"]),
        mode,
        frame_mean,
        stands_for_s,
    )
