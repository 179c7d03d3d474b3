"""People: what they look like and how their limbs move."""

import math
from dataclasses import dataclass

import numpy as np

from tlae.lab.scenes.shapes import Colour, Model, Point, Shape, moved, shaded

SWING = 0.42  # largest angle of a thigh from the vertical, radians

SKIN: tuple[Colour, ...] = ((224, 178, 150), (198, 146, 112), (150, 104, 76), (98, 66, 50))
HAIR: tuple[Colour, ...] = ((38, 28, 24), (70, 48, 34), (116, 84, 54), (150, 146, 140))
TOPS: tuple[Colour, ...] = (
    *((36, 42, 58), (60, 64, 70), (28, 28, 30), (120, 40, 44), (58, 84, 122), (206, 202, 194)),
    *((86, 98, 74), (158, 148, 130), (40, 82, 80), (172, 120, 58), (112, 92, 122), (150, 168, 186)),
)
TROUSERS: tuple[Colour, ...] = (
    *((38, 46, 70), (30, 30, 34), (66, 68, 74), (112, 100, 82), (48, 60, 92), (74, 58, 48)),
)
SHOES: tuple[Colour, ...] = ((26, 24, 24), (70, 52, 40), (198, 196, 192))
BAGS: tuple[Colour, ...] = ((34, 36, 40), (96, 40, 36), (52, 68, 52), (40, 58, 98))


@dataclass(frozen=True, slots=True)
class Outfit:
    """How one person is built and dressed.

    Attributes:
        height_m: from the ground to the crown.
        build: 1 average, larger is stouter.
        coat: wears something that covers the thighs.
        bare_arms: short sleeves.
        backpack: its colour, or None.
    """

    height_m: float
    build: float
    skin: Colour
    hair: Colour
    top: Colour
    trousers: Colour
    shoes: Colour
    coat: bool
    bare_arms: bool
    backpack: Colour | None

    @property
    def stride_m(self) -> float:
        """Way of two steps: as far as the legs reach, so that feet hardly slip."""
        return 4 * 0.49 * self.height_m * math.sin(SWING)


def random_look(rng: np.random.Generator) -> Outfit:
    """Dress a passer-by."""

    def one_of(colours: tuple[Colour, ...]) -> Colour:
        return shaded(colours[int(rng.integers(len(colours)))], float(rng.uniform(0.85, 1.15)))

    return Outfit(
        height_m=float(np.clip(rng.normal(1.73, 0.08), 1.52, 1.93)),
        build=float(np.clip(rng.normal(1.0, 0.1), 0.82, 1.25)),
        skin=one_of(SKIN),
        hair=one_of(HAIR),
        top=one_of(TOPS),
        trousers=one_of(TROUSERS),
        shoes=one_of(SHOES),
        coat=bool(rng.random() < 0.25),
        bare_arms=bool(rng.random() < 0.3),
        backpack=one_of(BAGS) if rng.random() < 0.3 else None,
    )


def walking_person(look: Outfit, phase: float, heading: float, swing: float = 1.0) -> Model:
    """A person in mid-stride.

    Args:
        look: build and clothes.
        phase: radians through one stride (two steps).
        heading: radians, decides which limbs cover which.
        swing: of arms and legs; 0 stands, 1 walks, 1.5 runs.

    Returns:
        Shapes in drawing order, standing on the origin.
    """
    tall, wide = look.height_m, look.height_m * look.build
    steps = {+1: _leg(tall, phase, swing), -1: _leg(tall, phase + math.pi, swing)}  # left, right
    hip_up = 0.035 * tall - min(up for leg in steps.values() for _, up in leg)
    far = 1 if math.cos(heading) > 0 else -1
    near = -far
    limbs = {
        side: moved(_leg_shapes(look, steps[side]), 0.0, hip_up, 0.055 * wide * side)
        for side in steps
    }
    shoulder = (0.025 * tall, hip_up + 0.27 * tall)
    arms = {
        side: _arm(look, shoulder, side, phase + (math.pi if side > 0 else 0.0), swing)
        for side in steps
    }
    body = [*_torso(look, hip_up), *_head(look, hip_up, heading)]
    pack = _backpack(look, hip_up)
    if math.sin(heading) < -0.5:  # towards the camera: the back is hidden
        return [*pack, *arms[far], *limbs[far], *limbs[near], *body, *arms[near]]
    return [*arms[far], *limbs[far], *limbs[near], *body, *pack, *arms[near]]


