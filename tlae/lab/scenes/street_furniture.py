"""Things that always stand in the street."""

import math

import numpy as np

from tlae.lab.scenes.furniture import bench, bush, lamp, litter_bin, tree
from tlae.lab.scenes.shapes import Body, Colour, Model, Shape, shaded
from tlae.lab.scenes.street import LEFT_WALL_X, Street

_STONE: Colour = (150, 146, 140)


def street_furniture(street: Street, rng: np.random.Generator) -> list[Body]:
    """All static things."""
    wide = street.widening
    jitter = rng.uniform(-0.3, 0.3, 8)
    trees = [(0.0, 10.6), (0.0, 18.2), (0.1, 29.5), (6.4, 14.4), (6.9, 19.4), (6.6, 31.0)]
    found = [
        Body(
            tree(rng, 3.8 + 0.4 * jitter[n], 1.25), x * wide, z + float(jitter[n]), footprint_m=0.3
        )
        for n, (x, z) in enumerate(trees)
    ]
    found += [
        Body(bush(rng), x * wide, z, footprint_m=0.0)
        for x, z in ((-0.3, 13.6), (0.3, 34.2), (5.2, 17.2), (7.6, 28.2), (5.6, 34.6))
    ]
    found += [Body(lamp(4.8), x * wide, z) for x, z in ((0.9, 15.6), (0.9, 33.0), (-7.2, 27.5))]
    found += [
        Body(bench(), 0.0, 21.15, footprint_m=0.0),
        Body(bench(), 0.0, 26.4, footprint_m=0.0),
        Body(litter_bin(), -7.3 * wide, 19.6, footprint_m=0.3),
        Body(litter_bin(), 4.05 * wide, 27.2, footprint_m=0.3),
    ]
    planters = (15.2, 18.0, 28.6, 31.4, 34.2)
    found += [Body(_planter(rng), LEFT_WALL_X * wide + 0.55, z, footprint_m=0.4) for z in planters]
    return found


def _planter(rng: np.random.Generator) -> Model:
    """A stone pot with a small bush."""
    pot = Shape([(0.0, 0.15, 0.0), (0.0, 0.4, 0.0)], 0.55, _STONE)
    rim = Shape([(-0.12, 0.6, 0.0), (0.12, 0.6, 0.0)], 0.24, shaded(_STONE, 1.15))
    leaves = [
        Shape(
            [(0.26 * math.cos(a), 0.85 + 0.2 * math.sin(3 * a), 0.2 * math.sin(a))],
            0.34,
            shaded((74, 100, 50), float(rng.uniform(0.7, 1.2))),
        )
        for a in np.linspace(0, 2 * math.pi, 9).tolist()
    ]
    return [pot, rim, *leaves]
