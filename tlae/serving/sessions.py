"""Cameras that are watched: each session is one ``Live`` with what a page shows of it."""

import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import numpy.typing as npt

from tlae.budget import Budget
from tlae.footage.frames import OK
from tlae.footage.preprocess import same_shape
from tlae.live import Live
from tlae.rendering.heatmap import FloatMap, RecentMaps
from tlae.scoring.events import SCENE, Event
from tlae.scoring.marks import EventScores, Mark
from tlae.serving.refusals import Refused, not_found
from tlae.serving.seen_frames import EndedEvent, Measured, Point, Shown, scores_within
from tlae.serving.shelf import Shelved

KEPT_POINTS = 3600  # of the score curve
KEPT_EVENTS = 100  # each with a snapshot of some 100 kB
STORED_POINTS = 600  # of the score curve, over a restart
MOST_WAITING = 4  # frames of one camera, scored one after the other


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
        self.used_s, self.is_closed = time.monotonic(), False
        self.marks: dict[str, str] = {}  # of events, by id
        self.shown: Shown | None = None
        self.points: deque[Point] = deque(maxlen=KEPT_POINTS)
        self._measured: deque[Measured] = deque(maxlen=KEPT_POINTS)
        self._ended: deque[EndedEvent] = deque(maxlen=KEPT_EVENTS)
        self._open: Event | None = None  # the event that goes on
        self._worst: Shown | None = None  # of that event
        self._worst_before: bytes | None = None  # JPEG of it from before a restart
        self._recent = RecentMaps()
        self._shape_hw: tuple[int, int] | None = None  # of the last picture
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
                self._require_shape(image)
                seen = self._live.push(image, when)
                before: tuple[FloatMap, ...] = ()
                if seen.state == OK:
                    before = self._recent.before(seen.frame, seen.time_s, seen.map)
                ended = self._keep(Shown(self._frames, image, seen, before))
                self._frames += 1
                return self.points[-1], self._open, ended
        finally:
            self._waiting.release()

    def _require_shape(self, image: npt.NDArray[Any]) -> None:
        """Refuse what `tlae score` leaves out; another resolution of the same shape is welcome."""
        if image.ndim < 2 or not image.size:
            return  # ``Live`` says what a picture is
        height, width = image.shape[:2]
        if self._shape_hw is not None and not same_shape((height, width), self._shape_hw):
            before = f"{self._shape_hw[1]}x{self._shape_hw[0]}"
            raise Refused(
                422,
                f"pictures of a session must have one shape, got {width}x{height} pixels after "
                f"{before}; begin another session",
            )
        self._shape_hw = height, width

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
            self.is_closed = True
            return self._end(self._live.finish())

    def events(self) -> list[tuple[Event, bool, bool]]:
        """Events, the newest first: whether it goes on, and whether it has a snapshot."""
        going_on, has_worst = self._open, bool(self._worst or self._worst_before)
        events = [(one.event, False, bool(one.snapshot)) for one in reversed(list(self._ended))]
        if going_on is not None:
            events.insert(0, (going_on, True, has_worst))
        return events

    def snapshot(self, event: str) -> bytes:
        """JPEG of the worst frame of an event.

        Raises:
            Refused: 404, there is none.
        """
        going_on = self._open
        if going_on is not None and going_on.id == event and (taken := self._worst_picture()):
            return taken
        for one in list(self._ended):
            if one.event.id == event and one.snapshot is not None:
                return one.snapshot
        raise Refused(404, f"event {event[:20]!r} has no snapshot; list them at .../events")

    def found(self, event: str) -> EndedEvent:
        """An event of ``events``, as it is kept; one that goes on as it stands."""
        if self._open is not None and self._open.id == event:
            return self._kept(self._open, self._worst_picture())
        return next(one for one in reversed(list(self._ended)) if one.event.id == event)

    @property
    def going_on(self) -> Event | None:
        """The event that goes on."""
        return self._open

    def _worst_picture(self) -> bytes | None:
        worst = self._worst
        return self._worst_before if worst is None else worst.picture()

    def mark(self, event: str, mark: str | None) -> None:
        """Say what an event was; None takes it back.

        Raises:
            Refused: 404, there is no such event.
        """
        if event not in {one.id for one, _, _ in self.events()}:
            raise not_found("event", event, f"/sessions/{self.id}")
        self.marks[event] = mark or ""

    def marked(self) -> list[Mark]:
        """What was said of events, with what they were."""
        known = {event.id for event, _, _ in self.events()}
        return [
            Mark(
                f"{self.id} {event}",
                mark,
                self.name,
                found.model,
                found.digest,
                found.event,
                found.scores,
            )
            for event, mark in list(self.marks.items())
            if event in known
            for found in [self.found(event)]
        ]

    def state(self) -> tuple[dict[str, Any], bytes]:
        """Plain values, and the state of the scoring, for ``of_state``."""
        with self._lock:
            facts = {
                **{name: getattr(self, name) for name in ("id", "name", "created_at", "marks")},
                "model": self.shelved.id,
                "digest": self.shelved.digest,
                "budget": None if self.budget is None else self.budget.given(),
                "interval_s": self._interval_s,
                "counts": [self._frames, self._event_count, self._first, self._before],
                "points": [asdict(point) for point in list(self.points)[-STORED_POINTS:]],
                "open": None if self._open is None else self._open.as_json(),
            }
            return facts, self._live.state()

    @classmethod
    def of_state(
        cls,
        facts: Mapping[str, Any],
        live: bytes,
        ended: Sequence[tuple[dict[str, Any], bytes | None]],
        shelved: Shelved,
        device: str,
    ) -> "Session":
        """A session as it was; by another file of its model it begins anew and keeps its events.

        Args:
            facts: of ``state``.
            live: of ``state``.
            ended: fields of ``EndedEvent`` as plain values, the oldest first, with the snapshot.
            shelved: the model of that id.
            device: see ``Live``.
        """
        budget = None if facts["budget"] is None else Budget(**facts["budget"])
        is_same = shelved.digest == facts["digest"]
        session = cls(
            *(shelved, facts["name"], budget if is_same else None),
            *(facts["interval_s"], device),
        )
        session.id, session.created_at = facts["id"], facts["created_at"]
        session.marks = dict(facts["marks"])
        session.points.extend(Point(**point) for point in facts["points"])
        opened = facts["open"] if is_same else None
        for record, taken in ended:
            if opened is not None and record["event"]["id"] == opened["id"]:
                session._worst_before = taken
            else:
                record = record | {"event": Event.of_json(record["event"], 1), "snapshot": taken}
                record["scores"] = EventScores(**record["scores"])
                session._ended.append(EndedEvent(**record))
        session._frames, session._event_count, session._first, session._before = facts["counts"]
        if is_same:
            session._live.restore(live)
            session._open = None if opened is None else Event.of_json(opened, 1)
        else:
            session._first, session._before = session._frames, session._event_count
        return session

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
            "notes": self._live.unlike_training,
            "last": None if last is None else asdict(last),
        }

    def _begin(self, shelved: Shelved, budget: Budget | None) -> None:
        self._live = Live(
            shelved.of_camera, budget, interval_s=self._interval_s, device=self._device
        )
        self.shelved, self.budget = shelved, budget
        self._measured.clear()
        self._first, self._before = self._frames, self._event_count

    def _keep(self, shown: Shown) -> list[Event]:
        seen = shown.seen
        self.points.append(Point.of(shown))
        self._measured.append(Measured.of(shown.frame, seen))
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
            if event.kind == SCENE:
                taken = self._worst_picture()
                self._worst = self._worst_before = None
            self._ended.append(self._kept(event, taken))
            self._event_count += 1
        return ended

    def _kept(self, event: Event, taken: bytes | None) -> EndedEvent:
        model = self.shelved.of_camera
        interval_s = self._interval_s or model.calibration.interval_s
        scores = scores_within(list(self._measured), event, interval_s, model.rule.smooth_frames)
        return EndedEvent(event, taken, self.shelved.id, self.shelved.digest, scores)
