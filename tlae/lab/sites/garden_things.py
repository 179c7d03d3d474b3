"""Furniture of the garden: faces to see, slices that cast shadows."""

import numpy as np

from tlae.lab.sites.shadows import Slice, box_slices, round_slices
from tlae.lab.sites.sprites import Colour, Face, Material, box_faces

Parts = tuple[list[Face], list[Slice]]

LAUNDRY: tuple[Colour, ...] = (
    *((0.6, 0.6, 0.58), (0.15, 0.22, 0.42), (0.45, 0.12, 0.12)),
    *((0.55, 0.5, 0.35), (0.12, 0.13, 0.15), (0.4, 0.5, 0.55)),
)


def chair(x: float, z: float, angle: float, away: float) -> Parts:
    """A white chair whose back is on the near (``away`` < 0) or far side."""
    white: Colour = (0.5, 0.5, 0.48)
    back = 0.22 * np.sign(away)
    faces = box_faces((x, 0.42, z), (0.46, 0.05, 0.46), white, angle)
    faces += box_faces((x, 0.47, z + back), (0.46, 0.45, 0.05), white, angle)
    for right in (-0.2, 0.2):
        for far in (-0.2, 0.2):
            faces += box_faces((x + right, 0, z + far), (0.04, 0.42, 0.04), white, angle)
    slices = box_slices((x, 0.3, z), (0.46, 0.15, 0.46), angle, 1)
    slices += box_slices((x, 0.45, z + back), (0.46, 0.47, 0.07), angle, 3)
    return faces, slices


def parasol(x: float, z: float) -> Parts:
    """An open parasol."""
    angles = np.linspace(0, 2 * np.pi, 9)
    faces = box_faces((x, 0, z), (0.06, 2.3, 0.06), (0.4, 0.4, 0.4))
    top = np.array([x, 2.6, z])
    for number in range(8):
        a, b = angles[number], angles[number + 1]
        rim = [(x + 1.4 * np.cos(c), 2.1, z + 1.4 * np.sin(c)) for c in (a, b)]
        colour: Colour = (0.5, 0.45, 0.33) if number % 2 else (0.42, 0.10, 0.07)
        faces.append(Face(np.array([top, *rim]), colour, Material.CLOTH))
    return faces, round_slices((x, z), [(1.0, 0.04), (2.1, 1.4), (2.4, 0.6)])


def laundry(
    line: tuple[float, float, float],
    wind: float,
    rng: np.random.Generator,
    now: np.random.Generator,
) -> Parts:
    """What hangs on a line, moved by the wind.

    Args:
        line: from x to x, at z, in metres.
        wind: 0 to 1.
        rng: of what hangs there.
        now: of how the wind blows.
    """
    left, right, z = line
    faces: list[Face] = []
    slices: list[Slice] = []
    x = left + 0.3
    while x < right - 0.5:
        wide, long = rng.uniform(0.35, 0.9), rng.uniform(0.5, 1.1)
        colour = LAUNDRY[int(rng.integers(len(LAUNDRY)))]
        blown, low = now.normal(0, 0.25) * wind, 1.9 - long
        points = [(x, 1.9, z), (x + wide, 1.9, z)]
        points += [(x + wide + blown, low, z - blown), (x + blown, low, z - blown)]
        faces.append(Face(np.array(points), colour, Material.CLOTH))
        slices += box_slices((x + wide / 2, low, z), (wide, long, 0.06), steps=4)
        x += wide + rng.uniform(0.1, 0.35)
    return faces, slices
