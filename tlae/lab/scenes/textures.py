"""Patterns on ground and walls: seamless noise, tinted slabs, grass."""

import math

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_GRASS, _DRY_GRASS = (86, 108, 56), (124, 126, 76)
_NOISE_CELLS = 256


def rgb(values: tuple[float, float, float]) -> Floats:
    """A colour to reckon with, (3,)."""
    return np.array(values, np.float32)


def cloudy(rng: np.random.Generator) -> Floats:
    """Noise of several sizes that repeats seamlessly, mean 0, deviation 1."""
    total = np.zeros((_NOISE_CELLS, _NOISE_CELLS), np.float32)
    for sigma in (0.6, 2.0, 6.0):
        layer = rng.standard_normal(total.shape, dtype=np.float32)
        reach = math.ceil(4 * sigma)
        wrapped = cv2.copyMakeBorder(layer, reach, reach, reach, reach, cv2.BORDER_WRAP)
        soft = cv2.GaussianBlur(wrapped, (0, 0), sigma)[reach:-reach, reach:-reach]
        total += soft / soft.std()
    return np.asarray(total / total.std(), np.float32)


def sample(noise: Floats, x: Floats, y: Floats, cells_per_m: float) -> Floats:
    """Noise laid over a surface in metres, (h, w)."""
    across = np.mod(x * cells_per_m + 1000, _NOISE_CELLS - 1).astype(np.float32)
    along = np.mod(y * cells_per_m, _NOISE_CELLS - 1).astype(np.float32)
    return np.asarray(cv2.remap(noise, across, along, cv2.INTER_LINEAR), np.float32)


def tinted(
    colour: tuple[int, int, int],
    columns: Floats,
    rows: Floats,
    spread: float,
    rng: np.random.Generator,
) -> Floats:
    """A colour that differs a little from slab to slab, (h, w, 3)."""
    tints = rng.normal(1.0, spread, (64, 64)).astype(np.float32)
    warmth = rng.normal(0.0, spread / 3, (64, 64)).astype(np.float32)
    at = (np.mod(rows, 64).astype(int), np.mod(columns, 64).astype(int))
    tint, warm = tints[at][..., None], warmth[at][..., None]
    return np.asarray(rgb(colour) * (tint + warm * rgb((1, 0, -1))), np.float32)


def grass(x: Floats, z: Floats, clouds: list[Floats]) -> Floats:
    """Grass with dry patches (h, w, 3) on the ground at ``x``, ``z`` (h, w) in metres."""
    patches = np.clip(0.35 + 0.3 * sample(clouds[1], x, z, 0.8), 0, 1)[..., None]
    blades = 1 + 0.13 * sample(clouds[2], x, z * 0.6, 22.0)[..., None]
    colour = rgb(_GRASS) * (1 - patches) + rgb(_DRY_GRASS) * patches
    return np.asarray(colour * blades, np.float32)
