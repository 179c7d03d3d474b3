"""What every recipe of pseudo-anomalies offers, and what it makes."""

import math
from typing import NamedTuple, Protocol

from torch import Generator, Tensor


class Planted(NamedTuple):
    """Clips and what is planted in them.

    Attributes:
        clip: (B, C, T, H, W) in [0, 1].
        mask: (B, T, H, W), 1 where anomalous, else 0.
        weight: (B, T, H, W), what a pixel counts in the loss; None: all alike.
    """

    clip: Tensor
    mask: Tensor
    weight: Tensor | None = None


class Recipe(Protocol):
    """How pseudo-anomalies are made for a net that segments."""

    @property
    def span_frames(self) -> int:
        """Frames of footage that a planted window may need, at stride 1."""
        ...

    def normal_window(self, span: Tensor) -> Tensor:
        """(B, C, L, H, W) -> (B, C, T, H, W): the window that ends with the span, as filmed."""
        ...

    def plant(self, span: Tensor, mean_frame: Tensor, generator: Generator) -> Planted:
        """Plant into normal footage.

        Args:
            span: (B, C, L, H, W) in [0, 1], L = ``span_frames``.
            mean_frame: (C, H, W), the background from which things stand out.
            generator: of the random choices, on the CPU.
        """
        ...


def constant_loss(share: float, positive_weight: float) -> float:
    """Loss of the best constant answer, which a net must beat.

    Args:
        share: of pixels that are anomalous, in [0, 1].
        positive_weight: weight of these in the binary cross-entropy.
    """
    weighted = positive_weight * share
    best = min(max(weighted / (weighted + 1 - share), 1e-9), 1 - 1e-9)
    return -(weighted * math.log(best) + (1 - share) * math.log(1 - best))
