"""One event at a time, frame by frame: the stretch of alarm that ``event_runs`` finds in a table.

Memory stays the same however long an event lasts: of its frames only the first, the last and those
of its peak are kept.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from tlae.footage.frames import OK
from tlae.scoring.event_rule import EventRule
from tlae.scoring.events import SCENE, SEEING, Event, iso_of, peak_box
from tlae.scoring.stored_maps import FloatMap, rounded

# What a stretch remembers.
KEPT = ("_ended_s", "_after_s", "_unbroken")  # numbers
KEPT_MOMENTS = ("_first", "_last")
KEPT_PEAKS = ("_peak", "_peak_of_pause")


@dataclass(frozen=True, eq=False)
class Moment:
    """One scored frame.

    Attributes:
        clip: its clip.
        frame: 0-based in it.
        time_s: since the clip began [s].
        at_s: on a clock that runs on from clip to clip where there is one [s].
        taken_at: wall-clock time, if known.
        raw: score in raw units; NaN: no verdict.
        instant: the same before it is smoothed in time.
        score: calibrated score; NaN: not known.
        threshold: alarm threshold, raw units.
        low: level above which an event goes on.
        mode: of the camera.
        health: of the camera.
        map: (h, w), smoothed error; None: it says nothing of a place.
        reason: why the worst place is unusual; empty where the model does not say.
        source_hw: size of the picture [px].
    """

    clip: str
    frame: int
    time_s: float
    at_s: float
    taken_at: datetime | None
    raw: float
    instant: float
    score: float
    threshold: float
    low: float
    mode: str
    health: str
    map: FloatMap | None
    reason: str
    source_hw: tuple[int, int]

    @property
    def shows_scene(self) -> bool:
        """Whether the camera shows the scene."""
        return self.health in SEEING

    @property
    def in_alarm(self) -> bool:
        """Whether the score is over the threshold while the camera shows the scene."""
        return self.shows_scene and self.raw > self.threshold  # NaN is not


class Peak(NamedTuple):
    """The frames of an event that say most; the earlier one of two equal ones.

    Attributes:
        worst: with the highest score.
        clearest: with the highest score before smoothing in time, which lags behind what happens.
    """

    worst: Moment
    clearest: Moment

    def joined(self, other: "Peak") -> "Peak":
        """Of both."""
        return Peak(
            _higher(self.worst, other.worst, "raw"),
            _higher(self.clearest, other.clearest, "instant"),
        )


class Stretch:
    """One event at a time, by the rule of ``event_runs``.

    Args:
        rule: what makes one event.
        interval_s: median time between frames [s].
        kind: of the events.
    """

    def __init__(self, rule: EventRule, interval_s: float, kind: str = SCENE) -> None:
        self._slack_s = 1e-6 * max(interval_s, 1e-3)  # 0.1 s steps do not add up exactly
        self._merge_s = rule.merge_of(interval_s) + self._slack_s
        self._rule, self._interval_s, self._kind = rule, interval_s, kind
        self._ended_s = -math.inf
        self._reset()

    def _reset(self) -> None:
        self._first: Moment | None = None  # from here on the event counts; None: in a cooldown
        self._last: Moment | None = None  # of the stretches joined so far; None: there is none
        self._after_s: float | None = None  # time of the frame after the last one
        self._unbroken = False  # the frame before this one was above the lower level
        self._peak: Peak | None = None
        self._peak_of_pause: Peak | None = None

    def state(self) -> dict[str, Any]:
        """All that goes on, for ``restore``."""
        kept = {name: getattr(self, name) for name in KEPT}
        for name in KEPT_MOMENTS:
            moment = getattr(self, name)
            kept[name] = None if moment is None else replace(moment, map=None)
        for name in KEPT_PEAKS:  # of the clearest frame alone the map is looked at
            peak = getattr(self, name)
            kept[name] = peak and {
                "worst": replace(peak.worst, map=None),
                "clearest": peak.clearest,
            }
        return kept

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        for name in (*KEPT, *KEPT_MOMENTS):
            setattr(self, name, state[name])
        for name in KEPT_PEAKS:
            setattr(self, name, state[name] and Peak(**state[name]))

    def push(
        self, moment: Moment, over: bool, above: bool, counts: bool, cut: bool, forget: bool
    ) -> list[Event]:
        """Take the next frame.

        Args:
            moment: of it.
            over: it is over the threshold.
            above: it is above the lower level.
            counts: it may be the worst one.
            cut: footage ended before it.
            forget: its times cannot be compared with those before.

        Returns:
            The event, if it is over.
        """
        goes_on = self._unbroken and self._last is not None and (above or over)
        if cut or (self._pauses_too_long(moment) and not goes_on):
            ended, goes_on = self.close(), False
        else:
            ended = []
        if forget:
            self._ended_s = -math.inf
        if self._last is not None and self._after_s is None:
            self._after_s = moment.at_s
        if over or goes_on:
            self._extend(moment, over, counts)
        else:
            self._unbroken = False
            if self._first is not None and counts:
                self._peak_of_pause = _joined(self._peak_of_pause, Peak(moment, moment))
        return ended

    def _pauses_too_long(self, moment: Moment) -> bool:
        """Whether nothing from this frame on can be part of the event."""
        return self._last is not None and moment.at_s - self._last.at_s > self._merge_s

    def _extend(self, moment: Moment, over: bool, counts: bool) -> None:
        if self._first is None and over:
            since_s = moment.at_s - self._ended_s
            if not 0 <= since_s <= self._rule.cooldown_s - self._slack_s:
                self._first, self._peak = moment, Peak(moment, moment)
        if self._first is not None:
            self._peak = _joined(self._peak, self._peak_of_pause)
            if counts:
                self._peak = _joined(self._peak, Peak(moment, moment))
        self._last, self._after_s, self._unbroken = moment, None, True
        self._peak_of_pause = None

    def so_far(self) -> list[Event]:
        """The event as it stands; none where there is none yet."""
        if self._first is None or self._last is None or self._peak is None:
            return []
        end_s = self._last.at_s + self._interval_s if self._after_s is None else self._after_s
        if end_s - self._first.at_s < self._rule.min_duration_s - self._slack_s:
            return []
        return [_event(self._first, self._last, self._peak, self._kind)]

    def close(self) -> list[Event]:
        """End the event; none where it was too short."""
        events = self.so_far()
        if events and self._last is not None:
            self._ended_s = self._last.at_s
        self._reset()
        return events


def _joined(one: Peak | None, other: Peak | None) -> Peak | None:
    """Of both, where both are known."""
    return one.joined(other) if one and other else one or other


def _higher(one: Moment, other: Moment, score: str) -> Moment:
    """The one in which a score is known and higher; the former of two equal ones."""
    before, after = getattr(one, score), getattr(other, score)
    return other if after > before or (math.isnan(before) and not math.isnan(after)) else one


def _event(first: Moment, last: Moment, peak: Peak, kind: str) -> Event:
    worst, clearest = peak
    height, width = clearest.source_hw
    event = Event(
        id="",
        kind=kind,
        zone=None,
        clip=first.clip,
        first_frame=first.frame,
        last_frame=last.frame,
        start_s=first.time_s,
        end_s=last.time_s,
        started_at=iso_of(first.taken_at),
        ended_at=iso_of(last.taken_at),
        peak_frame=clearest.frame,
        peak_raw=None if np.isnan(worst.raw) else worst.raw,
        peak_score=None if np.isnan(worst.score) else worst.score,
        threshold=None,
        box=(0, 0, width, height),
        mode=clearest.mode,
        health=OK if kind == SCENE else clearest.health,
        reason=clearest.reason if kind == SCENE else "",
    )
    if kind != SCENE or clearest.map is None:
        return event
    box = peak_box(rounded(clearest.map[None])[0], clearest.threshold, clearest.source_hw)
    known = np.isfinite(clearest.threshold)
    return replace(event, threshold=clearest.threshold if known else None, box=box)
