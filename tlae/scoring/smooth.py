"""Smoothing of error maps over space and of scores over time."""

import math
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter
from torch import Tensor

from tlae.footage.windows import Rows

FloatMap = npt.NDArray[np.float32]
Series = npt.NDArray[np.float64]

UNSETTLED = 2.0  # in units of the smoothing: then what one end weighs too much is a fiftieth


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
    weights = torch.ones_like(maps[:1]) if watched is None else watched.to(maps)[None]
    masked = maps * weights
    if kernel == "gaussian":
        return _gaussian(masked, size_px) * weights
    scale = size_px**2 if kernel == "box_sum" else 1
    return _box(masked, size_px) * scale * weights


def smooth_in_time(values: Series, frames: float, *, causal: bool) -> Series:
    """Smooth the scores of one run of frames.

    Args:
        values: (n,), without NaN.
        frames: time constant of an exponential average (causal) or sigma of a Gaussian (not); 0:
            none.
        causal: the score of a frame depends on that frame and those before it only.

    Returns:
        (n,), same unit.
    """
    if frames == 0 or len(values) == 0:
        return values
    if not causal:
        return np.asarray(gaussian_filter1d(values, frames, mode="nearest"))
    keep = math.exp(-1 / frames)
    smoothed, _ = lfilter([1 - keep], [1, -keep], values, zi=[keep * values[0]])
    return np.asarray(smoothed)


class CausalSmoothing:
    """``smooth_in_time`` of one run, causal, score by score.

    Args:
        frames: time constant; 0: none.

    Attributes:
        carried: what the scores so far leave behind; None: the next one begins a run.
    """

    def __init__(self, frames: float) -> None:
        self._keep = math.exp(-1 / frames) if frames else 0.0
        self.reset()

    def reset(self) -> None:
        """The next score begins a run."""
        self.carried: float | None = None

    def push(self, value: float) -> float:
        """Smooth the next score, in the arithmetic of ``scipy.signal.lfilter``."""
        before = self._keep * value if self.carried is None else self.carried
        smoothed = (1 - self._keep) * value + before
        self.carried = self._keep * smoothed
        return smoothed


def is_settled(count: int, frames: float, *, causal: bool) -> npt.NDArray[np.bool_]:
    """Which scores of a run are smoothed over as many others as those of a long run.

    The first smoothed score is an unsmoothed one, so it varies more, and so do some after it.

    Args:
        count: frames of the run.
        frames: see ``smooth_in_time``.
        causal: see ``smooth_in_time``; else the end is as the beginning.

    Returns:
        (count,).
    """
    place = np.arange(count)
    unsettled = math.ceil(UNSETTLED * frames)
    settled = place >= unsettled
    return settled if causal else settled & (place < count - unsettled)


def smooth_runs(values: Series, runs: list[Rows], frames: float, *, causal: bool) -> Series:
    """Smooth the scores of a footage run by run; rows of no run keep theirs."""
    smoothed = np.array(values, np.float64)
    for run in runs:
        smoothed[run] = smooth_in_time(values[run], frames, causal=causal)
    return smoothed


def kernel_reach_px(kernel: str, size_px: int) -> int:
    """How far a kernel of ``smooth_map`` carries the error of a pixel, along each axis."""
    return math.ceil(4 * _sigma(size_px)) if kernel == "gaussian" else size_px // 2


def _sigma(size_px: int) -> float:
    """Of the Gaussian of this size."""
    return max(size_px / 4, 1e-3)


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


def _each(maps: Tensor, filtered: Callable[[FloatMap], FloatMap]) -> Tensor:
    """Filter each of the maps (B, H, W) in the host's memory."""
    pictures = np.ascontiguousarray(maps.detach().float().numpy())
    result = np.empty_like(pictures)
    for number, picture in enumerate(pictures):
        result[number] = filtered(picture)
    return torch.from_numpy(result).to(maps)


def _gaussian(maps: Tensor, size_px: int) -> Tensor:
    """Mean under a Gaussian of sigma ``size_px / 4``, zeros outside."""
    sigma, radius = _sigma(size_px), kernel_reach_px("gaussian", size_px)
    offsets = torch.arange(-radius, radius + 1, dtype=maps.dtype, device=maps.device)
    line = torch.exp(-0.5 * (offsets / sigma) ** 2)
    line = line / line.sum()
    if _runs_on_host(maps):
        taps, zeros = line.numpy(), cv2.BORDER_CONSTANT
        return _each(maps, lambda one: cv2.sepFilter2D(one, -1, taps, taps, borderType=zeros))
    across = F.conv2d(maps[:, None], line[None, None, None, :], padding=(0, radius))
    return F.conv2d(across, line[None, None, :, None], padding=(radius, 0))[:, 0]
