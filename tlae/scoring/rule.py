"""The scoring rule: every choice between an error and an alarm, in one place."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from tlae.setting_rules import one_of, within

ERRORS = ("absolute", "squared")
KERNELS = ("box_mean", "box_sum", "gaussian")
REDUCTIONS = ("maximum", "mean")
LARGEST_KERNEL_PX = 4096  # the largest side of a net's picture
MOST_KERNEL_FRAMES = 1_000  # so many maps are held in memory
MOST_SMOOTH_FRAMES = 1e6
LARGEST_UNIT = 1e6  # squared and summed over the largest kernel, it stays within float32
# What was done before a field existed, where that differs from the field's default.
BEFORE_FIELDS = {"match_light": False}


@dataclass(frozen=True)
class ScoringRule:
    """How a frame's error becomes its score.

    Attributes:
        error: "absolute" or "squared" difference, mean over channels.
        match_light: fit brightness and contrast of the whole frame first, so light is no error.
        background: weigh down places whose error is large in normal footage.
        kernel: "box_mean", "box_sum" or "gaussian" over the error map.
        kernel_fraction: side of the box (or 4 sigma of the Gaussian), in frame heights.
        kernel_px: the same in pixels of the net's picture; wins over the fraction where given.
        kernel_frames: maps that the kernel averages in time, as many before as after; causal maps
            are not averaged, they would lag behind what moves.
        unit: value of a full-scale difference; 1, or 255 in rules published for 8-bit pictures.
        reduction: "maximum" or "mean" of the smoothed map.
        causal: use only the past; False uses both sides of a moment, for finished footage.
        smooth_frames: temporal smoothing, time constant (causal) or sigma (not) in frames; 0: none.
    """

    error: str = "absolute"
    match_light: bool = True
    background: bool = False
    kernel: str = "box_mean"
    kernel_fraction: float = 0.1
    kernel_px: int | None = None
    kernel_frames: int = 1
    unit: float = 1.0
    reduction: str = "maximum"
    causal: bool = True
    smooth_frames: float = 3.0

    def __post_init__(self) -> None:
        one_of("scoring.error", self.error, ERRORS)
        one_of("scoring.kernel", self.kernel, KERNELS)
        one_of("scoring.reduction", self.reduction, REDUCTIONS)
        within("scoring.kernel_fraction", self.kernel_fraction, 0, 1, open_low=True)
        within("scoring.kernel_px", self.kernel_px, 1, LARGEST_KERNEL_PX)
        within("scoring.kernel_frames", self.kernel_frames, 1, MOST_KERNEL_FRAMES)
        within("scoring.smooth_frames", self.smooth_frames, 0, MOST_SMOOTH_FRAMES)
        within("scoring.unit", self.unit, 0, LARGEST_UNIT, open_low=True)

    def kernel_size_px(self, height_px: int) -> int:
        """Side of the kernel for frames of this height."""
        return self.kernel_px or max(1, round(self.kernel_fraction * height_px))

    def idle_setting(self) -> str | None:
        """A line where ``kernel_frames`` has no effect, else None."""
        if not self.causal or self.kernel_frames == 1:
            return None
        return (
            f"note: scoring.kernel_frames={self.kernel_frames} has no effect: causal maps are not "
            "averaged in time; scoring.causal=false averages them"
        )

    def changed_by(self, settings: dict[str, Any]) -> "ScoringRule":
        """This rule with the given settings; those that are None or not of a rule are ignored."""
        names = {field.name for field in fields(self)}
        given = {k: v for k, v in settings.items() if k in names and v is not None}
        if "kernel_fraction" in given and "kernel_px" not in given:
            given["kernel_px"] = None
        return ScoringRule(**{**{name: getattr(self, name) for name in names}, **given})


def kernel_reach_px(kernel: str, size_px: int) -> int:
    """How far a kernel carries the error of a pixel, along each axis."""
    return math.ceil(4 * kernel_sigma_px(size_px)) if kernel == "gaussian" else size_px // 2


def kernel_sigma_px(size_px: int) -> float:
    """Of the Gaussian of this size."""
    return max(size_px / 4, 1e-3)


def completed(stored: Any) -> Any:
    """A stored rule with the fields that did not exist yet when it was written.

    Args:
        stored: fields by name, as a file holds them; anything else is returned as it is.
    """
    return {**BEFORE_FIELDS, **stored} if isinstance(stored, Mapping) else stored
