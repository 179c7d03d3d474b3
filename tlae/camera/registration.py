"""How far a frame is shifted against the background, by phase correlation of their edges."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tlae.camera.measures import Plane

AnyPlane = npt.NDArray[Any]

LEAST_RESPONSE = 0.12  # of the correlation peak; frames of two scenes mostly stay below
DEAD_ZONE_PX = 0.15  # less is not undone: interpolating would blur for nothing
MOST_SHIFT = 0.04  # of the picture's height that is shake; more is a moved camera


@dataclass(frozen=True)
class Shift:
    """Of a frame against the background.

    Attributes:
        x: to the right [px of the net's picture].
        y: down [px].
        response: of the correlation peak, 0..1: its sharpness, so how far it is to be trusted.
    """

    x: float
    y: float
    response: float

    @property
    def length(self) -> float:
        """In pixels of the net's picture."""
        return float(np.hypot(self.x, self.y))

    @property
    def is_sure(self) -> bool:
        """Whether the peak stands out."""
        return self.response >= LEAST_RESPONSE


def hanning(size_hw: tuple[int, int]) -> Plane:
    """Weights (H, W) that fade to the picture's edge, where a shift brings new things in."""
    return np.asarray(cv2.createHanningWindow((size_hw[1], size_hw[0]), cv2.CV_32F), np.float32)


def find_shift(edges: Plane, background_edges: Plane, window: Plane) -> Shift:
    """Shift of a frame against the background.

    Phase correlation with a window (Kuglin and Hines 1975; Foroosh et al. 2002 for parts of a
    pixel) of edges, which other light changes little.

    Args:
        edges: (H, W), square root of ``measures.edges``, so that a few strong ones do not decide.
        background_edges: (H, W).
        window: of ``hanning``.
    """
    # Weighted here: OpenCV would write the weighted pictures into its arguments.
    (x, y), response = cv2.phaseCorrelate(background_edges * window, edges * window)
    return Shift(float(x), float(y), float(response))


def undo(picture: Plane, shift: Shift) -> Plane:
    """The picture (H, W) or (H, W, C) moved back; what comes in at the edge is repeated."""
    if shift.length < DEAD_ZONE_PX:
        return picture
    moved = translated(picture, -shift.x, -shift.y, cv2.INTER_CUBIC)
    return np.asarray(np.clip(moved, 0, 255), np.float32)  # cubic interpolation overshoots


def translated(picture: AnyPlane, x: float, y: float, interpolation: int) -> AnyPlane:
    """A picture (H, W) or (H, W, C) moved to the right and down; its edge is repeated.

    Args:
        picture: of any type that OpenCV takes.
        x: [px].
        y: [px].
        interpolation: of OpenCV, such as ``cv2.INTER_LINEAR``.
    """
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float64)
    height, width = picture.shape[:2]
    moved = cv2.warpAffine(
        picture, matrix, (width, height), flags=interpolation, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved).reshape(picture.shape)
