"""Cameras that are watched: each session is one ``Live`` with what a page shows of it."""

import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.budget import Budget
from tlae.explorer.pictures import jpeg
from tlae.live import Live, LiveScore
from tlae.plain_values import finite_or_none
from tlae.scoring.events import SCENE, Event
from tlae.serving.pictures import Picture, heat_picture
from tlae.serving.refusals import Refused, not_found
from tlae.serving.shelf import Shelved

KEPT_POINTS = 3600  # of the score curve
KEPT_EVENTS = 100  # each with a snapshot of some 100 kB
MOST_WAITING = 4  # frames of one camera, scored one after the other


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


@dataclass(frozen=True, eq=False)
class Shown:
    """A frame that can be drawn: the newest one, or the worst of the event that goes on."""

    frame: int
    image: Picture
    seen: LiveScore

    def picture(self, *, heat: bool = True) -> bytes:
        """JPEG, with heat and boxes where asked for."""
        seen = self.seen
        error = seen.map if heat else np.zeros_like(seen.map)
        threshold = seen.threshold if heat else math.inf
        return jpeg(heat_picture(self.image, error, threshold, alarm=heat and seen.alarm))


class Session:
    """One camera; frames are scored one after the other, whoever sends them.

    Args:
        shelved: a model of a camera.
        name: for people.
        budget: what makes an alarm; None: as the model was trained.
        interval_s: median time between frames [s]; None: as in the training footage.
        device: see ``Live``.
    """

    def __init__(
        self,
        shelved: Shelved,
        name: str,
        budget: Budget | None = None,
        interval_s: float | None = None,
        device: str = "auto",
    ) -> None:
        self.id, self.name, self.created_at = secrets.token_hex(4), name, time.time()
        self.used_s = time.monotonic()
        self.shown: Shown | None = None
        self.points: deque[Point] = deque(maxlen=KEPT_POINTS)
        self._ended: deque[tuple[Event, bytes | None]] = deque(maxlen=KEPT_EVENTS)
        self._open: Event | None = None  # the event that goes on
        self._worst: Shown | None = None  # of that event
        self._interval_s, self._device = interval_s, device
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._frames = self._event_count = 0
        self._begin(shelved, budget)

    def push(
        self, image: npt.NDArray[Any], when: datetime | float | None
    ) -> tuple[Point, Event | None, list[Event]]:
        """Score the next frame; see ``Live.push``.

        Returns:
            What is said of it, the event that goes on, and events that are over.

        Raises:
            Refused: too many frames wait already.
            UserError: the picture or its time is of another kind.
        """
        if not self._waiting.acquire(blocking=False):
            raise Refused(
                429,
                f"at most {MOST_WAITING} frames of a session may wait; send the next one when the "
                "answer to the last is there",
            )
        try:
            with self._lock:
                seen = self._live.push(image, when)
                ended = self._keep(Shown(self._frames, image, seen))
                self._frames += 1
                return self.points[-1], self._open, ended
        finally:
            self._waiting.release()

    def change_budget(self, budget: Budget | None) -> None:
        """Alarm by another budget from the next frame on; None: as the model was trained."""
        with self._lock:
            self._live.change_budget(budget or self.shelved.of_camera.budget)
            self.budget = budget

    def change_model(self, shelved: Shelved) -> None:
        """Score by another model from the next frame on; an event that goes on ends.

        A fixed threshold was in the units of the other model, so the model's own budget counts.
        """
        with self._lock:
            self._end(self._live.finish())
            self._begin(shelved, None)

    def close(self) -> list[Event]:
        """Events that still went on."""
        with self._lock:
            return self._end(self._live.finish())

    def events(self) -> list[tuple[Event, bool, bool]]:
        """Events, the newest first: whether it goes on, and whether it has a snapshot."""
        going_on, worst = self._open, self._worst
        events = [(event, False, taken is not None) for event, taken in reversed(list(self._ended))]
        if going_on is not None:
            events.insert(0, (going_on, True, worst is not None))
        return events

    def snapshot(self, event: str) -> bytes:
        """JPEG of the worst frame of an event.

        Raises:
            Refused: 404, there is none.
        """
        going_on, worst = self._open, self._worst
        if worst is not None and going_on is not None and going_on.id == event:
            return worst.picture()
        for one, taken in list(self._ended):
            if one.id == event and taken is not None:
                return taken
        raise Refused(404, f"event {event[:20]!r} has no snapshot; list them at .../events")

    def facts(self) -> dict[str, Any]:
        """What a client may know."""
        last = self.points[-1] if self.points else None
        return {
            "id": self.id,
            "name": self.name,
            "model": self.shelved.id,
            "digest": self.shelved.digest,
            "created_at": self.created_at,
            "frames": self._frames,
            "events": self._event_count,
            "budget": {} if self.budget is None else self.budget.given(),
            "last": None if last is None else asdict(last),
        }

    def _begin(self, shelved: Shelved, budget: Budget | None) -> None:
        self._live = Live(
            shelved.of_camera, budget, interval_s=self._interval_s, device=self._device
        )
        self.shelved, self.budget = shelved, budget
        self._first, self._before = self._frames, self._event_count

    def _keep(self, shown: Shown) -> list[Event]:
        seen = shown.seen
        self.points.append(
            Point(
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
        )
        ended = self._end(list(seen.ended))
        self.shown = shown
        self._open = None if seen.event is None else self._in_session(seen.event)
        if self._open is not None and self._open.peak_frame == shown.frame:
            self._worst = shown
        return ended

    def _in_session(self, event: Event) -> Event:
        """With a number, and with frames, that count from the begin of the session."""
        frames = {
            name: getattr(event, name) + self._first
            for name in ("first_frame", "last_frame", "peak_frame")
        }
        number = int(event.id.removeprefix("E")) + self._before
        return replace(event, id=f"E{number:04d}", **frames)

    def _end(self, events: list[Event]) -> list[Event]:
        self._open, ended = None, [self._in_session(event) for event in events]
        for event in ended:
            taken = None
            if self._worst is not None and event.kind == SCENE:
                taken, self._worst = self._worst.picture(), None
            self._ended.append((event, taken))
            self._event_count += 1
        return ended


class Sessions:
    """All sessions of a server.

    Args:
        most: at the same time.
        idle_s: one without a request for so long is closed [s].
    """

    def __init__(self, most: int, idle_s: float) -> None:
        self._most, self._idle_s = most, idle_s
        self._known: dict[str, Session] = {}
        self._lock = threading.Lock()

    def add(self, session: Session) -> Session:
        """Take one in.

        Raises:
            Refused: 429, there are as many as may be.
        """
        with self._changed() as known:
            if len(known) >= self._most:
                raise Refused(
                    429, f"there may be at most {self._most} sessions; close one, or wait"
                )
            known[session.id] = session
        return session

    def get(self, key: str) -> Session:
        """A session, which counts as used now.

        Raises:
            Refused: 404, there is none of that id.
        """
        with self._changed() as known:
            if key not in known:
                raise not_found("session", key)
            known[key].used_s = time.monotonic()
            return known[key]

    def all(self) -> list[Session]:
        """In the order in which they were created."""
        with self._changed() as known:
            return list(known.values())

    def remove(self, key: str) -> Session:
        """Take one out; see ``get``."""
        session = self.get(key)
        with self._changed() as known:
            known.pop(key, None)
        return session

    @contextmanager
    def _changed(self) -> Iterator[dict[str, Session]]:
        with self._lock:
            limit = time.monotonic() - self._idle_s
            for key in [key for key, one in self._known.items() if one.used_s < limit]:
                del self._known[key]
            yield self._known
