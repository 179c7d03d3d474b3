"""When alarms are one event: hysteresis, pauses, least duration, cooldown, all in seconds."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tlae.lazy_column import Values, linked_pieces
from tlae.scoring.event_options import EventRule as EventRule
from tlae.scoring.event_options import default_merge_s as default_merge_s
from tlae.table import Table, changes

HOUR_S = 3600.0

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Spans = list[tuple[int, int]]  # first and last row, inclusive


@dataclass(frozen=True, eq=False)
class Clock:
    """When the rows of a table were filmed.

    Attributes:
        time_s: (n,), seconds. Rows of different clips can be compared only where ``shared``.
        clip: (n,), name or number of each row's clip.
        interval_s: median time between frames [s].
        gap_s: neighbouring frames further apart belong to different events; 0: none do.
        shared: the wall clock is known, so ``time_s`` runs on from clip to clip.
    """

    time_s: Values
    clip: Values
    interval_s: float
    gap_s: float
    shared: bool

    @classmethod
    def of_table(cls, table: Table, interval_s: float, gap_s: float) -> "Clock":
        """Clock of a score table, in seconds since its first frame."""
        dated = table.only(["taken_at"])
        undated = dated.marked(["taken_at"], lambda piece: np.isnat(piece["taken_at"]))
        shared = bool(len(table)) and not undated.any()
        time_s = table.column("time_s")
        if shared:
            begin = table.column("taken_at")[0]
            time_s = dated.derived(
                float, lambda piece: (piece["taken_at"] - begin).astype(np.int64) / 1e6
            )
        return cls(time_s, table.column("clip"), interval_s, gap_s, shared)

    @cached_property
    def ends(self) -> Flags:
        """(n,), True where footage ends: before another clip, a gap or a clock set back."""
        ends = np.append(changes(self.clip)[1:], True)
        for near in linked_pieces(len(ends)):
            steps_s = np.diff(self.time_s[near])
            ends[near][:-1] |= (steps_s < 0) | ((steps_s > self.gap_s) & (self.gap_s > 0))
        return ends

    def lasts_s(self, first: int, last: int) -> float:
        """How long a stretch of rows lasts [s].

        Its last frame lasts until the next one; where footage ends, for the median interval.
        """
        end_s = self.time_s[last] + self.interval_s if self.ends[last] else self.time_s[last + 1]
        return float(end_s - self.time_s[first])


def event_runs(over: Flags, above: Flags, clock: Clock, rule: EventRule) -> Spans:
    """First and last row (inclusive) of each event, in order.

    Args:
        over: (n,), True where the score is over the threshold.
        above: (n,), True where it is above the lower level.
        clock: of the same rows.
        rule: what makes one event.
    """
    slack_s = 1e-6 * max(clock.interval_s, 1e-3)  # 0.1 s steps do not add up exactly
    merge_s = rule.merge_of(clock.interval_s) + slack_s
    events: Spans = []
    ended_s = -math.inf
    clip: object = None
    for first, last in _merged(_stretches(over, above | over, clock), clock, merge_s):
        if clock.clip[first] != clip and not clock.shared:
            ended_s = -math.inf
        clip = clock.clip[first]
        ready = np.flatnonzero(
            over[first : last + 1]
            & ~_within(clock.time_s[first : last + 1] - ended_s, rule.cooldown_s - slack_s)
        )
        if not len(ready):
            continue
        first += int(ready[0])
        if clock.lasts_s(first, last) >= rule.min_duration_s - slack_s:
            events.append((first, last))
            ended_s = float(clock.time_s[last])
    return events


def _within(since_s: Floats, cooldown_s: float) -> Flags:
    """Moments in a cooldown; a clock that was set back ends it."""
    return np.asarray((since_s >= 0) & (since_s <= cooldown_s))


def _stretches(over: Flags, above: Flags, clock: Clock) -> Spans:
    """Unbroken stretches above the lower level, from their first row over the threshold on."""
    rows = np.flatnonzero(above)
    if not len(rows):
        return []
    cuts = (np.diff(rows) != 1) | clock.ends[rows[:-1]]
    stretches = np.split(rows, np.flatnonzero(cuts) + 1)
    begun = [(stretch[over[stretch]], stretch[-1]) for stretch in stretches]
    return [(int(starts[0]), int(last)) for starts, last in begun if len(starts)]


def _merged(stretches: Spans, clock: Clock, merge_s: float) -> Spans:
    """Stretches joined over short pauses in which footage does not end."""
    merged: Spans = []
    for first, last in stretches:
        if merged:
            before = merged[-1][1]
            pause_s = clock.time_s[first] - clock.time_s[before]
            if pause_s <= merge_s and not clock.ends[before:first].any():
                merged[-1] = merged[-1][0], last
                continue
        merged.append((first, last))
    return merged
