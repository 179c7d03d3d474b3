"""Stills that are remembered, and how far a place lies from the same place in them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tlae.patches.features import STEP, Plane, Still

NEAREST = 3  # stills whose distance is averaged, besides the nearest alone
SHIFTS = [(down, across) for down in range(3) for across in range(3)]  # of a neighbouring cell

Rows = npt.NDArray[np.int64]


class Apart(NamedTuple):
    """How far each place lies from what is remembered of it.

    Attributes:
        nearest: (h, w), distance to the nearest.
        several: (h, w), mean distance to the ``NEAREST`` nearest.
        difference: (P, h, w), to the nearest, in the units of the planes.
    """

    nearest: Plane
    several: Plane
    difference: Plane


@dataclass(frozen=True, eq=False)
class Memory:
    """Remembered stills.

    Attributes:
        planes: (n, P, h, w) int8; see ``features.Still``.
        looks: (n, D).
    """

    planes: npt.NDArray[np.int8]
    looks: Plane

    @classmethod
    def of(cls, stills: list[Still]) -> "Memory":
        """Remember stills, at least one."""
        looks = np.stack([still.look for still in stills])
        return cls(np.stack([still.planes for still in stills]), looks)

    def __len__(self) -> int:
        return len(self.planes)

    def alike(self, look: Plane, among: Rows, most: int) -> Rows:
        """At most so many of the given stills, those taken in the light most alike."""
        if len(among) <= most:
            return among
        apart = np.square(self.looks[among] - look).sum(axis=1)
        return among[np.sort(np.argpartition(apart, most)[:most])]

    def apart(self, planes: npt.NDArray[np.int8], among: Rows) -> Apart:
        """Compare each place with itself and the places beside it in some stills.

        A nearest neighbour among normal patches of about the same place: Breitenstein et al. 2009,
        *Hunting Nessie: real-time abnormality detection from webcams*, and Roth et al. 2022,
        *Towards total recall in industrial anomaly detection* (PatchCore), without a learnt net.

        Args:
            planes: (P, h, w) of a still.
            among: numbers of remembered stills, at least one.
        """
        here = planes.astype(np.float32)
        height, width = here.shape[1:]
        # One still after the other: all of it stays in the processor's cache.
        best = np.empty((len(among), height, width), np.float32)
        place = np.empty((len(among), height, width), np.int64)
        shifted, square = np.empty((len(SHIFTS), height, width), np.float32), np.empty_like(here)
        for number, row in enumerate(among):
            padded = np.pad(self.planes[row], ((0, 0), (1, 1), (1, 1)), "edge").astype(np.float32)
            for shift, (down, across) in enumerate(SHIFTS):
                beside = padded[:, down : down + height, across : across + width]
                np.subtract(here, beside, out=square)
                np.multiply(square, square, out=square)
                np.sum(square, axis=0, out=shifted[shift])
            place[number] = shifted.argmin(axis=0)
            best[number] = shifted.min(axis=0)
        order = np.argsort(best, axis=0, kind="stable")[: min(NEAREST, len(among))]
        distance = np.sqrt(np.take_along_axis(best, order, axis=0)) * np.float32(STEP)
        beside_at = np.take_along_axis(place, order[:1], axis=0)[0]
        rows, columns = np.indices((height, width))
        rows = np.clip(rows + beside_at // 3 - 1, 0, height - 1)
        columns = np.clip(columns + beside_at % 3 - 1, 0, width - 1)
        found = self.planes[among[order[0]], :, rows, columns]  # (h, w, P)
        difference = (here - found.transpose(2, 0, 1)) * np.float32(STEP)
        return Apart(distance[0], distance.mean(axis=0), difference.astype(np.float32))
