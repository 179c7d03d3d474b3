"""Pseudo-anomalies for stills: things drawn into normal frames that are minutes apart.

What is drawn has a random shape, colour and texture, stands in the light of its place, and is there
in some of the window's frames. Beside it stand changes that are normal: another light over all or
part of the picture, a shaking camera, places as they look at another moment.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from tlae.models.light import in_the_light_of
from tlae.training.recipe import Planted

MOST_THINGS = 8  # in a clip
HEIGHT = (0.018, 0.25)  # of a thing, in picture heights
ASPECT = (0.4, 2.5)  # width to height
FULL_SIDE_PX = 40.0  # a thing of such a side counts once per pixel, smaller ones count more
MOST_WEIGHT = 8.0
MARKED = 0.3  # opacity from which on a pixel is anomalous
MARGIN = 0.35  # of a thing's size around it, for its shadow
CONTRAST = (0.1, 0.9)  # to its place, relative
DARKEST = 0.12  # a place at night counts as this bright, so that things differ by more than noise
TINT = 0.15  # relative, between the channels
TEXTURE = 0.35  # relative
FROM_ELSEWHERE = 0.3  # share of the things that are a piece of another moment and place
SHADOWED = 0.4  # share of the things
SHADOW = (0.5, 0.85)  # brightness under a shadow
RELIT = 0.4  # share of the clips
GAIN = 0.3  # relative, of the whole picture and of parts of it
SHAKEN = 0.3  # share of the clips
SHAKE_PX = 2  # at most
AS_AT_OTHER_TIMES = 0.6  # share of the clips that show places as they look at another moment
MOST_PLACES = 3  # of these


@dataclass(frozen=True)
class StillRecipe:
    """How things are drawn into stills; a ``recipe.Recipe``.

    Attributes:
        window_frames: frames of a window.
        stride: step between them.
        share: of the clips in which things are drawn; the rest is normal.
    """

    window_frames: int
    stride: int
    share: float = 0.7

    @property
    def span_frames(self) -> int:
        """Frames of footage that a window needs."""
        return (self.window_frames - 1) * self.stride + 1

    def normal_window(self, span: Tensor) -> Tensor:
        """(B, C, L, H, W) -> (B, C, T, H, W)."""
        return span[:, :, :: self.stride]

    def plant(self, span: Tensor, mean_frame: Tensor, generator: Generator) -> Planted:
        """Draw things into normal footage; see ``recipe.Recipe``."""
        normal = self.normal_window(span)
        clip = _as_at_other_times(normal, generator)
        mask, weight = torch.zeros_like(clip[:, 0]), torch.ones_like(clip[:, 0])
        for number in range(len(clip)):
            if _chance(self.share, generator):
                for _ in range(_whole(1, MOST_THINGS, generator)):
                    elsewhere = normal[_whole(0, len(clip) - 1, generator)]
                    _draw_thing(clip[number], mask[number], weight[number], elsewhere, generator)
        return _shaken(_relit(clip, generator).clamp(0, 1), mask, weight, generator)


def _draw_thing(
    clip: Tensor, mask: Tensor, weight: Tensor, elsewhere: Tensor, generator: Generator
) -> None:
    """Draw one thing into some frames of a clip (C, T, H, W), mark and weigh it (T, H, W)."""
    frames, height, width = clip.shape[1:]
    tall = height * _between(HEIGHT, generator, even_in_log=True)
    wide = tall * _between(ASPECT, generator, even_in_log=True)
    box_h, box_w = (max(6, round(side * (1 + 2 * MARGIN))) for side in (tall, wide))
    box_h, box_w = min(box_h, height), min(box_w, width)
    top, left = _whole(0, height - box_h, generator), _whole(0, width - box_w, generator)
    place = (slice(top, top + box_h), slice(left, left + box_w))
    opaque = _shape((box_h, box_w), (tall, wide), generator)
    shown = _shown_in(frames, generator)
    shadow = _shadow(opaque, generator) if _chance(SHADOWED, generator) else None
    local = clip[(slice(None), shown, *place)].mean((2, 3), keepdim=True)  # (C, n, 1, 1)
    look = _look(local[:, -1:], (box_h, box_w), elsewhere, generator)  # (C, 1, h, w)
    counts = min(max(FULL_SIDE_PX / math.sqrt(float((opaque > MARKED).sum()) + 1), 1), MOST_WEIGHT)
    in_its_light = (local + DARKEST) / (local[:, -1:] + DARKEST)
    for step, light in zip(shown, in_its_light.unbind(1), strict=True):
        ground = clip[(slice(None), step, *place)]
        if shadow is not None:
            ground = ground * shadow
        thing = (look[:, 0] * light).clamp(0, 1)
        clip[(slice(None), step, *place)] = torch.lerp(ground, thing, opaque)
        part = mask[(step, *place)]
        mask[(step, *place)] = torch.maximum(part, (opaque > MARKED).to(part))
        part = weight[(step, *place)]
        weight[(step, *place)] = torch.where(opaque > MARKED, part.clamp_min(counts), part)


def _shape(box_hw: tuple[int, int], size_hw: tuple[float, float], generator: Generator) -> Tensor:
    """Opacity (h, w) in [0, 1] of one to three turned ellipses and boxes."""
    y = (torch.arange(box_hw[0]) - (box_hw[0] - 1) / 2)[:, None] / (size_hw[0] / 2)
    x = (torch.arange(box_hw[1]) - (box_hw[1] - 1) / 2)[None, :] / (size_hw[1] / 2)
    sharp = max(min(size_hw) / 2, 1.0)
    whole = torch.zeros(box_hw)
    for part in range(_whole(1, 3, generator)):
        reach = (1.0, 1.0) if part == 0 else (0.3, 0.9)
        down, across = (_between(reach, generator) for _ in range(2))
        off = 0.0 if part == 0 else 0.6
        v, u = (_between((-off, off), generator) for _ in range(2))
        turn = _between((-0.6, 0.6), generator)
        a = ((x - u) * math.cos(turn) + (y - v) * math.sin(turn)) / across
        b = ((y - v) * math.cos(turn) - (x - u) * math.sin(turn)) / down
        boxy = _chance(0.5, generator)
        distance = torch.maximum(a.abs(), b.abs()) * 1.15 if boxy else (a**2 + b**2).sqrt()
        whole = torch.maximum(whole, torch.sigmoid((1 - distance) * sharp * 4))
    return whole


def _look(
    local: Tensor, box_hw: tuple[int, int], elsewhere: Tensor, generator: Generator
) -> Tensor:
    """Colours (C, 1, h, w) of a thing at a place of mean colour (C, 1, 1, 1)."""
    contrast = _between(CONTRAST, generator, even_in_log=True)
    bright = local + DARKEST
    brighter = _chance(0.5, generator) and bool((bright * (1 + contrast)).max() < 1)
    tint = 1 + TINT * (2 * torch.rand(len(local), 1, 1, 1, generator=generator) - 1).to(local)
    base = (local + (contrast if brighter else -contrast) * bright) * tint
    if _chance(FROM_ELSEWHERE, generator):
        frame = elsewhere[:, -1]
        top = _whole(0, frame.shape[1] - box_hw[0], generator)
        left = _whole(0, frame.shape[2] - box_hw[1], generator)
        piece = frame[:, None, top : top + box_hw[0], left : left + box_hw[1]]
        return piece - piece.mean((2, 3), keepdim=True) + base
    coarse = _whole(1, 5, generator), _whole(1, 5, generator)
    noise = 2 * torch.rand(1, 1, *coarse, generator=generator).to(local) - 1
    texture = F.interpolate(noise, box_hw, mode="bilinear", align_corners=False)
    return base * (1 + _between((0, TEXTURE), generator) * texture)


def _shadow(opaque: Tensor, generator: Generator) -> Tensor:
    """Brightness (h, w) of the ground beside a thing."""
    height, width = opaque.shape
    down = _whole(0, max(1, height // 6), generator)
    across = _whole(-max(1, width // 4), max(1, width // 4), generator)
    cast = opaque.roll((down, across), (0, 1))
    cast = F.avg_pool2d(cast[None, None], 3, 1, 1)[0, 0]
    return 1 - (1 - _between(SHADOW, generator)) * cast


def _shown_in(frames: int, generator: Generator) -> list[int]:
    """Frames in which a thing stands: the last, one, from one on to the end, or all."""
    kind = _whole(0, 3, generator)
    first = _whole(0, frames - 1, generator)
    return [[frames - 1], [first], list(range(first, frames)), list(range(frames))][kind]


def _as_at_other_times(normal: Tensor, generator: Generator) -> Tensor:
    """Some clips show a place as it looks in the most alike other clip of the batch: normal too."""
    clip = normal.clone()
    if len(normal) == 1:
        return clip
    small = F.adaptive_avg_pool2d(normal[:, :, -1], (6, 8)).flatten(1)
    apart = torch.cdist(small, small).fill_diagonal_(math.inf)
    nearest = apart.argmin(dim=1)
    for number in range(len(clip)):
        if _chance(AS_AT_OTHER_TIMES, generator):
            here, there = (normal[n].transpose(0, 1) for n in (number, int(nearest[number])))
            then = in_the_light_of(here, there).transpose(0, 1)
            for _ in range(_whole(1, MOST_PLACES, generator)):
                shape = _blob(normal.shape[-2:], generator).to(clip)
                clip[number] = torch.lerp(clip[number], then, shape)
    return clip


def _blob(size_hw: torch.Size, generator: Generator) -> Tensor:
    """A soft ellipse (H, W) in [0, 1] of a twentieth to a half of the picture's height."""
    height, width = size_hw
    radius = height * _between((0.05, 0.5), generator, even_in_log=True) / 2
    y = (torch.arange(height) - _between((0, height), generator))[:, None] / radius
    x = (torch.arange(width) - _between((0, width), generator))[None, :] / radius
    return torch.sigmoid((1 - (y**2 + x**2).sqrt()) * 8)


