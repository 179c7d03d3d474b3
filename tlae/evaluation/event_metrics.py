"""Whether events are found, how soon, and at what price in false alarms.

A true event is a run of anomalous frames in a clip. An alarm is a run of frames over the threshold
in a clip, short pauses bridged as the event rule does (``tlae.scoring.event_rule``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.evaluation.frame_metrics import FrameScores
from tlae.evaluation.ground_truth import Labels
from tlae.evaluation.measure import Measure
from tlae.evaluation.persistence import persistence_measures
from tlae.evaluation.runs import (
    Spans,
    alarm_sweep,
    best_within,
    count_false,
    count_matches,
    merge_frames_of,
    spans_of,
)
from tlae.number_words import how_many

MIN_IOUS = (0.1, 0.5)
BUDGETS_PER_HOUR = (1, 10, 60)
HOUR_S = 3600.0
DAY_HOURS = 24

NO_ALARM = "no alarm column"
NO_EVENT = "no frame is anomalous"
NO_SCORE = "no frame has a score"
NO_INTERVAL = "the time between frames is not known"

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LabelledTimeline:
    """Scored, labelled and alarmed frames, clip after clip.

    Attributes:
        scores: (n,), raw, higher is more anomalous; NaN for a frame without a score, which never
            alarms.
        labels: (n,), True where anomalous.
        clips: (n,), number of the frame's clip; the frames of a clip stand together.
        alarm: (n,), True in alarm; None where no threshold was known.
        interval_s: time between frames [s]; None where it is not known.

    Raises:
        UserError: lengths differ, a score is infinite, a clip is torn apart, or the interval is not
            positive.
    """

    scores: Floats
    labels: Labels
    clips: Integers
    alarm: Labels | None = None
    interval_s: float | None = None

    def __post_init__(self) -> None:
        there = np.where(np.isnan(self.scores), 0, self.scores)
        FrameScores(there, self.labels, self.clips)  # for its checks
        if self.alarm is not None and len(self.alarm) != len(self.scores):
            raise UserError(
                f"alarm must have one entry per frame ({len(self.scores):,}), got "
                f"{len(self.alarm):,}; bring it to that length"
            )
        if self.interval_s is not None and not self.interval_s > 0:
            raise UserError(f"interval_s must be > 0, got {self.interval_s}; give the seconds")

    @property
    def hours(self) -> float | None:
        """Length of the footage, frames without a score included."""
        return None if self.interval_s is None else len(self.scores) * self.interval_s / HOUR_S

    @cached_property
    def events(self) -> Spans:
        """Runs of anomalous frames."""
        return spans_of(self.labels, self.clips)

    @cached_property
    def alarmed(self) -> Labels | None:
        """(n,), True where a frame has a score and is in alarm."""
        return None if self.alarm is None else self.alarm & ~np.isnan(self.scores)

    @cached_property
    def alarms(self) -> Spans | None:
        """Runs of frames in alarm, short pauses bridged."""
        if self.alarmed is None:
            return None
        return spans_of(self.alarmed, self.clips, merge_frames_of(self.interval_s))

    @cached_property
    def delays(self) -> list[int]:
        """Frames from the start of each event to its first frame in alarm; of those found."""
        if self.alarmed is None:
            return []
        spans = [np.flatnonzero(self.alarmed[first : last + 1]) for first, last in self.events]
        return [int(hits[0]) for hits in spans if len(hits)]

    @property
    def found(self) -> int:
        """Events with a frame in alarm."""
        return len(self.delays)

    @property
    def normal_alarm_rate(self) -> float | None:
        """Share of the normal frames that are in alarm; None: no normal frame, or no alarm."""
        normal = ~self.labels
        if self.alarmed is None or not normal.any():
            return None
        return float(self.alarmed[normal].mean())


def event_measures(
    scores: Floats,
    labels: Labels,
    clips: Integers,
    alarm: Labels | None,
    interval_s: float | None,
    asked: Mapping[str, float | None] | None = None,
) -> list[Measure]:
    """All figures of events and time.

    Args:
        scores: (n,), raw; NaN for a frame without a score.
        labels: (n,), True where anomalous.
        clips: (n,), number of the frame's clip; the frames of a clip stand together.
        alarm: (n,), True in alarm; None where no threshold was known.
        interval_s: time between frames [s]; None where it is not known.
        asked: the budget that was asked for: ``false_alarm_rate``, ``alarms_per_day``.

    Raises:
        UserError: as ``Timeline``.
    """
    line = LabelledTimeline(scores, labels, clips, alarm, interval_s)
    measures = [
        *(measure for min_iou in MIN_IOUS for measure in _matched(line, min_iou)),
        *_recall_at_budgets(line),
        *_delays(line),
        *_alarm_rates(line, asked or {}),
        *persistence_measures(scores, labels, clips, line.events),
    ]
    without = int(np.isnan(scores).sum())
    note = f"; no alarm in {how_many(without, 'frame')} without a score" if without else ""
    return [replace(measure, basis=measure.basis + note) for measure in measures]


def _measure(key: str, name: str, value: float | None, basis: str, unit: str = "%") -> Measure:
    return Measure(key, name, "event", value, unit, basis)


def _matched(line: LabelledTimeline, min_iou: float) -> list[Measure]:
    """Recall, precision and F1 of alarms against events."""
    values: tuple[float | None, ...] = (None, None, None)
    basis = NO_ALARM
    if line.alarms is not None:
        true, alarms = len(line.events), len(line.alarms)
        hits = count_matches(line.alarms, line.events, min_iou)
        values = (
            hits / true if true else None,
            hits / alarms if alarms else None,
            2 * hits / (true + alarms) if true else None,
        )
        basis = f"{how_many(true, 'event')}, {how_many(alarms, 'alarm')}, {hits:,} matched"
    protocol = f"one-to-one matching at temporal IoU >= {min_iou:g}"
    keys = (("recall", "recall"), ("precision", "precision"), ("f1", "F1 score"))
    return [
        _measure(f"event_{key}_iou{100 * min_iou:.0f}", f"event {word}, {protocol}", value, basis)
        for (key, word), value in zip(keys, values, strict=True)
    ]


def _recall_at_budgets(line: LabelledTimeline) -> list[Measure]:
    """Recall at a price in false alarms, whatever the threshold of the alarm column."""
    reason = ""
    if not len(line.events):
        reason = NO_EVENT
    elif np.isnan(line.scores).all():
        reason = NO_SCORE
    elif line.hours is None:
        reason = NO_INTERVAL
    results: list[tuple[float | None, str]] = [(None, reason)] * len(BUDGETS_PER_HOUR)
    if not reason:
        results = _bought(line)
    return [
        _measure(
            f"recall_{budget}_per_hour",
            f"event recall at {how_many(budget, 'false alarm')} per hour, raw scores",
            *result,
        )
        for budget, result in zip(BUDGETS_PER_HOUR, results, strict=True)
    ]


def _bought(line: LabelledTimeline) -> list[tuple[float | None, str]]:
    """Recall at each budget, and its basis.

    The basis holds the share of normal frames in alarm too: an alarm that goes on for ever touches
    every event and counts as none that is false.
    """
    assert line.hours is not None
    thresholds, false, found = alarm_sweep(
        line.scores, line.labels, line.clips, merge_frames_of(line.interval_s)
    )
    results: list[tuple[float | None, str]] = []
    for budget in BUDGETS_PER_HOUR:
        allowed = int(budget * line.hours + 1e-9)  # 59.99... are 60
        best = best_within(false, found, allowed)
        hits = 0 if best is None else int(found[best])
        basis = (
            f"{hits:,} of {how_many(len(line.events), 'event')}; "
            f"{how_many(allowed, 'false alarm')} allowed in {line.hours:.3g} h"
        )
        if best is not None and not line.labels.all():
            on = np.mean(line.scores[~line.labels] >= thresholds[best])
            basis += f"; {100 * on:.3g} % of normal frames in alarm"
        results.append((hits / len(line.events), basis))
    return results


def _delays(line: LabelledTimeline) -> list[Measure]:
    """Median delay of the first alarm within an event, of the events that have one."""
    name = "median delay from the start of an event to its first frame in alarm"
    value = None
    basis = NO_ALARM
    if line.alarmed is not None:
        value = float(np.median(line.delays)) if line.delays else None
        events = len(line.events)
        basis = f"{line.found:,} of {how_many(events, 'event')} found" if events else NO_EVENT
    timed = value is None or line.interval_s is not None
    in_s = value * line.interval_s if value is not None and line.interval_s is not None else None
    return [
        _measure("delay_frames", f"{name}, in frames", value, basis, "frames"),
        _measure("delay_s", f"{name}, in seconds", in_s, basis if timed else NO_INTERVAL, "s"),
    ]


def _alarm_rates(line: LabelledTimeline, asked: Mapping[str, float | None]) -> list[Measure]:
    """What the alarms cost, beside what was asked for."""
    rate = per_hour = None
    rate_basis = per_hour_basis = NO_ALARM
    if line.alarmed is not None and line.alarms is not None:
        normal = int((~line.labels).sum())
        alarmed = int((line.alarmed & ~line.labels).sum())
        rate = line.normal_alarm_rate
        rate_basis = "no normal frame"
        if normal:
            rate_basis = f"{alarmed:,} of {how_many(normal, 'normal frame')}"
        false = count_false(line.alarms, line.labels)
        per_hour = len(line.alarms) / line.hours if line.hours else None
        duration = f"{line.hours:.3g} h" if line.hours else NO_INTERVAL
        per_hour_basis = (
            f"{how_many(len(line.alarms), 'alarm')}, {false:,} outside events; {duration}"
        )
    wanted, wanted_a_day = asked.get("false_alarm_rate"), asked.get("alarms_per_day")
    if wanted is not None:
        rate_basis += f"; asked for {100 * wanted:.3g} %"
    if wanted_a_day is not None:
        per_hour_basis += f"; asked for {wanted_a_day / DAY_HOURS:.3g} per hour of normal footage"
    return [
        _measure("normal_alarm_rate", "share of normal frames in alarm", rate, rate_basis),
        _measure(
            "alarms_per_hour", "alarms, true and false", per_hour, per_hour_basis, unit="per hour"
        ),
    ]
