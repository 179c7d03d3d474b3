"""Training frames that a test hands to a net."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

NOTHING = torch.zeros(0)


@dataclass(frozen=True)
class Frames:
    """A ``contract.NormalFrames`` that gives what it was made of.

    Attributes:
        all_of_them: (N, C, H, W) uint8.
        background: (n, C, H, W) in [0, 1].
        seen: (m, C, H, W) in [0, 1].
    """

    all_of_them: Tensor = field(default_factory=lambda: NOTHING)
    background: Tensor = field(default_factory=lambda: NOTHING)
    seen: Tensor = field(default_factory=lambda: NOTHING)

    def every(self) -> Tensor:
        """All frames."""
        return self.all_of_them

    def backgrounds(self, count: int) -> Tensor:
        """The backgrounds, however many are asked for."""
        return self.background

    def of_all_times(self, count: int) -> Tensor:
        """The frames seen, however many are asked for."""
        return self.seen
