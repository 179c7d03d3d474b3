"""A trained net with what it takes to read errors from its answers; no threshold, no camera."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from tlae.footage.preprocess import Preprocessing
from tlae.models.standardised import Standardised


@dataclass(frozen=True, eq=False)
class Detector:
    """What turns frames into error maps.

    Attributes:
        net: the net, with the camera's mean frame around it.
        net_config: class (``_target_``) and arguments of the inner net.
        preprocessing: what a frame goes through before the net.
        window_frames: frames the net sees at once.
        stride: step between them.
        gap_s: an interval longer than this ends the current window [s]; 0: none does.
        precision: "float32" or "bfloat16", that the calibration is made with.
        typical_error: (H, W), mean error of normal footage.
        watched: (H, W) bool, False where ignored; None: all watched.
    """

    net: Standardised
    net_config: dict[str, Any]
    preprocessing: Preprocessing
    window_frames: int
    stride: int
    gap_s: float
    precision: str
    typical_error: Tensor
    watched: Tensor | None = None

    @property
    def span_frames(self) -> int:
        """Frames from the first to the last of a window."""
        return (self.window_frames - 1) * self.stride + 1
