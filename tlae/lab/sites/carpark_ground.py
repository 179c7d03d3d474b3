"""What never moves on the car park: marked asphalt, pavement, lawns, the offices, masts."""

import numpy as np

from tlae.lab.scenes.textures import cloudy, sample
from tlae.lab.sites.carpark_cars import DEPTH_M, ROWS, SLOT_M
from tlae.lab.sites.lighting import Lamp
from tlae.lab.sites.sprites import Colour, Face, Floats, Material, box_faces

ASPHALT, PAINT, PAVING = (0.105, 0.106, 0.110), (0.50, 0.50, 0.47), (0.27, 0.26, 0.24)
LAWN, BRICK, FRAME = (0.085, 0.12, 0.045), (0.34, 0.27, 0.22), (0.45, 0.45, 0.44)
FACADE_M, STOREYS, STOREY_M = 53.0, 2, 3.6


def car_park_ground(seed: int, x: Floats, z: Floats) -> tuple[Floats, Floats]:
    """Albedo (h, w, 3) and material (h, w) at points of the ground, x and z (h, w) in metres."""
    noise = [cloudy(np.random.default_rng([seed, 43, number])) for number in range(3)]
    rough = 1 + 0.10 * sample(noise[0], x, z, 9.0) + 0.07 * sample(noise[1], x, z, 0.9)
    albedo = np.array(ASPHALT, np.float32) * rough[..., None]
    repaired = ((np.abs(x - 4.5) < 2.1) & (np.abs(z - 19) < 1.1)) | (
        (np.abs(x + 9) < 1.4) & (np.abs(z - 36) < 2)
    )
    albedo[repaired] *= 0.72
    worn = np.clip(0.85 + 0.3 * sample(noise[2], x, z, 3.0), 0.2, 1)[..., None]
    for row in ROWS:
        inside = (
            (z > row.near) & (z < row.near + DEPTH_M) & (np.abs(x) < row.slots * SLOT_M / 2 + 0.06)
        )
        across = np.abs(np.mod(x - row.slots * SLOT_M / 2 + SLOT_M / 2, SLOT_M) - SLOT_M / 2)
        line = inside & (across < 0.06)
        albedo = np.where(
            line[..., None], albedo * (1 - worn) + np.array(PAINT, np.float32) * worn, albedo
        )
        oil = np.exp(-(((across - SLOT_M / 2) / 0.35) ** 2) - ((z - row.near - 1.6) / 0.8) ** 2)
        stain = inside * oil * np.clip(sample(noise[1], x, z, 0.37), 0, 1)
        albedo *= (1 - 0.45 * stain)[..., None]
    for at, direction in ((-3.0, 1), (4.0, 1), (-8.0, -1), (8.0, -1)):
        lane = 19.25 if direction > 0 else 35.75
        along = (x - at) * direction
        arrow = ((np.abs(z - lane) < 0.1) & (np.abs(along) < 0.9)) | (
            (along > 0.4) & (along < 1.4) & (np.abs(z - lane) < (1.4 - along) * 0.45)
        )
        albedo = np.where(arrow[..., None], np.array(PAINT, np.float32) * 0.8, albedo)
    paved = (z > 44.6) & (z <= 48.3)
    joints = 1 - 0.25 * ((np.mod(x, 0.6) < 0.04) | (np.mod(z, 0.6) < 0.04))
    stones = np.array(PAVING, np.float32) * (rough * joints)[..., None]
    albedo = np.where(paved[..., None], stones, albedo)
    kerb = ((z > 44.4) & (z <= 44.6)) | (np.hypot((np.abs(x) - 15.2) / 1.9, (z - 27.5) / 4.8) < 1)
    albedo = np.where(kerb[..., None], np.array(PAVING, np.float32) * 1.3, albedo)
    island = np.hypot((np.abs(x) - 15.2) / 1.7, (z - 27.5) / 4.6) < 1
    lawn = (z > 48.3) | island | (x < -22) & (z > 24) | (x > 22) & (z > 24) & (z < 44)
    blades = (1 + 0.25 * sample(noise[0], x, z, 5.0) + 0.15 * sample(noise[1], x, z, 0.6))[
        ..., None
    ]
    albedo = np.where(lawn[..., None], np.array(LAWN, np.float32) * blades, albedo)
    material = np.where(lawn, np.float32(Material.GRASS), np.float32(Material.PAVING))
    return np.asarray(np.maximum(albedo, 0.005), np.float32), material


def office_building() -> list[Face]:
    """The offices, their windows and their neighbours."""
    tall = STOREYS * STOREY_M + 0.9
    faces = box_faces((-3.0, 0, FACADE_M + 6), (50, tall, 12), BRICK)
    faces += box_faces((-3.0, tall, FACADE_M + 6), (50.6, 0.35, 12.6), FRAME)
    faces += box_faces((34.0, 0, FACADE_M + 22), (20, 11.5, 14), (0.4, 0.38, 0.33))
    faces += box_faces((-44.0, 0, FACADE_M + 26), (28, 8, 14), (0.3, 0.2, 0.15))
    z = FACADE_M - 0.03
    for storey in range(STOREYS):
        for column in range(16):
            x, y = -26.6 + 3.0 * column, 1.0 + storey * STOREY_M
            if storey == 0 and column == 9:  # the entrance
                faces.append(_upright(x - 0.4, 0, 2.8, 2.7, z, (0.03, 0.035, 0.04), Material.GLASS))
                continue
            faces.append(_upright(x - 0.12, y - 0.12, 2.14, 1.84, z + 0.01, FRAME))
            faces.append(_upright(x, y, 0.92, 1.6, z - 0.02, (0.03, 0.035, 0.045), Material.GLASS))
            faces.append(
                _upright(x + 0.98, y, 0.92, 1.6, z - 0.02, (0.03, 0.035, 0.045), Material.GLASS)
            )
    return faces


def _upright(
    x: float,
    y: float,
    wide: float,
    high: float,
    z: float,
    colour: Colour,
    material: Material = Material.WALL,
) -> Face:
    points = np.array([(x, y, z), (x + wide, y, z), (x + wide, y + high, z), (x, y + high, z)])
    return Face(points, colour, material)


def mast(lamp: Lamp) -> list[Face]:
    """A pole, and the arm that carries the lamp."""
    x, y, z = lamp.place
    pole = box_faces((x, 0, z + 0.5), (0.13, y + 0.1, 0.13), (0.2, 0.21, 0.21))
    return pole + box_faces((x, y + 0.05, z + 0.15), (0.35, 0.1, 0.8), (0.3, 0.3, 0.3))
