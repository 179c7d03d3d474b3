"""Bicycle, cart, suitcase and crate: what normally is not on the plaza."""

import math

from tlae.lab.scenes.figures import Outfit
from tlae.lab.scenes.shapes import Colour, Model, Point, Shape, box, shaded

WHEEL_M = 0.34  # radius of a bicycle wheel
CYCLE_REACH_M = 0.9  # from the middle of a bicycle to its front end
CART_REACH_M = 1.6
CART_HALF_WIDTH_M = 0.68

SUITCASES: tuple[Colour, ...] = ((142, 52, 44), (44, 66, 108), (62, 52, 46))

_TYRE: Colour = (32, 32, 34)
_STEEL: Colour = (90, 94, 100)
_WHITE: Colour = (222, 222, 216)
_GLASS: Colour = (58, 72, 84)


def cyclist(look: Outfit, gone_m: float) -> Model:
    """Someone on a bicycle.

    Args:
        look: build and clothes.
        gone_m: way already ridden, which turns pedals and legs.

    Returns:
        Shapes in drawing order, the wheels touching the ground at +-0.54 m.
    """
    turn = -gone_m / WHEEL_M / 2.2
    hip, shoulder, crank = (-0.2, 0.98), (0.2, 1.45), (-0.02, 0.32)
    pedals = {
        side: (
            crank[0] + 0.17 * math.cos(turn + (math.pi if side > 0 else 0)),
            crank[1] + 0.17 * math.sin(turn + (math.pi if side > 0 else 0)),
        )
        for side in (1, -1)
    }
    legs = {side: _cycling_leg(look, hip, pedals[side], side) for side in (1, -1)}
    rider = [
        Shape([(-0.18, 1.05, 0.0), (0.16, 1.4, 0.0)], 0.25 * look.build, look.top),
        Shape([(0.3, 1.63, 0.0)], 0.22, look.skin),
        Shape([(0.27, 1.69, 0.0)], 0.235, (196, 60, 44)),  # helmet
    ]
    arm = [(*shoulder, -0.16), (0.36, 1.16, -0.2), (0.52, 1.06, -0.2)]
    arms = [
        Shape(arm[:2], 0.1, shaded(look.top, 0.9)),
        Shape(arm[1:], 0.08, shaded(look.top, 0.9), casts=False),
    ]
    return [*legs[1], *_bicycle(), *legs[-1], *rider, *arms]


def _bicycle() -> Model:
    wheels = [
        Shape(_circle(forward, WHEEL_M, WHEEL_M, 0.0), 0.055, _TYRE, filled=False)
        for forward in (-0.54, 0.54)
    ]
    tubes = [
        ((-0.54, 0.34), (-0.02, 0.32)),
        ((-0.02, 0.32), (-0.2, 0.88)),
        ((-0.2, 0.8), (-0.54, 0.34)),
        ((-0.2, 0.8), (0.38, 0.84)),
        ((-0.02, 0.32), (0.4, 0.78)),
        ((0.38, 0.95), (0.54, 0.34)),
    ]
    return wheels + [Shape([(*a, 0.0), (*b, 0.0)], 0.05, (150, 36, 40)) for a, b in tubes]


def _cycling_leg(
    look: Outfit, hip: tuple[float, float], pedal: tuple[float, float], side: int
) -> Model:
    """Hip and pedal are given; the knee is where two bones of 0.45 m meet in front."""
    df, du = pedal[0] - hip[0], pedal[1] - hip[1]
    half = math.hypot(df, du) / 2
    out = math.sqrt(max(0.45**2 - half**2, 0.0)) / (2 * half)
    knee = ((hip[0] + pedal[0]) / 2 - du * out, (hip[1] + pedal[1]) / 2 + df * out, 0.1 * side)
    foot = (pedal[0] + 0.12, pedal[1] - 0.02, 0.1 * side)
    colour = look.trousers if side < 0 else shaded(look.trousers, 0.8)
    return [
        Shape([(*pedal, 0.1 * side), foot], 0.08, look.shoes, casts=False),
        Shape([knee, (*pedal, 0.1 * side)], 0.11, colour),
        Shape([(*hip, 0.1 * side), knee], 0.155, colour),
    ]


