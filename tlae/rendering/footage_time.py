"""One time axis over all clips of a footage: wall-clock time if known, else clip after clip."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from tlae.footage.windows import median_interval_s
from tlae.rendering.text import clock_text
from tlae.rendering.time_ticks import DAY_S, HOUR_S, MINUTE_S
from tlae.table import Table, first_rows, groups

GAP_FACTOR = 10.0  # a pause this many times the median interval is a gap
PAUSE_FACTOR = 1.5 * GAP_FACTOR  # between clips without wall-clock times: well seen as a gap
UNTIMED_INTERVAL_S = 1.0  # where no clip has two frames

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FootageTime:
    """When each frame was, on an axis that all clips share.

    Attributes:
        axis_s: (n,), seconds from the start of the axis to each row of the score table; rises
            within a clip unless the camera's clock was set back.
        began: wall-clock time at the start of the axis; None: not all clips have one, and they
            follow each other with a short pause.
        clips: name -> first and last moment on the axis [s], in the order of the axis.
        interval_s: median time between frames.
    """

    axis_s: Floats
    began: datetime | None
    clips: dict[str, tuple[float, float]]
    interval_s: float

    @classmethod
    def of(cls, table: Table) -> "FootageTime":
        """Lay out the rows of a score table: clip, time_s, taken_at."""
        interval_s = median_interval_s(table) or UNTIMED_INTERVAL_S
        clock = _clock_starts(table)
        began = min(clock.values()) if clock else None
        if clock and began is not None:
            starts = {name: (at - began).total_seconds() for name, at in clock.items()}
        else:
            starts = _one_after_another(table, PAUSE_FACTOR * interval_s)
        rows_of = groups(table["clip"])
        axis_s = np.empty(len(table))
        for name, rows in rows_of.items():
            axis_s[rows] = starts[name] + table["time_s"][rows]
        lowest_s = float(axis_s.min())
        axis_s -= lowest_s
        spans = {n: (float(axis_s[r].min()), float(axis_s[r].max())) for n, r in rows_of.items()}
        clips = dict(sorted(spans.items(), key=lambda clip: clip[1][0]))
        zero = None if began is None else began + timedelta(seconds=lowest_s)
        return cls(axis_s, zero, clips, interval_s)

    @property
    def gap_s(self) -> float:
        """A pause at least this long is a gap."""
        return GAP_FACTOR * self.interval_s

    @property
    def span_s(self) -> float:
        """Length of the axis."""
        return float(self.axis_s.max())

    def gaps(self) -> list[tuple[float, float]]:
        """Last moment before and first moment after each gap on the axis [s]."""
        rising = np.sort(self.axis_s)
        ends = np.flatnonzero(np.diff(rising) >= self.gap_s)
        return [(float(rising[at]), float(rising[at + 1])) for at in ends]

    def lasts_s(self, first: int, last: int) -> float:
        """How long a stretch of rows lasts [s].

        Its last frame lasts until the next one; before a gap and at the end of all footage, for the
        median interval.
        """
        until_next_s = np.diff(self.axis_s[last : last + 2]).sum()  # 0 at the end
        held_s = until_next_s if 0 < until_next_s < self.gap_s else self.interval_s
        return float(self.axis_s[last] - self.axis_s[first] + held_s)

    def watched_s(self) -> float:
        """Time covered by frames, gaps left out."""
        gaps = self.gaps()
        pauses_s = sum(end - start for start, end in gaps)
        return self.span_s - pauses_s + (len(gaps) + 1) * self.interval_s

    def moment(self, at_s: float) -> datetime | None:
        """Wall-clock time of a moment on the axis, if known."""
        return None if self.began is None else self.began + timedelta(seconds=at_s)

    def text(self, at_s: float) -> str:
        """A moment in words: ``Wed 21 Jun 2023 14:05``, or ``Test003 at 00:12.3``."""
        moment = self.moment(at_s)
        if moment is not None:
            return f"{moment:%a} {moment.day} {moment:%b %Y %H:%M}"
        name, (start_s, _) = next(
            ((n, span) for n, span in reversed(self.clips.items()) if span[0] <= at_s),
            next(iter(self.clips.items())),
        )
        return f"{name} at {clock_text(at_s - start_s)}"


def duration_text(seconds: float) -> str:
    """A length of time in one rounded unit: ``0.8 s``, ``35 min``, ``2.1 h``, ``12 days``."""
    if seconds < MINUTE_S:
        return f"{seconds:.1f} s"
    if seconds < HOUR_S:
        return f"{seconds / MINUTE_S:.0f} min"
    if seconds < 2 * DAY_S:
        return f"{seconds / HOUR_S:.1f} h"
    return f"{seconds / DAY_S:.0f} days"


def _clock_starts(table: Table) -> dict[str, datetime]:
    """Wall-clock time of each clip's start, from its first frame that bears one.

    Empty unless all clips have one.
    """
    known = table.take(~np.isnat(table["taken_at"]))
    first = {name: known.row(row) for name, row in first_rows(known["clip"]).items()}
    if len(first) < len(first_rows(table["clip"])):
        return {}
    return {n: row["taken_at"] - timedelta(seconds=row["time_s"]) for n, row in first.items()}


def _one_after_another(table: Table, pause_s: float) -> dict[str, float]:
    """Start of each clip on the axis, in the order of the table."""
    starts: dict[str, float] = {}
    at_s = 0.0
    for name, rows in groups(table["clip"]).items():
        times = table["time_s"][rows]
        starts[name] = at_s - float(times.min())
        at_s += float(times.max() - times.min()) + pause_s
    return starts
