"""Background bank: a few empty pictures of the scene for each mode, distinguished by appearance."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tlae.camera.clusters import Labels, k_means, nearest
from tlae.camera.measures import (
    Plane,
    Values,
    contrast,
    edges,
    look,
    luminance,
    sharpness,
    thumbnails,
)
from tlae.camera.registration import hanning
from tlae.footage.frames import Image

MOST_PER_MODE = 6  # sun from the left, from the right, overcast, ...
LOOK_WEIGHT = 0.2  # of the distance of two looks, against the correlation of two pictures
FRAMES_EACH = 30  # that a further background of a mode needs
MOST_ALIKE = 0.95  # correlation of two backgrounds; people passing by do not make another one
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
    def contrast(self) -> Values:
        """(K, cells)."""
        return contrast(self.light)

    @cached_property
    def sharpness(self) -> Values:
        """(K, cells)."""
        return sharpness(self.light)

    @cached_property
    def window(self) -> Plane:
        """Weights (H, W) for registration."""
        return hanning((self.pictures.shape[1], self.pictures.shape[2]))

    @cached_property
    def _thumbnails(self) -> Plane:
        return thumbnails(self.light)

    @cached_property
    def _looks(self) -> Values:
        return look(self.pictures)

    def most_alike(self, light: Plane, looks: Values) -> Labels:
        """Number of the background that each frame is most like.

        That is: whose small picture correlates most with that of the frame, whatever the light of
        both; among those that do so about equally, the one of the nearest light and colour. All
        modes are asked: at dusk, a frame of the day may be more like those of the night.

        Args:
            light: luminance of the frames (n, H, W).
            looks: of the frames (n, 4), see ``measures.look``.
        """
        likeness = thumbnails(light) @ self._thumbnails.T  # (n, K), correlations
        away = np.linalg.norm(looks[:, None] - self._looks, axis=2)
        return np.asarray((likeness - LOOK_WEIGHT * away).argmax(axis=1), np.int64)


def appearance_groups(light: Plane) -> Labels:
    """Groups of a mode's frames by appearance, each large enough for a background: (n,) numbers.

    The sun's place and clouds tell frames of one mode apart; both show in small pictures freed of
    brightness, and are found even where the clock is not known.
    """
    small = np.asarray(thumbnails(light), np.float64)
    for count in range(min(MOST_PER_MODE, len(light) // FRAMES_EACH), 1, -1):
        centres = k_means(small, count)
        label = nearest(small, centres)
        enough = np.bincount(label, minlength=count).min() >= FRAMES_EACH // 2
        alike = np.atleast_2d(np.corrcoef(centres))[~np.eye(count, dtype=bool)]
        if enough and alike.max() < MOST_ALIKE:
            return label
    return np.zeros(len(light), np.int64)
