"""What is normal: exemplars of each attribute, and how far normal cells lie from them."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from tlae.attributes.background import Plane
from tlae.attributes.cells import Cells
from tlae.attributes.kinds import ATTRIBUTES, Attribute, Scale, Vectors, placed
from tlae.attributes.neighbours import Neighbours

NEIGHBOURS = 3  # whose mean distance counts
SURE_COVER = 0.5  # foreground share from which on a cell counts fully
FRAMES_AVERAGED = 3
CELLS_AVERAGED = 3
FOLDS = 6  # parts of the time, each compared with the others
LEAST_SPREAD = 0.1  # of the logarithm of distances
TINY = 1e-6
TAIL = 1.645  # standard deviations from the median to the 95 % quantile


@dataclass(frozen=True, eq=False)
class Exemplars:
    """Normal vectors of one attribute, and the distances of normal frames to them.

    Attributes:
        kind: the attribute.
        vectors: (n, d).
        centre, spread: of the logarithm of the largest distance in a normal frame.
    """

    kind: Attribute
    vectors: Vectors
    centre: float = 0.0
    spread: float = 1.0

    @cached_property
    def neighbours(self) -> Neighbours:
        """For the search among the vectors."""
        return Neighbours(self.vectors)

    def distance(self, cells: Cells, scale: Scale) -> Plane:
        """Distance of each cell to its nearest normal ones (n,); less where little is in front."""
        vectors, weight = placed(self.kind, cells, scale), _weight(self.kind, cells)
        return _distance(self.neighbours, vectors, weight)

    def z(self, distance: Plane) -> Plane:
        """Distances in spreads above those of normal frames, >= 0."""
        raw = (np.log(distance + TINY) - self.centre) / self.spread
        return np.asarray(np.clip(raw, 0, self.kind.ceiling), np.float32)


def _weight(kind: Attribute, cells: Cells) -> Plane:
    """How much the distance of each cell counts (n,)."""
    weight = np.minimum(1, cells.cover / SURE_COVER)
    return np.asarray(weight * (cells.height > 0) if kind.of_things else weight)


def _distance(normal: Neighbours, vectors: Vectors, weight: Plane) -> Plane:
    """See ``Exemplars.distance``."""
    apart = normal.distances(vectors, NEIGHBOURS)
    if not apart.size:
        return np.zeros(len(vectors), np.float32)
    return np.asarray(apart.mean(axis=1) * weight, np.float32)


def fitted(
    cells: Cells, scale: Scale, most: int, grid: tuple[int, int]
) -> tuple[list[Exemplars], Plane]:
    """Exemplars of every attribute, and what normal frames score that were left out.

    Each part of the time is compared with the other parts, as new footage will be with all: that
    gives the distances of normal frames.

    Args:
        cells: of the frames to learn from.
        scale: of the scene.
        most: exemplars of one attribute.
        grid: rows and columns of cells.

    Returns:
        The exemplars, and the score of each frame from 0 to the last one, where each part of the
        time was compared with the others (cross-conformal prediction, Vovk 2015).
    """
    part = (cells.frame - cells.frame.min()) * FOLDS // (np.ptp(cells.frame) + 1)
    generator = np.random.default_rng(0)
    occupied = np.unique(cells.frame)
    found, highest = [], []
    for kind in ATTRIBUTES:
        vectors, weight = placed(kind, cells, scale), _weight(kind, cells)
        known = cells.height > 0 if kind.of_things else np.ones(len(cells), bool)
        distance = np.zeros(len(cells), np.float32)
        for number in range(FOLDS):
            inside, others = part == number, np.flatnonzero((part != number) & known)
            if not inside.any() or not len(others):
                continue
            some = _thinned(others, most * (FOLDS - 1) // FOLDS, generator)
            known_ones = Neighbours(vectors[some])
            distance[inside] = _distance(known_ones, vectors[inside], weight[inside])
        maps = maps_of_frames(distance, cells, grid)
        largest = np.log(maps[occupied].max(axis=(1, 2)) + TINY)
        centre = float(np.median(largest))
        spread = max((float(np.quantile(largest, 0.95)) - centre) / TAIL, LEAST_SPREAD)
        kept = _thinned(np.flatnonzero(known), most, generator)
        found.append(Exemplars(kind, vectors[kept], centre, spread))
        highest.append(found[-1].z(maps).max(axis=(1, 2)))
    return found, joined(np.stack(highest))


def joined(z: Plane) -> Plane:
    """Root mean square over the attributes, the first axis."""
    return np.asarray(np.sqrt(np.square(z).mean(axis=0)))


def maps_of_frames(distance: Plane, cells: Cells, grid: tuple[int, int]) -> Plane:
    """Smoothed distances (n, h, w) of the frames from 0 to the last one; 0 where nothing is."""
    maps = np.zeros((int(cells.frame.max()) + 1, *grid), np.float32)
    maps[cells.frame, cells.row, cells.column] = distance
    return averaged(maps, maps[:0])[0]


def averaged(distances: Plane, before: Plane) -> tuple[Plane, Plane]:
    """Means over 3 x 3 cells of the last 3 frames; where nothing is counts as 0: specks fade.

    Args:
        distances: (n, ..., h, w) of further frames; smoothed over cells in place.
        before: (k, ..., h, w), what the call before returned; of no frame at the start.

    Returns:
        The means, and what the next call needs.
    """
    side = (CELLS_AVERAGED, CELLS_AVERAGED)
    for plane in distances.reshape(-1, *distances.shape[-2:]):
        plane[:] = cv2.blur(plane, side, borderType=cv2.BORDER_CONSTANT)
    missing = np.zeros((FRAMES_AVERAGED - 1 - len(before), *distances.shape[1:]), np.float32)
    line = np.concatenate([missing, before, distances])
    windows = [line[first : first + len(distances)] for first in range(FRAMES_AVERAGED)]
    return np.mean(windows, axis=0), line[1 - FRAMES_AVERAGED :]


def _thinned(
    rows: npt.NDArray[np.int64], most: int, generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    """At most so many of the rows, at random, in order."""
    if len(rows) <= most:
        return rows
    return np.sort(generator.choice(rows, most, replace=False))
