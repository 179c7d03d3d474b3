"""A calibration as arrays and plain facts, as the model file keeps it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.scoring.calibrate import Calibration

Array = npt.NDArray[Any]


def calibration_arrays(calibration: Calibration) -> tuple[dict[str, Array], dict[str, Any]]:
    """Arrays by name, and facts that go into JSON."""
    modes = [] if calibration.mode is None else sorted(set(calibration.mode))
    arrays = {"raw": np.asarray(calibration.raw), "run": np.asarray(calibration.run)}
    if calibration.frame_mean is not None:
        arrays["frame_mean"] = calibration.frame_mean
    if calibration.stands_for_s is not None:
        arrays["stands_for_s"] = calibration.stands_for_s
    if calibration.mode is not None:
        numbers = {mode: number for number, mode in enumerate(modes)}
        arrays["mode"] = np.array([numbers[mode] for mode in calibration.mode], np.int64)
    facts = {
        "frames": len(calibration.raw),
        "interval_s": calibration.interval_s,
        "created": calibration.created,
        "modes": modes,
        "floor": dict(calibration.floor),
    }
    return arrays, facts


def calibration_of(arrays: Mapping[str, Array], facts: Mapping[str, Any]) -> Calibration:
    """The calibration that ``calibration_arrays`` took apart; older files lack some of them."""
    mode = frame_mean = None
    if "mode" in arrays:
        names = np.array([str(name) for name in facts["modes"]], dtype=object)
        number = arrays["mode"]
        if not ((number >= 0) & (number < len(names))).all():
            raise ValueError("every score must be of one of the calibration's modes")
        mode = names[number]
    stands_for_s = None
    if "stands_for_s" in arrays:
        stands_for_s = arrays["stands_for_s"].astype(np.float64)
    if "frame_mean" in arrays:
        frame_mean = arrays["frame_mean"].astype(np.float64)
    floor = {str(name): float(level) for name, level in dict(facts.get("floor") or {}).items()}
    if not np.isfinite(list(floor.values())).all():
        raise ValueError("the highest scores of events that are normal must be finite numbers")
    return Calibration(
        arrays["raw"].astype(np.float64),
        arrays["run"].astype(np.int64),
        float(facts["interval_s"]),
        str(facts["created"]),
        mode,
        frame_mean,
        stands_for_s,
        floor,
    )
