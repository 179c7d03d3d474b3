"""Things drawn into buffers of colour, depth, direction and material: lit only afterwards.

World axes in metres: x right, y up, z away from the camera, as of ``scenes.camera``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np
import numpy.typing as npt

from tlae.lab.scenes.camera import SceneCamera

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Colour = tuple[float, float, float]
Place = tuple[float, float, float]
Polygon = npt.NDArray[np.float64]

FAR_M = 400.0  # depth of the sky
SHIFT = 4  # fractional bits of OpenCV's polygons
BESIDE_PX = 1


class Material(IntEnum):
    """What weather and light do to a surface."""

    SKY = 0
    PAVING = 1  # wet: dark and shiny; snow melts first
    GRASS = 2
    LEAVES = 3  # little snow
    WALL = 4
    CAR = 5  # shiny
    GLASS = 6
    CLOTH = 7  # people, laundry: no snow
    LIGHT = 8  # shines at night


@dataclass(frozen=True)
class Sprite:
    """A thing as one camera sees it, before it is lit.

    Attributes:
        top, left: of its box in the picture.
        mask: (h, w) where it is.
        albedo: (h, w, 3) share of the light that it gives back.
        normal: (h, w, 3) unit vectors.
        depth: (h, w) z in metres.
        material: (h, w) of ``Material``.
    """

    top: int
    left: int
    mask: Mask
    albedo: Floats
    normal: Floats
    depth: Floats
    material: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Face:
    """A flat polygon, (N, 3) in metres, with a colour in [0, 1] (linear) and a material."""

    points: Polygon
    colour: Colour
    material: Material = Material.WALL
    normal: Place | None = None


@dataclass
class Buffers:
    """All of the picture: what a :class:`Sprite` has, and which thing owns each pixel."""

    albedo: Floats
    normal: Floats
    depth: Floats
    material: npt.NDArray[np.uint8]
    owner: npt.NDArray[np.int16]

    def copy(self) -> "Buffers":
        """Buffers to draw into without changing these."""
        return Buffers(
            self.albedo.copy(),
            self.normal.copy(),
            self.depth.copy(),
            self.material.copy(),
            self.owner.copy(),
        )

    def put(self, sprite: Sprite, owner: int = 0) -> None:
        """Draw a thing where nothing stands before it."""
        height, width = sprite.mask.shape
        window = np.s_[sprite.top : sprite.top + height, sprite.left : sprite.left + width]
        seen = sprite.mask & (sprite.depth < self.depth[window])
        if not seen.any():
            return
        np.copyto(self.albedo[window], sprite.albedo, where=seen[..., None])
        np.copyto(self.normal[window], sprite.normal, where=seen[..., None])
        np.copyto(self.depth[window], sprite.depth, where=seen)
        np.copyto(self.material[window], sprite.material, where=seen)
        self.owner[window][seen] = owner

    def hide(self, sprite: Sprite, owner: int) -> None:
        """Say that a thing which is not there owns the pixels where it would be seen."""
        height, width = sprite.mask.shape
        window = np.s_[sprite.top : sprite.top + height, sprite.left : sprite.left + width]
        seen = sprite.mask & (sprite.depth < self.depth[window] + 0.05)
        self.owner[window][seen] = owner


def rays(camera: SceneCamera) -> tuple[Floats, Floats]:
    """Right and up, (1, W) and (H, 1), of the ray through each pixel, per metre of depth."""
    height, width = camera.size_hw
    right = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / camera.focal_px
    up = (camera.horizon_px - np.arange(height, dtype=np.float32) - 0.5) / camera.focal_px
    return right[None, :], up[:, None]


def faces_sprite(camera: SceneCamera, faces: Sequence[Face]) -> Sprite | None:
    """Draw flat polygons; nearer ones hide farther ones. None where nothing is in view."""
    faces = [face for face in faces if face.points[:, 2].min() > 0.5]
    if not faces:
        return None
    flat = [camera.project(face.points) for face in faces]
    window = _window(np.concatenate(flat), camera.size_hw)
    if window is None:
        return None
    top, bottom, left, right = window
    size = (bottom - top, right - left)
    x, y = (axis.astype(np.float32) for axis in rays(camera))
    x, y = x[:, left:right], y[top:bottom]
    mask = np.zeros(size, bool)
    albedo, normal = np.zeros((*size, 3), np.float32), np.zeros((*size, 3), np.float32)
    depth = np.full(size, np.inf, np.float32)
    material = np.zeros(size, np.uint8)
    for face, outline in zip(faces, flat, strict=True):
        facing = _normal(face.points)
        centre = face.points.mean(axis=0) - (0, camera.height_m, 0)
        if facing @ centre > 0:
            facing = -facing
        along = facing[0] * x + facing[1] * y + facing[2]
        z = (facing @ centre) / np.where(np.abs(along) < 1e-6, -1e-6, along)
        inside = np.zeros(size, np.uint8)
        at = np.round((outline - (left, top) - 0.5) * 2**SHIFT).astype(np.int32)
        cv2.fillPoly(inside, [at], 1, shift=SHIFT)
        low, high = face.points[:, 2].min() - 0.3, face.points[:, 2].max() + 0.3
        z = np.clip(z, low, high)
        drawn = (inside > 0) & (z < depth + 0.01)
        mask |= drawn
        depth[drawn] = z[drawn]
        albedo[drawn] = face.colour
        normal[drawn] = facing if face.normal is None else face.normal
        material[drawn] = face.material
    return Sprite(top, left, mask, albedo, normal, depth, material)


def flat_sprite(
    camera: SceneCamera, foot: Place, parts: Sequence[tuple[Polygon, Colour, Material]]
) -> Sprite | None:
    """Draw a figure that faces the camera: polygons (N, 2), right and up in metres of its foot.

    Its surface is bent backwards at the sides, as if it were round.
    """
    faces = []
    for outline, colour, material in parts:
        z = np.full(len(outline), foot[2])
        points = np.stack([foot[0] + outline[:, 0], foot[1] + outline[:, 1], z], axis=1)
        faces.append(Face(points, colour, material))
    sprite = faces_sprite(camera, faces)
    if sprite is None:
        return None
    columns = np.linspace(-1, 1, sprite.mask.shape[1], dtype=np.float32)
    bent = np.stack([0.8 * columns, np.full_like(columns, 0.25), -np.ones_like(columns)], axis=1)
    bent /= np.linalg.norm(bent, axis=1, keepdims=True)
    sprite.normal[:] = bent[None]
    return sprite


def _window(points: Polygon, size_hw: tuple[int, int]) -> tuple[int, int, int, int] | None:
    left, top = np.floor(points.min(axis=0)).astype(int) - BESIDE_PX
    right, bottom = np.ceil(points.max(axis=0)).astype(int) + BESIDE_PX
    top, left = max(0, top), max(0, left)
    bottom, right = min(size_hw[0], bottom), min(size_hw[1], right)
    return (top, bottom, left, right) if top < bottom and left < right else None


def _normal(points: Polygon) -> npt.NDArray[np.float64]:
    """Unit normal of a polygon, by Newell's sum over its edges."""
    total = np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)
    length = float(np.linalg.norm(total))
    return total / length if length > 1e-12 else np.array([0.0, 1.0, 0.0])


def box_faces(
    centre: Place,
    size: Place,
    colour: Colour,
    turned: float = 0.0,
    material: Material = Material.WALL,
) -> list[Face]:
    """A box: foot of its middle, width, height and depth in metres, turned in radians."""
    half_w, half_d = size[0] / 2, size[2] / 2
    plan = np.array([(-half_w, -half_d), (half_w, -half_d), (half_w, half_d), (-half_w, half_d)])
    plan = turn(plan, turned) + np.array([centre[0], centre[2]])
    low, high = (
        np.stack([plan[:, 0], np.full(4, centre[1] + up), plan[:, 1]], axis=1)
        for up in (0.0, size[1])
    )
    sides = [
        np.stack([low[a], low[b], high[b], high[a]]) for a, b in ((0, 1), (1, 2), (2, 3), (3, 0))
    ]
    return [Face(points, colour, material) for points in [*sides, high]]


def turn(plan: Polygon, angle: float) -> Polygon:
    """Points (N, 2) of the plan, turned about the origin."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.asarray(plan @ np.array([[cosine, sine], [-sine, cosine]]), np.float64)
