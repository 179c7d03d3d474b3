"""What each event puts into the street: where, near or far, and when."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from tlae.lab.scenes.crowd import BESIDE_M, CARRIED_M, Obstacle, random_suitcase
from tlae.lab.scenes.figures import random_look
from tlae.lab.scenes.options import AnomalyKind, Depth, Kind, StreetKind
from tlae.lab.scenes.shapes import Body
from tlae.lab.scenes.staging import Act, Actor, Cue, Staging
from tlae.lab.scenes.street import ALLEY_Z, ISLANDS_Z, Street
from tlae.lab.scenes.street_routes import (
    ALLEY,
    ALONG,
    CROSS_STREET,
    CROSSING,
    Corner,
    Route,
    Stroller,
    right_hand,
    stroller,
    walking_pace,
)
from tlae.lab.scenes.things import (
    CART_REACH_M,
    CYCLE_REACH_M,
    cart,
    crate,
    cyclist,
    suitcase,
)

CYCLE_M_S, RUN_M_S, CART_M_S = 5.0, 3.6, 2.4  # against 1.7 of the fastest walker
ENTERED_M = 0.4  # how far a mover is in the picture at its first frame
STAND_S = (5.0, 9.0)  # how long someone stops
MARGIN = 0.75  # spots lie within this share of the picture's half width
FALL_S = 0.2  # of a suitcase from the hand to the ground
CLEAR_X = 1.6  # beyond the islands spots keep off the middle, which trunks hide
STEP_M = 0.1  # of searches along a route

Corners = tuple[Corner, ...]

_SPOTS_Z = {Depth.NEAR: (5.2, 8.0), Depth.MIDDLE: (11.0, 19.0), Depth.FAR: (29.0, 42.5)}
_WALKS: dict[Depth, tuple[Corners, ...]] = {
    Depth.NEAR: (CROSSING,),
    Depth.MIDDLE: ALONG,
    Depth.FAR: (*ALONG, CROSS_STREET),
}
_DRIVES: dict[Depth, tuple[Corners, ...]] = {
    Depth.NEAR: (CROSSING,),
    Depth.MIDDLE: (*ALONG[:2], ALLEY),  # along the street they come from, or get, near and far
    Depth.FAR: (CROSS_STREET,),
}
_OVER_GRASS: dict[Depth, tuple[Corners, ...]] = {
    Depth.NEAR: (((-6.5, 6.6), (-1.5, 8.0), (1.5, 11.0), (2.9, 15.0), (2.9, ALLEY_Z), ALLEY[1]),),
    Depth.MIDDLE: ((ALLEY[1], (7.5, ALLEY_Z), (5.9, 20.0), (5.3, 12.0), (6.5, 8.0)),),
    Depth.FAR: (
        ((12.5, 40.0), (7.2, 40.0), (5.6, 35.0), (5.4, 28.0), (4.0, ALLEY_Z), ALLEY[0]),
        ((-12.5, 42.6), (6.0, 41.0), (8.3, 36.0), (7.9, 27.5), (5.0, ALLEY_Z), ALLEY[0]),
    ),
}


@dataclass(frozen=True, slots=True)
class _StreetDrive:
    """A vehicle on a route at constant speed; it is ``ahead_m`` along it at ``start_s``."""

    route: Route
    speed_m_s: float
    start_s: float
    ahead_m: float

    def gone_m(self, time_s: float) -> float:
        return self.ahead_m + self.speed_m_s * (time_s - self.start_s)

    def position(self, time_s: float) -> tuple[float, float]:
        return self.route.at(self.gone_m(time_s))

    def heading(self, time_s: float) -> float:
        return self.route.heading(self.gone_m(time_s))

    @property
    def gone_s(self) -> float:
        return self.start_s + (self.route.length_m - self.ahead_m) / self.speed_m_s


def _hurry(staging: Staging, cue: Cue) -> None:
    """A cyclist, or someone who runs."""
    way = _any_route(cue, _DRIVES)
    look = random_look(cue.rng)
    if cue.rng.random() < 0.5:
        ahead = _entry_m(cue, way, 0.3)
        born_s = cue.start_s - ahead / RUN_M_S
        runner = Stroller(look, way, RUN_M_S, born_s, swing=1.5)
        _put(staging, cue, runner.body, runner.gone_s, runner.position, 0.5)
        return
    drive = _StreetDrive(way, CYCLE_M_S, cue.start_s, _entry_m(cue, way, CYCLE_REACH_M))

    def body(time_s: float) -> Body:
        shapes, heading = cyclist(look, drive.gone_m(time_s)), drive.heading(time_s)
        if math.cos(heading) < 0:  # mirrored, so that the side drawn last is the near one
            heading += math.pi
            shapes = [
                replace(shape, points=[(-f, up, left) for f, up, left in shape.points])
                for shape in shapes
            ]
        return Body(shapes, *drive.position(time_s), heading, 0.0)

    _put(staging, cue, body, drive.gone_s, drive.position, CYCLE_REACH_M)


def _drive(staging: Staging, cue: Cue) -> None:
    """A cart comes by."""
    way = _any_route(cue, _DRIVES)
    drive = _StreetDrive(way, CART_M_S, cue.start_s, _entry_m(cue, way, CART_REACH_M))

    def body(time_s: float) -> Body:
        (x, z), heading = drive.position(time_s), drive.heading(time_s)
        flip = x * math.sin(heading) > z * math.cos(heading)  # the camera sees its left side
        behind = x * math.cos(heading) + z * math.sin(heading) > 0  # ... and its rear
        return Body(cart(flip, behind), x, z, heading, 0.0)

    _put(staging, cue, body, drive.gone_s, drive.position, CART_REACH_M)


def _put(
    staging: Staging,
    cue: Cue,
    body: Callable[[float], Body],
    gone_s: float,
    position: Callable[[float], tuple[float, float]],
    radius_m: float,
) -> None:
    """Show a mover until it has left, and keep people out of its way."""
    last = min(cue.last, math.floor(gone_s * cue.fps))
    staging.actors.append(Actor(body, cue.first, last, cue.owner))
    staging.obstacles.append(Obstacle(position, radius_m, cue.start_s, last / cue.fps))


def _step_on_grass(staging: Staging, cue: Cue) -> None:
    """Someone leaves the pavement, walks over the grass and comes back."""
    way = _any_route(cue, _OVER_GRASS)
    gone = np.arange(0.0, way.length_m, STEP_M)
    x, z = np.array([way.at(g) for g in gone]).T
    seen = _street(cue).in_sight(cue.camera, x, z, 0.0)
    on_grass = gone[_street(cue).on_grass(x, z) & seen]
    speed = walking_pace(cue.rng)
    person = stroller(way, cue.start_s - float(on_grass[0]) / speed, cue.rng, speed)
    back_s = person.born_s + (float(on_grass[-1]) + STEP_M) / speed
    _watch(staging, cue, person, back_s)


def _stop(staging: Staging, cue: Cue) -> None:
    """Someone stands still in the middle of the way, looks around, and walks on."""
    way, ahead = _spot(cue)
    speed = walking_pace(cue.rng)
    until_s = cue.start_s + float(cue.rng.uniform(*STAND_S))
    if cue.event.last_frame is not None:
        until_s = cue.end_s + 0.5 / cue.fps
    person = stroller(way, cue.start_s - ahead / speed, cue.rng, speed)
    person = replace(person, stop_s=(cue.start_s, until_s))
    _watch(staging, cue, person, until_s)
    staging.obstacles.append(Obstacle(person.position, 0.5, cue.start_s, until_s))


def _watch(staging: Staging, cue: Cue, person: Stroller, until_s: float) -> None:
    """A passer-by who counts only from the event's first frame to ``until_s``."""
    last = min(cue.last, math.floor(until_s * cue.fps))
    gone = math.floor(person.gone_s * cue.fps)
    for first, end, owner in (
        (math.ceil(person.born_s * cue.fps), cue.first - 1, 0),
        (cue.first, last, cue.owner),
        (last + 1, gone, 0),
    ):
        staging.actors.append(Actor(person.body, first, end, owner))


