"""Tensors of frames as pictures, and as the smaller grey ones that a part of a net can do with."""

import numpy as np
import torch
from torch import Tensor

from tlae.attributes.background import Image
from tlae.attributes.small_grey import small_and_grey


def pictures_of(frames: Tensor) -> Image:
    """(n, C, H, W), uint8 or in [0, 1] -> (n, H, W, C) uint8."""
    levels = frames.detach().cpu()
    if levels.dtype != torch.uint8:
        levels = (levels.float() * 255).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).numpy())


def seen_small(frames: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Frames (n, C, H, W), uint8 or in [0, 1], as small grey ones in [0, 1], (n, 1, h, w)."""
    small = torch.from_numpy(small_and_grey(pictures_of(frames), size_hw))
    return small.permute(0, 3, 1, 2).to(frames.device).float() / 255
