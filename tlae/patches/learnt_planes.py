"""Further numbers of each place, by a net that has learnt to tell things apart in pictures."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from tlae.patches.early_net import CHANNELS, Image, Maps, early_maps, layers_of

LEARNT = 6  # numbers of a place
LEAST_LENGTH = 1e-3
AT_MOST = 20_000  # places that the axes are fitted to

Whole = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class LearntPlanes:
    """The first layers of a net, and the axes along which normal places differ most.

    Attributes:
        weights: of the net, see ``early_net.layers_of``.
        axes: (1 + ``LEARNT``, 40), the mean and the axes, in the steps of a still's planes.
    """

    weights: Maps
    axes: Maps

    @classmethod
    def fit(cls, weights: Maps, pictures: Image, spread: float) -> "LearntPlanes":
        """Fit the axes to normal pictures (n, H, W, 3): their principal components.

        Args:
            weights: of the net.
            pictures: of all times.
            spread: mean standard deviation that the planes shall have.
        """
        layers = layers_of(weights)
        places = np.concatenate(
            [_directions(early_maps(one, layers)).reshape(-1, CHANNELS) for one in pictures]
        )
        mean = places.mean(axis=0)
        some = places[:: max(1, len(places) // AT_MOST)] - mean
        _, axes = np.linalg.eigh(some.T @ some)  # rising
        axes = axes[:, ::-1][:, :LEARNT].T
        axes *= spread / max(float((some @ axes.T).std(axis=0).mean()), LEAST_LENGTH)
        return cls(weights, np.concatenate([mean[None], axes]).astype(np.float32))

    def of(self, picture: Image) -> Whole:
        """Planes (``LEARNT``, h, w) of a picture (H, W, 3), at an eighth of its size."""
        mean, axes = self.axes[0], self.axes[1:]
        values = (_directions(early_maps(picture, self._layers)) - mean) @ axes.T
        return whole(values.transpose(2, 0, 1))

    @cached_property
    def _layers(self) -> list[tuple[Maps, Maps]]:
        return layers_of(self.weights)


def enlarged(planes: Whole, grid_hw: tuple[int, int]) -> Whole:
    """Planes (..., h, w) in the grid of the others."""
    flat = planes.reshape(-1, *planes.shape[-2:]).astype(np.float32)
    height, width = grid_hw
    large = [cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in flat]
    return whole(np.stack(large)).reshape(*planes.shape[:-2], height, width)


def _directions(maps: Maps) -> Maps:
    """Without their strength, which the light changes."""
    length = np.sqrt(np.square(maps).sum(axis=2, keepdims=True))
    return np.asarray(maps / (length + np.float32(LEAST_LENGTH)))


def whole(values: Maps) -> Whole:
    """Values in steps, rounded and cut off to 8 bits."""
    return np.clip(np.rint(values), -127, 127).astype(np.int8)