def _leave_behind(staging: Staging, cue: Cue) -> None:
    """A passer-by lets go of a suitcase and walks on."""
    way, ahead = _spot(cue)
    speed = walking_pace(cue.rng)
    person = stroller(way, cue.start_s - ahead / speed, cue.rng, speed)
    person, colour = replace(person, suitcase=None), random_suitcase(cue.rng)
    (x, z), heading = way.at(ahead), way.heading(ahead)
    side = BESIDE_M * (-1 if math.cos(heading) > 0 else 1)
    place = x - side * math.sin(heading), z + side * math.cos(heading)
    bag = Body(suitcase(colour), *place, heading, footprint_m=0.3)

    def carrier(time_s: float) -> Body:
        height = CARRIED_M * min(1.0, (cue.start_s - time_s) / FALL_S)
        return replace(person, suitcase=colour, carried_m=height).body(time_s)

    born, gone = (math.ceil(s * cue.fps) for s in (person.born_s, person.gone_s))
    staging.actors.append(Actor(carrier, born, cue.first - 1, 0))
    staging.actors.append(Actor(person.body, cue.first, gone, 0))
    staging.actors.append(cue.actor(lambda _: bag))
    staging.obstacles.append(Obstacle(lambda _: place, 0.5, cue.start_s, cue.end_s))


