"""Things that always stand on the plaza."""

import math

import numpy as np

from tlae.lab.scenes.camera import SceneCamera
from tlae.lab.scenes.ground import BED_Z, LAWN_Z, WALL_TOP_M, WALL_Z
from tlae.lab.scenes.shapes import Body, Colour, Model, Point, Shape, shaded

_LEAVES: Colour = (74, 96, 48)
_BARK: Colour = (84, 68, 54)
_WOOD: Colour = (138, 98, 62)
_METAL: Colour = (64, 68, 70)


def furniture(camera: SceneCamera, rng: np.random.Generator) -> list[Body]:
    """All static things, placed by the width of the picture."""
    far, near = camera.half_width_m(LAWN_Z), camera.half_width_m(BED_Z)
    jitter = rng.uniform(-0.06, 0.06, 8)
    return [
        Body(hedge(rng, camera.half_width_m(WALL_Z) + 1), 0.0, WALL_Z - 1.2, footprint_m=0.0),
        Body(tree(rng, 3.0, 1.25), far * (-0.62 + jitter[0]), 26.4, footprint_m=0.3),
        Body(tree(rng, 2.6, 1.1), far * (0.86 + jitter[1]), 26.8, footprint_m=0.3),
        Body(lamp(5.2), far * (0.28 + jitter[2]), LAWN_Z + 0.6, footprint_m=0.2),
        Body(bench(), far * (-0.2 + jitter[3]), LAWN_Z - 0.7, footprint_m=0.0),
        Body(bench(), far * (0.56 + jitter[4]), LAWN_Z - 0.7, footprint_m=0.0),
        Body(litter_bin(), far * (0.36 + jitter[5]), LAWN_Z - 0.6, footprint_m=0.3),
        Body(tree(rng, 2.9, 1.3), near * (-0.95 + jitter[6] / 2), BED_Z - 0.7, footprint_m=0.35),
        Body(lamp(4.6), near * (0.62 + jitter[7]), BED_Z - 0.3, footprint_m=0.2),
        *(Body(bush(rng), near * share, BED_Z - 0.9, footprint_m=0.0) for share in (0.86, -0.55)),
    ]


def building(camera: SceneCamera) -> Body:
    """The building as far as its shadow goes; its front is painted with the ground."""
    half = camera.half_width_m(WALL_Z) * 2
    front: list[Point] = [
        (-half, 0.0, 0.0),
        (half, 0.0, 0.0),
        (half, WALL_TOP_M, 0.0),
        (-half, WALL_TOP_M, 0.0),
    ]
    return Body([Shape(front, 0.0, (0, 0, 0))], 0.0, WALL_Z, footprint_m=0.0)


def leaves(
    rng: np.random.Generator, count: int, middle: Point, size: Point, leaf_m: float
) -> Model:
    """Balls in an ellipsoid, drawn from its shaded underside to its sunny top."""
    ways = rng.normal(size=(count, 3))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    ways *= rng.uniform(0.55, 1.0, (count, 1))
    light = 0.35 * ways[:, 1] - 0.2 * ways[:, 0] + rng.normal(0, 0.13, count)
    shapes = []
    for index in np.argsort(light + 0.2 * -ways[:, 2]):
        f, up, left = (float(m + s * w) for m, s, w in zip(middle, size, ways[index], strict=True))
        colour = shaded(_LEAVES, max(0.5, 0.9 + float(light[index])))
        width = leaf_m * float(rng.uniform(0.7, 1.3))
        shapes.append(Shape([(f, up, left)], width, colour))
    return shapes


def tree(rng: np.random.Generator, crown_up: float, radius: float) -> Model:
    """A tree; metres from the ground to its crown, and of the crown."""
    trunk: list[Point] = [(0.0, 0.0, 0.0), (0.05, crown_up, 0.0)]
    branches = [
        Shape([(0.03, crown_up * 0.6, 0.0), (side * radius * 0.6, crown_up, 0.0)], 0.09, _BARK)
        for side in (-1, 1)
    ]
    crown = leaves(rng, 420, (0.0, crown_up + 0.3, 0.0), (radius, 0.8 * radius, radius), 0.26)
    return [Shape(trunk, 0.24, _BARK), *branches, *crown]


def bush(rng: np.random.Generator) -> Model:
    """A bush, knee-high."""
    return leaves(rng, 160, (0.0, 0.3, 0.0), (0.75, 0.4, 0.5), 0.17)


def hedge(rng: np.random.Generator, half_m: float) -> Model:
    """A row of bushes along the building."""
    count = math.ceil(half_m / 0.35)
    shapes: Model = [Shape([(-half_m, 0.4, 0.0), (half_m, 0.4, 0.0)], 0.9, shaded(_LEAVES, 0.55))]
    for step in range(count):
        middle = (half_m * (2 * step / count - 1), 0.5, 0.0)
        shapes += leaves(rng, 14, middle, (0.5, 0.5, 0.4), 0.3)
    return shapes


def lamp(height_m: float) -> Model:
    """A street lamp with an arm to the left."""
    arm: list[Point] = [(0.0, height_m, 0.0), (-0.55, height_m + 0.12, 0.0)]
    return [
        Shape([(0.0, 0.0, 0.0), (0.0, 0.6, 0.0)], 0.2, _METAL),
        Shape([(0.0, 0.0, 0.0), (0.0, height_m, 0.0)], 0.11, shaded(_METAL, 1.3)),
        Shape(arm, 0.08, _METAL),
        Shape(
            [(-0.45, height_m + 0.06, 0.0), (-0.85, height_m + 0.12, 0.0)], 0.17, (188, 190, 186)
        ),
    ]


def bench() -> Model:
    """A wooden bench."""
    legs = [Shape([(f, 0.0, 0.1), (f, 0.85, 0.28)], 0.08, _METAL) for f in (-0.75, 0.75)]
    back = [
        Shape([(-0.95, up, 0.28), (0.95, up, 0.28)], 0.13, shaded(_WOOD, light))
        for up, light in ((0.62, 0.85), (0.82, 1.0))
    ]
    seat: list[Point] = [
        (-0.95, 0.44, 0.25),
        (0.95, 0.44, 0.25),
        (0.95, 0.44, -0.2),
        (-0.95, 0.44, -0.2),
    ]
    front = [Shape([(f, 0.0, -0.18), (f, 0.42, -0.18)], 0.08, _METAL) for f in (-0.75, 0.75)]
    return [*legs, *back, *front, Shape(seat, 0.05, shaded(_WOOD, 1.15))]


def litter_bin() -> Model:
    """A litter bin."""
    lid: list[Point] = [(-0.05, 0.92, 0.0), (0.05, 0.92, 0.0)]
    return [
        Shape([(0.0, 0.2, 0.0), (0.0, 0.78, 0.0)], 0.48, (58, 78, 66)),
        Shape(lid, 0.42, (40, 46, 44)),
    ]
