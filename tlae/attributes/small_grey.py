"""Frames as the smaller grey ones that a part of a net can do with."""

import cv2
import numpy as np

from tlae.attributes.background import Image, grey_of


def small_and_grey(frames: Image, size_hw: tuple[int, int]) -> Image:
    """Means of areas, in grey (ITU-R BT.601).

    Args:
        frames: (n, H, W, C), C = 1 or 3.
        size_hw: of the result.

    Returns:
        (n, h, w, 1) uint8.
    """
    small = np.empty((len(frames), *size_hw, 1), np.uint8)
    for frame, result in zip(frames, small, strict=True):
        cv2.resize(grey_of(frame), size_hw[::-1], dst=result[..., 0], interpolation=cv2.INTER_AREA)
    return small
