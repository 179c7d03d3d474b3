"""From a camera's picture to what the net sees: one size, grey or RGB, uint8."""

from dataclasses import dataclass
from math import inf

import cv2
import numpy as np

from tlae.footage.frames import Image
from tlae.footage.images import Levels

ASPECT_TOLERANCE = 0.02  # frames of another shape than the clip's first are not the same view


@dataclass(frozen=True)
class Preprocessing:
    """Size and colour of a net's input.

    ``levels`` belong to grey pictures of 16 bits or floating-point numbers, and are applied where
    these are decoded; None for footage of 8 bits.

    Frames are stretched to ``size_hw``; ``rendering.heatmap.upsample_map`` is the exact inverse.
    """

    size_hw: tuple[int, int]
    channels: int = 1
    levels: Levels | None = None

    def __post_init__(self) -> None:
        if min(self.size_hw) < 16 or max(self.size_hw) > 4096:
            raise ValueError(f"footage.size_hw must be within 16..4096, got {list(self.size_hw)}")
        if self.channels not in (1, 3):
            raise ValueError(f"footage.channels must be 1 (grey) or 3 (RGB), got {self.channels}")
        if self.levels is not None and not -inf < self.levels[0] < self.levels[1] < inf:
            raise ValueError(f"levels must be finite and rise, got {list(self.levels)}")

    def __call__(self, image: Image) -> Image:
        """RGB (H, W, 3) of any size -> (h, w, channels)."""
        if self.channels == 1:
            image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        height, width = self.size_hw
        smaller = image.shape[0] >= height and image.shape[1] >= width
        method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        if image.shape[:2] != self.size_hw:
            image = cv2.resize(image, (width, height), interpolation=method)
        picture = image.reshape(height, width, self.channels)
        return np.ascontiguousarray(picture)  # of its size already: BGR[..., ::-1] is a view


def same_shape(one_hw: tuple[int, int], other_hw: tuple[int, int]) -> bool:
    """Equal aspect ratio: another resolution of the same view is welcome, another view is not."""
    one, other = one_hw[1] / one_hw[0], other_hw[1] / other_hw[0]
    return abs(one / other - 1) <= ASPECT_TOLERANCE
