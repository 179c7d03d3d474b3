"""The stream of passers-by: who walks where, and when."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np

from tlae.lab.scenes.camera import SceneCamera
from tlae.lab.scenes.figures import Outfit, random_look, walking_person
from tlae.lab.scenes.shapes import Body, Colour, moved
from tlae.lab.scenes.things import SUITCASES, suitcase

SPEED_M_S, SPEED_SPREAD_M_S = 1.3, 0.17  # of walkers
SLOWEST_M_S, FASTEST_M_S = 0.9, 1.8
LANE_SPREAD_M = 0.42  # how far from the middle of a lane people walk
WITH_SUITCASE = 0.1  # share of people who carry one
CARRIED_M, BESIDE_M = 0.22, 0.35  # of a carried suitcase: above the ground, from the body
PAIRS = 0.22  # share of people who walk beside another
EDGE_M = 1.5  # outside the picture, where walkers start and end: not even a shadow shows
TIDE_S, TIDE = 40.0, 0.45  # period of the crowd's ebb and flow, and its share of the mean

# Depths in metres of the lanes along the picture. The two near ones only go to the right.
TWO_WAY_Z = (22.4, 20.9)
ONE_WAY_Z = (16.4, 14.7)
FREE_Z = 18.4  # middle of the strip between them where normally nobody walks along


class Passer(Protocol):
    """Someone on a way."""

    @property
    def born_s(self) -> float:
        """When it sets out."""

    @property
    def gone_s(self) -> float:
        """When it has left the picture."""

    def position(self, time_s: float) -> tuple[float, float]:
        """Where it walks (x, z)."""

    def body(self, time_s: float) -> Body:
        """How it looks at a moment."""


AnyPasser = TypeVar("AnyPasser", bound=Passer)
SomePasser = TypeVar("SomePasser", bound=Passer, covariant=True)


class Way(Protocol[SomePasser]):
    """Where people walk, in one direction."""

    @property
    def share(self) -> float:
        """Of all walkers."""

    @property
    def length_m(self) -> float:
        """From end to end."""

    def group(self, now: float, rng: np.random.Generator) -> Sequence[SomePasser]:
        """One person who sets out now, or two side by side."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A straight way over the plaza, from (x, z) to (x, z) in metres."""

    start: tuple[float, float]
    end: tuple[float, float]
    share: float  # of all walkers

    @property
    def length_m(self) -> float:
        """From end to end."""
        return math.dist(self.start, self.end)

    @property
    def heading(self) -> float:
        """Direction of the walk; 0 is to the right, pi/2 away from the camera."""
        return math.atan2(self.end[1] - self.start[1], self.end[0] - self.start[0])

    def group(self, now: float, rng: np.random.Generator) -> list["Walker"]:
        """One person who sets out now, or two side by side."""
        speed, aside = walking_speed(rng), float(rng.uniform(-LANE_SPREAD_M, LANE_SPREAD_M))
        if rng.random() >= PAIRS:
            return [walker(self, now, rng, aside, speed)]
        return [walker(self, now, rng, side * LANE_SPREAD_M * 0.8, speed) for side in (-1, 1)]


@dataclass(frozen=True, slots=True)
class Walker:
    """One person on the way along a straight line at constant speed.

    Attributes:
        start: (x, z) in metres, outside the picture.
        heading: radians.
        speed_m_s: constant.
        born_s: when it sets out.
        way_m: length of its way.
        phase: of its legs at the start, radians.
        suitcase: colour of the one it carries, or None.
    """

    look: Outfit
    start: tuple[float, float]
    heading: float
    speed_m_s: float
    born_s: float
    way_m: float
    phase: float
    suitcase: Colour | None

    def position(self, time_s: float) -> tuple[float, float]:
        """Where it walks (x, z)."""
        gone = self.speed_m_s * (time_s - self.born_s)
        x, z = self.start
        return x + gone * math.cos(self.heading), z + gone * math.sin(self.heading)

    @property
    def gone_s(self) -> float:
        """When it has left the picture."""
        return self.born_s + self.way_m / self.speed_m_s

    def body(self, time_s: float) -> Body:
        """How it looks at a moment."""
        gone = self.speed_m_s * (time_s - self.born_s)
        phase = self.phase + 2 * math.pi * gone / self.look.stride_m
        shapes = walking_person(self.look, phase, self.heading)
        body = Body(shapes, *self.position(time_s), self.heading)
        return body if self.suitcase is None else holding(body, self.suitcase, CARRIED_M)


