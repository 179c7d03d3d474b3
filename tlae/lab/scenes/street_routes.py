"""Where people walk in the street, along and across its depth, and how they follow a bend."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tlae.lab.scenes.crowd import (
    CARRIED_M,
    PAIRS,
    SPEED_M_S,
    WITH_SUITCASE,
    holding,
    random_suitcase,
)
from tlae.lab.scenes.figures import Outfit, random_look, walking_person
from tlae.lab.scenes.shapes import Body, Colour
from tlae.lab.scenes.street import ALLEY_Z, CROSS_STREET_Z, CROSSING_Z, Street

PACE, PACE_SPREAD = (0.7, 1.3), 0.14  # in normal paces: slowest and fastest, deviation
ASIDE_M = 0.4  # how far from the middle of their way people walk
BEND_M = 1.3  # a bend begins this far before its corner
KEEP_RIGHT_M = 0.5  # from the middle of a way

Corner = tuple[float, float]  # x, z in metres, in a street of the normal width
Floats = npt.NDArray[np.float64]

_FAR, _FARTHER = CROSS_STREET_Z
# They turn close to the camera and leave at the side.
_LEFT_OUT, _RIGHT_OUT = ((-2.6, 6.5), (-5.2, 5.8)), ((2.6, 6.5), (5.2, 5.8))
ALONG: tuple[tuple[Corner, ...], ...] = (  # the whole depth of the street
    ((-12.5, _FAR), (-4.0, _FAR), (-2.9, 30.0), *_LEFT_OUT),
    ((12.5, _FAR), (2.9, _FAR), (2.9, 30.0), *_RIGHT_OUT),
    ((12.5, _FARTHER), (-4.0, _FARTHER), (-3.4, 25.0), (-2.3, 6.0), (-4.8, 5.2)),
)
CROSSING = ((-5.0, CROSSING_Z), (5.0, CROSSING_Z))  # close to the camera
ALLEY = ((-13.0, ALLEY_Z), (13.5, ALLEY_Z))
CROSS_STREET = ((-13.0, _FARTHER), (13.0, _FARTHER))
_SHARES: tuple[tuple[tuple[Corner, ...], float], ...] = (
    *((way, share) for way, share in zip(ALONG, (0.22, 0.22, 0.12), strict=True)),
    (((-12.5, _FAR), (-6.3, _FAR), (-6.0, 30.0), (-5.8, 8.0)), 0.1),
    (((-13.0, ALLEY_Z), (-4.2, ALLEY_Z), (-3.2, 12.0), *_LEFT_OUT), 0.06),
    (((-5.0, CROSSING_Z), (2.7, CROSSING_Z), (2.9, ALLEY_Z), (13.5, ALLEY_Z)), 0.06),
    (CROSSING, 0.2),
    (ALLEY, 0.06),
    (CROSS_STREET, 0.09),
)


@dataclass(frozen=True, slots=True)
class Route:
    """A way with rounded corners, in one direction.

    Attributes:
        places: (N, 2), x and z in metres.
        gone: (N,), metres from the start, increasing.
        headings: (N,), radians, without jumps.
    """

    places: Floats
    gone: Floats
    headings: Floats

    @property
    def length_m(self) -> float:
        """From end to end."""
        return float(self.gone[-1])

    def at(self, gone_m: float) -> tuple[float, float]:
        """Place (x, z) so many metres from the start."""
        x, z = (float(np.interp(gone_m, self.gone, line)) for line in self.places.T)
        return x, z

    def heading(self, gone_m: float) -> float:
        """Direction there; 0 is to the right, pi/2 away from the camera."""
        return float(np.interp(gone_m, self.gone, self.headings))

    def beside(self, left_m: float) -> "Route":
        """The same way, so far to the left of this one."""
        normals = np.stack([-np.sin(self.headings), np.cos(self.headings)], axis=1)
        return _measured(self.places + left_m * normals)


def route(corners: Sequence[Corner], street: Street) -> Route:
    """Round off the corners of a way in a street."""
    ends = np.array(corners) * (street.widening, 1.0)
    pieces = [ends[:1]]
    for before, corner, after in zip(ends, ends[1:], ends[2:], strict=False):
        starts = []
        for other in (before, after):
            apart = other - corner
            length = float(np.hypot(*apart))
            starts.append(corner + apart * min(BEND_M / length, 0.45))
        t = np.linspace(0, 1, 9)[:, np.newaxis]
        pieces.append((1 - t) ** 2 * starts[0] + 2 * t * (1 - t) * corner + t**2 * starts[1])
    return _measured(np.concatenate([*pieces, ends[-1:]]))


def _measured(places: Floats) -> Route:
    steps = np.diff(places, axis=0)
    gone = np.concatenate([[0.0], np.cumsum(np.hypot(*steps.T))])
    headings = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    middle = np.concatenate([headings[:1], (headings[1:] + headings[:-1]) / 2, headings[-1:]])
    return Route(places, gone, middle)


@dataclass(frozen=True, slots=True)
class Stroller:
    """One person on a route, at constant speed but for perhaps one stop.

    Attributes:
        speed_m_s: while walking.
        born_s: when it sets out.
        phase: of its legs at the start, radians.
        suitcase: colour of the one it carries, or None.
        stop_s: when it stands still, from and to; None: never.
        swing: of arms and legs, 1.5 runs.
        carried_m: height of the suitcase above the ground.
    """

    look: Outfit
    route: Route
    speed_m_s: float
    born_s: float
    phase: float = 0.0
    suitcase: Colour | None = None
    stop_s: tuple[float, float] | None = None
    swing: float = 1.0
    carried_m: float = CARRIED_M

    def gone_m(self, time_s: float) -> float:
        """Metres from the start of its route."""
        stood = 0.0
        if self.stop_s is not None:
            start, end = self.stop_s
            stood = min(max(time_s - start, 0.0), end - start)
        return self.speed_m_s * (time_s - self.born_s - stood)

    @property
    def gone_s(self) -> float:
        """When it has left the picture."""
        stood = 0.0 if self.stop_s is None else self.stop_s[1] - self.stop_s[0]
        return self.born_s + self.route.length_m / self.speed_m_s + stood

    def position(self, time_s: float) -> tuple[float, float]:
        """Where it walks (x, z)."""
        return self.route.at(self.gone_m(time_s))

    def body(self, time_s: float) -> Body:
        """How it looks at a moment."""
        gone = self.gone_m(time_s)
        heading = self.route.heading(gone)
        swing = self.swing
        if self.stop_s is not None and self.stop_s[0] < time_s < self.stop_s[1]:
            swing = 0.0
            heading += 0.5 * math.sin(1.1 * (time_s - self.stop_s[0]))  # it looks around
        stride_m = self.look.stride_m * max(1.0, self.swing)
        phase = self.phase + 2 * math.pi * gone / stride_m
        shapes = walking_person(self.look, phase, heading, swing)
        body = Body(shapes, *self.route.at(gone), heading)
        return body if self.suitcase is None else holding(body, self.suitcase, self.carried_m)


@dataclass(frozen=True, slots=True)
class StreetWay:
    """A route that people take.

    Attributes:
        route: its middle.
        share: of all walkers.
        elbow_room: factor on how far from the middle they walk.
    """

    route: Route
    share: float
    elbow_room: float

    @property
    def length_m(self) -> float:
        """From end to end."""
        return self.route.length_m

    def group(self, now: float, rng: np.random.Generator) -> list[Stroller]:
        """One person who sets out now, or two side by side."""
        speed, aside = walking_pace(rng), float(rng.uniform(-ASIDE_M, ASIDE_M))
        beside = (aside,) if rng.random() >= PAIRS else (-0.36, 0.36)
        ways = [self.route.beside(left * self.elbow_room) for left in beside]
        return [stroller(way, now, rng, speed) for way in ways]


def street_ways(street: Street) -> list[StreetWay]:
    """All ways of normal walkers, each in one direction."""
    return [
        StreetWay(right_hand(corners[::sign], street), share / 2, street.elbow_room)
        for corners, share in _SHARES
        for sign in (1, -1)
    ]


def right_hand(corners: Sequence[Corner], street: Street) -> Route:
    """The right-hand side of a way, so that who comes and who goes pass each other."""
    return route(corners, street).beside(-KEEP_RIGHT_M * street.elbow_room)


def stroller(way: Route, born_s: float, rng: np.random.Generator, speed_m_s: float) -> Stroller:
    """Someone who sets out on a route."""
    phase = float(rng.uniform(0, 2 * math.pi))
    look = random_look(rng)
    colour = random_suitcase(rng) if rng.random() < WITH_SUITCASE else None
    return Stroller(look, way, speed_m_s, born_s, phase, colour)


def walking_pace(rng: np.random.Generator) -> float:
    """Metres per second, 0.7 to 1.3 of the normal pace."""
    return SPEED_M_S * float(np.clip(rng.normal(1.0, PACE_SPREAD), *PACE))
