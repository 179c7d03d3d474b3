"""Pseudo-anomalies for video: something that moves wrongly or does not belong, in normal clips.

Everything comes from the footage itself. Beside the anomalies stand things that only look planted
and count as normal (things of another normal moment, a change of light), so that seams and flashes
are not what a net learns, and so that few scenes make many.
"""

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from tlae.training.foreground import in_front, moving
from tlae.training.options import KINDS, Planting
from tlae.training.recipe import Planted

FAST, REVERSED, PASTED, STILL, ODD = range(len(KINDS))  # the next number is normal
MIXED_WHOLE = 0.3  # share of the mixed ones in which what is behind the things comes along
WHOLE_FRAME = 0.15  # share of what is replayed that is so everywhere
LIGHT_STEP = 0.2  # relative, at most
ELLIPSES = 3  # at most, in the shape of what is planted
SOFT_EDGE = 8.0  # the larger, the sharper
ENLARGED = (1.3, 3.0)  # of pasted things, which keep about their size in normal footage
WARPED = (0.9, 1.1)  # beyond that, in height and width
PASTED_STANDING = 0.3  # share of pasted things
FASTEST_PASTED = 1 / 32  # of the picture's width per frame seen
STRETCHED = (1.0, 2.0)  # in width, of odd things
GLIDING = (1 / 192, 1 / 64)  # speed of odd things, in picture widths per frame seen
SHIFT = 0.03  # of the picture's width and height, of things that join in
GAIN = (0.8, 1.25)  # of their difference to the background


@dataclass(frozen=True)
class MovingRecipe:
    """How things that move are planted; a ``Recipe``.

    Attributes:
        window_frames: frames of a window.
        stride: step between them.
        fastest: how many times the normal speed.
        planting: what in which share.
    """

    window_frames: int
    stride: int
    fastest: int
    planting: Planting = field(default_factory=Planting)

    @property
    def span_frames(self) -> int:
        """Frames of footage that a planted window may need, at stride 1."""
        return (self.window_frames - 1) * self.stride * self.fastest + 1

    def normal_window(self, span: Tensor) -> Tensor:
        """(B, C, L, H, W) -> (B, C, T, H, W): the window that ends with the span, as filmed."""
        first = span.shape[2] - 1 - (self.window_frames - 1) * self.stride
        return span[:, :, first :: self.stride]

    def plant(self, span: Tensor, mean_frame: Tensor, generator: Generator) -> Planted:
        """Plant into normal footage; see ``recipe.Recipe``."""
        return plant(span, self, mean_frame, generator)


def plant(span: Tensor, recipe: MovingRecipe, mean_frame: Tensor, generator: Generator) -> Planted:
    """Plant pseudo-anomalies into normal footage.

    Args:
        span: (B, C, L, H, W) in [0, 1], L as the recipe says.
        recipe: how.
        mean_frame: (C, H, W), the background from which things stand out.
        generator: of the random choices, on the CPU.
    """
    planting, normal = recipe.planting, recipe.normal_window(span)
    other = normal.roll(1, dims=0)
    clip = _with_things_of(other, normal, mean_frame, planting.mixed, generator)
    shares = torch.tensor([*planting.kinds, 1 - sum(planting.kinds)]).clamp_min(0)
    kinds = torch.multinomial(shares, len(clip), replacement=True, generator=generator)
    mask = torch.zeros_like(clip[:, 0])
    replayed = kinds <= REVERSED
    if replayed.any():
        shape = _blobs(clip, generator)
        shape[torch.rand(len(clip), generator=generator) < WHOLE_FRAME] = 1
        shape = shape[replayed]
        played = _played_fast(span[replayed], recipe, generator)
        backwards = kinds[replayed] == REVERSED
        played[backwards] = normal[replayed][backwards].flip(2)
        mask[replayed] = in_front(played, mean_frame) * moving(played) * (shape > 0.5)
        clip[replayed] = torch.lerp(clip[replayed], played, shape[:, :, None])
    pasted = (kinds >= PASTED) & (kinds <= ODD)
    if pasted.any():
        clip[pasted], mask[pasted] = _pasted(
            clip[pasted], other[pasted], mean_frame, kinds[pasted], generator
        )
    return Planted(_relit(clip, planting.light, generator), mask)


