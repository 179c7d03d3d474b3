"""Smaller grey frames, for a part of a net that does not need all that another part does."""

import cv2
import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.uint8]


def small_and_grey(frames: Frames, size_hw: tuple[int, int]) -> Frames:
    """Means of areas, in grey (ITU-R BT.601).

    Args:
        frames: (n, H, W, C), C = 1 or 3.
        size_hw: of the result.

    Returns:
        (n, h, w, 1) uint8.
    """
    small = np.empty((len(frames), *size_hw, 1), np.uint8)
    for frame, result in zip(frames, small, strict=True):
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) if frame.shape[2] == 3 else frame[..., 0]
        cv2.resize(grey, size_hw[::-1], dst=result[..., 0], interpolation=cv2.INTER_AREA)
    return small
