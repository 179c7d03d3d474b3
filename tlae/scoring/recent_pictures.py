"""Pictures of the last two days, few and small: what a place looked like before a thing came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image
from tlae.scoring.event_rule import HOUR_S
from tlae.scoring.places import DAYS_BEFORE, JUST_BEFORE, rows_before

KEPT_S = (24 * DAYS_BEFORE + 1) * HOUR_S
EVERY_S = HOUR_S / 2  # between those that are kept for the next days
MOST_MODES = 8  # of a camera, whose last pictures are kept
LARGEST_PX = 512  # longer side of a kept picture
QUALITY = 95


@dataclass(frozen=True, eq=False)
class _Kept:
    """A picture: time in its clip [s], mode of the camera, JPEG."""

    time_s: float
    mode: str
    data: npt.NDArray[np.uint8]


class RecentPictures:
    """What the camera showed in the last two days, in the clip that goes on.

    About a hundred pictures are kept: the last ``JUST_BEFORE`` of each mode of the camera, and one
    each half hour.
    """

    def __init__(self) -> None:
        self._kept: list[_Kept] = []

    def clear(self) -> None:
        """Another clip begins."""
        self._kept = []

    def add(self, picture: Image, time_s: float, mode: str) -> None:
        """Take a picture (H, W, 3) of a time in its clip [s]; it was ``reduced``."""
        _, data = cv2.imencode(
            ".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        )
        self._kept.append(_Kept(time_s, mode, data.reshape(-1)))
        modes = list(dict.fromkeys(one.mode for one in reversed(self._kept)))[:MOST_MODES]
        last = {
            id(one)
            for name in modes
            for one in [one for one in self._kept if one.mode == name][-JUST_BEFORE:]
        }
        kept: list[_Kept] = []
        steady_s = -np.inf  # of the last one that is kept for the next days
        for one in self._kept:
            is_due = one.time_s - steady_s >= EVERY_S
            steady_s = one.time_s if is_due else steady_s
            if id(one) in last or (is_due and time_s - one.time_s <= KEPT_S):
                kept.append(one)
        self._kept = kept

    def before(self, time_s: float, mode: str) -> list[Image]:
        """Pictures in a mode just before a time [s], and at that hour of the days before."""
        alike = [one for one in self._kept if one.mode == mode and one.time_s < time_s]
        times = np.array([one.time_s for one in alike])
        rows = rows_before(np.arange(len(alike)), times, time_s)
        return [
            np.asarray(cv2.cvtColor(cv2.imdecode(alike[row].data, 1), cv2.COLOR_BGR2RGB))
            for row in rows
        ]

    def state(self) -> dict[str, Any]:
        """Plain values and arrays for ``restore``."""
        return {
            str(number): {"time_s": one.time_s, "mode": one.mode, "data": one.data}
            for number, one in enumerate(self._kept)
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        self._kept = [_Kept(**one) for one in state.values()]


def reduced(picture: Image) -> Image:
    """A picture (H, W, 3), at most as large as is kept."""
    height, width = picture.shape[:2]
    scale = min(1.0, LARGEST_PX / max(height, width))
    if scale == 1.0:
        return picture
    size = max(1, round(scale * width)), max(1, round(scale * height))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
