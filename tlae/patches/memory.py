"""Stills that are remembered, and how far a place lies from the same place in them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tlae.patches.features import STEP, Plane, Still

NEAREST = 3  # stills whose distance is averaged, besides the nearest alone
SHIFTS = [(down, across) for down in range(3) for across in range(3)]  # of a neighbouring cell

Rows = npt.NDArray[np.int64]


class Apart(NamedTuple):
    """How far each place lies from what is remembered of it.

    Attributes:
        nearest: (h, w), distance to the nearest.
        several: (h, w), mean distance to the ``NEAREST`` nearest.
        difference: (8, h, w), to the nearest, in the units of the planes.
    """

    nearest: Tensor
    several: Tensor
    difference: Tensor


@dataclass(frozen=True, eq=False)
class Memory:
    """Remembered stills.

    Attributes:
        planes: (n, 8, h, w) int8; see ``features.Still``.
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
            planes: (8, h, w) of a still.
            among: numbers of remembered stills, at least one.
        """
        here = torch.from_numpy(planes).float()
        height, width = here.shape[1:]
        # One still after the other: all of it stays in the processor's cache.
        best = torch.empty(len(among), height, width)
        place = torch.empty(len(among), height, width, dtype=torch.int64)
        shifted, square = torch.empty(len(SHIFTS), height, width), torch.empty_like(here)
        for number, row in enumerate(among):
            padded = _padded(torch.from_numpy(self.planes[row]).float())
            for shift, (down, across) in enumerate(SHIFTS):
                beside = padded[:, down : down + height, across : across + width]
                torch.sub(here, beside, out=square)
                torch.mul(square, square, out=square)
                torch.sum(square, 0, out=shifted[shift])
            torch.min(shifted, 0, out=(best[number], place[number]))
        least, order = best.topk(min(NEAREST, len(among)), dim=0, largest=False)
        distance = least.sqrt() * STEP
        beside_at = place.gather(0, order[:1])[0]
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        rows = (rows + beside_at // 3 - 1).clamp(0, height - 1)
        columns = (columns + beside_at % 3 - 1).clamp(0, width - 1)
        still = torch.from_numpy(among)[order[0]]
        found = self.planes[still.numpy(), :, rows.numpy(), columns.numpy()]  # (h, w, 8)
        nearest = torch.from_numpy(found).permute(2, 0, 1).float()
        return Apart(distance[0], distance.mean(dim=0), (here - nearest) * STEP)


def _padded(planes: Tensor) -> Tensor:
    """The border repeated once."""
    padded: Tensor = torch.nn.functional.pad(planes[None], (1, 1, 1, 1), mode="replicate")[0]
    return padded
