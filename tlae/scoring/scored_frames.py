"""What a scorer is, and what it says of frames, whatever runs the net."""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image


@dataclass(frozen=True)
class Scored:
    """Results of n frames, in order.

    Attributes:
        maps: (n, h, w) float32, smoothed error.
        instant: (n,) float64, frame score before smoothing in time; NaN: the net gave no verdict.
        peak: (n, 2) row and column of the map's maximum.
        rebuilt: (n, h, w, C) uint8, what the net expected; C = 0 where it was not asked for or the
            net expects nothing.
        reason: (n,) str, why the worst place is unusual; empty where the net does not say.
        example: (n,) number of the most similar normal thing, see ``Net.examples``; -1: none.
        skipped: (n,) bool, whether the net was spared because nothing happened.
    """

    maps: npt.NDArray[np.float32]
    instant: npt.NDArray[np.float64]
    peak: npt.NDArray[np.int64]
    rebuilt: Image
    reason: npt.NDArray[np.object_]
    example: npt.NDArray[np.int64]
    skipped: npt.NDArray[np.bool_]

    @property
    def frame_mean(self) -> npt.NDArray[np.float64]:
        """Mean of each map, (n,); 0 where the net gave no verdict."""
        return np.asarray(self.maps.mean(axis=(1, 2), dtype=np.float64))

    @property
    def is_finite(self) -> npt.NDArray[np.bool_]:
        """Whether the net gave numbers, (n,); a frame without a verdict has an empty score."""
        return np.isfinite(self.frame_mean) & ~np.isinf(self.instant)


class Scorer(Protocol):
    """Score a run of frames piece by piece, causally.

    Attributes:
        framework: of the arrays of ``state``: "np", or "pt" for tensors of torch.
        delay: frames by which results lag behind; 0 when causal.
    """

    framework: ClassVar[str]
    delay: int

    def push(self, frames: Image) -> Scored:
        """Results of the next frames (n, H, W, C) uint8, preprocessed."""
        ...

    def finish(self) -> Scored:
        """Results still owed at the end of a run; then forget it."""
        ...

    def reset(self) -> None:
        """Forget the past: the next frame begins a run."""
        ...

    def state(self) -> dict[str, Any]:
        """What the frames so far leave behind, by name."""
        ...

    def restore(self, tensors: dict[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        ...
