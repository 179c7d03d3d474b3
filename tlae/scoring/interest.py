"""In which order a person would want to see events."""

from collections.abc import Sequence
from dataclasses import replace

from tlae.scoring.events import SCENE, Event
from tlae.scoring.things import LIGHT, RECURRING

ENOUGH_FRAMES = 3  # more sightings of a thing make it no surer
PERSISTENCE = 0.5  # what so many sightings add to its strength, as a share


def ranked(events: Sequence[Event]) -> list[Event]:
    """Events with their rank, the most interesting scene event 1; in the order given.

    First by kind: things and stretches of alarm, then what recurs at one hour, then light and
    weather; within these by ``interest``. Events of the camera have no rank, nor hidden ones.
    """
    shown = (event.kind == SCENE and not event.hidden_by for event in events)
    scenes = [number for number, is_shown in enumerate(shown) if is_shown]
    scenes.sort(key=lambda number: (_last(events[number]), -interest(events[number]), number))
    rank = {number: place for place, number in enumerate(scenes, start=1)}
    return [replace(event, rank=rank.get(number, 0)) for number, event in enumerate(events)]


def interest(event: Event) -> float:
    """How far an event is over its threshold, and more where it was seen more than once.

    The peak as a multiple of the threshold (of 1 where none is known), up to half as much again
    for a thing seen in ``ENOUGH_FRAMES``.
    """
    strength = (event.peak_raw or 0.0) / (event.threshold or 1.0)
    seen = min(max(event.frames, 1), ENOUGH_FRAMES)
    return strength * (1 + PERSISTENCE * (seen - 1) / (ENOUGH_FRAMES - 1))


def _last(event: Event) -> int:
    """Kinds that a person wants to see last."""
    return {RECURRING: 1, LIGHT: 2}.get(event.what, 0)
