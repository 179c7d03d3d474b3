"""Smoothing of error maps over space."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from tlae.scoring.rule import kernel_reach_px, kernel_sigma_px

Map = npt.NDArray[np.floating[Any]]


def smooth_map(maps: Tensor, kernel: str, size_px: int, watched: Tensor | None = None) -> Tensor:
    """Smooth error maps by a kernel.

    Ignored places and what lies outside the picture count as no error, so a thing half in view
    counts half: at the border a net lacks the context to know what enters.

    Args:
        maps: (B, H, W), >= 0.
        kernel: "box_mean"; "box_sum" (aligned as ``scipy.signal.convolve2d`` with ``mode="same"``,
            as the UCSD autoencoder notebook does); "gaussian" (sigma is a quarter of the size).
        size_px: side of the box.
        watched: (H, W), True where changes count; None: everywhere.

    Returns:
        (B, H, W), same unit (for "box_sum" times ``size_px``^2), 0 where ignored.
    """
    maps = _only(maps, watched)
    if kernel == "gaussian":
        return _only(_gaussian(maps, size_px), watched)
    mean = _box(maps, size_px)
    return _only(mean * size_px**2 if kernel == "box_sum" else mean, watched)


def _only(maps: Tensor, watched: Tensor | None) -> Tensor:
    """Maps (B, H, W), 0 where changes do not count."""
    return maps if watched is None else maps * watched.to(maps)


def _box(maps: Tensor, size_px: int) -> Tensor:
    """Mean under a sliding box, zeros outside."""
    if _runs_on_host(maps):
        box = (size_px, size_px)
        return _each(maps, lambda one: cv2.blur(one, box, borderType=cv2.BORDER_CONSTANT))
    before, after = size_px // 2, (size_px - 1) // 2
    padded = F.pad(maps[:, None], (before, after, before, after))
    rows = F.avg_pool2d(padded, (1, size_px), stride=1)
    return F.avg_pool2d(rows, (size_px, 1), stride=1)[:, 0]


def _runs_on_host(maps: Tensor) -> bool:
    """Whether OpenCV can filter, whose running sums take a twentieth of a pooling layer's time."""
    return maps.device.type == "cpu" and not torch.onnx.is_in_onnx_export()


def _each(maps: Tensor, filtered: Callable[[Map], Map]) -> Tensor:
    """Filter each of the maps (B, H, W) in the host's memory."""
    known = maps if maps.dtype == torch.float64 else maps.float()  # to OpenCV
    pictures = np.ascontiguousarray(known.detach().numpy())
    result = np.empty_like(pictures)
    for number, picture in enumerate(pictures):
        result[number] = filtered(picture)
    return torch.from_numpy(result).to(maps)


def _gaussian(maps: Tensor, size_px: int) -> Tensor:
    """Mean under a Gaussian of sigma ``size_px / 4``, zeros outside."""
    sigma, radius = kernel_sigma_px(size_px), kernel_reach_px("gaussian", size_px)
    offsets = torch.arange(-radius, radius + 1, dtype=maps.dtype, device=maps.device)
    line = torch.exp(-0.5 * (offsets / sigma) ** 2)
    line = line / line.sum()
    if _runs_on_host(maps):
        taps, zeros = line.numpy(), cv2.BORDER_CONSTANT
        return _each(maps, lambda one: cv2.sepFilter2D(one, -1, taps, taps, borderType=zeros))
    across = F.conv2d(maps[:, None], line[None, None, None, :], padding=(0, radius))
    return F.conv2d(across, line[None, None, :, None], padding=(radius, 0))[:, 0]
