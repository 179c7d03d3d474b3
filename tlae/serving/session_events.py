"""Events of a session: those that go on, with their worst frames, and those that are over."""

from collections import deque
from collections.abc import Callable, Sequence

from tlae.scoring.events import Event
from tlae.serving.seen_frames import NO_SIZE, EndedEvent, Shown

KEPT_EVENTS = 100  # each with a snapshot of some 100 kB

Worst = tuple[Shown | bytes | None, tuple[int, int]]  # a frame or its JPEG, and its size (h, w)
Describe = Callable[[Event, bytes | None, tuple[int, int]], EndedEvent]


class SessionEvents:
    """What happened before one camera.

    Args:
        describe: adds to an event, its snapshot and the size of that [px] what found it.
    """

    def __init__(self, describe: Describe) -> None:
        self.going_on: list[Event] = []
        self.count = 0  # of events that are over, forgotten ones included
        self._ended: deque[EndedEvent] = deque(maxlen=KEPT_EVENTS)
        self._worst: dict[str, Worst] = {}  # of those that go on, by id
        self._describe = describe

    def see(self, shown: Shown, going_on: list[Event]) -> None:
        """Take note of what goes on at a frame, and of the frame where it is the worst so far."""
        self.going_on = going_on
        worst = [event for event in going_on if event.peak_frame == shown.frame]
        height, width = shown.image.shape[:2]
        taken: Shown | bytes = shown
        if any(event.what for event in worst):  # many may go on for long: no picture is held
            taken = shown.picture()
        new = {event.id: (taken, (height, width)) for event in worst}
        ids = {event.id for event in going_on}
        self._worst = {name: one for name, one in (self._worst | new).items() if name in ids}

    def end(self, events: Sequence[Event]) -> list[EndedEvent]:
        """Keep events that are over; none goes on until the next frame is seen."""
        self.going_on = []
        found = [self._kept(event) for event in events]
        for one in found:
            self._worst.pop(one.event.id, None)
        self._ended.extend(found)
        self.count += len(found)
        return found

    def listed(self) -> list[tuple[Event, bool, bool, tuple[int, int]]]:
        """Events, the newest first: whether it goes on, has a snapshot, and the size of that."""
        worst = dict(self._worst)
        going_on = [
            (event, True, *worst.get(event.id, (None, NO_SIZE)))
            for event in reversed(self.going_on)
        ]
        ended = [(one.event, False, one.snapshot, one.size_hw) for one in list(self._ended)]
        return [
            (event, goes_on, bool(picture), size_hw)
            for event, goes_on, picture, size_hw in [*going_on, *reversed(ended)]
        ]

    def find(self, event: str) -> EndedEvent | None:
        """An event by its id; one that goes on as it stands."""
        going_on = next((one for one in self.going_on if one.id == event), None)
        if going_on is not None:
            return self._kept(going_on)
        return next((one for one in reversed(list(self._ended)) if one.event.id == event), None)

    def restore(self, going_on: list[Event], kept: Sequence[EndedEvent], count: int) -> None:
        """Go on from what another process kept.

        Args:
            going_on: events that are not over.
            kept: the oldest first; those that go on with the worst frame so far.
            count: of events that are over.
        """
        ids = {event.id for event in going_on}
        for one in kept:
            if one.event.id in ids:
                self._worst[one.event.id] = one.snapshot, one.size_hw
            else:
                self._ended.append(one)
        self.going_on, self.count = going_on, count

    def last_number(self) -> int:
        """The highest number that an event has, or had."""
        return max([self.count, *(int(one.event.id.removeprefix("E")) for one in self._ended)])

    def _kept(self, event: Event) -> EndedEvent:
        worst, size_hw = self._worst.get(event.id, (None, NO_SIZE))
        taken = worst.picture() if isinstance(worst, Shown) else worst
        return self._describe(event, taken, size_hw)
