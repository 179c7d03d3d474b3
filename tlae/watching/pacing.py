"""When frames of a live camera were taken, which of them are scored, and when to try again."""

import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tlae.footage.timestamps import Timing

EARLY = 0.25  # of the interval that a frame may come too soon, for cameras are not exact
LATE_S = 2.0  # between a camera's clock and ours; then it is set anew
SLEW = 0.01  # share of their difference by which each frame corrects the camera's clock
FIRST_PAUSE_S = 1.0
LOOK_S = 0.5  # between two looks at whether to stop


class Pace:
    """Choose frames that are about ``interval_s`` apart.

    Args:
        interval_s: wanted time between frames [s]; 0: every frame.
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._first: datetime | None = None
        self._due_s = 0.0

    def is_due(self, when: datetime) -> bool:
        """Whether the frame of this time is to be scored."""
        if self._interval_s <= 0:
            return True
        self._first = self._first or when
        at_s = (when - self._first).total_seconds()
        if 0 <= at_s < self._due_s - EARLY * self._interval_s:
            return False
        if at_s < 0:  # the clock was set back
            self._first, at_s = when, 0.0
        steps = int(at_s / self._interval_s + EARLY)
        self._due_s = (steps + 1) * self._interval_s
        return True


class CameraClock:
    """Wall-clock times of a stream: steps of its own time stamps, corrected towards our clock.

    A network delivers in bursts, and a connection often begins with one; the camera's own stamps
    tell how far frames are apart. No frame is dated later than it arrived.

    Args:
        timing: says the time zone.
        is_stamped: False: the time stamps mean nothing, frames are dated when they arrive.
    """

    def __init__(self, timing: Timing, *, is_stamped: bool) -> None:
        self._timing, self._is_stamped = timing, is_stamped
        self._offset: datetime | None = None  # time of stamp 0
        self._last: datetime | None = None

    def now(self) -> datetime:
        """Our clock in the camera's time zone."""
        return self._timing.on_camera_clock(datetime.now(UTC))

    def dated(self, stamp_s: float | None) -> datetime:
        """When a packet was taken that has just arrived, as far as the frames so far tell."""
        now = self.now()
        if not self._is_stamped or stamp_s is None or self._offset is None:
            return now
        when = self._offset + timedelta(seconds=stamp_s)
        return when if 0 <= (now - when).total_seconds() <= LATE_S else now

    def when(self, stamp_s: float | None) -> datetime:
        """When the frame that has just arrived was taken."""
        now, when = self.now(), self.dated(stamp_s)
        if not self._is_stamped or stamp_s is None:
            return when
        if self._last is not None and when <= self._last:  # the stamps, or our clock, were set back
            when = now
        self._offset = when - timedelta(seconds=stamp_s) + SLEW * (now - when)
        self._last = when
        return when


def pauses(stop: threading.Event, seconds: float) -> Iterator[None]:
    """Wait, and look about every now and then; ends early when ``stop`` is set."""
    while seconds > 0 and not stop.wait(min(seconds, LOOK_S)):
        seconds -= LOOK_S
        yield None


def pause_s(tries: int, most_s: float) -> float:
    """Pause before the next try, twice as long each time, with chance in it so that crowds part.

    Args:
        tries: that failed so far, from 1 on.
        most_s: longest pause [s].
    """
    longest = min(most_s, FIRST_PAUSE_S * 2.0 ** min(tries - 1, 30))
    return longest * (0.5 + 0.5 * random.random())
