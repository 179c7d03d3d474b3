"""Pictures of normal things: beside an unusual one stands the normal one that is most similar."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from tlae.attributes.background import Image, Plane
from tlae.attributes.cells import Cells
from tlae.attributes.kinds import Scale, Vectors, lingering, relative_size, velocity

SIDE_PX = 64  # of a picture
KEPT = 150  # pictures: 2 MB in colour
CANDIDATES = 1500  # frames of which one thing each may be kept
AROUND = 1.6  # a picture shows so much more than the thing
LEAST_PX = 24  # and at least so much
FIELDS = len(fields(Cells))  # numbers of a cell
REACH = 4.0  # distance in picture heights that counts as one unit of what is compared


@dataclass(frozen=True, eq=False)
class Examples:
    """Some normal things, as different from each other as possible.

    Attributes:
        pictures: (n, SIDE_PX, SIDE_PX, C) uint8.
        cells: (n,), one of each thing.
        scale: of the scene.
    """

    pictures: Image
    cells: Cells
    scale: Scale

    @staticmethod
    def from_stacked(pictures: Image, numbers: Plane, scale: Scale) -> "Examples":
        """From what ``stacked`` gave."""
        return Examples(pictures, Cells(*numbers), scale)

    @cached_property
    def vectors(self) -> Vectors:
        """What is compared of each thing, (n, d)."""
        return _compared(self.cells, self.scale)

    def stacked(self) -> Plane:
        """The cells as (``FIELDS``, n)."""
        columns = [getattr(self.cells, field.name) for field in fields(Cells)]
        return np.stack(columns).astype(np.float32)

    def spread_out(self) -> "Examples":
        """At most ``KEPT`` of them, each far from the others (Gonzalez 1985, greedy k-centre)."""
        if not len(self.cells):
            return self
        vectors, chosen = self.vectors, [0]
        apart = np.linalg.norm(vectors - vectors[0], axis=1)
        while len(chosen) < min(KEPT, len(vectors)):
            chosen.append(int(apart.argmax()))
            apart = np.minimum(apart, np.linalg.norm(vectors - vectors[chosen[-1]], axis=1))
        return Examples(self.pictures[chosen], self.cells[np.array(chosen)], self.scale)

    def nearest(self, cell: Cells) -> int:
        """Number of the thing most like a cell (1,) in motion, size, rest and place; -1: none."""
        if not len(self.cells):
            return -1
        apart = self.vectors - _compared(cell, self.scale)
        return int(np.linalg.norm(apart, axis=1).argmin())


class Collector:
    """Cut one thing out of some of the frames, in order.

    Args:
        frames: that will come.
    """

    def __init__(self, frames: int) -> None:
        self._every = max(1, -(-frames // CANDIDATES))
        self._generator = np.random.default_rng(0)
        self._seen = 0
        self._pictures: list[Image] = []
        self._cells: list[Cells] = []

    def see(self, picture: Image, cells: Cells) -> None:
        """The next frame (H, W, C) and its cells."""
        self._seen += 1
        if self._seen % self._every:
            return
        things = np.flatnonzero(cells.height > 0)
        if not len(things):
            return
        cell = cells[self._generator.choice(things, 1)]
        self._pictures.append(_cut_out(picture, cell))
        self._cells.append(cell)

    def examples(self, channels: int, scale: Scale) -> Examples:
        """What was cut out of a scene of this scale."""
        nothing = np.zeros((0, SIDE_PX, SIDE_PX, channels), np.uint8)
        pictures = np.stack(self._pictures) if self._pictures else nothing
        return Examples(pictures, Cells.joined(self._cells), scale)


def _cut_out(picture: Image, cell: Cells) -> Image:
    """The surroundings of a thing, square, within the picture."""
    height, width = picture.shape[:2]
    tall, wide = float(cell.height[0]), float(cell.width[0])
    side = int(min(max(AROUND * max(tall, wide), LEAST_PX), height, width))
    middle = float(cell.foot[0]) - tall / 2
    # Where a group is wider than its cell knows, the cell is the middle.
    top = int(np.clip(middle - side / 2, 0, height - side))
    left = int(np.clip(float(cell.x[0]) - side / 2, 0, width - side))
    cut = picture[top : top + side, left : left + side]
    small = cv2.resize(cut, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    return np.asarray(small.reshape(SIDE_PX, SIDE_PX, -1), np.uint8)


def _compared(cells: Cells, scale: Scale) -> Vectors:
    """Motion, size, rest and place (n, d), in units of a clear difference."""
    place = np.stack([cells.foot, cells.x], axis=1) / (REACH * scale.size_hw[0])
    kinds = [kind(cells, scale) for kind in (velocity, relative_size, lingering)]
    return np.hstack([*kinds, place]).astype(np.float32)


def cell_of(values: dict[str, float], place: tuple[int, int]) -> Cells:
    """One cell (1,) of what was measured there; what is not given is 0.

    Args:
        values: by the names of ``Cells``.
        place: row and column of the grid.
    """
    known = {**values, "row": place[0], "column": place[1]}
    parts: dict[str, Any] = {
        field.name: np.array([known.get(field.name, 0.0)], np.float32) for field in fields(Cells)
    }
    return Cells(**parts)
