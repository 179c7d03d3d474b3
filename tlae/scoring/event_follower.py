"""Events while they happen: what the search in a whole table finds, frame by frame."""

from dataclasses import replace
from typing import Any

from tlae.scoring.event_rule import EventRule
from tlae.scoring.events import CAMERA, Event
from tlae.scoring.stretch import Moment, Stretch
from tlae.scoring.things import ScoreOf, Things


class EventFollower:
    """Follow the events of the whole picture, and those of the camera.

    Args:
        rule: what makes one event; nothing is accepted as normal after a time.
        interval_s: median time between frames [s].
        score_of: calibrated score of a place, for things; None: by stretches of alarm.
    """

    def __init__(self, rule: EventRule, interval_s: float, score_of: ScoreOf | None = None) -> None:
        self._rule, self._interval_s = rule, interval_s
        self._scene: Stretch | Things = Stretch(rule, interval_s)
        if score_of is not None:
            self._scene = Things(rule, interval_s, score_of, self._next_id)
        self._camera: dict[str, Stretch] = {}
        self._count = 0

    @property
    def of_scene(self) -> list[Event]:
        """Events of the scene that go on, so far, with their ids."""
        next_id = f"E{self._count + 1:04d}"
        events = self._scene.so_far()
        return [event if event.id else replace(event, id=next_id) for event in events]

    @property
    def things(self) -> list[Event]:
        """Things that go on, those too short for an event included; none of stretches of alarm."""
        return self._scene.followed() if isinstance(self._scene, Things) else []

    @property
    def going_on(self) -> list[Event]:
        """All events that go on, so far: of the scene and of the camera; things have an id."""
        followed = (self._scene, *self._camera.values())
        return [event for one in followed for event in one.so_far()]

    def push(self, moment: Moment, *, cut: bool, forget: bool = False) -> list[Event]:
        """Take the next frame.

        Args:
            moment: of it.
            cut: footage ended before it: another clip, a gap, or a clock that was set back.
            forget: its times cannot be compared with those before.

        Returns:
            Events that are over.
        """
        over, above = moment.in_alarm, moment.shows_scene and moment.raw > moment.low
        ended = self._scene.push(moment, over, above, moment.shows_scene, cut, forget)
        if not moment.shows_scene and moment.health not in self._camera:
            self._camera[moment.health] = self._of_camera()
        for trouble, stretch in self._camera.items():
            there = moment.health == trouble
            ended += stretch.push(moment, there, there, there, cut, forget)
        return self._numbered(ended)

    def finish(self) -> list[Event]:
        """Events that go on when footage ends."""
        ended = self._scene.close()
        for stretch in self._camera.values():
            ended += stretch.close()
        return self._numbered(ended)

    def state(self) -> dict[str, Any]:
        """All that goes on, for ``restore``."""
        camera = {trouble: stretch.state() for trouble, stretch in self._camera.items()}
        return {"count": self._count, "scene": self._scene.state(), "camera": camera}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        self._count = state["count"]
        self._scene.restore(state["scene"])
        self._camera = {trouble: self._of_camera() for trouble in state["camera"]}
        for trouble, stretch in self._camera.items():
            stretch.restore(state["camera"][trouble])

    def _of_camera(self) -> Stretch:
        return Stretch(replace(self._rule, cooldown_s=0.0), self._interval_s, kind=CAMERA)

    def _numbered(self, events: list[Event]) -> list[Event]:
        """Events with an id; things got theirs when they began."""
        return [event if event.id else replace(event, id=self._next_id()) for event in events]

    def _next_id(self) -> str:
        self._count += 1
        return f"E{self._count:04d}"
