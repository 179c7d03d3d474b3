"""What each event puts onto the plaza, where and when."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from tlae.lab.scenes.crowd import (
    BESIDE_M,
    CARRIED_M,
    EDGE_M,
    FREE_Z,
    ONE_WAY_Z,
    Lane,
    Obstacle,
    holding,
    random_suitcase,
    walker,
    walking_speed,
)
from tlae.lab.scenes.figures import Outfit, random_look
from tlae.lab.scenes.options import AnomalyKind, Kind
from tlae.lab.scenes.shapes import Body
from tlae.lab.scenes.staging import Act, Actor, Cue, Staging
from tlae.lab.scenes.things import (
    CART_HALF_WIDTH_M,
    CART_REACH_M,
    CYCLE_REACH_M,
    cart,
    crate,
    cyclist,
    suitcase,
)

CYCLE_M_S = 5.0  # nearly three times the fastest walker
CART_M_S = 2.4
ENTERED_M = 0.4  # how far a mover is in the picture at its first frame
FALL_S = 0.2  # from the hand to the ground


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


def _entry(cue: Cue, z: float, sign: int, reach_m: float) -> float:
    """Where (x) a mover that goes in direction ``sign`` begins to be seen."""
    return -sign * (cue.camera.half_width_m(z) + reach_m - ENTERED_M)


def _drive_through(staging: Staging, cue: Cue) -> None:
    """A cyclist or a cart crosses the picture on the free strip."""
    sign = int(cue.rng.choice((-1, 1)))
    if cue.event.kind is AnomalyKind.FAST_MOVER:
        z, reach = FREE_Z - 0.9, CYCLE_REACH_M
        drive = _Drive(_entry(cue, z, sign, reach), z, sign, CYCLE_M_S, cue.start_s)
        body = _cycling(drive, random_look(cue.rng))
    else:
        z, reach = FREE_Z, CART_REACH_M
        entry = _entry(cue, z - CART_HALF_WIDTH_M, sign, reach)
        drive = _Drive(entry, z, sign, CART_M_S, cue.start_s)
        body = _driving(drive)
    staging.actors.append(cue.actor(body))
    staging.obstacles.append(Obstacle(drive.position, reach, cue.start_s, cue.end_s))


def _cycling(drive: _Drive, look: Outfit) -> Callable[[float], Body]:
    def body(time_s: float) -> Body:
        shapes = [  # mirrored rather than turned, so that the drawing order stays right
            replace(shape, points=[(drive.sign * f, up, left) for f, up, left in shape.points])
            for shape in cyclist(look, drive.gone_m(time_s))
        ]
        return Body(shapes, *drive.position(time_s), footprint_m=0.0)

    return body


def _driving(drive: _Drive) -> Callable[[float], Body]:
    shapes = cart(flip=drive.sign < 0)
    heading = 0.0 if drive.sign > 0 else math.pi
    return lambda time_s: Body(shapes, *drive.position(time_s), heading, 0.0)


def _turn_against(staging: Staging, cue: Cue) -> None:
    """Someone walks to the left in a lane that only goes to the right."""
    z = ONE_WAY_Z[int(cue.rng.integers(len(ONE_WAY_Z)))]
    entry = _entry(cue, z, -1, 0.25)
    way = Lane((entry, z), (-entry, z), 1.0)
    aside = float(cue.rng.uniform(-0.3, 0.3))
    person = walker(way, cue.start_s, cue.rng, aside, walking_speed(cue.rng))
    staging.actors.append(cue.actor(person.body))


def _leave_behind(staging: Staging, cue: Cue) -> None:
    """A walker of the farther one-way lane lets go of a suitcase on the right."""
    z_walk = ONE_WAY_Z[0] - 0.45  # so that nobody's way crosses the suitcase
    half = cue.camera.half_width_m(z_walk)
    x_drop = float(cue.rng.uniform(-0.5, 0.5)) * half
    speed = walking_speed(cue.rng)
    born_s = cue.start_s - (x_drop + half + EDGE_M) / speed
    lane = Lane((-half - EDGE_M, z_walk), (half + EDGE_M, z_walk), 1.0)
    person = replace(walker(lane, born_s, cue.rng, 0.0, speed), suitcase=None)
    colour = random_suitcase(cue.rng)
    bag = Body(suitcase(colour), x_drop, z_walk - BESIDE_M, footprint_m=0.3)

    def carrier(time_s: float) -> Body:
        body = person.body(time_s)
        if time_s >= cue.start_s:
            return body
        height = CARRIED_M * min(1.0, (cue.start_s - time_s) / FALL_S)
        return holding(body, colour, height)

    staging.actors.append(Actor(carrier, 0, math.inf, 0))
    staging.actors.append(cue.actor(lambda _: bag))
    staging.obstacles.append(Obstacle(lambda _: (bag.x, bag.z), 0.4, cue.start_s, cue.end_s))


def _pop_up(staging: Staging, cue: Cue) -> None:
    """A crate stands on the free strip from one frame to the next."""
    z = FREE_Z + 1.0
    x = float(cue.rng.uniform(-0.6, 0.6)) * cue.camera.half_width_m(z)
    crated = Body(crate(), x, z, float(cue.rng.uniform(-0.25, 0.25)), footprint_m=0.0)
    staging.actors.append(cue.actor(lambda _: crated))
    staging.obstacles.append(Obstacle(lambda _: (x, z), 0.8, cue.start_s, cue.end_s))


PLAZA_ACTS: dict[Kind, Act] = {
    AnomalyKind.FAST_MOVER: _drive_through,
    AnomalyKind.BIG_OBJECT: _drive_through,
    AnomalyKind.LEFT_BEHIND: _leave_behind,
    AnomalyKind.WRONG_DIRECTION: _turn_against,
    AnomalyKind.APPEARING_OBJECT: _pop_up,
}
