"""Calendar heat map: one cell for each hour of each day."""

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from tlae.rendering.footage_time import FootageTime
from tlae.rendering.time_ticks import DAY_S, HOUR_S
from tlae.table import Table, groups, highest

FAINTEST = 0.2  # colour of an hour with the first frame in alarm: it must be seen
NINES = 3.0  # a score of 0.999 and above has the full colour


@dataclass(frozen=True)
class Hour:
    """One cell.

    Attributes:
        hour: 0..23.
        frames: in it; 0: no footage.
        alarms: frames in alarm.
        score: highest calibrated score in [0, 1]; None: none was calibrated.
        heat: colour of the highest score in [0, 1]: 0.9 is a third, 0.99 two thirds.
        from_s, to_s: on the axis.
    """

    hour: int
    frames: int
    alarms: int
    score: float | None
    heat: float
    from_s: float
    to_s: float

    @property
    def share(self) -> float:
        """Share of the frames in alarm, in [0, 1]."""
        return self.alarms / self.frames if self.frames else 0.0

    @property
    def alarm_heat(self) -> float:
        """Colour of that share in [0, 1]."""
        return FAINTEST + (1 - FAINTEST) * self.share if self.alarms else 0.0


@dataclass(frozen=True)
class Day:
    """One row: its date and 24 cells."""

    label: str
    hours: tuple[Hour, ...]


def calendar_days(table: Table, time: FootageTime) -> list[Day]:
    """Days from the first to the last with footage; none without wall-clock times.

    Args:
        table: score table: score, alarm.
        time: of its rows.
    """
    if time.began is None:
        return []
    midnight = time.began.replace(hour=0, minute=0, second=0, microsecond=0)
    since_s = (time.began - midnight).total_seconds()
    cell = np.floor((time.axis_s + since_s) / HOUR_S).astype(np.int64)
    known = {
        int(at): (len(rows), int(table["alarm"][rows].sum()), highest(table["score"][rows]))
        for at, rows in groups(cell).items()
    }
    days = []
    for number in sorted({at // 24 for at in known}):
        date = midnight + timedelta(days=number)
        hours = []
        for hour in range(24):
            frames, alarms, score = known.get(24 * number + hour, (0, 0, None))
            from_s = number * DAY_S + hour * HOUR_S - since_s
            heat = _heat(score)
            hours.append(Hour(hour, frames, alarms, score, heat, from_s, from_s + HOUR_S))
        days.append(Day(f"{date:%a} {date.day} {date:%b}", tuple(hours)))
    return days


def _heat(score: float | None) -> float:
    """Each further nine adds the same colour: near 1 is where scores differ."""
    if score is None:
        return 0.0
    return min(1.0, -math.log10(max(1 - score, 10**-NINES)) / NINES)