def _leg(tall: float, phase: float, swing: float) -> list[tuple[float, float]]:
    """Knee, ankle and toe (forward, up) seen from the hip."""
    thigh = swing * SWING * math.cos(phase)
    lifted = swing * max(0.0, -math.sin(phase)) ** 1.5  # the leg swings forward in the second half
    shank = thigh - 0.1 - 0.95 * lifted
    knee = (0.245 * tall * math.sin(thigh), -0.245 * tall * math.cos(thigh))
    ankle = (
        knee[0] + 0.245 * tall * math.sin(shank),
        knee[1] - 0.245 * tall * math.cos(shank),
    )
    pitch = min(0.35, 0.7 * shank + 0.1)
    toe = (ankle[0] + 0.1 * tall * math.cos(pitch), ankle[1] + 0.1 * tall * math.sin(pitch))
    return [knee, ankle, toe]


def _leg_shapes(look: Outfit, leg: list[tuple[float, float]]) -> Model:
    knee, ankle, toe = ((f, u, 0.0) for f, u in leg)
    wide = look.height_m * look.build
    shin = shaded(look.trousers, 0.94)
    return [
        Shape([ankle, toe], 0.045 * wide, look.shoes, casts=False),
        Shape([knee, ankle], 0.062 * wide, shin),
        Shape([(0.0, 0.0, 0.0), knee], 0.088 * wide, look.trousers),
    ]


def _arm(
    look: Outfit, shoulder: tuple[float, float], side: int, phase: float, swing: float
) -> Model:
    """Arm that swings against the leg of its side."""
    tall, wide = look.height_m, look.height_m * look.build
    upper = swing * 0.55 * SWING * math.cos(phase) - 0.05
    fore = upper + 0.3 + 0.2 * max(0.0, math.cos(phase))
    top = (*shoulder, 0.105 * wide * side)
    elbow = _hang(top, 0.165 * tall, upper)
    wrist = _hang(elbow, 0.13 * tall, fore)
    hand = _hang(wrist, 0.03 * tall, fore)
    sleeve = shaded(look.top, 0.9)
    return [
        Shape([hand], 0.045 * tall, look.skin, casts=False),
        Shape([elbow, wrist], 0.042 * wide, look.skin if look.bare_arms else sleeve, casts=False),
        Shape([top, elbow], 0.056 * wide, sleeve),
    ]


def _hang(start: Point, length: float, angle: float) -> Point:
    """End of a limb that hangs at ``angle`` from the vertical."""
    forward, up, left = start
    return forward + length * math.sin(angle), up - length * math.cos(angle), left


def _torso(look: Outfit, hip_up: float) -> Model:
    tall, wide = look.height_m, look.height_m * look.build
    high, low = hip_up + 0.25 * tall, hip_up + 0.04 * tall
    chest: list[Point] = [
        (0.025 * tall, high, 0.072 * wide),
        (0.025 * tall, high, -0.072 * wide),
        (0.0, low, -0.05 * wide),
        (0.0, low, 0.05 * wide),
    ]
    shapes = [Shape([(0.0, hip_up, 0.0)], 0.125 * wide, look.trousers, casts=False)]
    if look.coat:
        skirt = [(0.0, hip_up + 0.02 * tall, 0.0), (0.0, hip_up - 0.1 * tall, 0.0)]
        shapes.append(Shape(skirt, 0.15 * wide, shaded(look.top, 0.93)))
    shapes.append(Shape(chest, 0.115 * wide, look.top))
    return shapes


def _head(look: Outfit, hip_up: float, heading: float) -> Model:
    tall = look.height_m
    neck, middle = hip_up + 0.31 * tall, hip_up + 0.395 * tall
    shapes = [
        Shape([(0.03 * tall, neck, 0.0), (0.035 * tall, middle, 0.0)], 0.05 * tall, look.skin),
        Shape([(0.03 * tall, middle + 0.008 * tall, 0.0)], 0.132 * tall, look.hair),
    ]
    if math.sin(heading) < 0.5:  # the face can be seen
        face = (0.052 * tall, middle - 0.014 * tall, 0.0)
        shapes.append(Shape([face], 0.098 * tall, look.skin, casts=False))
    return shapes


def _backpack(look: Outfit, hip_up: float) -> Model:
    if look.backpack is None:
        return []
    tall = look.height_m
    straps = [(-0.075 * tall, hip_up + 0.22 * tall, 0.0), (-0.075 * tall, hip_up + 0.1 * tall, 0.0)]
    return [Shape(straps, 0.1 * tall, look.backpack)]
