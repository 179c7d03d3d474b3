"""The empty street in paint: pavement, grass, walls, and how far away each pixel of a wall is."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image
from tlae.lab.scenes.camera import SceneCamera
from tlae.lab.scenes.street import (
    ALLEY_Z,
    END_WALL_Z,
    LEFT_WALL_X,
    RIGHT_WALL_X,
    WALLS_Z,
    Street,
)
from tlae.lab.scenes.textures import Floats, cloudy, grass, rgb, sample, tinted

SLAB_M, KERB_M, BAY_M, FLOOR_M = 1.2, 0.22, 3.4, 3.1

_SLAB, _DARK_PAVER, _JOINT = (168, 162, 152), (139, 130, 120), (120, 114, 106)
_KERB = (192, 189, 182)
_PLASTER = ((186, 160, 124), (150, 118, 96), (172, 166, 150))  # left, right, end
_GLASS, _FRAME, _PLINTH = (62, 76, 88), (206, 202, 194), (112, 106, 100)
_AWNINGS = ((146, 62, 52), (60, 92, 78), (66, 82, 116), (178, 146, 84))
_HAZE, _HAZE_M = (176, 186, 196), 260.0
_FINENESS = 3  # sub-pixels along each side
_FAR_M = 26.0  # from here on patterns melt into their mean, finer than pixels

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Rays:
    """What every sub-pixel shows, all (h, w); lengths in metres.

    Attributes:
        x: to the right.
        y: up; 0 on the ground.
        z: away.
        wall: 0 ground, 1 left, 2 right, 3 across the street.
    """

    x: Floats
    y: Floats
    z: Floats
    wall: npt.NDArray[np.uint8]


def paint_street(camera: SceneCamera, rng: np.random.Generator) -> tuple[Image, Floats]:
    """RGB picture (H, W, 3) of the empty street, and depth (H, W) of its walls, inf elsewhere."""
    street = Street.before(camera)
    rays = _cast(camera, street)
    clouds = [cloudy(rng) for _ in range(3)]
    picture = _ground(street, rays, clouds, rng)
    for wall in (1, 2, 3):
        along = rays.x if wall == 3 else rays.z
        front = _facade(wall, along, rays.y, rays.z, rng)
        front *= (1 + 0.035 * sample(clouds[2], along, rays.y, 3.0))[..., None]
        picture = np.where((rays.wall == wall)[..., None], front, picture)
    haze = (1 - np.exp(-rays.z / _HAZE_M))[..., None]
    picture = picture * (1 - haze) + rgb(_HAZE) * haze
    height, width = camera.size_hw
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    depth = np.where(rays.wall > 0, rays.z, np.inf)
    middle = slice(_FINENESS // 2, None, _FINENESS)
    return np.asarray(np.clip(np.rint(small), 0, 255), np.uint8), depth[middle, middle]


def _cast(camera: SceneCamera, street: Street) -> _Rays:
    """Follow each ray to the first thing it meets."""
    height, width = camera.size_hw
    v, u = np.mgrid[0 : height * _FINENESS, 0 : width * _FINENESS].astype(np.float32)
    across = ((u + 0.5) / _FINENESS - width / 2) / camera.focal_px  # metres a metre away
    down = ((v + 0.5) / _FINENESS - camera.horizon_px) / camera.focal_px
    with np.errstate(divide="ignore"):
        z = np.where(down > 0, camera.height_m / down, np.inf)
    wall = np.zeros(z.shape, np.uint8)

    def meet(at: Floats, number: int, hits: Bools) -> None:
        nearer = hits & (at < z)
        z[nearer], wall[nearer] = at[nearer], number

    for number, side in ((1, LEFT_WALL_X), (2, RIGHT_WALL_X)):
        wall_x = side * street.widening
        with np.errstate(divide="ignore"):
            at = np.where(across * wall_x > 0, wall_x / across, np.inf).astype(np.float32)
        for near, far in WALLS_Z:
            meet(at, number, (at > near) & (at < far))
        corner = WALLS_Z[1][0]  # far side of the alley
        meet(np.full_like(z, corner), 3, across * corner * np.sign(side) > abs(wall_x))
    meet(np.full_like(z, END_WALL_Z), 3, np.ones(z.shape, bool))
    y = np.where(wall > 0, camera.height_m - down * z, 0.0)
    x, y, z = (np.asarray(values, np.float32) for values in (across * z, y, z))
    return _Rays(x, y, z, wall)


def _ground(street: Street, rays: _Rays, clouds: list[Floats], rng: np.random.Generator) -> Floats:
    x, z = rays.x, rays.z
    picture = _pavement(x, z, rng)
    kerb = street.on_grass(x, z, KERB_M)
    stone = np.where((np.mod(x + z, 0.9) < 0.05)[..., None], rgb(_JOINT), rgb(_KERB))
    picture = np.where(kerb[..., None], stone, picture)
    picture = np.where(street.on_grass(x, z)[..., None], grass(x, z, clouds), picture)
    near_wall = np.minimum(x - LEFT_WALL_X * street.widening, RIGHT_WALL_X * street.widening - x)
    foot = 1 - 0.25 * np.exp(-np.maximum(near_wall, 0) / 0.5)
    foot = np.where((z > WALLS_Z[0][1]) & (z < WALLS_Z[1][0]), 1.0, foot)
    blotches = 1 + 0.05 * sample(clouds[0], x, z, 0.4)
    grain = 1 + 0.03 * _fade(z) * sample(clouds[1], x, z, 9.0)
    return np.asarray(picture * (blotches * grain * foot)[..., None], np.float32)


def _pavement(x: Floats, z: Floats, rng: np.random.Generator) -> Floats:
    columns, rows = np.floor(x / SLAB_M), np.floor(z / SLAB_M)
    slabs = tinted(_SLAB, columns, rows, 0.035, rng)
    slabs[(np.mod(x, SLAB_M) < 0.04) | (np.mod(z, SLAB_M) < 0.05)] = _JOINT
    pavers = tinted(_DARK_PAVER, np.floor(x / 0.5), np.floor(z / 0.5), 0.05, rng)
    pavers[(np.mod(x, 0.5) < 0.04) | (np.mod(z, 0.5) < 0.05)] = _JOINT
    fade = _fade(z)[..., None]
    slabs = rgb(_SLAB) * 0.985 * (1 - fade) + slabs * fade
    pavers = rgb(_DARK_PAVER) * 0.97 * (1 - fade) + pavers * fade
    band = np.abs(z - ALLEY_Z) < 1.9
    return np.asarray(np.where(band[..., None], pavers, slabs), np.float32)


def _facade(wall: int, along: Floats, y: Floats, z: Floats, rng: np.random.Generator) -> Floats:
    """Shops below, windows above; (h, w, 3)."""
    bay, within = np.floor(along / BAY_M), np.mod(along, BAY_M)
    floor, up = np.floor(y / FLOOR_M), np.mod(y, FLOOR_M)
    picture = tinted(_PLASTER[wall - 1], np.floor(bay / 3), np.zeros_like(bay), 0.05, rng)
    glass = tinted(_GLASS, bay, floor, 0.16, rng)
    glass *= (0.8 + 0.3 * up / FLOOR_M + 0.06 * np.mod(along + y, 1.9))[..., None]
    middle = np.abs(within - BAY_M / 2)
    shop, window = (middle < 1.4) & (up < 2.3), (middle < 0.6) & (up > 0.9) & (up < 2.4)
    framed = (middle < 0.72) & (up > 0.78) & (up < 2.52)
    opening = np.where(floor < 1, shop & (up > 0.45), window)
    picture = np.where(((floor >= 1) & framed)[..., None], rgb(_FRAME), picture)
    picture = np.where((opening & (middle > 0.05))[..., None], glass, picture)
    band = (y > FLOOR_M - 0.2) & (y < FLOOR_M)
    picture = np.where(band[..., None], rgb(_FRAME) * 0.9, picture)
    picture = np.where((y < 0.45)[..., None], rgb(_PLINTH), picture)
    colours = np.array(_AWNINGS, np.float32)[rng.integers(len(_AWNINGS), size=64)]
    awning = (floor < 1) & (up > 2.25) & (up < 2.8) & (middle < 1.5)
    stripes = np.where(np.mod(along, 0.5) < 0.25, 1.0, 1.25)[..., None]
    cloth = colours[np.mod(bay, 64).astype(int)] * stripes
    picture = np.where(awning[..., None], cloth, picture)
    light = (0.95, 0.72, 0.85)[wall - 1]
    corner = 1 - 0.3 * np.exp(-y / 0.6)
    return np.asarray(picture * light * corner[..., None], np.float32)


def _fade(z: Floats) -> Floats:
    """How much of a fine pattern is left at a distance, 1 to 0."""
    return np.asarray(np.clip(1.4 - z / _FAR_M, 0, 1), np.float32)
