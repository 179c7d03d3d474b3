"""What stands in front of a camera's background, and what moves."""

import torch
import torch.nn.functional as F
from torch import Tensor

LEAST_DIFFERENCE = 0.04  # to the background, of a pixel in [0, 1]
LEAST_CHANGE = 0.015  # of a pixel in [0, 1], boxed: below, nothing moves


def in_front(clip: Tensor, mean_frame: Tensor) -> Tensor:
    """Where frames differ from the background by more than noise, on a grid of two pixels.

    Gaps inside of things are closed, as far as a twentieth of the picture's height reaches.

    Args:
        clip: (B, C, T, H, W) in [0, 1].
        mean_frame: (C, H, W), the background.

    Returns:
        (B, T, H, W), 1 or 0.
    """
    difference = _halved((clip - mean_frame[:, None]).abs().mean(dim=1))
    seen = (difference > LEAST_DIFFERENCE + 2 * _noise(difference)).to(clip.dtype)
    reach = _odd(seen.shape[-2] / 20)
    closed = -_spread(-_spread(seen, reach), reach)
    return _doubled(closed, clip)


def moving(clip: Tensor) -> Tensor:
    """Where frames differ from those next to them by more than noise, on a grid of two pixels.

    Args:
        clip: (B, C, T, H, W) in [0, 1].

    Returns:
        (B, T, H, W), 1 or 0.
    """
    change = _halved((clip[:, :, 1:] - clip[:, :, :-1]).abs().mean(dim=1))
    box = _odd(change.shape[-2] / 18)
    change = F.avg_pool2d(change, box, 1, box // 2)
    changed = (change > LEAST_CHANGE + 2 * _noise(change)).to(clip.dtype)
    before, after = F.pad(changed, (0, 0, 0, 0, 1, 0)), F.pad(changed, (0, 0, 0, 0, 0, 1))
    return _doubled(_spread(torch.maximum(before, after), 3), clip)


def _odd(size: float) -> int:
    """An odd number of pixels, at least 3."""
    return max(3, int(size)) | 1


def _halved(planes: Tensor) -> Tensor:
    """(B, T, H, W) -> (B, T, h, w) of half the height and width, rounded up."""
    return F.avg_pool2d(planes, 2, ceil_mode=True)


def _doubled(planes: Tensor, clip: Tensor) -> Tensor:
    """(B, T, h, w) in the size of the clip's frames."""
    height, width = clip.shape[-2:]
    return planes.repeat_interleave(2, -1).repeat_interleave(2, -2)[..., :height, :width]


def _noise(planes: Tensor) -> Tensor:
    """Median of each plane, (B, T, 1, 1): less than half of a picture moves."""
    return planes.flatten(2).median(dim=2).values[:, :, None, None]


def _spread(planes: Tensor, reach: int) -> Tensor:
    """Maximum in a square of ``reach`` pixels around each one."""
    rows = F.max_pool2d(planes, (reach, 1), 1, (reach // 2, 0))
    return F.max_pool2d(rows, (1, reach), 1, (0, reach // 2))