def holding(body: Body, colour: Colour, up_m: float) -> Body:
    """The body with a suitcase beside it, ``up_m`` above the ground, on the camera's side."""
    side = -1 if math.cos(body.heading) > 0 else 1
    held = moved(suitcase(colour), 0.0, up_m, side * BESIDE_M)
    return replace(body, shapes=[*body.shapes, *held])


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that walkers keep clear of.

    Attributes:
        position: (x, z) in metres at a time in seconds.
        radius_m: how far they stay away.
        from_s: since when it is there.
        to_s: until when.
    """

    position: Callable[[float], tuple[float, float]]
    radius_m: float
    from_s: float
    to_s: float


def lanes(camera: SceneCamera) -> list[Lane]:
    """All lanes of normal walkers, each in one direction."""

    def across(z: float, share: float, sign: int) -> Lane:
        edge = sign * (camera.half_width_m(z) + EDGE_M)
        return Lane((-edge, z), (edge, z), share)

    found = [across(z, 0.14, sign) for z in TWO_WAY_Z for sign in (1, -1)]
    found += [across(z, 0.16, 1) for z in ONE_WAY_Z]
    edge = camera.half_width_m(21.5) + EDGE_M
    for sign in (1, -1):  # from below the picture, between the beds, to its sides, and back
        below, side = (-0.25 * sign * edge, 9.0), (sign * edge, 21.5)
        found += [Lane(below, side, 0.06), Lane(side, below, 0.06)]
    return found


def crowd(
    camera: SceneCamera,
    rng: np.random.Generator,
    mean_walkers: float,
    fps: float,
    obstacles: Sequence[Obstacle],
) -> Iterator[list[Walker]]:
    """The walkers on the plaza; ``camera`` decides where the picture ends. See :func:`stream`."""
    return stream(lanes(camera), rng, mean_walkers, fps, obstacles)


def stream(
    ways: Sequence[Way[AnyPasser]],
    rng: np.random.Generator,
    mean_walkers: float,
    fps: float,
    obstacles: Sequence[Obstacle],
) -> Iterator[list[AnyPasser]]:
    """The walkers of one frame after the other, without end.

    Args:
        ways: all that people take.
        rng: used up only by the crowd, so events do not change who comes.
        mean_walkers: average number of people on their way.
        fps: frames per second.
        obstacles: people whose way would touch one of them stay away.
    """
    shares = np.array([lane.share for lane in ways])
    shares /= shares.sum()
    mean_s = float(sum(shares * [lane.length_m for lane in ways])) / SPEED_M_S
    rate = mean_walkers / mean_s / (1 + PAIRS)  # groups per second
    tide = float(rng.uniform(0, 2 * math.pi))
    warm_up_s = max(lane.length_m for lane in ways) / SLOWEST_M_S
    present: list[AnyPasser] = []
    frame = -math.ceil(warm_up_s * fps)
    while True:
        now = frame / fps
        swell = 1 + TIDE * math.sin(2 * math.pi * now / TIDE_S + tide)
        for _ in range(int(rng.poisson(rate * swell / fps))):
            comers = ways[int(rng.choice(len(ways), p=shares))].group(now, rng)
            present += [w for w in comers if not any(_meets(w, o) for o in obstacles)]
        present = [w for w in present if w.gone_s > now]
        if frame >= 0:
            yield present
        frame += 1


def walker(
    lane: Lane, born_s: float, rng: np.random.Generator, aside_m: float, speed_m_s: float
) -> Walker:
    """A person who walks along a lane, ``aside_m`` to the left of its middle."""
    x, z = lane.start
    start = (x - aside_m * math.sin(lane.heading), z + aside_m * math.cos(lane.heading))
    phase = float(rng.uniform(0, 2 * math.pi))
    look = random_look(rng)
    colour = random_suitcase(rng) if rng.random() < WITH_SUITCASE else None
    return Walker(look, start, lane.heading, speed_m_s, born_s, lane.length_m, phase, colour)


def random_suitcase(rng: np.random.Generator) -> Colour:
    """Colour of a suitcase."""
    return SUITCASES[int(rng.integers(len(SUITCASES)))]


def walking_speed(rng: np.random.Generator) -> float:
    """Metres per second."""
    return float(np.clip(rng.normal(SPEED_M_S, SPEED_SPREAD_M_S), SLOWEST_M_S, FASTEST_M_S))


def _meets(person: Passer, obstacle: Obstacle) -> bool:
    """Whether the two would touch at any time."""
    start = max(person.born_s, obstacle.from_s)
    end = min(person.gone_s, obstacle.to_s)
    moments = np.arange(start, end, 0.3) if end > start else ()
    return any(
        math.dist(person.position(t), obstacle.position(t)) < obstacle.radius_m for t in moments
    )
