"""The empty plaza: pavement, kerbs, grass and the building behind, without any shadow."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image
from tlae.lab.scenes.camera import HEIGHT_M, SceneCamera
from tlae.lab.scenes.textures import Floats, cloudy, grass, rgb, sample, tinted

WALL_Z = 30.0  # foot of the building, metres from the camera
WALL_TOP_M = 7.0
LAWN_Z = 24.0  # the lawn in front of the building begins here
BED_Z = 13.1  # nearer than this, grass beds fill the corners
BED_X = 0.34  # the beds begin at this share of the picture's half width
KERB_M = 0.28
SLAB_M = 1.5
BANDS_Z = (17.15, 19.95)  # rows of dark pavers between the lanes

_SLAB, _DARK_PAVER, _JOINT = (171, 165, 154), (137, 131, 123), (118, 112, 104)
_KERB, _KERB_FACE = (190, 187, 180), (126, 122, 116)
_CLADDING, _SEAM = (158, 132, 110), (112, 92, 78)
_GLASS, _FRAME, _PLINTH = (66, 82, 94), (206, 202, 194), (110, 104, 98)
FINENESS = 3  # sub-pixels along each side


@dataclass(frozen=True)
class _Place:
    """What every sub-pixel shows.

    Attributes:
        x: metres to the right, (h, w).
        z: metres away on the ground, (h, w).
        wall_y: height in metres where it shows the building instead, (h, w).
        on_wall: (h, w) bool.
    """

    x: Floats
    z: Floats
    wall_y: Floats
    on_wall: npt.NDArray[np.bool_]


def paint_ground(camera: SceneCamera, rng: np.random.Generator) -> Image:
    """RGB picture (H, W, 3) of the empty plaza."""
    place = _places(camera)
    clouds = [cloudy(rng) for _ in range(3)]
    picture = _pavement(place, rng)
    lawn = (place.z > LAWN_Z) | _in_bed(camera, place, 0.0)
    picture = np.where(lawn[..., None], grass(place.x, place.z, clouds), picture)
    picture = _kerbs(camera, place, picture)
    blotches = 1 + 0.05 * sample(clouds[0], place.x, place.z, 0.35)
    grain = 1 + 0.035 * sample(clouds[1], place.x, place.z, 9.0)
    picture *= (blotches * grain)[..., None]
    picture = np.where(place.on_wall[..., None], _wall(place, rng, clouds[2]), picture)
    height, width = camera.size_hw
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(np.rint(small), 0, 255), np.uint8)


def _places(camera: SceneCamera) -> _Place:
    height, width = camera.size_hw
    v, u = np.mgrid[0 : height * FINENESS, 0 : width * FINENESS].astype(np.float32)
    v, u = (v + 0.5) / FINENESS, (u + 0.5) / FINENESS
    z = camera.focal_px * HEIGHT_M / (v - camera.horizon_px)
    on_wall = z > WALL_Z
    z = np.minimum(z, WALL_Z)
    x = (u - width / 2) * z / camera.focal_px
    wall_y = HEIGHT_M - (v - camera.horizon_px) * WALL_Z / camera.focal_px
    return _Place(x, z, wall_y, on_wall)


def _pavement(place: _Place, rng: np.random.Generator) -> Floats:
    columns, rows = place.x / SLAB_M, place.z / SLAB_M
    picture = tinted(_SLAB, np.floor(columns), np.floor(rows), 0.035, rng)
    joint = (np.mod(place.x, SLAB_M) < 0.05) | (np.mod(place.z, SLAB_M) < 0.08)
    picture[joint] = _JOINT
    for band in BANDS_Z:
        inside = np.abs(place.z - band) < 0.22
        pavers = tinted(_DARK_PAVER, np.floor(place.x / 0.44), np.floor(rows), 0.06, rng)
        pavers[np.mod(place.x, 0.44) < 0.05] = _JOINT
        picture = np.where(inside[..., None], pavers, picture)
    return picture


def _in_bed(camera: SceneCamera, place: _Place, margin_m: float) -> npt.NDArray[np.bool_]:
    edge = BED_X * camera.half_width_m(BED_Z)
    inside = (np.abs(place.x) > edge - margin_m) & (place.z < BED_Z + margin_m)
    return np.asarray(inside)


def _kerbs(camera: SceneCamera, place: _Place, picture: Floats) -> Floats:
    """Light stone around all grass, with a darker face towards the camera and joints."""
    bed = _in_bed(camera, place, KERB_M) & ~_in_bed(camera, place, 0.0)
    lawn = (place.z > LAWN_Z - KERB_M) & (place.z <= LAWN_Z)
    face = (place.z > LAWN_Z - KERB_M - 0.2) & (place.z <= LAWN_Z - KERB_M)
    stone = np.where((np.mod(place.x, 0.9) < 0.05)[..., None], _JOINT, rgb(_KERB))
    picture = np.where((bed | lawn)[..., None], stone, picture)
    return np.asarray(np.where(face[..., None], rgb(_KERB_FACE), picture), np.float32)


def _wall(place: _Place, rng: np.random.Generator, cloud: Floats) -> Floats:
    """Clad front with a plinth and two rows of windows, in the shade."""
    x, y = place.x, place.wall_y
    rows = np.floor(y / 0.5)
    shifted = x + 0.5 * np.mod(rows, 2)
    picture = tinted(_CLADDING, np.floor(shifted), rows, 0.04, rng)
    picture[(np.mod(y, 0.5) < 0.05) | (np.mod(shifted, 1.0) < 0.04)] = _SEAM
    picture *= (1 + 0.03 * sample(cloud, x, y, 4.0))[..., None]
    bay = np.floor(x / 3.2)
    within = np.mod(x, 3.2)
    for low, high in ((1.3, 3.0), (4.4, 6.2)):
        frame = (np.abs(within - 1.6) < 1.05) & (y > low - 0.1) & (y < high + 0.1)
        pane = (np.abs(within - 1.6) < 0.95) & (y > low) & (y < high)
        pane &= np.abs(within - 1.6) > 0.05
        glass = tinted(_GLASS, bay, np.full_like(bay, low), 0.12, rng)
        glass *= (0.8 + 0.35 * (y - low) / (high - low) + 0.08 * np.mod(x + y, 1.7))[..., None]
        picture = np.where(frame[..., None], rgb(_FRAME), picture)
        picture = np.where(pane[..., None], glass, picture)
        sill = (np.abs(within - 1.6) < 1.15) & (y > low - 0.22) & (y <= low - 0.1)
        picture = np.where(sill[..., None], rgb(_KERB_FACE), picture)
    picture = np.where((y < 0.7)[..., None], rgb(_PLINTH), picture)
    return np.asarray(picture * rgb((0.8, 0.82, 0.86)), np.float32)
