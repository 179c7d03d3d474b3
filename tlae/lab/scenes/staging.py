"""From events to what they change in a clip: who comes, who keeps clear, how bright it is."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tlae.errors import UserError
from tlae.lab.scenes.camera import SceneCamera
from tlae.lab.scenes.crowd import Obstacle
from tlae.lab.scenes.options import AnomalyKind, Kind, SceneEvent
from tlae.lab.scenes.shapes import Body

FLASH_GAIN = 1.3
FLASH_S = 0.5


@dataclass(frozen=True, slots=True)
class Actor:
    """Something that an event brings into the scene.

    Attributes:
        body: how it looks at a time in seconds.
        first_frame: first frame with it.
        last_frame: last frame with it, perhaps after it has left the picture.
        owner: 1 + number of the event that its pixels count for; 0: it is like any passer-by.
    """

    body: Callable[[float], Body]
    first_frame: int
    last_frame: float
    owner: int


@dataclass(frozen=True, slots=True)
class Staging:
    """All that the events of a clip change.

    Attributes:
        actors: what they add.
        obstacles: what passers-by keep clear of.
        flashes: first frame, last frame and gain of brighter stretches.
    """

    actors: list[Actor] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)
    flashes: list[tuple[int, int, float]] = field(default_factory=list)

    def gain(self, frame: int) -> float:
        """Factor on brightness by all flashes."""
        return math.prod(gain for first, last, gain in self.flashes if first <= frame <= last)


@dataclass(frozen=True, slots=True)
class Cue:
    """What an event needs to be put on stage.

    Attributes:
        camera: decides where movers enter.
        event: what is to happen.
        owner: 1 + number of the event.
        first: frame with which it begins.
        last: frame after which nothing of it may be left.
        fps: frames per second.
        rng: of its own chance.
    """

    camera: SceneCamera
    event: SceneEvent
    owner: int
    first: int
    last: int
    fps: float
    rng: np.random.Generator

    @property
    def start_s(self) -> float:
        """Time of the first frame."""
        return self.first / self.fps

    @property
    def end_s(self) -> float:
        """Time of the last frame."""
        return self.last / self.fps

    def actor(self, body: Callable[[float], Body]) -> Actor:
        """Something that is there, and counts, as long as the event lasts."""
        return Actor(body, self.first, self.last, self.owner)


Act = Callable[[Staging, Cue], None]
"""Puts one event on stage."""


def stage(
    camera: SceneCamera,
    events: Sequence[SceneEvent],
    n_frames: int,
    fps: float,
    rngs: list[np.random.Generator],
    acts: Mapping[Kind, Act],
) -> Staging:
    """Decide what the events of one clip do.

    Args:
        camera: decides where movers enter.
        events: in any order.
        n_frames: length of the clip.
        fps: frames per second.
        rngs: one for each event.
        acts: what can happen in this view, other than a flash.

    Raises:
        UserError: an event lies outside the clip, or cannot happen in this view.
    """
    staging = Staging()
    for owner, (event, rng) in enumerate(zip(events, rngs, strict=True), 1):
        last = last_frame(event, n_frames, fps)
        if not 0 <= event.first_frame <= last < n_frames:
            raise UserError(
                f"event {event.kind} must lie in frames 0 to {n_frames - 1} and not end before it "
                f"begins, got {event.first_frame} to {event.last_frame}; move it"
            )
        if event.kind is AnomalyKind.LIGHT_FLASH:
            staging.flashes.append((event.first_frame, last, FLASH_GAIN))
        elif event.kind in acts:
            acts[event.kind](staging, Cue(camera, event, owner, event.first_frame, last, fps, rng))
        else:
            raise UserError(
                f"event kind must be one of {', '.join(acts)} in this view, got {event.kind}; "
                "choose another kind or view"
            )
    return staging


def last_frame(event: SceneEvent, n_frames: int, fps: float) -> int:
    """Last frame that an event can touch in a clip of ``n_frames``."""
    if event.last_frame is not None:
        return event.last_frame
    if event.kind is AnomalyKind.LIGHT_FLASH:
        return min(n_frames - 1, event.first_frame + max(round(FLASH_S * fps), 1) - 1)
    return n_frames - 1
