"""Frames as pictures, and as the smaller grey ones that a part of a net can do with."""

import cv2
import numpy as np
import torch
from torch import Tensor

from tlae.attributes.background import Image, grey_of


def pictures_of(frames: Tensor) -> Image:
    """(n, C, H, W), uint8 or in [0, 1] -> (n, H, W, C) uint8."""
    levels = frames.detach().cpu()
    if levels.dtype != torch.uint8:
        levels = (levels.float() * 255).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).numpy())


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


def seen_small(frames: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Frames (n, C, H, W), uint8 or in [0, 1], as small grey ones in [0, 1], (n, 1, h, w)."""
    small = torch.from_numpy(small_and_grey(pictures_of(frames), size_hw))
    return small.permute(0, 3, 1, 2).to(frames.device).float() / 255
