"""What is planted into stills: drawn boxes, people, vehicles, bags, and patches from elsewhere.

Figures are drawn in units of their own height, y downwards from 0 to 1, feet at 1. They share
nothing with the pseudo-anomalies that nets may be trained on: those are cut out of the footage
along what moves in it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image

Field = npt.NDArray[np.float32]
Points = list[tuple[float, float]]  # x, y in figure heights

FINE = 8  # figures are drawn so many times finer, then shrunk: soft edges as a lens makes them
MARGIN_PX = 1  # around a figure, for its edge
LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # of red, green, blue (ITU-R BT.601)
TINT = 0.5  # of a figure's colour, of the full range of its shading
GRAIN = 0.15  # of its surface


@dataclass(frozen=True)
class Figure:
    """An object before it is put into a picture.

    Attributes:
        cover: (h, w), share of the pixel that it covers, in [0, 1].
        shading: (h, w, 3), lighter or darker than its mean, in [-1, 1]; mean luminance 0.
    """

    cover: Field
    shading: Field

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Pixels (h, w) that it covers at least half as much as its fullest one."""
        return np.asarray(self.cover >= 0.5 * self.cover.max(), np.bool_)


@dataclass(frozen=True)
class Part:
    """One plane of a drawn figure: a polygon and its shade in [-1, 1]."""

    outline: Points
    shade: float


def draw_figure(family: str, height_px: int, elsewhere: Image, rng: np.random.Generator) -> Figure:
    """Draw an object.

    Args:
        family: one of ``options.FAMILIES``.
        height_px: of the object.
        elsewhere: RGB (H, W, 3) picture of another moment, from which patches take their texture.
        rng: of its shape, shades and colour.
    """
    if family == "patch":
        return _patch(height_px, elsewhere, rng)
    parts = PARTS[family](rng)
    if rng.random() < 0.5:
        parts = [Part([(-x, y) for x, y in part.outline], part.shade) for part in parts]
    cover, shade = _rasterised(parts, height_px)
    tint = rng.uniform(-TINT, TINT, 3).astype(np.float32)
    grain = rng.normal(0, GRAIN, shade.shape).astype(np.float32)
    return _levelled(cover, (shade + grain)[..., None] + tint)


def _box(rng: np.random.Generator) -> list[Part]:
    width, depth = rng.uniform(0.8, 1.4), rng.uniform(0.15, 0.35)
    top = depth * 0.7
    front: Points = [(0, top), (width, top), (width, 1), (0, 1)]
    lid: Points = [(0, top), (depth, 0), (width + depth, 0), (width, top)]
    side: Points = [(width, top), (width + depth, 0), (width + depth, 1 - top), (width, 1)]
    band: Points = [(0, 0.55), (width, 0.55), (width, 0.63), (0, 0.63)]
    return [Part(front, 0.1), Part(lid, 0.8), Part(side, -0.7), Part(band, -0.4)]


def _person(rng: np.random.Generator) -> list[Part]:
    stride, coat, legs = rng.uniform(0.05, 0.2), *rng.uniform(-0.8, 0.8, 2)
    arm = rng.uniform(0.02, 0.12)
    return [
        Part([(-0.08, 0.5), (0.02, 0.5), (-stride + 0.06, 1), (-stride - 0.04, 1)], legs),
        Part([(-0.02, 0.5), (0.09, 0.5), (stride + 0.06, 1), (stride - 0.04, 1)], legs - 0.15),
        Part([(-0.13, 0.17), (0.13, 0.17), (0.1, 0.55), (-0.1, 0.55)], coat),
        Part([(-0.13, 0.18), (-0.08, 0.18), (-0.12 - arm, 0.5), (-0.17 - arm, 0.5)], coat - 0.2),
        Part(_round(0, 0.08, 0.07, 0.08), 0.5),
    ]


def _vehicle(rng: np.random.Generator) -> list[Part]:
    length, hood = rng.uniform(1.8, 2.6), rng.uniform(0.3, 0.6)
    cab: Points = [(0.1, 0.5), (0.25, 0), (length - hood - 0.15, 0), (length - hood, 0.5)]
    window: Points = [(0.3, 0.42), (0.38, 0.1), (length - hood - 0.25, 0.1)]
    window += [(length - hood - 0.15, 0.42)]
    wheels = [_round(x, 0.85, 0.15, 0.15) for x in (0.4, length - 0.4)]
    body: Points = [(0, 0.4), (length, 0.45), (length, 0.85), (0, 0.85)]
    return [
        Part(cab, 0.4),
        Part(body, 0.2),
        Part(window, -0.6),
        *(Part(wheel, -1.0) for wheel in wheels),
    ]


