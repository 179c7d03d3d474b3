"""From shapes to pixels: anti-aliased sprites, their exact outline, and soft shadows."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from tlae.footage.frames import Image
from tlae.lab.scenes.camera import Points, SceneCamera, ground_shadow
from tlae.lab.scenes.shapes import Body, Shape

SOLID = 128  # a pixel belongs to a body that covers at least half of it
FAINT = 40  # a body too small to fill half a pixel owns its best one, if it covers this much of it
_FRACTION_BITS = 4  # of a pixel, in coordinates handed to OpenCV
_EDGE_LIGHT = 0.25  # share by which the sun brightens left edges, and darkens right ones


@dataclass(frozen=True, slots=True)
class Sprite:
    """A drawn body, cut to the part inside the picture.

    Attributes:
        top: first row.
        left: first column.
        rgba: (h, w, 4) uint8, colours multiplied by alpha.
    """

    top: int
    left: int
    rgba: Image

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the picture that it covers."""
        height, width = self.rgba.shape[:2]
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def solid(self) -> np.ndarray:
        """Pixels that belong to the body, (h, w) bool."""
        alpha = self.rgba[..., 3]
        return np.asarray(alpha >= max(min(SOLID, int(alpha.max())), FAINT))


def draw_body(camera: SceneCamera, body: Body) -> Sprite | None:
    """Draw one body; None where the picture does not show it."""
    points = body.world_points()
    places = camera.project(points)  # (N, 2)
    scale = camera.focal_px / body.z  # pixels per metre
    margin = 1 + scale * max(shape.width_m for shape in body.shapes) / 2
    window = _window(places, margin, camera.size_hw)
    if window is None:
        return None
    top, left, height, width = window
    fineness = supersampling(camera.size_hw[0])
    canvas = np.zeros((height * fineness, width * fineness, 4), np.uint8)
    fine = (places - (left, top)) * fineness
    start = 0
    for shape in body.shapes:
        end = start + len(shape.points)
        _stroke(canvas, shape, fine[start:end], scale * fineness, (*shape.colour, 255))
        start = end
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)  # (h, w, 4)
    return Sprite(top, left, _round(small))


def supersampling(height_px: int) -> int:
    """Finer grid on which bodies are drawn, per pixel."""
    return min(8, max(2, math.ceil(900 / height_px)))


def blend(picture: Image, sprite: Sprite) -> None:
    """Lay a sprite over an RGB picture, in place."""
    window = sprite.window
    under = picture[window].astype(np.uint16)
    clear = 255 - sprite.rgba[..., 3:].astype(np.uint16)  # (h, w, 1)
    over = (under * clear + 127) // 255 + sprite.rgba[..., :3]
    picture[window] = np.minimum(over, 255)


def shadow_map(camera: SceneCamera, bodies: Iterable[Body]) -> Image:
    """How much of the sun the bodies keep from each point of the ground, (H, W) uint8."""
    height, width = camera.size_hw
    shade = np.zeros((height, width), np.uint8)
    for body in bodies:
        points = body.world_points()
        scale = camera.shadow_scale(body.z)
        places = camera.project(ground_shadow(points))
        start = 0
        for shape in body.shapes:
            end = start + len(shape.points)
            if shape.casts:
                _stroke(shade, shape, places[start:end], scale, 255, flat=True)
            start = end
        if body.footprint_m:
            _contact(shade, camera, body)
    sigma = (1.2 if camera.low else 0.8) * height / 240
    return np.asarray(cv2.GaussianBlur(shade, (0, 0), max(sigma, 0.4)))


def _contact(shade: Image, camera: SceneCamera, body: Body) -> None:
    """Dark patch directly under a body."""
    around = np.array([[body.x, 0.02, body.z], [body.x, 0.02, body.z - body.footprint_m]])
    (x, y), (_, near) = camera.project(around)
    radius = body.footprint_m * camera.focal_px / body.z
    axes = (max(round(radius), 1), max(round(near - y), 1))
    if abs(x) < 16000 and abs(y) < 16000:
        cv2.ellipse(shade, (round(x), round(y)), axes, 0, 0, 360, 255, -1, cv2.LINE_AA)


def _stroke(
    canvas: Image,
    shape: Shape,
    places: Points,
    scale: float,
    colour: tuple[int, ...] | int,
    flat: bool = False,
) -> None:
    """Draw one shape; ``places`` (n, 2) are corner-based pixels of the canvas."""
    line = cv2.LINE_AA if flat else cv2.LINE_8
    fixed = np.rint((places - 0.5) * (1 << _FRACTION_BITS)).astype(np.int32)
    thickness = max(round(shape.width_m * scale), 1)
    if len(fixed) == 1:
        radius = max(round(shape.width_m * scale / 2 * (1 << _FRACTION_BITS)), 8)
        cv2.circle(canvas, fixed[0].tolist(), radius, colour, -1, line, _FRACTION_BITS)
    elif len(fixed) == 2:
        start, end = fixed.tolist()
        cv2.line(canvas, start, end, colour, thickness, line, _FRACTION_BITS)
    elif flat or not shape.one_sided or _faces_camera(places):
        if shape.filled:
            cv2.fillPoly(canvas, [fixed], colour, line, _FRACTION_BITS)
        if shape.width_m:
            cv2.polylines(canvas, [fixed], True, colour, thickness, line, _FRACTION_BITS)


def _faces_camera(places: Points) -> bool:
    """Whether a polygon runs clockwise in the picture (rows grow downwards)."""
    (ax, ay), (bx, by), (cx, cy) = places[:3].tolist()
    return bool((bx - ax) * (cy - ay) - (by - ay) * (cx - ax) > 0)


def _window(
    places: Points, margin: float, size_hw: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """Top, left, height, width of the part of the picture that the places touch."""
    low = np.floor(places.min(axis=0) - margin)
    high = np.ceil(places.max(axis=0) + margin)
    left, top = (int(value) for value in np.maximum(low, 0))
    right, bottom = (int(v) for v in np.minimum(high, (size_hw[1], size_hw[0])))
    if right <= left or bottom <= top:
        return None
    return top, left, bottom - top, right - left


def _round(rgba: Image) -> Image:
    """Make a flat cut-out look rounded: light from the left on its edges."""
    alpha = rgba[..., 3]
    slope = cv2.Sobel(alpha, cv2.CV_32F, 1, 0, ksize=3, borderType=cv2.BORDER_REPLICATE)
    lit = rgba[..., :3] * (1 + _EDGE_LIGHT / (4 * 255) * slope)[..., np.newaxis]
    rgba[..., :3] = np.clip(lit, 0, alpha[..., np.newaxis])
    return rgba
