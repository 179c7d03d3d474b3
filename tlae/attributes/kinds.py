"""The attributes: what of a cell is compared with normal cells, in which unit, how near by.

Each attribute is a short vector per cell, to which the cell's place is appended, divided by the
attribute's reach. The distance to a normal cell therefore grows with both: where footage is plenty,
the nearest normal cell lies near by; where it is not, it comes from further away at a small price.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tlae.attributes.background import Image, Plane, grey_of
from tlae.attributes.cells import CELL_PX, Cells

Vectors = npt.NDArray[np.float32]

LEAST_BLOB_PX = 6.0  # height from which on a thing tells the size of things at its row
TALLEST = 0.7  # of the picture: taller things tell nothing either
ROW_PAIRS = 4000  # for the robust line


@dataclass(frozen=True, eq=False)
class Scale:
    """What is large and what is fast in this scene.

    Attributes:
        size_hw: of the picture [px].
        slope, offset: of the line that gives the height of things by the row of their foot [px].
        least: height that is never undercut [px].
        pace: median speed of what moves [px per frame].
        stride: the same in heights of things [1 per frame].
        ground: (H, W, 4), colour and texture of the background, in units of a clear difference.
    """

    size_hw: tuple[int, int]
    slope: float
    offset: float
    least: float
    pace: float
    stride: float
    ground: Plane

    def height_at(self, foot: Plane) -> Plane:
        """Typical height of things whose lowest pixel lies in these rows [px]."""
        return np.asarray(np.maximum(self.offset + self.slope * foot, self.least), np.float32)


def fitted_scale(cells: Cells, background: Image) -> Scale:
    """Of normal cells.

    The height of things follows the row of their foot by the line of Theil and Sen: medians, so
    that groups of people do not matter much.
    """
    height, width = background.shape[:2]
    usable = (
        (cells.height > LEAST_BLOB_PX)
        & (cells.height < TALLEST * height)
        & (cells.foot < height - CELL_PX)
    )
    pace = _median_of_moving(np.hypot(cells.vx, cells.vy))
    slope, offset, least = 0.0, height / 8, height / 16
    if usable.sum() >= 2:
        tall, foot = cells.height[usable], cells.foot[usable]
        pairs = np.random.default_rng(0).integers(0, len(tall), (ROW_PAIRS, 2))
        apart = foot[pairs[:, 1]] - foot[pairs[:, 0]]
        far = np.abs(apart) > height / 8
        if far.sum() > 100:
            rises = (tall[pairs[far, 1]] - tall[pairs[far, 0]]) / apart[far]
            slope = max(0.0, float(np.median(rises)))
        offset = float(np.median(tall - slope * foot))
        least = 0.7 * float(np.quantile(tall, 0.1))
    ground = ground_of(background)
    scale = Scale((height, width), slope, offset, least, pace, 1.0, ground)
    stride = _median_of_moving(np.hypot(cells.vx, cells.vy) / scale.height_at(cells.foot))
    return Scale((height, width), slope, offset, least, pace, stride, ground)


def _median_of_moving(speed: npt.NDArray[Any]) -> float:
    """Median of the speeds above a tenth of a high one; what stands has no part in it."""
    if not len(speed):
        return 1.0
    moving = speed[speed > 0.1 * np.quantile(speed, 0.95)]
    return max(float(np.median(moving)), 1e-3) if len(moving) else 1.0


def ground_of(background: Image) -> Plane:
    """Colour and texture (H, W, 4)."""
    colour = background if background.shape[2] == 3 else np.repeat(background, 3, axis=2)
    lab = cv2.cvtColor((colour / 255).astype(np.float32), cv2.COLOR_RGB2LAB)
    grey = grey_of(background).astype(np.float32) / 255
    texture = cv2.blur(np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 3)), (9, 9))
    planes = [*np.moveaxis(cv2.blur(lab, (9, 9)) / (12, 8, 8), 2, 0), np.log(texture + 0.01) / 0.5]
    return np.asarray(np.stack(planes, axis=2), np.float32)


def velocity(cells: Cells, scale: Scale) -> Vectors:
    """Direction and speed in body lengths, (n, 3)."""
    unit = scale.height_at(cells.foot) * scale.stride
    v = np.stack([cells.vx, cells.vy], axis=1) / unit[:, None]
    length = np.linalg.norm(v, axis=1, keepdims=True)
    direction = v / np.maximum(length, 1e-6) * np.log1p(length)
    return np.asarray(np.hstack([direction, np.log1p(cells.speed / unit)[:, None]]), np.float32)


def speed(cells: Cells, scale: Scale) -> Vectors:
    """Speed in pixels, (n, 1)."""
    return np.asarray(np.log1p(cells.speed / scale.pace)[:, None], np.float32)


def halves(cells: Cells, scale: Scale) -> Vectors:
    """Speed of the upper and the lower half of the thing in pixels, (n, 2)."""
    parts = np.stack([cells.upper, cells.lower], axis=1)
    return np.asarray(np.log1p(parts / scale.pace), np.float32)


def relative_size(cells: Cells, scale: Scale) -> Vectors:
    """Height, width and thickness in typical heights, (n, 3)."""
    unit = scale.height_at(cells.foot)
    sides = np.stack([cells.height, cells.width], axis=1) / unit[:, None]
    parts = [0.7 * np.log(sides + 0.1), np.log(cells.radius / unit + 0.05)[:, None]]
    return np.asarray(np.hstack(parts), np.float32)


def size(cells: Cells, _: Scale) -> Vectors:
    """Height, width and thickness in pixels, (n, 3)."""
    sides = np.stack([cells.height, cells.width], axis=1)
    return np.hstack([0.5 * np.log(np.maximum(sides, 2)), np.log(cells.radius + 2)[:, None]])


def ground(cells: Cells, scale: Scale) -> Vectors:
    """What the thing stands on, (n, 4)."""
    height, width = scale.size_hw
    rows = np.clip(cells.foot, 0, height - 1).astype(np.int64)
    columns = np.clip(cells.x, 0, width - 1).astype(np.int64)
    return np.asarray(0.3 * scale.ground[rows, columns], np.float32)


def standing(cells: Cells, _: Scale) -> Vectors:
    """How long it has been slow in pixels, (n, 1)."""
    return np.asarray(0.7 * np.log1p(cells.stands)[:, None], np.float32)


def lingering(cells: Cells, _: Scale) -> Vectors:
    """How long it has been slow in body lengths, (n, 1)."""
    return np.asarray(0.7 * np.log1p(cells.lingers)[:, None], np.float32)


@dataclass(frozen=True)
class Attribute:
    """One attribute.

    Attributes:
        name: as reasons name it.
        vector: of cells.
        reach: distance in picture heights that counts as one unit of the attribute.
        at_foot: whether the place is that of the foot instead of the cell.
        ceiling: largest z that counts; footage of half a minute cannot contain a long stand.
        of_things: whether it needs a thing, with a size.
    """

    name: str
    vector: Callable[[Cells, Scale], Vectors]
    reach: float
    at_foot: bool = False
    ceiling: float = np.inf
    of_things: bool = False


ATTRIBUTES = (
    Attribute("velocity", velocity, 4.0),
    Attribute("speed", speed, 1.0),
    Attribute("halves", halves, 4.0, of_things=True),
    Attribute("relative_size", relative_size, 4.0, of_things=True),
    Attribute("size", size, 0.25, of_things=True),
    Attribute("ground", ground, 8.0, at_foot=True, of_things=True),
    Attribute("lingering", lingering, 4.0, ceiling=3.0),
    Attribute("standing", standing, 4.0, ceiling=3.0),
)


def placed(kind: Attribute, cells: Cells, scale: Scale) -> Vectors:
    """Vectors (n, d) with the place appended."""
    y = cells.foot if kind.at_foot else cells.y
    place = np.stack([y, cells.x], axis=1) / (kind.reach * scale.size_hw[0])
    return np.hstack([kind.vector(cells, scale), place]).astype(np.float32)
