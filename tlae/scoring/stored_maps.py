"""Scores of any part of the picture from the maps that scoring stored; no net is run.

Maps are kept as float32, rounded to so many bits that they pack as small as float16 would: no rule
overflows that range or falls below it, be it squared errors or sums over a large kernel. Arrays in
float16 that earlier versions wrote are read as well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.footage.windows import Rows
from tlae.footage.zones import Mask
from tlae.scoring.rule import ScoringRule, kernel_reach_px
from tlae.scoring.smooth_time import Series, smooth_runs

BLOCK_FRAMES = 128  # read at once: memory stays the same however long the footage is

MAP_DTYPE = np.float32
DROPPED_BITS = 12  # of the 23 after the point, which leaves one in 4,096

FloatMap = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Mute:
    """A place that does not count for a time.

    Attributes:
        place: (h, w), True where it is.
        first_row, stop_row: rows for which it does not count; the latter is exclusive.
    """

    place: Mask
    first_row: int
    stop_row: int


@dataclass(frozen=True, eq=False)
class StoredMaps:
    """The maps of one scored footage.

    Attributes:
        maps: (n, h, w) array of smoothed error, sliced by rows; 0 in unreadable frames.
        runs: row numbers of each run of frames that show the scene, without a cut.
        rule: scoring rule that made them.
    """

    maps: Any
    runs: list[Rows]
    rule: ScoringRule

    @property
    def size_hw(self) -> tuple[int, int]:
        """Size of a map."""
        return int(self.maps.shape[1]), int(self.maps.shape[2])

    def __len__(self) -> int:
        return int(self.maps.shape[0])

    def raw(self, inside: Mask | None, mutes: Sequence[Mute] = ()) -> Series:
        """Scores as scoring makes them, of a part of the picture.

        Stored maps are rounded, so the whole picture's score differs from the table's by up to a
        4,000th (a 2,000th in arrays of float16).

        Args:
            inside: (h, w), True where changes count; None: everywhere.
            mutes: places that do not count for a time.

        Returns:
            (n,), smoothed in time; NaN for frames of no run.
        """
        watched_px = self.size_hw[0] * self.size_hw[1] if inside is None else int(inside.sum())
        instant = np.zeros(len(self))
        for first, block in self.blocks(0, inside, mutes):
            if self.rule.reduction == "mean":
                scores = block.sum(axis=(1, 2), dtype=np.float64) / watched_px
            else:
                scores = block.max(axis=(1, 2))
            instant[first : first + len(block)] = scores
        in_no_run = np.delete(np.arange(len(self)), np.concatenate([*self.runs, []]).astype(int))
        instant[in_no_run] = np.nan
        return smooth_runs(instant, self.runs, self.rule.smooth_frames, causal=self.rule.causal)

    def map_of(self, row: int, inside: Mask | None, mutes: Sequence[Mute] = ()) -> FloatMap:
        """Map (h, w) of a row, 0 where changes do not count."""
        block = read_maps(self.maps, row, row + 1)
        smoothed: FloatMap = _without(block, row, inside, mutes)[0]
        return smoothed

    def blocks(
        self, first: int, inside: Mask | None = None, mutes: Sequence[Mute] = ()
    ) -> Iterator[tuple[int, FloatMap]]:
        """From a row to the end: number of the first row, and its maps (k, h, w)."""
        begin = first
        while begin < len(self):
            stop = (begin // BLOCK_FRAMES + 1) * BLOCK_FRAMES
            block = read_maps(self.maps, begin, stop)
            yield begin, _without(block, begin, inside, mutes)
            begin = stop

    def widened(self, place: Mask) -> Mask:
        """The place and all pixels whose error the smoothing kernel mixes with its own."""
        size_px = self.rule.kernel_size_px(self.size_hw[0])
        reach = kernel_reach_px(self.rule.kernel, size_px)
        kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
        return np.asarray(cv2.dilate(place.astype(np.uint8), kernel) > 0)


def _without(block: FloatMap, first: int, inside: Mask | None, mutes: Sequence[Mute]) -> FloatMap:
    """Set to 0 what does not count, in place."""
    if inside is not None:
        block *= inside
    for mute in mutes:
        block[max(0, mute.first_row - first) : max(0, mute.stop_row - first), mute.place] = 0
    return block


def rounded(maps: FloatMap) -> FloatMap:
    """Maps to the nearest number that ends in ``DROPPED_BITS`` zeros, so that they pack well."""
    bits = np.ascontiguousarray(maps).view(np.uint32)
    half = np.uint32(1 << (DROPPED_BITS - 1))
    return ((bits + half) >> DROPPED_BITS << DROPPED_BITS).view(np.float32)


def read_maps(maps: Any, first: int, stop: int) -> FloatMap:
    """Some rows (k, h, w) of an array of maps.

    Raises:
        UserError: a number is not finite.
    """
    block = np.asarray(maps[first:stop], np.float32)
    if not np.isfinite(block).all():
        row = first + int(np.flatnonzero(~np.isfinite(block).all(axis=(1, 2)))[0])
        raise UserError(
            f"stored maps must be finite numbers, that of row {row} in maps.zarr is not: earlier "
            "versions overflowed under this scoring rule; score again with overwrite=true"
        )
    return block
