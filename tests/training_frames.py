"""Training frames that a test hands to a net."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor

NOTHING = torch.zeros(0)


@dataclass(frozen=True)
class Frames:
    """A ``contract.NormalFrames`` that gives what it was made of.

    Attributes:
        all_of_them: (N, C, H, W) uint8.
        background: (n, C, H, W) in [0, 1].
        seen: (m, C, H, W) in [0, 1].
        interval_s: time from frame to frame [s].
        watched: (H, W) bool, or None.
    """

    all_of_them: Tensor = field(default_factory=lambda: NOTHING)
    background: Tensor = field(default_factory=lambda: NOTHING)
    seen: Tensor = field(default_factory=lambda: NOTHING)
    interval_s: float = 0.1
    watched: Tensor | None = None

    def every(self) -> Tensor:
        """All frames."""
        return self.all_of_them

    def lengths(self, most: int) -> list[int]:
        """One stretch of all frames, or so many."""
        return [min(most, len(self.all_of_them))]

    def stretches(self, most: int) -> Iterator[Iterable[Tensor]]:
        """One stretch, in two pieces."""
        frames = self.all_of_them[:most]
        yield (frames[:50], frames[50:]) if len(frames) > 50 else (frames,)

    def followed(self, most: int) -> Iterator[Iterable[tuple[Tensor, Tensor]]]:
        """The same stretch, all of it to learn from."""
        for pieces in self.stretches(most):
            yield [(piece, torch.ones(len(piece), dtype=torch.bool)) for piece in pieces]

    def glances(self, count: int, length: int) -> Iterator[Tensor]:
        """Short stretches from the first frame on."""
        last = len(self.all_of_them) - length + 1
        for start in range(0, last, max(1, last // count)):
            yield self.all_of_them[start : start + length]

    def backgrounds(self, count: int) -> Tensor:
        """The backgrounds, however many are asked for."""
        return self.background

    def with_things(self, frames: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """A bright square in each frame, at a place of chance."""
        drawn, where = frames.clone(), torch.zeros(len(frames), *frames.shape[2:])
        side = frames.shape[2] // 8
        for frame, mask in zip(drawn, where, strict=True):
            top, left = (
                int(torch.randint(0, length - side, (), generator=generator))
                for length in frames.shape[2:]
            )
            place = slice(top, top + side), slice(left, left + side)
            frame[(slice(None), *place)] = 0.9
            mask[place] = 1
        return drawn, where

    def of_all_times(self, count: int) -> Tensor:
        """The frames seen, however many are asked for."""
        return self.seen
