"""Pseudo-anomalies: normal clips with something planted that plays too fast or does not belong.

Everything comes from the footage itself. Beside the anomalies stand things that only look planted
and count as normal (a piece of another normal moment, a change of light), so that seams and
flashes are not what a net learns.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

KINDS = torch.tensor([0.33, 0.17, 0.33, 0.17])  # shares of normal, seam, fast, pasted
NORMAL, SEAM, FAST, PASTED = range(4)
WHOLE_FRAME = 0.15  # share of the fast ones that play too fast everywhere
LIGHT = 0.1  # share of all clips in which the light changes
LIGHT_STEP = 0.2  # relative, at most
ELLIPSES = 3  # at most, in the shape of what is planted
SOFT_EDGE = 8.0  # the larger, the sharper
ENLARGED = (1.3, 3.0)  # of pasted things
FASTEST_PASTED = 1 / 32  # of the picture's width per frame seen
LEAST_CHANGE = 0.015  # of a pixel in [0, 1], boxed: below, nothing moves


class Planted(NamedTuple):
    """Clips and what is planted in them.

    Attributes:
        clip: (B, C, T, H, W) in [0, 1].
        mask: (B, 1, H, W), 1 where the last frame is anomalous, else 0.
    """

    clip: Tensor
    mask: Tensor


def span_frames(window_frames: int, stride: int, fastest: int) -> int:
    """Frames of footage that a planted window may need, at stride 1."""
    return (window_frames - 1) * stride * fastest + 1


def usual_window(span: Tensor, window_frames: int, stride: int) -> Tensor:
    """(B, C, L, H, W) -> (B, C, T, H, W): the window that ends with the span, at usual speed."""
    first = span.shape[2] - 1 - (window_frames - 1) * stride
    return span[:, :, first::stride]


class Playing(NamedTuple):
    """How footage is seen, and how fast pseudo-anomalies play.

    Attributes:
        window_frames: frames of a window.
        stride: step between them.
        fastest: how many times the usual speed.
    """

    window_frames: int
    stride: int
    fastest: int


def plant(span: Tensor, playing: Playing, mean_frame: Tensor, generator: Generator) -> Planted:
    """Plant pseudo-anomalies into normal footage.

    Args:
        span: (B, C, L, H, W) in [0, 1], L from ``span_frames``.
        playing: window and speeds.
        mean_frame: (C, H, W), the background from which things stand out.
        generator: of the random choices, on the CPU.
    """
    clip = usual_window(span, playing.window_frames, playing.stride)
    kinds = torch.multinomial(KINDS, len(clip), replacement=True, generator=generator)
    shape = _blobs(clip, generator)
    whole = torch.rand(len(clip), generator=generator) < WHOLE_FRAME
    shape[whole & (kinds == FAST)] = 1
    mask = torch.zeros_like(shape)
    other = clip.roll(1, dims=0)
    seam = kinds == SEAM
    clip = _blend(clip, other, shape, seam)
    fast = kinds == FAST
    if fast.any():
        played = _played_fast(span[fast], playing, generator)
        mask[fast] = _moving(played) * (shape[fast] > 0.5)
        clip[fast] = _mixed(clip[fast], played, shape[fast])
    pasted = kinds == PASTED
    if pasted.any():
        background = mean_frame[:, None]
        things = other[pasted] - background  # without what is behind them
        drawn, mask[pasted] = _pasted(clip[pasted] - background, things, generator)
        clip[pasted] = drawn + background
    return Planted(_relit(clip, generator), mask)


def _mixed(clip: Tensor, other: Tensor, shape: Tensor) -> Tensor:
    """``other`` within the soft shape (B, 1, H, W), ``clip`` outside."""
    return torch.lerp(clip, other, shape[:, :, None])


def _blend(clip: Tensor, other: Tensor, shape: Tensor, where: Tensor) -> Tensor:
    blended = clip.clone()
    blended[where] = _mixed(clip[where], other[where], shape[where])
    return blended


def _uniform(low: float, high: float, size: tuple[int, ...], generator: Generator) -> Tensor:
    return low + (high - low) * torch.rand(size, generator=generator)


def _ellipse(centre: Tensor, radius: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Soft ellipses in [0, 1]: (n, 2) centres and radii in pixels -> (n, H, W)."""
    height, width = size_hw
    y = (torch.arange(height) - centre[:, :1]) / radius[:, :1]  # (n, H)
    x = (torch.arange(width) - centre[:, 1:]) / radius[:, 1:]  # (n, W)
    distance = (y[:, :, None].square() + x[:, None, :].square()).sqrt()
    return torch.sigmoid((1 - distance) * SOFT_EDGE)


