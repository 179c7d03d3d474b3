"""What is said of one frame that arrives."""

import math
from dataclasses import dataclass

from tlae.footage.frames import OK, WARM_UP
from tlae.scoring.events import Event
from tlae.scoring.stored_maps import FloatMap
from tlae.scoring.stretch import Moment


@dataclass(frozen=True, eq=False)
class LiveScore:
    """What is said of one frame.

    Attributes:
        frame: 0-based in its clip.
        time_s: since its clip began [s].
        raw: score in raw units, smoothed over the frames before; NaN: no verdict yet.
        instant: the same before it is smoothed.
        score: share of normal footage that is calmer, in [0, 1]; NaN: not known.
        threshold: alarm above it, in raw units; infinite: no alarms.
        alarm: whether the frame is in alarm.
        map: (h, w) float32, smoothed error in raw units.
        reason: why the worst place is unusual, after "it"; empty where the model does not say.
        example: number of the most similar normal thing in ``Live.examples``; -1: none.
        mode: of the camera; "" where there is but one.
        health: of the camera, see docs/camera.md.
        state: "ok", or "warm-up" before the net has seen a whole window.
        skipped: whether the net was spared because nothing happened.
        event: the event of the scene that goes on, so far, the strongest that no answer hides;
            None: there is none.
        going_on: all events of the scene that go on, so far, hidden ones included.
        ended: events that are over since the frame before.
    """

    frame: int
    time_s: float
    raw: float
    instant: float
    score: float
    threshold: float
    alarm: bool
    map: FloatMap
    reason: str
    example: int
    mode: str
    health: str
    state: str
    skipped: bool
    event: Event | None
    going_on: tuple[Event, ...]
    ended: tuple[Event, ...]

    @classmethod
    def of(
        cls,
        moment: Moment,
        error: FloatMap,
        instant: float,
        example: int,
        skipped: bool,
        events: tuple[list[Event], list[Event]],
    ) -> "LiveScore":
        """What is said of a moment, with its map and its events: going on, and ended."""
        shown = [event for event in events[0] if not event.hidden_by]
        return cls(
            frame=moment.frame,
            time_s=moment.time_s,
            raw=moment.raw,
            instant=instant,
            score=moment.score,
            threshold=moment.threshold,
            alarm=moment.in_alarm,
            map=error,
            reason=moment.reason,
            example=example,
            mode=moment.mode,
            health=moment.health,
            state=WARM_UP if math.isnan(instant) else OK,
            skipped=skipped,
            event=max(shown, key=lambda event: event.peak_raw or 0.0, default=None),
            going_on=tuple(events[0]),
            ended=tuple(events[1]),
        )
