"""Named events: what each puts into the scene, where and when."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tlae.errors import UserError
from tlae.footage.synthetic.camera import Camera
from tlae.footage.synthetic.crowd import (
    EDGE_M,
    FREE_Z,
    ONE_WAY_Z,
    Lane,
    Obstacle,
    Walker,
    one_way_lane,
    walker,
    walking_speed,
)
from tlae.footage.synthetic.figures import random_look
from tlae.footage.synthetic.options import AnomalyKind, Event
from tlae.footage.synthetic.shapes import Body, moved
from tlae.footage.synthetic.things import (
    CART_HALF_WIDTH_M,
    CART_REACH_M,
    CYCLE_REACH_M,
    SUITCASES,
    cart,
    crate,
    cyclist,
    suitcase,
)

CYCLE_M_S = 5.0  # nearly three times the fastest walker
CART_M_S = 2.4
FLASH_GAIN = 1.3
FLASH_S = 0.5
ENTERED_M = 0.4  # how far a mover is in the picture at its first frame
FALL_S = 0.2  # from the hand to the ground


@dataclass(frozen=True, slots=True)
class Actor:
    """Something that an event brings into the scene.

    Attributes:
        body: how it looks at a time in seconds.
        first_frame: first frame with it.
        last_frame: last frame with it, perhaps after it has left the picture.
        anomalous: whether its pixels count; the man who drops a bag is like any other.
    """

    body: Callable[[float], Body]
    first_frame: int
    last_frame: float
    anomalous: bool = True


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


def stage(
    camera: Camera,
    events: Sequence[Event],
    n_frames: int,
    fps: float,
    rngs: list[np.random.Generator],
) -> Staging:
    """Decide what the events of one clip do.

    Args:
        camera: decides where movers enter.
        events: in any order.
        n_frames: length of the clip.
        fps: frames per second.
        rngs: one for each event.
    """
    staging = Staging()
    for event, rng in zip(events, rngs, strict=True):
        last = n_frames - 1 if event.last_frame is None else event.last_frame
        if not 0 <= event.first_frame <= last < n_frames:
            raise UserError(
                f"event {event.kind} must lie in frames 0 to {n_frames - 1} and not end before it "
                f"begins, got {event.first_frame} to {event.last_frame}; move it"
            )
        whole = replace(event, last_frame=last)
        if event.kind is AnomalyKind.LIGHT_FLASH:
            if event.last_frame is None:
                last = min(last, event.first_frame + max(round(FLASH_S * fps), 1) - 1)
            staging.flashes.append((event.first_frame, last, FLASH_GAIN))
        elif event.kind is AnomalyKind.LEFT_BEHIND:
            _leave_behind(staging, camera, whole, fps, rng)
        elif event.kind is AnomalyKind.APPEARING_OBJECT:
            _pop_up(staging, camera, whole, fps, rng)
        else:
            _pass_through(staging, camera, whole, fps, rng)
    return staging


@dataclass(frozen=True, slots=True)
class _Drive:
    """A straight way along the picture at constant speed; ``sign`` +1 is to the right."""

    x: float
    z: float
    sign: int
    speed_m_s: float
    start_s: float

    def gone_m(self, time_s: float) -> float:
        return self.speed_m_s * (time_s - self.start_s)

    def position(self, time_s: float) -> tuple[float, float]:
        return self.x + self.sign * self.gone_m(time_s), self.z


def _pass_through(
    staging: Staging, camera: Camera, event: Event, fps: float, rng: np.random.Generator
) -> None:
    """A mover crosses the picture: a cyclist, a cart, or a walker against the stream."""
    start_s, last = event.first_frame / fps, _last(event)
    if event.kind is AnomalyKind.WRONG_DIRECTION:
        person = _against_the_stream(camera, start_s, rng)
        staging.actors.append(Actor(person.body, event.first_frame, last))
        return
    sign = int(rng.choice((-1, 1)))
    if event.kind is AnomalyKind.FAST_MOVER:
        z, reach = FREE_Z - 0.9, CYCLE_REACH_M
        entry = _entry(camera, z, sign, reach)
        body, drive = _cycling(_Drive(entry, z, sign, CYCLE_M_S, start_s), rng)
    else:
        z, reach = FREE_Z, CART_REACH_M
        entry = _entry(camera, z - CART_HALF_WIDTH_M, sign, reach)
        body, drive = _driving(_Drive(entry, z, sign, CART_M_S, start_s))
    staging.actors.append(Actor(body, event.first_frame, last))
    staging.obstacles.append(Obstacle(drive.position, reach, start_s, last / fps))


def _last(event: Event) -> int:
    assert event.last_frame is not None, "filled in by stage"
    return event.last_frame


def _entry(camera: Camera, z: float, sign: int, reach_m: float) -> float:
    """Where (x) a mover that goes in direction ``sign`` begins to be seen."""
    return -sign * (camera.half_width_m(z) + reach_m - ENTERED_M)


def _cycling(drive: _Drive, rng: np.random.Generator) -> tuple[Callable[[float], Body], _Drive]:
    look = random_look(rng)

    def body(time_s: float) -> Body:
        shapes = [  # mirrored rather than turned, so that the drawing order stays right
            replace(shape, points=[(drive.sign * f, up, left) for f, up, left in shape.points])
            for shape in cyclist(look, drive.gone_m(time_s))
        ]
        return Body(shapes, *drive.position(time_s), footprint_m=0.0)

    return body, drive


def _driving(drive: _Drive) -> tuple[Callable[[float], Body], _Drive]:
    shapes = cart(flip=drive.sign < 0)
    heading = 0.0 if drive.sign > 0 else math.pi
    return lambda time_s: Body(shapes, *drive.position(time_s), heading, 0.0), drive


def _against_the_stream(camera: Camera, start_s: float, rng: np.random.Generator) -> Walker:
    lane = one_way_lane(camera, rng)
    z = lane.start[1]
    entry = _entry(camera, z, -1, 0.25)
    way = Lane((entry, z), (-entry - EDGE_M, z), 1.0)
    aside = float(rng.uniform(-0.3, 0.3))
    return walker(way, start_s, rng, aside, walking_speed(rng))


def _leave_behind(
    staging: Staging, camera: Camera, event: Event, fps: float, rng: np.random.Generator
) -> None:
    """A walker of the farther one-way lane lets go of a suitcase on its right."""
    start_s, last = event.first_frame / fps, _last(event)
    z_walk, beside_m = ONE_WAY_Z[0] - 0.45, 0.4
    half = camera.half_width_m(z_walk)
    x_drop = float(rng.uniform(-0.5, 0.5)) * half
    speed = walking_speed(rng)
    born_s = start_s - (x_drop + half + EDGE_M) / speed
    lane = Lane((-half - EDGE_M, z_walk), (half + EDGE_M, z_walk), 1.0)
    person = walker(lane, born_s, rng, 0.0, speed)
    colour = SUITCASES[int(rng.integers(len(SUITCASES)))]
    bag = Body(suitcase(colour), x_drop, z_walk - beside_m, 0.0, footprint_m=0.3)

    def carrier(time_s: float) -> Body:
        body = person.body(time_s)
        if time_s >= start_s:
            return body
        height = 0.22 * min(1.0, (start_s - time_s) / FALL_S)
        held = moved(bag.shapes, 0.0, height, -beside_m)
        return replace(body, shapes=[*body.shapes, *held])

    staging.actors.append(Actor(carrier, 0, math.inf, anomalous=False))
    staging.actors.append(Actor(lambda _: bag, event.first_frame, last))
    staging.obstacles.append(
        Obstacle(lambda _: (bag.x, bag.z), 0.4, start_s, math.inf)
    )


def _pop_up(
    staging: Staging, camera: Camera, event: Event, fps: float, rng: np.random.Generator
) -> None:
    """A crate stands on the free strip from one frame to the next."""
    z = FREE_Z + 1.0
    x = float(rng.uniform(-0.6, 0.6)) * camera.half_width_m(z)
    body = Body(crate(), x, z, float(rng.uniform(-0.25, 0.25)), footprint_m=0.0)
    last = _last(event)
    staging.actors.append(Actor(lambda _: body, event.first_frame, last))
    staging.obstacles.append(Obstacle(lambda _: (x, z), 0.8, event.first_frame / fps, math.inf))