def _pop_up(staging: Staging, cue: Cue) -> None:
    """A crate stands in the way from one frame to the next."""
    way, ahead = _spot(cue)
    place = way.at(ahead)
    crated = Body(crate(), *place, float(cue.rng.uniform(-0.25, 0.25)), footprint_m=0.0)
    staging.actors.append(cue.actor(lambda _: crated))
    staging.obstacles.append(Obstacle(lambda _: place, 0.9, cue.start_s, cue.end_s))


STREET_ACTS: dict[Kind, Act] = {
    AnomalyKind.FAST_MOVER: _hurry,
    AnomalyKind.BIG_OBJECT: _drive,
    StreetKind.WRONG_PLACE: _step_on_grass,
    StreetKind.STOPPING: _stop,
    AnomalyKind.LEFT_BEHIND: _leave_behind,
    AnomalyKind.APPEARING_OBJECT: _pop_up,
}


def _street(cue: Cue) -> Street:
    return Street.before(cue.camera)


def _depth(cue: Cue) -> Depth:
    """As asked for, else any."""
    return cue.event.depth or tuple(Depth)[int(cue.rng.integers(len(Depth)))]


def _any_route(cue: Cue, choices: dict[Depth, tuple[Corners, ...]]) -> Route:
    """One of the routes at the event's depth, in either direction."""
    return next(_shuffled(cue, choices[_depth(cue)]))


def _shuffled(cue: Cue, choices: tuple[Corners, ...]) -> Iterator[Route]:
    street = _street(cue)
    for number in cue.rng.permutation(len(choices)):
        corners = choices[number][:: int(cue.rng.choice((-1, 1)))]
        yield right_hand(corners, street)


def _entry_m(cue: Cue, way: Route, reach_m: float) -> float:
    """How far along its route a mover begins to be seen."""
    gone = np.arange(0.0, way.length_m, STEP_M)
    x, z = np.array([way.at(g) for g in gone]).T
    seen = _street(cue).in_sight(cue.camera, x, z, reach_m - ENTERED_M)
    return float(gone[np.argmax(seen)])


def _spot(cue: Cue) -> tuple[Route, float]:
    """A normal route, and metres along it to a place well in the picture at the event's depth."""
    depth = _depth(cue)
    near, far = _SPOTS_Z[depth]
    for way in _shuffled(cue, _WALKS[depth]):
        gone = np.arange(0.0, way.length_m, STEP_M)
        x, z = np.array([way.at(g) for g in gone]).T
        narrow = MARGIN * z * cue.camera.half_width_m(1.0)
        fits = (z > near) & (z < far) & (np.abs(x) < narrow)
        fits &= (z < ISLANDS_Z[0][0]) | (np.abs(x) > CLEAR_X * _street(cue).widening)
        fits &= _street(cue).in_sight(cue.camera, x, z, -0.6)
        if fits.any():
            return way, float(cue.rng.choice(gone[fits]))
    raise AssertionError("some route passes every depth")
