"""Messages about events: that one is new, how it goes on, that it is over.

A message is a JSON object with the fields of ``MESSAGE_FIELDS``; ``event`` has the fields of
``events.json``. Its ``id`` is the same however often it is sent.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tlae.scoring.events import CAMERA, Event
from tlae.watching.recording import Recorder

SCHEMA, VERSION = "tlae.event", 1
LOST = "lost"  # health of a camera that sends nothing
NEW, UPDATE, END = "new", "update", "end"
NEWS = ("what", "still_so", "over_at")  # of an event, that is told when it changes
MESSAGE_FIELDS = (
    *("schema", "version", "id", "type", "camera", "written_at"),
    *("snapshot", "clip", "quiet", "event"),
)


@dataclass
class OpenEvent:
    """An event of which a message was written, and that goes on.

    Attributes:
        id: "E0001" and so on, in the order in which events became known.
        clip: its name.
        messages: written so far.
        said_s: clip time of the last frame that a message spoke of [s].
        snapshot: path relative to the folder of the watch; None: there is none.
        quiet: it began while alarms were off, or an answer hides it.
        event: as the last message had it.
    """

    id: str
    clip: str
    messages: int = 0
    said_s: float = 0.0
    snapshot: str | None = None
    quiet: bool = False
    event: dict[str, Any] = field(default_factory=dict)


class Message(NamedTuple):
    """One message.

    Attributes:
        id: unique.
        body: JSON.
        is_quiet: it goes into the file alone.
    """

    id: str
    body: str
    is_quiet: bool = False


Picture = Callable[[OpenEvent, Event], str | None]
"""Writes the snapshot of an event as it stands, and returns its path."""


class Announcer:
    """Turn what scoring says into messages, each once.

    Args:
        camera: its name.
        prefix: before the ids of its messages, unique to this watch.
        update_s: time between messages about an event that goes on [s]; None: none.
        picture: see ``Picture``.
        recorder: writes clips of events; None: there are none.
        is_quiet: whether nobody is to be told of an event that begins.
    """

    def __init__(
        self,
        camera: str,
        prefix: str,
        update_s: float | None,
        picture: Picture,
        recorder: Recorder | None = None,
        is_quiet: Callable[[Event], bool] = lambda event: False,
    ) -> None:
        self._camera, self._prefix, self._update_s = camera, prefix, update_s
        self._picture, self._recorder, self._is_quiet = picture, recorder, is_quiet
        self._open: dict[str, OpenEvent] = {}
        self._now: dict[str, Event] = {}  # events that go on, by key
        self._count = self._hidden = 0

    @property
    def open_events(self) -> int:
        """How many events go on that are shown."""
        return len(self._open) - self._open_hidden

    @property
    def hidden(self) -> int:
        """How many events the user's answers hide, of all so far."""
        return self._hidden + self._open_hidden

    @property
    def _open_hidden(self) -> int:
        return sum(is_hidden(known) for known in self._open.values())

    @property
    def going_on(self) -> list[dict[str, Any]]:
        """Events that go on, as they stand; the newest first."""
        now = {key: event.as_json() for key, event in self._now.items()}
        return [
            known.event | now.get(key, {}) | {"id": known.id, "clip": known.clip}
            for key, known in reversed(self._open.items())
        ]

    @property
    def open_ids(self) -> set[str]:
        """Of the events that go on and that receivers were told of."""
        return {event.id for event in self._open.values() if not event.quiet}

    @property
    def total(self) -> int:
        """How many events there were, those that go on included."""
        return self._count

    def state(self) -> dict[str, Any]:
        """Plain values for ``restore``."""
        opened = {key: asdict(event) for key, event in self._open.items()}
        return {"count": self._count, "hidden": self._hidden, "open": opened}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        self._count, self._hidden = state["count"], state.get("hidden", 0)
        self._open = {key: OpenEvent(**values) for key, values in state["open"].items()}

    def messages(
        self, going_on: Sequence[Event], ended: Sequence[Event], clips: Mapping[str, str]
    ) -> list[Message]:
        """Messages that a frame leads to.

        Args:
            going_on: all events that go on after it.
            ended: events that are over since the frame before.
            clips: names of the clips that events speak of.

        Returns:
            In order.
        """
        found = []
        self._now = {key_of(event): event for event in going_on}
        for event in ended:
            known = self._open.get(key_of(event))
            if known is None:
                known = self._begun(event, clips)
                found.append(self._message(NEW, known, event))
            elif is_hidden(known) and not event.hidden_by:
                found += self._answered(known, event)
            found.append(self._message(END, known, event))
            self._hidden += is_hidden(known)
            if self._recorder is not None:
                self._recorder.end(known.id)
            del self._open[key_of(event)]
        for event in going_on:
            known = self._open.get(key_of(event))
            if known is None:
                found.append(self._message(NEW, self._begun(event, clips), event))
            elif bool(event.hidden_by) != is_hidden(known):
                found += self._answered(known, event)
            elif self._is_due(known, event):
                found.append(self._message(UPDATE, known, event))
        return found

    def _is_due(self, known: OpenEvent, event: Event) -> bool:
        """Whether receivers get to know how an event goes on: after a time, or by news of it."""
        if self._update_s is None:
            return False
        is_news = any(known.event.get(name) != getattr(event, name) for name in NEWS)
        return is_news or event.end_s - known.said_s >= self._update_s

    def _answered(self, known: OpenEvent, event: Event) -> list[Message]:
        """An answer hides an event from now on, or no longer: for receivers it ends, or is new."""
        if not event.hidden_by:
            known.quiet = self._is_quiet(event)
            return [self._message(NEW if not known.quiet else UPDATE, known, event)]
        was_told, known.quiet = not known.quiet, True
        return [self._message(END if was_told else UPDATE, known, event, is_quiet=not was_told)]

    def abandon(self) -> list[Message]:
        """End all events as the last message about each had them."""
        found = [self._written(END, known, known.quiet) for known in self._open.values()]
        self._open = {}
        return found

    def _begun(self, event: Event, clips: Mapping[str, str]) -> OpenEvent:
        self._count += 1
        known = OpenEvent(f"E{self._count:04d}", clips.get(event.clip, event.clip))
        known.quiet = bool(event.hidden_by) or self._is_quiet(event)
        self._open[key_of(event)] = known
        began, is_shown = event.started_at, event.kind != CAMERA and not event.hidden_by
        if self._recorder is not None and is_shown and began is not None:
            self._recorder.begin(known.id, datetime.fromisoformat(began))
        return known

    def _message(
        self, kind: str, known: OpenEvent, event: Event, *, is_quiet: bool | None = None
    ) -> Message:
        known.said_s = event.end_s
        known.snapshot = self._picture(known, event) or known.snapshot
        known.event = replace(event, id=known.id, clip=known.clip).as_json()
        return self._written(kind, known, known.quiet if is_quiet is None else is_quiet)

    def _written(self, kind: str, known: OpenEvent, is_quiet: bool) -> Message:
        known.messages += 1
        name = f"{self._prefix}-{known.id}-{known.messages}"
        values = (
            *(SCHEMA, VERSION, name, kind, self._camera),
            datetime.now(UTC).isoformat(timespec="milliseconds"),
            known.snapshot,
            None if self._recorder is None else self._recorder.path_of(known.id),
            is_quiet,
            known.event,
        )
        body = json.dumps(dict(zip(MESSAGE_FIELDS, values, strict=True)), allow_nan=False)
        return Message(name, body, is_quiet)


def is_hidden(known: OpenEvent) -> bool:
    """Whether an answer of the user hides an event, as its last message had it."""
    return bool(known.event.get("hidden_by"))


def key_of(event: Event) -> str:
    """What an event is known by from its begin on."""
    trouble = event.health if event.kind == CAMERA else ""
    thing = event.id if event.what else ""  # several may begin in one frame
    return f"{event.kind} {trouble} {event.clip} {event.first_frame} {thing}".rstrip()
