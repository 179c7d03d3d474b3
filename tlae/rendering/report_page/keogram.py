"""Keogram: a day (or clip) in one strip, one column per frame; made in one pass over the frames."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import cv2
import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Frame, Image
from tlae.rendering.footage_time import FootageTime
from tlae.rendering.time_ticks import DAY_S

COLUMNS_PX = 720  # two minutes of a day each
TALLEST_PX, LOWEST_PX = 56, 12  # of a strip; the more strips, the lower
ALL_STRIPS_PX = 2800  # of all strips together
MOST_STRIPS = 366
HOLD_INTERVALS = 2.0  # a frame fills its strip until the next one, no longer than this


@dataclass(frozen=True, eq=False)
class Strip:
    """One row of a keogram.

    Attributes:
        label: date or clip.
        from_s, to_s: its ends on the axis.
        image: RGBA (H, COLUMNS_PX, 4); transparent where there was no footage.
    """

    label: str
    from_s: float
    to_s: float
    image: Image


class Keogram:
    """Takes frames one by one; holds the strips alone, whatever the length of the footage.

    Args:
        time: axis of the footage.
    """

    def __init__(self, time: FootageTime) -> None:
        self._time = time
        self._spans = _clips(time) if time.began is None else _days(time, time.began)
        self.left_out = max(0, len(self._spans) - MOST_STRIPS)
        self._spans = self._spans[:MOST_STRIPS]
        self.height_px = max(LOWEST_PX, min(TALLEST_PX, ALL_STRIPS_PX // max(1, len(self._spans))))
        self._starts_s = np.array([start for _, start, _ in self._spans])
        size = (self.height_px, COLUMNS_PX, 4)
        self._strips = [np.zeros(size, np.uint8) for _ in self._spans]

    def has_room_at(self, at_s: float) -> bool:
        """Whether a moment on the axis lies within a strip, or before the last one."""
        return at_s <= self._spans[-1][2]

    def add(self, at_s: float, image: Image) -> None:
        """Fill the columns from a frame's moment on.

        Args:
            at_s: its moment on the axis.
            image: RGB (H, W, 3) of any size.
        """
        number = int(np.searchsorted(self._starts_s, at_s, side="right")) - 1
        _, start_s, end_s = self._spans[number]
        if number < 0 or at_s > end_s:
            return
        columns_per_s = COLUMNS_PX / max(end_s - start_s, 1e-9)
        first = min(int((at_s - start_s) * columns_per_s), COLUMNS_PX - 1)
        held = HOLD_INTERVALS * self._time.interval_s
        last = max(first + 1, int((at_s - start_s + held) * columns_per_s))
        column = image[:, image.shape[1] // 2 : image.shape[1] // 2 + 1]  # (H, 1, 3)
        small = cv2.resize(column, (1, self.height_px), interpolation=cv2.INTER_AREA)
        self._strips[number][:, first:last, :3] = small.reshape(-1, 1, 3)
        self._strips[number][:, first:last, 3] = 255

    def strips(self) -> list[Strip]:
        """The rows that hold at least one frame."""
        made = zip(self._spans, self._strips, strict=True)
        return [Strip(*span, image) for span, image in made if image[..., 3].any()]


def add_clip(keogram: Keogram, frames: Iterable[Frame], at_s: npt.NDArray[np.float64]) -> None:
    """Add the readable frames of a clip.

    Args:
        keogram: to fill.
        frames: of the clip, forward.
        at_s: (n,), moment of each on the axis; frames beyond are left out.
    """
    for frame in frames:
        if frame.frame >= len(at_s):
            return
        if frame.image is not None:
            keogram.add(float(at_s[frame.frame]), frame.image)


def _days(time: FootageTime, began: datetime) -> list[tuple[str, float, float]]:
    """Label, start and end of each day with footage."""
    midnight = began.replace(hour=0, minute=0, second=0, microsecond=0)
    since_s = (began - midnight).total_seconds()
    numbers = np.unique(np.floor((time.axis_s + since_s) / DAY_S).astype(np.int64))
    spans = []
    for number in map(int, numbers):
        date = midnight + timedelta(days=number)
        start_s = number * DAY_S - since_s
        spans.append((f"{date:%a} {date.day} {date:%b}", start_s, start_s + DAY_S))
    return spans


def _clips(time: FootageTime) -> list[tuple[str, float, float]]:
    """Name, start and end of each clip; all are as long as the longest, so that they compare."""
    longest_s = max(end - start for start, end in time.clips.values()) + time.interval_s
    return [(name, start, start + longest_s) for name, (start, _) in time.clips.items()]
