"""Cameras that are watched: each session is one ``Live`` with what a page shows of it."""

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from tlae.budget import Budget
from tlae.errors import UserError
from tlae.footage.frames import OK
from tlae.footage.preprocess import same_shape
from tlae.live.live import Live
from tlae.rendering.heatmap import FloatMap, RecentMaps
from tlae.scoring.current_answers import give_answer, take_back_answer
from tlae.scoring.events import Event
from tlae.scoring.marks import NORMAL, EventScores, Mark
from tlae.serving.pictures import Picture, SentPicture
from tlae.serving.refusals import Refused, not_found
from tlae.serving.seen_frames import (
    NO_SIZE,
    EndedEvent,
    Measured,
    Point,
    Shown,
    scores_within,
)
from tlae.serving.session_events import SessionEvents
from tlae.serving.shelf import Shelved

KEPT_POINTS = 3600  # of the score curve
STORED_POINTS = 600  # of the score curve, over a restart
MOST_WAITING = 4  # frames of one camera, scored one after the other

logger = logging.getLogger(__name__)


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
        self._events = SessionEvents(self._described)
        self._recent = RecentMaps()
        self._shape_hw: tuple[int, int] | None = None  # of the last picture
        self._interval_s, self._device = interval_s, device
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._frames = 0
        self._begin(shelved, budget)

    def push(
        self, sent: SentPicture, when: datetime | float | None
    ) -> tuple[Point, Event | None, list[Event]]:
        """Score the next frame; see ``Live.push``.

        Returns:
            What is said of it, the strongest event that goes on and is shown, and events that are
            over.

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
                shape_hw = self._require_shape(sent.whole)
                seen = self._live.push(sent.scored, when, shape_hw)
                before: tuple[FloatMap, ...] = ()
                if seen.state == OK:
                    before = self._recent.before(seen.frame, seen.time_s, seen.map)
                ended = self._keep(Shown(self._frames, sent.whole, seen, before))
                self._frames += 1
                strongest = None if seen.event is None else self._in_session(seen.event)
                return self.points[-1], strongest, ended
        finally:
            self._waiting.release()

    def _require_shape(self, image: Picture) -> tuple[int, int] | None:
        """Refuse what `tlae score` leaves out; another resolution of the same shape is welcome."""
        if image.ndim < 2 or not image.size:
            return None  # ``Live`` says what a picture is
        height, width = image.shape[:2]
        if self._shape_hw is not None and not same_shape((height, width), self._shape_hw):
            before = f"{self._shape_hw[1]}x{self._shape_hw[0]}"
            raise Refused(
                422,
                f"pictures of a session must have one shape, got {width}x{height} pixels after "
                f"{before}; begin another session",
            )
        self._shape_hw = height, width
        return self._shape_hw

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
        """Events, the newest first: whether it goes on, and whether it has a snapshot.

        Those that the user's answers hide are among them, and know which answer that is.
        """
        self._live.look_at_answers()
        return [
            (replace(event, hidden_by=self._hidden_by(event, size_hw)), goes_on, has_picture)
            for event, goes_on, has_picture, size_hw in self._events.listed()
        ]

    def snapshot(self, event: str) -> bytes:
        """JPEG of the worst frame of an event.

        Raises:
            Refused: 404, there is none.
        """
        found = self._events.find(event)
        if found is None or found.snapshot is None:
            raise Refused(404, f"event {event[:20]!r} has no snapshot; list them at .../events")
        return found.snapshot

    def found(self, event: str) -> EndedEvent:
        """An event of ``events``, as it is kept; one that goes on as it stands."""
        found = self._events.find(event)
        assert found is not None
        return found

    @property
    def going_on(self) -> list[Event]:
        """The events of the scene that go on."""
        return self._events.going_on

    @property
    def frames(self) -> int:
        """How many were scored."""
        return self._frames

    def _hidden_by(self, event: Event, size_hw: tuple[int, int]) -> str:
        return self._live.hidden_by(event, size_hw) if min(size_hw) else ""

    def mark(self, event: str, mark: str | None) -> None:
        """Say what an event was; None takes it back.

        A thing of stills that is normal is an answer as well, beside the model: it is hidden from
        now on, with what is alike. Another mark takes such an answer back.

        Raises:
            Refused: 404, there is no such event.
            UserError: the answers are damaged, or cannot be written.
        """
        found = self._events.find(event)
        if found is None:
            raise not_found("event", event, f"/sessions/{self.id}")
        if found.event.what and min(found.size_hw):
            self._answer(found, is_normal=mark == NORMAL)
        self.marks[event] = mark or ""

    def _answer(self, found: EndedEvent, *, is_normal: bool) -> None:
        path, event, size_hw = self.shelved.path, found.event, found.size_hw
        if is_normal:
            give_answer(path, event, size_hw, (self.name, found.model, found.digest))
        else:
            take_back_answer(path, event, size_hw)

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
                "counts": [self._frames, self._events.count, self._first, self._before],
                "points": [asdict(point) for point in list(self.points)[-STORED_POINTS:]],
                "open": [event.as_json() for event in self._events.going_on],
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
        """A session as it was; it begins anew, and keeps its events, where it cannot go on.

        That is so by another file of its model, and where another version of tlae kept it.

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
        if is_same:
            try:
                session._live.restore(live)
            except ValueError as error:
                logger.warning("session %s begins anew: %s", facts["name"], error)
                is_same = False
                session._begin(shelved, budget)
        session.marks = dict(facts["marks"])
        session.points.extend(Point(**point) for point in facts["points"])
        opened = facts["open"] or []  # of older versions one event, or null
        opened = [opened] if isinstance(opened, dict) else opened
        opened = [Event.of_json(one, 1) for one in opened] if is_same else []
        session._frames, count, session._first, session._before = facts["counts"]
        session._events.restore(opened, [_kept_event(*one) for one in ended], count)
        if not is_same:
            session._first = session._frames
            session._before = session._events.last_number()  # some went on
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
            "events": self._events.count,
            "hidden": sum(bool(event.hidden_by) for event, _, _ in self.events()),
            "budget": {} if self.budget is None else self.budget.given(),
            "notes": self._live.unlike_training,
            "clock": self._live.odd_times,
            "last": None if last is None else asdict(last),
        }

    def _begin(self, shelved: Shelved, budget: Budget | None) -> None:
        self._live = Live(
            shelved.of_camera,
            budget,
            interval_s=self._interval_s,
            device=self._device,
            answers=shelved.path,
        )
        self.shelved, self.budget = shelved, budget
        self._measured.clear()
        self._first, self._before = self._frames, self._events.count

    def _keep(self, shown: Shown) -> list[Event]:
        seen = shown.seen
        self.points.append(Point.of(shown))
        self._measured.append(Measured.of(shown.frame, seen))
        ended = self._end(list(seen.ended))
        self.shown = shown
        self._events.see(shown, [self._in_session(event) for event in seen.going_on])
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
        ended = self._events.end([self._in_session(event) for event in events])
        for one in ended:
            if one.event.what and self.marks.get(one.event.id) == NORMAL:
                self._answer_again(one)
        return [one.event for one in ended]

    def _answer_again(self, found: EndedEvent) -> None:
        """What was called normal while it went on is so as a whole."""
        try:
            self._answer(found, is_normal=True)
        except UserError as error:
            logger.warning("%s", error)

    def _described(
        self, event: Event, snapshot: bytes | None, size_hw: tuple[int, int]
    ) -> EndedEvent:
        model = self.shelved.of_camera
        interval_s = self._interval_s or model.calibration.interval_s
        scores = scores_within(list(self._measured), event, interval_s, model.rule.smooth_frames)
        return EndedEvent(event, snapshot, self.shelved.id, self.shelved.digest, scores, size_hw)


def _kept_event(record: dict[str, Any], snapshot: bytes | None) -> EndedEvent:
    """An event of plain values, as it is stored."""
    record = record | {"event": Event.of_json(record["event"], 1), "snapshot": snapshot}
    record["scores"] = EventScores(**record["scores"])
    record["size_hw"] = tuple(record.get("size_hw", NO_SIZE))
    return EndedEvent(**record)
