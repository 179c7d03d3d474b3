"""Wall-clock times of frames, by the stamps of a stream and our clock."""

import itertools
from datetime import datetime, timedelta

import pytest

from tlae.footage.timestamps import Timing
from tlae.watching.pacing import CameraClock, Pace

NOON = datetime(2026, 6, 1, 12)


class Clock(CameraClock):
    """A camera's clock beside one of ours that a test sets."""

    def __init__(self) -> None:
        super().__init__(Timing(), is_stamped=True)
        self.at_s = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.at_s)

    def taken_s(self, stamp_s: float, at_s: float) -> float:
        """When a frame that arrives then was taken [s]."""
        self.at_s = at_s
        return (self.when(stamp_s) - NOON).total_seconds()


@pytest.mark.parametrize("delay_s", [0.5, 2.3, 8.0])
def test_a_burst_at_the_begin_dates_nothing_later_than_it_arrived(delay_s: float) -> None:
    clock, rate = Clock(), 10
    held = round(delay_s * rate)  # frames that wait while the stream is opened
    arrivals = [delay_s + 0.01 * n if n < held else 0.02 + n / rate for n in range(held + 50)]
    arrivals = [max(arrivals[: n + 1]) + 1e-4 * n for n in range(len(arrivals))]
    taken = [clock.taken_s(n / rate, at_s) for n, at_s in enumerate(arrivals)]
    assert all(when <= at_s + 1e-5 for when, at_s in zip(taken, arrivals, strict=True))
    assert all(early < late for early, late in itertools.pairwise(taken))
    assert taken[-1] == pytest.approx((len(taken) - 1) / rate, abs=0.06)


def test_a_hiccup_of_the_network_leaves_the_steps_of_the_camera() -> None:
    clock = Clock()
    for number in range(20):
        clock.taken_s(0.1 * number, 0.1 * number + 0.01)
    late = [clock.taken_s(2.0 + 0.1 * n, 3.0 + 0.01 * n) for n in range(10)]
    steps = [after - before for before, after in itertools.pairwise(late)]
    assert steps == pytest.approx([0.1] * 9, abs=0.02)


def test_a_clock_that_is_set_back_is_followed() -> None:
    clock, pace = Clock(), Pace(0.1)
    assert clock.taken_s(5.0, 100.0) == 100.0
    assert clock.taken_s(5.1, 40.0) == 40.0  # ours
    assert clock.taken_s(0.0, 40.2) == 40.2  # the camera's
    assert [pace.is_due(NOON + timedelta(seconds=s)) for s in (9, 9.05, 3, 3.1)] == [
        True,
        False,
        True,
        True,
    ]


def test_a_packet_is_dated_as_its_frame() -> None:
    clock = Clock()
    clock.taken_s(5.0, 100.0)
    clock.at_s = 101.5
    assert clock.dated(6.0) == NOON + timedelta(seconds=101)
    assert clock.dated(7.0) == clock.dated(None) == clock.now()