def _blobs(clip: Tensor, generator: Generator) -> Tensor:
    """A soft shape of one to ``ELLIPSES`` ellipses for each clip, (B, 1, H, W)."""
    count, (height, width) = len(clip), clip.shape[-2:]
    size = (count * ELLIPSES, 2)
    centre = torch.rand(size, generator=generator) * torch.tensor([height, width])
    radius = _uniform(height / 16, height / 3, size, generator)
    ellipses = _ellipse(centre, radius, (height, width)).view(count, ELLIPSES, height, width)
    used = torch.rand(count, ELLIPSES, generator=generator) < 0.5
    used[:, 0] = True
    shape = (ellipses * used[:, :, None, None]).amax(dim=1, keepdim=True)
    return shape.to(clip.device)


def _played_fast(span: Tensor, playing: Playing, generator: Generator) -> Tensor:
    """The window that ends with the span, at 1.5 to ``fastest`` times the usual speed."""
    window_frames, stride, fastest = playing
    slowest = math.floor(1.5 * stride) if stride > 1 else 2
    steps = torch.randint(slowest, fastest * stride + 1, (len(span),), generator=generator)
    back = torch.arange(window_frames - 1, -1, -1)
    frames = span.shape[2] - 1 - steps[:, None] * back  # (B, T)
    rows = torch.arange(len(span))[:, None]
    return span[rows, :, frames].transpose(1, 2)


def _moving(clip: Tensor) -> Tensor:
    """Where the last frame differs from the one before it by more than noise: (B, 1, H, W)."""
    change = (clip[:, :, -1] - clip[:, :, -2]).abs().mean(dim=1, keepdim=True)
    box = max(3, clip.shape[-2] // 18) | 1
    change = F.avg_pool2d(change, box, 1, box // 2)
    noise = change.flatten(1).median(dim=1).values[:, None, None, None]
    moving = (change > LEAST_CHANGE + 2 * noise).to(clip.dtype)
    widened: Tensor = F.max_pool2d(moving, 5, 1, 2)
    return widened


def _pasted(clip: Tensor, other: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """A thing of another moment, enlarged, passing through the picture.

    Both clips are differences to the background, so that a thing comes without its own.
    """
    count, window, (height, width) = len(clip), clip.shape[2], clip.shape[-2:]
    source = _a_moving_place(other, generator)  # (n, 2)
    scale = _uniform(*ENLARGED, (count, 1), generator) * _uniform(0.9, 1.1, (count, 2), generator)
    half = torch.stack(
        [
            _uniform(height / 13, height / 5, (count,), generator),
            _uniform(width / 24, width / 9, (count,), generator),
        ],
        dim=1,
    )
    place = torch.rand(count, 2, generator=generator) * torch.tensor([height, width])
    limit = torch.tensor([FASTEST_PASTED / 3, FASTEST_PASTED]) * width
    velocity = (2 * torch.rand(count, 2, generator=generator) - 1) * limit
    flip = 1 - 2 * (torch.rand(count, generator=generator) < 0.5).float()
    mask = torch.zeros_like(clip[:, :1, 0])
    for step in range(window):
        centre = place - velocity * (window - 1 - step)
        shape = _ellipse(centre, half * scale, (height, width))[:, None].to(clip.device)
        y = (torch.arange(height) - centre[:, :1]) / scale[:, :1] + source[:, :1]
        x = flip[:, None] * (torch.arange(width) - centre[:, 1:]) / scale[:, 1:] + source[:, 1:]
        y, x = 2 * y / (height - 1) - 1, 2 * x / (width - 1) - 1
        grid = torch.stack(
            [x[:, None, :].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], dim=-1
        )
        thing = F.grid_sample(
            other[:, :, -1], grid.to(clip), padding_mode="reflection", align_corners=True
        )
        clip[:, :, step] = torch.lerp(clip[:, :, step], thing, shape)
        mask = (shape > 0.5).to(clip.dtype)
    return clip, mask


def _a_moving_place(clip: Tensor, generator: Generator) -> Tensor:
    """Row and column of one moving pixel of each clip (any pixel where nothing moves), (n, 2)."""
    moving = _moving(clip).flatten(1).cpu() + 1e-6
    chosen = torch.multinomial(moving, 1, generator=generator)[:, 0]
    width = clip.shape[-1]
    return torch.stack([chosen // width, chosen % width], dim=1).float()


def _relit(clip: Tensor, generator: Generator) -> Tensor:
    """Some clips with a sudden change of light."""
    count, window = len(clip), clip.shape[2]
    step = _uniform(-LIGHT_STEP, LIGHT_STEP, (count, 1), generator)
    step = step * (torch.rand(count, 1, generator=generator) < LIGHT)
    since = torch.randint(0, window, (count, 1), generator=generator)
    gain = 1 + step * (torch.arange(window) >= since)  # (B, T)
    return (clip * gain[:, None, :, None, None].to(clip.device)).clamp(0, 1)


def constant_loss(share: float, positive_weight: float) -> float:
    """Loss of the best constant answer, which a net must beat.

    Args:
        share: of pixels that are anomalous, in [0, 1].
        positive_weight: weight of these in the binary cross-entropy.
    """
    weighted = positive_weight * share
    best = min(max(weighted / (weighted + 1 - share), 1e-9), 1 - 1e-9)
    return -(weighted * math.log(best) + (1 - share) * math.log(1 - best))
