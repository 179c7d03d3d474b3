"""Camera-side disturbances that are not anomalies of the scene: light, weather, shake, dirt.

Each kind is a pure function of a stretch of footage, of its strength and of a random generator.
What lasts (an exposure, a drop on the lens) is drawn once for the stretch, what changes from
picture to picture (snow, shake) for each picture. They measure how robust scores are.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image

Light = npt.NDArray[np.floating[Any]]  # images as float, 0..255

GAIN_RANGE = (0.4, 1.6)  # at strength 1
GAMMA_RANGE = (0.6, 1.6)
SHIFT_PX = 3.0
SHADOW_DEPTH = 0.5  # share of the light that the middle of a shadow takes
SHADOW_WIDTH = 0.35  # of the picture
FOG_GREY = 205.0  # colour by day; at night twice the picture's mean
FOG_DENSITY = 1.2  # optical depth at the top of the picture
FLAKES = 600  # in each picture
DROP_RADIUS = (0.06, 0.14)  # in picture heights
INFRARED_WEIGHTS = (0.55, 0.35, 0.10)  # of red, green, blue: foliage and cloth look pale


def apply(kind: str, images: Image, generator: np.random.Generator, strength: float = 1.0) -> Image:
    """One stretch of footage under a nuisance.

    Args:
        kind: one of ``KINDS``.
        images: (n, H, W, 3) uint8 RGB, neighbours in time.
        generator: of all that is random; equal seeds give equal pictures.
        strength: 0 leaves the pictures as they are, 1 is the full range; in [0, 1].

    Returns:
        (n, H, W, 3) uint8, a copy.

    Raises:
        ValueError: no such kind, strength out of range, or other than RGB pictures.
    """
    if kind not in KINDS:
        raise ValueError(f"nuisance must be one of {', '.join(KINDS)}, got {kind!r}")
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be in [0, 1], got {strength}")
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        raise ValueError(
            f"images must be uint8 (n, H, W, 3), got {images.dtype} {list(images.shape)}"
        )
    if strength == 0 or not len(images):
        return images.copy()
    changed = _FUNCTIONS[kind](images.astype(np.float32), strength, generator)
    return np.clip(np.rint(changed), 0, 255).astype(np.uint8)


def gain(images: Light, strength: float, generator: np.random.Generator) -> Light:
    """Another exposure, in 0.4..1.6 times the light; it saturates as a sensor does."""
    return images * np.float32(_between(GAIN_RANGE, strength, generator))


def gamma(images: Light, strength: float, generator: np.random.Generator) -> Light:
    """Another tone curve, with an exponent in 0.6..1.6."""
    exponent = _between(GAMMA_RANGE, strength, generator)
    changed: Light = np.float32(255) * (images / 255) ** np.float32(exponent)
    return changed


def shift(images: Light, strength: float, generator: np.random.Generator) -> Light:
    """Shake: each picture is moved by 3 px in a direction of its own; its edge is repeated."""
    angles = generator.uniform(0, 2 * np.pi, len(images))
    height, width = images.shape[1:3]
    moved = np.empty_like(images)
    for number, angle in enumerate(angles):
        x, y = strength * SHIFT_PX * np.cos(angle), strength * SHIFT_PX * np.sin(angle)
        matrix = np.array([[1, 0, x], [0, 1, y]], float)
        moved[number] = cv2.warpAffine(
            images[number], matrix, (width, height), borderMode=cv2.BORDER_REPLICATE
        )
    return moved


def shadow(images: Light, strength: float, generator: np.random.Generator) -> Light:
    """The soft shadow of a cloud crosses the picture once in the stretch."""
    height, width = images.shape[1:3]
    angle = generator.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    along = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle)  # -0.71..0.71
    reach = 0.71 + SHADOW_WIDTH
    shaded = np.empty_like(images)
    for number, middle in enumerate(np.linspace(-reach, reach, len(images) + 2)[1:-1]):
        depth = SHADOW_DEPTH * strength * np.exp(-(((along - middle) / (SHADOW_WIDTH / 2)) ** 4))
        shaded[number] = images[number] * (1 - depth[..., None])
    return shaded


def fog(images: Light, strength: float, generator: np.random.Generator) -> Light:
    """Haze that grows with distance, so towards the top of the picture (Koschmieder's law)."""
    density = strength * FOG_DENSITY * generator.uniform(0.5, 1.0)
    distance = np.linspace(1.0, 0.35, images.shape[1], dtype=np.float32)
    seen = np.exp(-density * distance)[:, None, None]
    grey = np.minimum(FOG_GREY, 2 * images.mean(axis=(1, 2, 3), keepdims=True))
    hazy: Light = images * seen + grey * (1 - seen)
    return hazy


def snow(images: Light, strength: float, generator: np.random.Generator) -> Light:
    """Pale flakes of several sizes, others in each picture."""
    height, width = images.shape[1:3]
    snowed = np.empty_like(images)
    for number, image in enumerate(images):
        cover: Light = np.zeros((height, width), np.float32)
        for radius in (0.002, 0.004, 0.008):  # picture heights: far, middle, near
            flakes = np.zeros((height, width), np.float32)
            places = generator.random((round(strength * FLAKES / 3), 2)) * (height, width)
            rows, columns = places.astype(int).T
            sigma = max(0.5, radius * height)
            flakes[rows, columns] = 2 * np.pi * sigma**2  # a peak of 1 after blurring
            np.maximum(cover, cv2.GaussianBlur(flakes, (0, 0), sigma), out=cover)
        cover = 0.7 * np.minimum(cover, 1)[..., None]
        snowed[number] = image * (1 - cover) + 245 * cover
    return snowed


def drop(images: Light, strength: float, generator: np.random.Generator) -> Light:
    """A drop of water on the lens: a round place, blurred and a little brighter."""
    height, width = images.shape[1:3]
    radius = height * generator.uniform(*DROP_RADIUS)
    middle_y, middle_x = generator.uniform((0.2, 0.2), (0.8, 0.8)) * (height, width)
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - middle_y, x - middle_x) / radius
    cover = (strength * np.clip((1.15 - distance) / 0.3, 0, 1)).astype(np.float32)[..., None]
    blurred = np.stack([cv2.GaussianBlur(image, (0, 0), radius / 2) for image in images])
    wet: Light = images * (1 - cover) + (0.85 * blurred + 35) * cover
    return wet


def infrared(images: Light, strength: float, generator: np.random.Generator) -> Light:
    """The camera switches to its infrared lamp: no colour, bright middle, dark corners, grain."""
    height, width = images.shape[1:3]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    lamp = (1.15 - 0.45 * (x**2 + y**2)).astype(np.float32)
    grey: Light = (images @ np.array(INFRARED_WEIGHTS, np.float32)) * lamp
    grey = grey + generator.normal(0, 4, grey.shape).astype(np.float32)
    switched: Light = images * np.float32(1 - strength) + np.float32(strength) * grey[..., None]
    return switched


def _between(full: tuple[float, float], strength: float, generator: np.random.Generator) -> float:
    """Uniform in the part of the range around 1 that the strength allows."""
    low, high = (1 + strength * (end - 1) for end in full)
    return float(generator.uniform(low, high))


_FUNCTIONS: dict[str, Callable[[Light, float, np.random.Generator], Light]] = {
    "gain": gain,
    "gamma": gamma,
    "shift": shift,
    "shadow": shadow,
    "fog": fog,
    "snow": snow,
    "drop": drop,
    "infrared": infrared,
}
KINDS = tuple(_FUNCTIONS)
