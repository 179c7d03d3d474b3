"""Frames of a session: points of its curve, and pictures that can be drawn."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tlae.explorer.pictures import jpeg
from tlae.live.score import LiveScore
from tlae.plain_values import finite_or_none
from tlae.rendering.heatmap import FloatMap, without_trail
from tlae.scoring.events import SEEING, Event
from tlae.scoring.marks import EventScores
from tlae.scoring.smooth_time import UNSETTLED
from tlae.serving.pictures import Picture, heat_picture

NO_SIZE = (0, 0)


@dataclass(frozen=True)
class Point:
    """One frame on the score curve.

    Attributes:
        frame: 0-based in the session.
        received_at: seconds since 1970.
        raw, score, threshold: see ``LiveScore``; None: not known, or infinite.
        alarm: whether the frame is in alarm.
        health: of the camera.
        mode: of the camera.
        state: "ok" or "warm-up".
        reason: why the worst place is unusual, a clause that follows "it".
    """

    frame: int
    received_at: float
    raw: float | None
    score: float | None
    threshold: float | None
    alarm: bool
    health: str
    mode: str
    state: str
    reason: str

    @classmethod
    def of(cls, shown: "Shown") -> "Point":
        """Of a frame that was scored just now."""
        seen = shown.seen
        return cls(
            frame=shown.frame,
            received_at=time.time(),
            raw=finite_or_none(seen.raw),
            score=finite_or_none(seen.score),
            threshold=finite_or_none(seen.threshold),
            alarm=seen.alarm,
            health=seen.health,
            mode=seen.mode,
            state=seen.state,
            reason=seen.reason,
        )


@dataclass(frozen=True)
class Measured:
    """What a calibration needs of one frame.

    Attributes:
        frame: 0-based in the session.
        instant: score before smoothing in time; NaN: no verdict.
        frame_mean: mean of the map.
        mode: of the camera.
        counts: whether the camera shows the scene.
    """

    frame: int
    instant: float
    frame_mean: float
    mode: str
    counts: bool

    @classmethod
    def of(cls, frame: int, seen: LiveScore) -> "Measured":
        """Of a frame as it was scored."""
        mean = float(seen.map.mean(dtype=np.float64))
        return cls(frame, seen.instant, mean, seen.mode, seen.health in SEEING)


@dataclass(frozen=True, eq=False)
class EndedEvent:
    """An event that is over.

    Attributes:
        event: as it was.
        snapshot: JPEG of its worst frame; None: there is none.
        model: id of the model that found it.
        digest: sha256 of its file.
        scores: of its frames.
        size_hw: of the picture that its box is of [px]; ``NO_SIZE``: not known.
    """

    event: Event
    snapshot: bytes | None
    model: str
    digest: str
    scores: EventScores
    size_hw: tuple[int, int] = NO_SIZE


def scores_within(
    measured: Iterable[Measured], event: Event, interval_s: float, smooth_frames: float
) -> EventScores:
    """Scores of the frames of an event that are still known, and of some before it.

    Args:
        measured: frames of the session, in order.
        event: that goes on or is over.
        interval_s: median time between frames [s].
        smooth_frames: of the scoring rule.
    """
    first = event.first_frame - math.ceil(UNSETTLED * smooth_frames)
    known = [
        one
        for one in measured
        if first <= one.frame <= event.last_frame and one.counts and math.isfinite(one.instant)
    ]
    return EventScores(
        interval_s,
        sum(one.frame < event.first_frame for one in known),
        [one.instant for one in known],
        [one.frame_mean for one in known],
        [one.mode for one in known],
    )


@dataclass(frozen=True, eq=False)
class Shown:
    """A frame that can be drawn: the newest one, or the worst of the event that goes on.

    Attributes:
        frame: 0-based in the session.
        image: as it was sent.
        seen: what was said of it.
        before: maps of the frames before, see ``RecentMaps``.
    """

    frame: int
    image: Picture
    seen: LiveScore
    before: tuple[FloatMap, ...] = ()

    def picture(self, *, heat: bool = True) -> bytes:
        """JPEG, with heat and boxes where asked for."""
        seen = self.seen
        error = without_trail(seen.map, self.before) if heat else np.zeros_like(seen.map)
        threshold = seen.threshold if heat else math.inf
        return jpeg(heat_picture(self.image, error, threshold, alarm=heat and seen.alarm))