def _relit(clip: Tensor, generator: Generator) -> Tensor:
    """Some clips in another light from one frame on, in all of the picture and in parts of it."""
    count, frames = len(clip), clip.shape[2]
    coarse = 2 * torch.rand(count, 1, 4, 6, generator=generator) - 1
    parts = F.interpolate(coarse, clip.shape[-2:], mode="bicubic", align_corners=False)
    whole = 2 * torch.rand(count, 1, 1, 1, generator=generator) - 1
    step = GAIN * (whole + parts) / 2 * (torch.rand(count, 1, 1, 1, generator=generator) < RELIT)
    since = torch.randint(0, frames, (count, 1), generator=generator)
    later = (torch.arange(frames) >= since).float()[:, None, :, None, None]  # (B, 1, T, 1, 1)
    return clip * (1 + step[:, :, None] * later).to(clip)


def _shaken(clip: Tensor, mask: Tensor, weight: Tensor, generator: Generator) -> Planted:
    """Some clips shift by a few pixels from one frame on."""
    frames = clip.shape[2]
    for number in range(len(clip)):
        if _chance(SHAKEN, generator):
            since = _whole(0, frames - 1, generator)
            by = tuple(_whole(-SHAKE_PX, SHAKE_PX, generator) for _ in range(2))
            clip[number, :, since:] = clip[number, :, since:].roll(by, (-2, -1))
            for marks in (mask, weight):
                marks[number, since:] = marks[number, since:].roll(by, (-2, -1))
    return Planted(clip, mask, weight)


def _chance(share: float, generator: Generator) -> bool:
    return bool(torch.rand((), generator=generator) < share)


def _whole(low: int, high: int, generator: Generator) -> int:
    """A whole number within both."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def _between(
    limits: tuple[float, float], generator: Generator, *, even_in_log: bool = False
) -> float:
    share = float(torch.rand((), generator=generator))
    low, high = limits
    return low * (high / low) ** share if even_in_log else low + (high - low) * share
