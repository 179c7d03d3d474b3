"""What looks at frames for a net that measures: with numpy and OpenCV alone, so without torch."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Carried = tuple[npt.NDArray[Any], ...]
"""What the frames of a run leave behind for those that follow."""


class Seen(NamedTuple):
    """What a measurer says of n frames.

    Attributes:
        inputs: (n, ...) each, from which the net makes the maps, by name.
        evidence: (n, E, h, w) float32, what ``Measurer.reason`` needs of each place.
        skipped: (n,) bool, which frames were calm and not looked at as a whole.
        repeats: (n,) bool, which windows stand for the one before, so that the net's answer for
            that one holds.
    """

    inputs: dict[str, npt.NDArray[Any]]
    evidence: npt.NDArray[np.float32]
    skipped: npt.NDArray[np.bool_]
    repeats: npt.NDArray[np.bool_]


class Reason(NamedTuple):
    """Why a place of a frame is unusual.

    Attributes:
        words: a clause that follows "it"; empty where there is nothing to say.
        example: number of the most similar normal thing in ``Measurer.examples``; -1: none.
    """

    words: str
    example: int = -1


class Measurer(Protocol):
    """What was learnt of a scene, as the part that measures further frames.

    Attributes:
        kind: by which an exported model names it.
    """

    kind: ClassVar[str]

    def see(
        self, frames: npt.NDArray[np.uint8], before: Carried, *, skip_calm: bool = False
    ) -> tuple[Seen, Carried]:
        """Go on with further frames of a run: piece by piece gives what the whole run gives.

        Args:
            frames: (n, H, W, C) uint8, n >= 1.
            before: what the call before returned; empty at the start of a run.
            skip_calm: whether frames in which nothing happens need not be looked at as a whole.
        """
        ...

    def reason(self, evidence: npt.NDArray[np.float32], place: tuple[float, float]) -> Reason:
        """Why a place of a frame is unusual.

        Args:
            evidence: (E, h, w), of ``see``.
            place: row and column, as shares of the picture, in [0, 1).
        """
        ...

    def examples(self) -> npt.NDArray[np.uint8]:
        """Pictures of normal things, (n, h, w, C); n = 0 where none are kept."""
        ...

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All that was learnt, by name; the class makes the same measurer from them."""
        ...


def place_in(grid: tuple[int, int], place: tuple[float, float]) -> tuple[int, int]:
    """Row and column of a cell, of a place in shares of the picture."""
    row, column = (min(int(share * n), n - 1) for share, n in zip(place, grid, strict=True))
    return row, column


def require_fitting(
    arrays: Mapping[str, npt.NDArray[Any]], expected: Mapping[str, tuple[str, tuple[int, ...]]]
) -> None:
    """Refuse arrays that a measurer cannot be made of.

    Args:
        arrays: by name.
        expected: type of the numbers and shape of each, by name; -1: of any length.

    Raises:
        ValueError: names an array, what it must be, and what it is.
        KeyError: one is missing.
    """
    for name, (dtype, shape) in expected.items():
        array = arrays[name]
        fits = len(array.shape) == len(shape) and all(
            size in (-1, found) for size, found in zip(shape, array.shape, strict=True)
        )
        if array.dtype != dtype or not fits:
            shown = ", ".join("n" if size < 0 else str(size) for size in shape)
            raise ValueError(
                f"{name} must be {dtype} of shape ({shown}), got {array.dtype} of shape "
                f"{array.shape}"
            )
