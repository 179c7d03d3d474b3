"""Columns that are not held: a piece of rows is read, or worked out, when it is asked for."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any]

PIECE_ROWS = 8192  # few, because the texts of a piece are in memory twice
COMPARED = 64  # values, before all of a column are


class LazyColumn:
    """A column of which only the piece that was asked for last is in memory.

    Slices, single rows, row numbers and flags are asked for as of an array.

    Args:
        pieces: neighbouring rows from the first to the last.
        dtype: of the values.
        make: gives the values of one of these pieces.
    """

    ndim = 1

    def __init__(
        self, pieces: Sequence[slice], dtype: npt.DTypeLike, make: Callable[[slice], Column]
    ) -> None:
        self.dtype, self._make = np.dtype(dtype), make
        self._pieces, self._starts = pieces, [piece.start for piece in pieces]
        self.shape = (pieces[-1].stop if pieces else 0,)
        self._last = slice(0, 0), np.empty(0, dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, int | np.integer):
            row = range(len(self))[rows]
            return self._part(row, row + 1)[0]
        if isinstance(rows, slice):
            first, stop, step = rows.indices(len(self))
            if step < 0:
                return self._part(0, len(self))[rows]
            return self._part(first, max(first, stop))[::step]
        rows = np.asarray(rows)
        if rows.dtype == bool:
            if rows.shape != self.shape:
                raise IndexError(f"a column of {len(self)} rows needs as many flags: {rows.shape}")
            return self._some(np.flatnonzero(rows))
        rows = np.where(rows < 0, rows + len(self), rows)
        if rows.size and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"row numbers must be within a column of {len(self)} rows")
        return self._some(rows)

    def _some(self, rows: npt.NDArray[np.int64]) -> Column:
        """Values of row numbers in any order."""
        numbers = np.searchsorted(self._starts, rows, side="right") - 1
        some = np.empty(len(rows), self.dtype)
        for number in np.unique(numbers).tolist():
            inside, piece = numbers == number, self._pieces[number]
            some[inside] = self._piece(number, piece.start, piece.stop)[rows[inside] - piece.start]
        return some

    def _part(self, first: int, stop: int) -> Column:
        number = bisect_right(self._starts, first) - 1
        if stop == first or stop <= self._pieces[number].stop:
            return self._piece(number, first, stop)
        whole = np.empty(stop - first, self.dtype)
        for one in range(number, bisect_left(self._starts, stop)):
            values = self._piece(one, first, stop)
            begin = max(self._starts[one], first) - first
            whole[begin : begin + len(values)] = values
        return compact(whole)

    def _piece(self, number: int, first: int, stop: int) -> Column:
        """What a piece holds of some rows."""
        if first == stop:
            return np.empty(0, self.dtype)
        piece, values = self._last
        if piece != self._pieces[number]:
            piece = self._pieces[number]
            values = self._make(piece)
            self._last = piece, values
        return values[max(0, first - piece.start) : stop - piece.start]


Values = Column | LazyColumn
"""A column in memory or not: sliced by rows."""


def pieces_of(stop: int, first: int = 0) -> Iterator[slice]:
    """Neighbouring rows in pieces that end at multiples of ``PIECE_ROWS``, and at ``stop``."""
    while first < stop:
        end = min(stop, (first // PIECE_ROWS + 1) * PIECE_ROWS)
        yield slice(first, end)
        first = end


def linked_pieces(count: int) -> Iterator[slice]:
    """As ``pieces_of``, but each begins with the row that ends the one before: for differences."""
    for rows in pieces_of(count - 1):
        yield slice(rows.start, rows.stop + 1)


def compact(values: Column) -> Column:
    """The same column (n,), not to be written to; equal values are one that stands for all."""
    whole = values.view(np.int64) if values.dtype.kind in "fM" else values  # NaN is as NaN
    for some in (whole[:COMPARED], whole):
        if not len(some) or not (some == some[0]).all():
            values.flags.writeable = False
            return values
    return np.broadcast_to(values[:1].copy().reshape(()), values.shape)
