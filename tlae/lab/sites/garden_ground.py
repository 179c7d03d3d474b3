"""What never moves in the garden: terrace, lawn, beds, path, the shed and the houses behind."""

import numpy as np

from tlae.lab.scenes.textures import cloudy, sample
from tlae.lab.sites.sprites import Colour, Face, Floats, Material, box_faces

LAWN, SOIL, STONE = (0.085, 0.14, 0.04), (0.095, 0.065, 0.045), (0.30, 0.26, 0.21)
GLASS: Colour = (0.03, 0.035, 0.04)
TERRACE_M, BACK_M = 9.0, 24.0  # where the lawn begins and where the fence stands
HOUSE_M = 38.0
WINDOWS = ((-9.4, 3.4), (-6.4, 3.4), (-9.4, 0.9), (-3.4, 3.4), (6.6, 3.2), (9.6, 3.2), (12.6, 3.2))


def garden_ground(seed: int, x: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Albedo (h, w, 3) and material (h, w) at points of the ground, x and z (h, w) in metres."""
    noise = [cloudy(np.random.default_rng([seed, 81, number])) for number in range(3)]
    fine, broad = sample(noise[0], x, z, 14.0), sample(noise[1], x, z, 1.1)
    blades = 1 + 0.22 * fine + 0.12 * broad
    dry = np.clip(0.2 + 0.25 * sample(noise[2], x, z, 0.7), 0, 0.8)[..., None]
    green = np.array(LAWN, np.float32) * (1 - dry) + np.array((0.17, 0.16, 0.07), np.float32) * dry
    albedo = green * blades[..., None]
    edge = 0.25 * np.sin(x * 0.9) + 0.12 * broad
    bed = (z > 21.4 + edge) & (z < BACK_M) | (x < -0.62 * z + 4.4 + edge) & (z > 10.5) & (z < 17)
    earth = np.array(SOIL, np.float32) * (1 + 0.3 * fine + 0.1 * broad)[..., None]
    albedo = np.where(bed[..., None], earth, albedo)
    steps = np.mod(z, 0.95) - 0.47
    middle = 2.6 + 0.5 * np.sin(z * 0.35)
    round_stone = (np.hypot((x - middle) / 0.42, steps / 0.33) < 1) & (z > 9) & (z < 21)
    terrace = z < TERRACE_M
    row = np.floor(z / 0.6)
    joint = (np.mod(x + 0.3 * np.mod(row, 2), 0.8) < 0.025) | (np.mod(z, 0.6) < 0.03)
    tint = 1 + 0.09 * np.sin(37.0 * np.floor((x + 0.3 * np.mod(row, 2)) / 0.8) + 91.0 * row)
    stone = np.array(STONE, np.float32) * (tint * (1 + 0.08 * fine) * (1 - 0.4 * joint))[..., None]
    albedo = np.where((terrace | round_stone)[..., None], stone, albedo)
    material = np.where(terrace | round_stone, Material.PAVING, Material.GRASS)
    material = np.where(bed, Material.PAVING, material)
    return np.asarray(np.maximum(albedo, 0.005), np.float32), material.astype(np.float32)


def houses() -> list[Face]:
    """The neighbours' houses beyond the fence, with pitched roofs, and the shed."""
    faces = _house(-7.0, HOUSE_M, 11.0, 5.4, 8.6, (0.50, 0.45, 0.36), (0.22, 0.08, 0.05))
    faces += _house(9.6, HOUSE_M, 11.5, 5.2, 8.0, (0.42, 0.30, 0.22), (0.10, 0.10, 0.11))
    faces += _house(27.0, HOUSE_M + 9, 13.0, 5.4, 8.8, (0.52, 0.5, 0.46), (0.2, 0.09, 0.06))
    for x, y in WINDOWS:
        z = HOUSE_M - 0.03
        faces.append(_upright(x - 0.1, y - 0.1, 1.5, 1.5, z, (0.6, 0.6, 0.57), Material.WALL))
        faces.append(_upright(x, y, 0.6, 1.3, z - 0.02, GLASS, Material.GLASS))
        faces.append(_upright(x + 0.7, y, 0.6, 1.3, z - 0.02, GLASS, Material.GLASS))
    faces += box_faces((10.6, 0, 21.0), (3.4, 2.2, 2.6), (0.20, 0.12, 0.07))
    faces += box_faces((10.6, 2.2, 21.0), (3.8, 0.12, 3.0), (0.09, 0.09, 0.095))
    faces.append(_upright(9.6, 0, 0.95, 1.95, 19.66, (0.11, 0.07, 0.045), Material.WALL))
    faces.append(_upright(11.0, 1.0, 0.7, 0.6, 19.66, GLASS, Material.GLASS))
    return faces


def _house(
    x: float, z: float, wide: float, eaves: float, ridge: float, wall: Colour, roof: Colour
) -> list[Face]:
    faces = box_faces((x, 0, z + 4), (wide, eaves, 8), wall)
    left, right = x - wide / 2 - 0.4, x + wide / 2 + 0.4
    low, high = eaves - 0.15, ridge
    corners = [
        (left, low, z - 0.4),
        (right, low, z - 0.4),
        (right, high, z + 4),
        (left, high, z + 4),
    ]
    faces.append(Face(np.array(corners), roof))
    faces += box_faces((x + wide * 0.22, ridge - 1.2, z + 3.2), (0.8, 2.1, 0.8), (0.2, 0.1, 0.08))
    return faces


def _upright(
    x: float, y: float, wide: float, high: float, z: float, colour: Colour, material: Material
) -> Face:
    points = np.array([(x, y, z), (x + wide, y, z), (x + wide, y + high, z), (x, y + high, z)])
    return Face(points, colour, material)
