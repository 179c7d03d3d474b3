"""Background bank: a few empty pictures of the scene for each mode, told apart by appearance."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tlae.camera.clusters import Labels, k_means, nearest
from tlae.camera.measures import Plane, Values, edges, luminance, sharpness, thumbnails
from tlae.camera.registration import hanning
from tlae.footage.frames import Image

MOST_PER_MODE = 6  # sun from the left, from the right, overcast, ...
FRAMES_EACH = 30  # that a further background of a mode needs
MEDIAN_FRAMES = 48  # that a background is the median of, evenly spread


@dataclass(frozen=True, eq=False)
class BackgroundBank:
    """Backgrounds of a camera.

    Attributes:
        pictures: (K, H, W, C) uint8.
        mode: (K,), number of the mode that each belongs to.
    """

    pictures: Image
    mode: Labels

    @cached_property
    def light(self) -> Plane:
        """Luminance (K, H, W)."""
        return luminance(self.pictures)

    @cached_property
    def rough_edges(self) -> Plane:
        """Square root of the size of the gradient (K, H, W), for registration."""
        return np.sqrt(edges(self.light))

    @cached_property
    def sharpness(self) -> Values:
        """(K,)."""
        return sharpness(self.light)

    @cached_property
    def window(self) -> Plane:
        """Weights (H, W) for registration."""
        return hanning((self.pictures.shape[1], self.pictures.shape[2]))

    @cached_property
    def _thumbnails(self) -> Plane:
        return thumbnails(self.light)

    def most_alike(self, light: Plane) -> Labels:
        """Number of the background that each frame looks most like, whatever its light.

        All modes are asked: at dusk, a frame of the day may look more like those of the night.

        Args:
            light: luminance of the frames (n, H, W).
        """
        return np.asarray((thumbnails(light) @ self._thumbnails.T).argmax(axis=1), np.int64)


def appearance_groups(light: Plane) -> Labels:
    """Groups of a mode's frames by appearance, each large enough for a background: (n,) numbers.

    The sun's place and clouds tell frames of one mode apart; both show in small pictures freed of
    brightness, and are found even where the clock is not known.
    """
    small = np.asarray(thumbnails(light), np.float64)
    for count in range(min(MOST_PER_MODE, len(light) // FRAMES_EACH), 1, -1):
        label = nearest(small, k_means(small, count))
        if np.bincount(label, minlength=count).min() >= FRAMES_EACH // 2:
            return label
    return np.zeros(len(light), np.int64)
