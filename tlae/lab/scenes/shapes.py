"""Solid shapes in metres, from which people, vehicles and furniture are put together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

Point = tuple[float, float, float]
Colour = tuple[int, int, int]  # RGB


@dataclass(frozen=True, slots=True)
class Shape:
    """One stroke: a ball (one point), a rod (two) or a rounded polygon (more).

    Attributes:
        points: in metres; in a model's own axes forward, up, left, or in the world's x, y, z.
        width_m: diameter of ball or rod, or of the rounding around a polygon.
        colour: RGB.
        one_sided: polygon seen only from the side where its points run clockwise.
        filled: False leaves only a polygon's outline.
        casts: whether it throws a shadow; details inside another shape need not.
    """

    points: Sequence[Point]
    width_m: float
    colour: Colour
    one_sided: bool = False
    filled: bool = True
    casts: bool = True


Model = list[Shape]


@dataclass(frozen=True, slots=True)
class Body:
    """A model standing somewhere.

    Attributes:
        shapes: in the model's axes (forward, up, left), drawn in this order.
        x: of the model's origin, metres.
        z: of the model's origin, metres; nearer bodies cover farther ones.
        heading: radians; 0 faces right, pi/2 away from the camera.
        footprint_m: radius of the dark patch where it meets the ground.
    """

    shapes: Model
    x: float
    z: float
    heading: float = 0.0
    footprint_m: float = 0.17

    def world_points(self) -> np.ndarray:
        """All points of all shapes, one after another, in world axes (N, 3)."""
        local = np.array([point for shape in self.shapes for point in shape.points])
        cos, sin = np.cos(self.heading), np.sin(self.heading)
        forward, up, left = local.T
        x = self.x + forward * cos - left * sin
        z = self.z + forward * sin + left * cos
        return np.stack([x, up, z], axis=1)


def shaded(colour: Colour, factor: float) -> Colour:
    """The colour, lighter (> 1) or darker (< 1)."""
    red, green, blue = (min(255, max(0, round(value * factor))) for value in colour)
    return red, green, blue


def box(
    forward: tuple[float, float],
    up: tuple[float, float],
    left: tuple[float, float],
    colour: Colour,
    taper: tuple[float, float] = (0.0, 0.0),
) -> Model:
    """Faces of a box, each lit by where it looks; faces that look away are not drawn.

    Args:
        forward: rear and front end, metres.
        up: lower and upper end.
        left: right and left side.
        colour: RGB of a side face.
        taper: how far the top's rear and front edges are drawn in, metres.
    """
    (f0, f1), (u0, u1), (l0, l1) = forward, up, left
    t0, t1 = f0 + taper[0], f1 - taper[1]
    low = [(f0, u0, l0), (f1, u0, l0), (f1, u0, l1), (f0, u0, l1)]
    top = [(t0, u1, l0), (t1, u1, l0), (t1, u1, l1), (t0, u1, l1)]
    faces = [
        ([top[0], top[1], low[1], low[0]], 0.92),  # right
        ([top[2], top[3], low[3], low[2]], 0.8),  # left
        ([top[1], top[2], low[2], low[1]], 0.68),  # front
        ([top[3], top[0], low[0], low[3]], 0.84),  # rear
        ([top[3], top[2], top[1], top[0]], 1.12),  # lid
    ]
    return [Shape(points, 0.0, shaded(colour, light), one_sided=True) for points, light in faces]


def moved(shapes: Iterable[Shape], forward: float, up: float, left: float) -> Model:
    """The shapes, shifted within their model."""
    return [
        replace(s, points=[(f + forward, u + up, side + left) for f, u, side in s.points])
        for s in shapes
    ]
