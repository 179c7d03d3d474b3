"""What speaks for each place of a still not being as it was at other times."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tlae.patches.features import STEP, Plane, Still
from tlae.patches.memory import Apart, Memory

OTHER_DAYS, LAST_HOURS = 32, 16  # stills of like light that are compared
QUANTILES = (0.5, 0.9, 0.99)  # of the distances of a place in normal stills
DISTANCES = 3  # of a place: to the nearest and several of other days, to the nearest of the hours
LEVELS = len(QUANTILES) * 2 + 1
SMALLEST = 0.05  # median distances; smaller ones are alike
PLACES_AVERAGED = 3  # cells, of the quantiles

Rows = npt.NDArray[np.int64]


def channels(planes: int) -> int:
    """Numbers of a place that are judged, of stills with so many planes."""
    return DISTANCES + LEVELS + 3 * planes


@dataclass(frozen=True, eq=False)
class Compared:
    """A still beside those of other days and those of the last hours.

    Attributes:
        days, hours: how far each place lies from them; where there are no last hours, the same.
    """

    days: Apart
    hours: Apart


def compared(
    still: Still, days: tuple[Memory, Rows], hours: tuple[Memory | None, Rows]
) -> Compared:
    """Compare a still with the stills of like light among those given."""
    memory, among = days
    of_days = memory.apart(still.planes, memory.alike(still.look, among, OTHER_DAYS))
    recent, among = hours
    if recent is None or not len(among):
        return Compared(of_days, of_days)
    near = recent.alike(still.look, among, LAST_HOURS)
    return Compared(of_days, recent.apart(still.planes, near))


@dataclass(frozen=True, eq=False)
class Levels:
    """How far normal stills lie from those of other times.

    Attributes:
        medians: (``DISTANCES``,), of the distances over all places.
        places: (LEVELS, h, w), logarithms of the ``QUANTILES`` of each place in those medians, for
            the days and for the hours, and the height in the picture from -1 to 1.
    """

    medians: Plane
    places: Plane

    @classmethod
    def of(cls, normal: list[Compared]) -> "Levels":
        """Of normal stills, compared with other days and the hours before."""
        stacked = np.stack([_distances(one) for one in normal])  # (n, 3, h, w)
        medians = np.maximum(np.median(stacked, axis=(0, 2, 3)), 1e-6)
        quantiles = [
            np.log(_averaged(level) / medians[part] + SMALLEST)
            for part in (0, 2)
            for level in np.quantile(stacked[:, part], QUANTILES, axis=0)
        ]
        height, width = stacked.shape[2:]
        down = np.repeat(np.linspace(-1, 1, height)[:, None], width, axis=1)
        places = np.stack([*quantiles, down]).astype(np.float32)
        return cls(medians.astype(np.float32), places)

    def evidence(self, still: Still, compared: Compared) -> Plane:
        """What is judged, (``channels``, h, w)."""
        distances = _distances(compared) / self.medians[:, None, None]
        return np.concatenate(
            [
                np.log(distances + np.float32(SMALLEST)),
                self.places,
                compared.days.difference,
                compared.hours.difference,
                still.planes.astype(np.float32) * np.float32(STEP),
            ]
        )


def _distances(compared: Compared) -> Plane:
    """(``DISTANCES``, h, w)."""
    days, hours = compared.days, compared.hours
    return np.stack([days.nearest, days.several, hours.nearest])


def _averaged(level: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Means over some cells around each; beyond its edge the picture is mirrored."""
    side = (PLACES_AVERAGED, PLACES_AVERAGED)
    return np.asarray(cv2.blur(level, side, borderType=cv2.BORDER_REFLECT))