def _with_things_of(
    other: Tensor, clip: Tensor, mean_frame: Tensor, share: float, generator: Generator
) -> Tensor:
    """A share of the clips with what another normal moment holds: few scenes make many.

    Within a soft shape either its things join in, a little shifted and in another contrast, or the
    picture is as it was then.
    """
    chosen = torch.rand(len(clip), generator=generator) < share
    shape = _blobs(clip, generator)[chosen][:, :, None]
    count, size_hw = len(shape), torch.tensor(clip.shape[-2:])
    source, background = other[chosen], mean_frame[:, None]
    things = _soft(in_front(source, mean_frame))[:, None]  # (n, 1, T, H, W)
    gain = _uniform(*GAIN, (count, 1, 1, 1, 1), generator).to(clip.device)
    drawn = torch.cat([background + gain * (source - background), things], dim=1)
    shift = (_uniform(-SHIFT, SHIFT, (count, 2), generator) * size_hw).round().int()
    for number, pixels in enumerate(shift.tolist()):
        drawn[number] = drawn[number].roll(pixels, dims=(-2, -1))
    whole = torch.rand(count, generator=generator) < MIXED_WHOLE
    drawn[whole] = F.pad(source[whole], (0,) * 7 + (1,), value=1)
    result = clip.clone()
    result[chosen] = torch.lerp(clip[chosen], drawn[:, :-1], drawn[:, -1:] * shape)
    return result


def _uniform(low: float, high: float, size: tuple[int, ...], generator: Generator) -> Tensor:
    return low + (high - low) * torch.rand(size, generator=generator)


