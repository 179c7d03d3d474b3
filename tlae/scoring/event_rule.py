"""When alarms are one event: hysteresis, pauses, least duration, cooldown, all in seconds."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.scoring.calibrate import Calibration, Modes

MERGE_S = 1.0
MERGE_INTERVALS = 2.0  # of frames far apart: one calm frame does not end an event
CALM_SHARE = 0.95  # of normal frames, that end an event
HOUR_S = 3600.0

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Spans = list[tuple[int, int]]  # first and last row, inclusive


@dataclass(frozen=True)
class EventRule:
    """What makes one event of alarms. Times are of the footage, whatever its frame interval.

    Attributes:
        min_duration_s: shorter events are left out. A frame lasts until the next one, so one frame
            of a time-lapse is minutes long.
        merge_s: a calm pause up to this long does not end an event, but a gap in the footage does;
            None: ``usual_merge_s``.
        cooldown_s: no event begins in a zone within this time after one ended there.
        low: an event begins above the threshold and goes on above a lower level: this share of the
            way from the usual score of normal footage up to the threshold, but no lower than most
            of that footage, or no event would end; 1: no lower level.
        accept_after_h: what stays at one place so long is declared normal there; None: never.
    """

    min_duration_s: float = 0.0
    merge_s: float | None = None
    cooldown_s: float = 0.0
    low: float = 0.8
    accept_after_h: float | None = None

    def __post_init__(self) -> None:
        for name in ("min_duration_s", "merge_s", "cooldown_s"):
            seconds = getattr(self, name)
            if seconds is not None and not (math.isfinite(seconds) and seconds >= 0):
                raise ValueError(f"{name} must be >= 0 seconds, got {seconds:g}")
        if not 0 < self.low <= 1:
            raise ValueError(f"low must be in (0, 1] (share of the threshold), got {self.low:g}")
        if self.accept_after_h is not None and not self.accept_after_h > 0:
            raise ValueError(
                f"accept_after_h must be > 0 hours, or null for never, got {self.accept_after_h:g}"
            )

    def merge_of(self, interval_s: float) -> float:
        """Longest pause within an event [s]."""
        return usual_merge_s(interval_s) if self.merge_s is None else self.merge_s

    def low_level(self, threshold: Floats, modes: Modes, calibration: Calibration | None) -> Floats:
        """Level (n,) above which an event goes on, in raw units; never above the threshold.

        Args:
            threshold: (n,), alarm threshold of each row.
            modes: (n,), camera mode of each row.
            calibration: by normal footage; None: what is usual is not known, and counts as 0.
        """
        usual, calm = np.zeros(len(threshold)), np.full(len(threshold), -np.inf)
        if calibration is not None:
            usual, calm = (calibration.quantile(share).of(modes) for share in (0.5, CALM_SHARE))
        with np.errstate(invalid="ignore"):
            level = np.maximum(usual + self.low * (threshold - usual), calm)
        return np.where(np.isfinite(threshold), np.minimum(level, threshold), threshold)


@dataclass(frozen=True, eq=False)
class Clock:
    """When the rows of a table were filmed.

    Attributes:
        time_s: (n,), seconds. Rows of different clips can be compared only where ``shared``.
        clip: (n,), number of each row's clip.
        interval_s: usual time between frames [s].
        gap_s: neighbouring frames further apart belong to different events; 0: none do.
        shared: the wall clock is known, so ``time_s`` runs on from clip to clip.
    """

    time_s: Floats
    clip: npt.NDArray[np.int64]
    interval_s: float
    gap_s: float
    shared: bool

    @classmethod
    def of_table(cls, table: pd.DataFrame, interval_s: float, gap_s: float) -> "Clock":
        """Clock of a score table, in seconds since its first frame."""
        taken_at = pd.to_datetime(table["taken_at"])
        shared = bool(len(table)) and bool(taken_at.notna().all())
        time_s = table["time_s"].to_numpy(np.float64)
        if shared:
            time_s = (taken_at - taken_at.iloc[0]).dt.total_seconds().to_numpy(np.float64)
        codes = np.asarray(table.groupby("clip", sort=False).ngroup(), np.int64)
        return cls(time_s, codes, interval_s, gap_s, shared)

    @cached_property
    def ends(self) -> Flags:
        """(n,), True where footage ends: before another clip, a gap or a clock set back."""
        steps_s = np.diff(self.time_s)
        ends = (steps_s < 0) | (np.diff(self.clip) != 0)
        if self.gap_s > 0:
            ends |= steps_s > self.gap_s
        return np.append(ends, True)

    def lasts_s(self, first: int, last: int) -> float:
        """How long a stretch of rows lasts [s].

        Its last frame lasts until the next one; where footage ends, for the usual interval.
        """
        end_s = self.time_s[last] + self.interval_s if self.ends[last] else self.time_s[last + 1]
        return float(end_s - self.time_s[first])


def usual_merge_s(interval_s: float) -> float:
    """Longest pause within an event where none is asked for [s]."""
    return max(MERGE_S, MERGE_INTERVALS * interval_s)


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
    clip = -1
    for first, last in _merged(_stretches(over, above | over, clock), clock, merge_s):
        if clock.clip[first] != clip and not clock.shared:
            ended_s = -math.inf
        clip = int(clock.clip[first])
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