def cart(flip: bool, behind: bool = False) -> Model:
    """A small white utility cart with a cabin in front and a loaded bed behind.

    Args:
        flip: it drives to the left, so the camera sees its left side.
        behind: the camera sees more of its rear than of its front.
    """
    near = 1.0 if flip else -1.0
    side = CART_HALF_WIDTH_M * near
    low = box((-1.6, 1.6), (0.3, 0.78), (-0.68, 0.68), _WHITE)
    bed = box((-1.55, 0.2), (0.78, 1.0), (-0.66, 0.66), (196, 198, 196))
    load = [
        *box((-1.4, -0.75), (1.0, 1.42), (-0.5, 0.5), (140, 108, 70)),
        *box((-0.65, -0.05), (1.0, 1.25), (-0.45, 0.45), (92, 104, 88)),
    ]
    cabin = box((0.2, 1.45), (0.78, 1.72), (-0.64, 0.64), _WHITE, taper=(0.0, 0.38))
    panes = [
        Shape(_face([(0.34, 1.08), (0.34, 1.6), (1.02, 1.6), (1.24, 1.08)], side), 0.0, _GLASS),
        Shape(
            [(1.1, 1.62, -0.55), (1.1, 1.62, 0.55), (1.33, 1.05, 0.55), (1.33, 1.05, -0.55)],
            0.0,
            _GLASS,
            one_sided=True,
        ),
        Shape(_face([(0.75, 1.08), (0.8, 1.6)], side), 0.05, _WHITE),
        Shape(_face([(-1.6, 0.62), (1.6, 0.62)], side), 0.07, (60, 110, 84)),
        Shape([(1.61, 0.62, side * 0.7)], 0.16, (244, 236, 196)),
    ]
    wheels = [
        Shape(_circle(forward, 0.32, radius, side * 1.02), 0.0, colour)
        for forward in (-0.98, 1.0)
        for radius, colour in ((0.32, _TYRE), (0.15, _STEEL))
    ]
    under = Shape([(-1.5, 0.24, 0.0), (1.5, 0.24, 0.0)], 0.3, (40, 40, 42))
    upper = [*cabin, *panes, *bed, *load] if behind else [*bed, *load, *cabin, *panes]
    return [under, *low, *upper, *wheels]


def suitcase(colour: Colour) -> Model:
    """A bag that stands on the ground."""
    handle = [(-0.12, 0.5, 0.0), (-0.12, 0.62, 0.0), (0.12, 0.62, 0.0), (0.12, 0.5, 0.0)]
    rods = [Shape(handle[i : i + 2], 0.035, (30, 30, 32)) for i in range(3)]
    return [
        *rods,
        *box((-0.29, 0.29), (0.03, 0.48), (-0.13, 0.13), colour),
        Shape([(-0.28, 0.26, -0.135), (0.28, 0.26, -0.135)], 0.05, shaded(colour, 0.7)),
    ]


def crate() -> Model:
    """A wooden crate, a metre wide."""
    wood: Colour = (190, 144, 88)
    planks = [
        Shape([(-0.5, up, -0.505), (0.5, up, -0.505)], 0.04, shaded(wood, 0.62))
        for up in (0.24, 0.46, 0.68)
    ]
    posts = [
        Shape([(forward, 0.0, -0.51), (forward, 0.9, -0.51)], 0.09, shaded(wood, 0.8))
        for forward in (-0.45, 0.45)
    ]
    return [*box((-0.5, 0.5), (0.0, 0.9), (-0.5, 0.5), wood), *planks, *posts]


def _circle(forward: float, up: float, radius: float, left: float) -> list[Point]:
    """Upright circle, seen from the side."""
    turns = [2 * math.pi * step / 16 for step in range(16)]
    return [(forward + radius * math.cos(a), up + radius * math.sin(a), left) for a in turns]


def _face(places: list[tuple[float, float]], left: float) -> list[Point]:
    """Points (forward, up) on the side of something."""
    return [(forward, up, left * 1.005) for forward, up in places]