def _ellipse(centre: Tensor, radius: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Soft ellipses in [0, 1]: (n, 2) centres and radii in pixels -> (n, H, W)."""
    rows, columns = (torch.arange(side, device=centre.device) for side in size_hw)
    y = (rows - centre[:, :1]) / radius[:, :1]  # (n, H)
    x = (columns - centre[:, 1:]) / radius[:, 1:]  # (n, W)
    distance = (y[:, :, None].square() + x[:, None, :].square()).sqrt()
    return torch.sigmoid((1 - distance) * SOFT_EDGE)


def _blobs(clip: Tensor, generator: Generator) -> Tensor:
    """A soft shape of one to ``ELLIPSES`` ellipses for each clip, (B, 1, H, W)."""
    count, (height, width) = len(clip), clip.shape[-2:]
    size = (count * ELLIPSES, 2)
    centre = torch.rand(size, generator=generator) * torch.tensor([height, width])
    radius = _uniform(height / 16, height / 3, size, generator)
    centre, radius = centre.to(clip.device), radius.to(clip.device)
    ellipses = _ellipse(centre, radius, (height, width)).view(count, ELLIPSES, height, width)
    used = torch.rand(count, ELLIPSES, generator=generator) < 0.5
    used[:, 0] = True
    return (ellipses * used.to(clip.device)[:, :, None, None]).amax(dim=1, keepdim=True)


def _played_fast(span: Tensor, recipe: MovingRecipe, generator: Generator) -> Tensor:
    """The window that ends with the span, at 1.5 to ``fastest`` times the normal speed."""
    stride = recipe.stride
    slowest = math.floor(1.5 * stride) if stride > 1 else 2
    fastest = recipe.fastest * stride
    steps = torch.randint(slowest, fastest + 1, (len(span),), generator=generator)
    back = torch.arange(recipe.window_frames - 1, -1, -1)
    frames = span.shape[2] - 1 - steps[:, None] * back  # (B, T)
    rows = torch.arange(len(span))[:, None]
    return span[rows, :, frames].transpose(1, 2)


def _soft(mask: Tensor) -> Tensor:
    """Masks (B, T, H, W) with an edge of three pixels."""
    return F.avg_pool2d(mask, 3, 1, 1)


def _pasted(
    clip: Tensor, other: Tensor, mean_frame: Tensor, kinds: Tensor, generator: Generator
) -> tuple[Tensor, Tensor]:
    """A thing of another moment, cut out: passes enlarged, stands where it walked, or glides."""
    count, window, (height, width) = len(clip), clip.shape[2], clip.shape[-2:]
    source = _a_moving_place(other, generator)  # (n, 2)
    scale = _uniform(*ENLARGED, (count, 1), generator) * _uniform(*WARPED, (count, 2), generator)
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
    velocity[torch.rand(count, generator=generator) < PASTED_STANDING] = 0
    flip = 1 - 2 * (torch.rand(count, generator=generator) < 0.5).float()
    still, odd = kinds == STILL, kinds == ODD
    scale[still], place[still], velocity[still], flip[still] = 1, source[still], 0, 1
    if odd.any():
        scale[odd], velocity[odd] = _gliding(int(odd.sum()), width, generator)
    cut = _soft(in_front(other[:, :, -1:], mean_frame))
    layers, mask = torch.cat([other[:, :, -1], cut], dim=1), torch.zeros_like(clip[:, 0])
    drawn_from = (source, scale, half, place, velocity, flip)
    source, scale, half, place, velocity, flip = (part.to(clip.device) for part in drawn_from)
    rows, columns = (torch.arange(side, device=clip.device) for side in (height, width))
    for step in range(window):
        centre = place - velocity * (window - 1 - step)
        shape = _ellipse(centre, half * scale, (height, width))[:, None]
        y = (rows - centre[:, :1]) / scale[:, :1] + source[:, :1]
        x = flip[:, None] * (columns - centre[:, 1:]) / scale[:, 1:] + source[:, 1:]
        y, x = 2 * y / (height - 1) - 1, 2 * x / (width - 1) - 1
        grid = torch.stack(
            [x[:, None, :].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], dim=-1
        )
        drawn = F.grid_sample(layers, grid, align_corners=True)
        opaque = drawn[:, -1:] * shape
        clip[:, :, step] = torch.lerp(clip[:, :, step], drawn[:, :-1], opaque)
        mask[:, step] = opaque[:, 0] > 0.5
    return clip, mask


def _gliding(count: int, width: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Scale and velocity (n, 2) of odd things, in height and width [pixels per frame seen]."""
    tall = _uniform(*WARPED, (count,), generator)
    wide = _uniform(*STRETCHED, (count,), generator)
    down = _uniform(-GLIDING[0] / 2, GLIDING[0] / 2, (count,), generator)
    to_the_left = torch.rand(count, generator=generator) < 0.5
    across = _uniform(*GLIDING, (count,), generator) * (1 - 2 * to_the_left.float())
    return torch.stack([tall, wide], dim=1), torch.stack([down, across], dim=1) * width


def _a_moving_place(clip: Tensor, generator: Generator) -> Tensor:
    """Row and column of one moving pixel of each clip (any pixel where nothing moves), (n, 2)."""
    weights = moving(clip[:, :, -2:])[:, -1].flatten(1).cpu() + 1e-6
    chosen = torch.multinomial(weights, 1, generator=generator)[:, 0]
    width = clip.shape[-1]
    return torch.stack([chosen // width, chosen % width], dim=1).float()


def _relit(clip: Tensor, share: float, generator: Generator) -> Tensor:
    """A share of the clips with a sudden change of light."""
    count, window = len(clip), clip.shape[2]
    step = _uniform(-LIGHT_STEP, LIGHT_STEP, (count, 1), generator)
    step = step * (torch.rand(count, 1, generator=generator) < share)
    since = torch.randint(0, window, (count, 1), generator=generator)
    gain = 1 + step * (torch.arange(window) >= since)  # (B, T)
    return (clip * gain[:, None, :, None, None].to(clip.device)).clamp(0, 1)
