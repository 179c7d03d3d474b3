"""One event at a time, frame by frame: the stretch of alarm that ``event_runs`` finds in a table.

Memory stays the same however long an event lasts: of its frames only the first, the last and the
worst are kept.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from tlae.footage.frames import OK
from tlae.scoring.event_rule import EventRule
from tlae.scoring.events import SCENE, SEEING, Event, iso_of, peak_box
from tlae.scoring.stored_maps import FloatMap, rounded

# What a stretch remembers.
KEPT = (
    *("_ended_s", "_first", "_last", "_after_s"),
    *("_unbroken", "_worst", "_worst_of_pause"),
)


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
        self._worst: Moment | None = None
        self._worst_of_pause: Moment | None = None

    def state(self) -> dict[str, Any]:
        """All that goes on, for ``restore``."""
        kept = {name: getattr(self, name) for name in KEPT}
        for name in ("_first", "_last"):  # of the worst alone the map is looked at
            if kept[name] is not None:
                kept[name] = replace(kept[name], map=None)
        return kept

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        for name in KEPT:
            setattr(self, name, state[name])

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
                self._worst_of_pause = _worse(self._worst_of_pause, moment)
        return ended

    def _pauses_too_long(self, moment: Moment) -> bool:
        """Whether nothing from this frame on can be part of the event."""
        return self._last is not None and moment.at_s - self._last.at_s > self._merge_s

    def _extend(self, moment: Moment, over: bool, counts: bool) -> None:
        if self._first is None and over:
            since_s = moment.at_s - self._ended_s
            if not 0 <= since_s <= self._rule.cooldown_s - self._slack_s:
                self._first = self._worst = moment
        if self._first is not None:
            if self._worst_of_pause is not None:
                self._worst = _worse(self._worst, self._worst_of_pause)
            if counts:
                self._worst = _worse(self._worst, moment)
        self._last, self._after_s, self._unbroken = moment, None, True
        self._worst_of_pause = None

    def so_far(self) -> list[Event]:
        """The event as it stands; none where there is none yet."""
        if self._first is None or self._last is None or self._worst is None:
            return []
        end_s = self._last.at_s + self._interval_s if self._after_s is None else self._after_s
        if end_s - self._first.at_s < self._rule.min_duration_s - self._slack_s:
            return []
        return [_event(self._first, self._last, self._worst, self._kind)]

    def close(self) -> list[Event]:
        """End the event; none where it was too short."""
        events = self.so_far()
        if events and self._last is not None:
            self._ended_s = self._last.at_s
        self._reset()
        return events


def _worse(worst: Moment | None, moment: Moment) -> Moment:
    """The one with the higher score; the earlier one of two equal ones."""
    if worst is None or math.isnan(worst.raw) or moment.raw > worst.raw:
        return moment if worst is None or not math.isnan(moment.raw) else worst
    return worst


def _event(first: Moment, last: Moment, worst: Moment, kind: str) -> Event:
    height, width = worst.source_hw
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
        peak_frame=worst.frame,
        peak_raw=None if np.isnan(worst.raw) else worst.raw,
        peak_score=None if np.isnan(worst.score) else worst.score,
        threshold=None,
        box=(0, 0, width, height),
        mode=worst.mode,
        health=OK if kind == SCENE else worst.health,
        reason=worst.reason if kind == SCENE else "",
    )
    if kind != SCENE or worst.map is None:
        return event
    threshold = worst.threshold if np.isfinite(worst.threshold) else None
    box = peak_box(
        rounded(worst.map[None])[0], np.inf if threshold is None else threshold, worst.source_hw
    )
    return replace(event, threshold=threshold, box=box)
