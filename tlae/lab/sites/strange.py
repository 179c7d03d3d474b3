"""Things that do not belong to a site: what they are called, and how they look."""

import numpy as np

from tlae.lab.scenes.camera import SceneCamera
from tlae.lab.sites.people import CLOTHES, bird, four_legs
from tlae.lab.sites.shadows import Slice, box_slices, round_slices
from tlae.lab.sites.site import Piece
from tlae.lab.sites.sprites import (
    Colour,
    Face,
    Material,
    Place,
    box_faces,
    faces_sprite,
    flat_sprite,
    turn,
)

Box = tuple[Place, Place, Colour]

WOOD: Colour = (0.30, 0.20, 0.10)
LOUD: tuple[Colour, ...] = (
    (0.45, 0.16, 0.02),
    (0.05, 0.14, 0.36),
    (0.42, 0.34, 0.03),
    (0.36, 0.03, 0.04),
    (0.55, 0.55, 0.52),
    (0.03, 0.03, 0.035),
    (0.04, 0.22, 0.12),
)
LASTING = ("crate", "pallets", "barrels", "suitcase", "sofa", "tent", "skip", "boards")
PASSING = ("deer", "dog", "balloon", "trolley", "crate", "big bird")
RETURNING = ("trolley", "barrels", "suitcase", "dog")


def strange_piece(
    what: str, camera: SceneCamera, place: tuple[float, float], rng: np.random.Generator
) -> Piece:
    """A thing on the ground at (x, z) in metres; size, colour and turn are drawn."""
    x, z = place
    size, angle = float(rng.uniform(0.85, 1.3)), float(rng.uniform(-0.6, 0.6))
    colour = LOUD[int(rng.integers(len(LOUD)))]
    if what in ("deer", "dog", "balloon", "big bird"):
        return _flat(what, camera, (x, z), size, colour, rng)
    faces: list[Face] = []
    slices: list[Slice] = []
    if what == "tent":
        faces, slices = _tent(x, z, size, angle, colour)
    for (dx, dy, dz), measures, paint in [] if what == "tent" else _boxes(what, colour):
        offset = turn(np.array([[dx, dz]]), angle)[0] * size
        centre = (x + float(offset[0]), dy * size, z + float(offset[1]))
        scaled = (measures[0] * size, measures[1] * size, measures[2] * size)
        faces += box_faces(centre, scaled, paint, angle)
        slices += box_slices(centre, scaled, angle, 3)
    feet = [one.plan for one in slices if one.height < 0.6 * size][:4]
    return Piece(faces_sprite(camera, faces), slices, feet)


def _boxes(what: str, colour: Colour) -> list[Box]:
    """Feet, measures and colours of what a thing is built of."""
    grey: Colour = (0.4, 0.41, 0.42)
    black: Colour = (0.05, 0.05, 0.05)
    if what == "crate":
        return [((0, 0, 0), (1.1, 1.0, 1.1), WOOD), ((0, 1.0, 0), (1.2, 0.08, 1.2), WOOD)]
    if what == "pallets":
        return [((0, 0.17 * k, 0), (1.2, 0.13, 0.9), WOOD) for k in range(5)]
    if what == "barrels":
        places = ((0, 0), (0.65, 0.1), (0.3, 0.6))
        return [((right, 0, away), (0.55, 0.9, 0.55), colour) for right, away in places]
    if what == "suitcase":
        return [((0, 0, 0), (0.55, 0.75, 0.3), colour), ((0, 0.75, 0), (0.3, 0.1, 0.06), black)]
    if what == "sofa":
        arms: list[Box] = [((side, 0.1, 0), (0.25, 0.65, 0.9), colour) for side in (-0.95, 0.95)]
        back: Box = ((0, 0.5, 0.35), (2.0, 0.5, 0.25), colour)
        return [((0, 0.1, 0), (2.0, 0.4, 0.9), colour), back, *arms]
    if what == "skip":
        rubble: Box = ((0, 1.31, 0), (2.7, 0.12, 1.4), (0.2, 0.17, 0.13))
        return [((0, 0.1, 0), (3.0, 1.2, 1.7), colour), rubble]
    if what == "boards":
        return [((0.1 * k, 0.08 * k, 0.06 * (k % 2)), (2.6, 0.07, 0.5), WOOD) for k in range(6)]
    legs: list[Box] = [((0, 0, away), (0.5, 0.35, 0.06), black) for away in (-0.3, 0.3)]
    handle: Box = ((0, 0.9, -0.5), (0.6, 0.1, 0.06), (0.4, 0.03, 0.03))
    return [((0, 0.35, 0), (0.6, 0.55, 0.9), grey), handle, *legs]  # a trolley


def _tent(
    x: float, z: float, size: float, angle: float, colour: Colour
) -> tuple[list[Face], list[Slice]]:
    plan = turn(
        np.array([(-1.1, -1), (1.1, -1), (1.1, 1), (-1.1, 1), (0, -1), (0, 1)]) * size, angle
    )
    high = [0, 0, 0, 0, 1.3 * size, 1.3 * size]
    points = np.stack([plan[:, 0] + x, high, plan[:, 1] + z], axis=1)
    outlines = ((0, 1, 4), (2, 3, 5), (0, 3, 5, 4), (1, 2, 5, 4))
    faces = [Face(points[list(at)], colour, Material.CLOTH) for at in outlines]
    slices = []
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        half = np.array([(-1.1, -1), (1.1, -1), (1.1, 1), (-1.1, 1)]) * size * (1 - share, 1)
        slices.append(Slice(turn(half, angle) + np.array([x, z]), 1.3 * size * share))
    return faces, slices


def _flat(
    what: str,
    camera: SceneCamera,
    place: tuple[float, float],
    size: float,
    colour: Colour,
    rng: np.random.Generator,
) -> Piece:
    x, z = place
    if what == "balloon":
        angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        ball = np.stack([0.4 * np.cos(angles), 1.7 + 0.48 * np.sin(angles)], axis=1) * size
        string = np.array([(-0.015, 0.4), (0.015, 0.4), (0.015, 1.25), (-0.015, 1.25)]) * size
        parts = [(string, (0.5, 0.5, 0.5), Material.CLOTH), (ball, colour, Material.CLOTH)]
        slices = round_slices((x, z), [(1.4 * size, 0.3), (1.7 * size, 0.4), (2 * size, 0.3)])
    elif what == "big bird":
        parts = [
            (outline * (4 * size), paint, part) for outline, paint, part in bird((0.4, 0.4, 0.4))
        ]
        slices = round_slices((x, z), [(0.3, 0.3), (0.7, 0.5), (1.1, 0.2)])
    else:
        coat = CLOTHES[int(rng.integers(len(CLOTHES)))]
        brown: Colour = (0.22, 0.13, 0.07) if what == "deer" else coat
        length = 1.5 * size if what == "deer" else 0.85 * size
        parts = four_legs(length, brown, 0.0 if what == "deer" else 0.3)
        slices = box_slices((x, 0.3 * length, z), (length, 0.5 * length, 0.3), steps=3)
    sign = 1 if rng.random() < 0.5 else -1
    parts = [(outline * (sign, 1), paint, part) for outline, paint, part in parts]
    foot = round_slices((x, z), [(0.0, 0.25)], 6)[0].plan
    return Piece(flat_sprite(camera, (x, 0, z), parts), slices, [foot])