def _bag(rng: np.random.Generator) -> list[Part]:
    width = rng.uniform(0.35, 0.7)
    handle = _round(0, 0.28, 0.5 * width, 0.28) + _round(0, 0.28, 0.32 * width, 0.18)[::-1]
    body: Points = [(-width, 0.3), (width, 0.3), (1.1 * width, 0.95), (0.9 * width, 1)]
    body += [(-0.9 * width, 1), (-1.1 * width, 0.95)]
    flap: Points = [(-width, 0.3), (width, 0.3), (0.8 * width, 0.6), (-0.8 * width, 0.6)]
    return [Part(handle, -0.6), Part(body, 0.0), Part(flap, 0.5)]


PARTS: dict[str, Callable[[np.random.Generator], list[Part]]] = {
    "box": _box,
    "person": _person,
    "vehicle": _vehicle,
    "bag": _bag,
}


def _round(x: float, y: float, radius_x: float, radius_y: float) -> Points:
    angles = np.linspace(0, 2 * np.pi, 25)
    return [(x + radius_x * float(np.cos(a)), y + radius_y * float(np.sin(a))) for a in angles]


def _rasterised(parts: list[Part], height_px: int) -> tuple[Field, Field]:
    """Cover and shade (h, w) of a drawn figure."""
    points = np.array([point for part in parts for point in part.outline])
    left, right = points[:, 0].min(), points[:, 0].max()
    width_px = max(1, round((right - left) * height_px))
    size_hw = (height_px + 2 * MARGIN_PX, width_px + 2 * MARGIN_PX)
    cover = np.zeros((size_hw[0] * FINE, size_hw[1] * FINE), np.float32)
    shade = np.zeros_like(cover)
    for part in parts:
        corners = (np.array(part.outline) - (left, 0)) * height_px + MARGIN_PX
        polygon = [np.rint(corners * FINE).astype(np.int32)]
        cv2.fillPoly(cover, polygon, 1.0)
        cv2.fillPoly(shade, polygon, part.shade)
    return _shrunk(cover, size_hw), _shrunk(shade, size_hw)


def _patch(height_px: int, elsewhere: Image, rng: np.random.Generator) -> Figure:
    """A blob of what is seen elsewhere: real texture where it does not belong."""
    width_px = max(1, round(height_px * rng.uniform(0.8, 1.6)))
    size_hw = (height_px + 2 * MARGIN_PX, width_px + 2 * MARGIN_PX)
    cover = np.zeros((size_hw[0] * FINE, size_hw[1] * FINE), np.float32)
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    radius = rng.uniform(0.65, 1.0, 12)
    outline = np.stack([np.cos(angles) * radius, np.sin(angles) * radius], axis=1)
    low, high = outline.min(axis=0), outline.max(axis=0)
    unit = (outline - low) / (high - low)  # fills its box
    corners = (unit * (width_px, height_px) + MARGIN_PX) * FINE
    cv2.fillPoly(cover, [np.rint(corners).astype(np.int32)], 1.0)
    top, left = (
        int(rng.integers(max(1, whole - part)))
        for whole, part in zip(elsewhere.shape[:2], size_hw, strict=True)
    )
    texture = elsewhere[top : top + size_hw[0], left : left + size_hw[1]].astype(np.float32)
    if texture.shape[:2] != size_hw:
        texture = cv2.resize(texture, (size_hw[1], size_hw[0]))
    spread = max(float(texture.std()), 1.0)
    return _levelled(_shrunk(cover, size_hw), (texture - texture.mean()) / (2 * spread))


def _levelled(cover: Field, shading: Field) -> Figure:
    """Shading (h, w, 3) cut to [-1, 1], with mean luminance 0 over the figure."""
    weight = np.maximum(cover, 1e-6)
    cut = np.clip(shading, -1, 1)
    mean = float(((cut @ LUMINANCE) * weight).sum() / weight.sum())
    return Figure(cover, np.clip(cut - mean, -1, 1).astype(np.float32))


def _shrunk(fine: Field, size_hw: tuple[int, int]) -> Field:
    small: Field = cv2.resize(fine, (size_hw[1], size_hw[0]), interpolation=cv2.INTER_AREA)
    return small
