"""What single pictures look like, in a few numbers: light, colour, edges, what is black or white.

Everything here is a function of frames as a store holds them, uint8 (n, H, W, C).
"""

import cv2
import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image

Plane = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as OpenCV's grey
LIGHT_QUANTILES = (0.1, 0.5, 0.9)
DARK_LEVEL, FULL_LEVEL = 16, 250  # of 255: at or beyond, a pixel tells nothing of the scene
CELLS = (4, 6)  # grid that edges are measured on, so that a thing in one place decides nothing
LEAST_EDGES = 0.5  # grey levels per pixel, mean of a cell; below, it has none
FULL_COLOUR = 100.0  # colourfulness of "highly colourful" pictures, in the unit of the source


def luminance(frames: Image) -> Plane:
    """(n, H, W), 0..255."""
    grey = frames[..., 0] if frames.shape[3] == 1 else frames @ LUMA
    return np.asarray(grey, np.float32)


def colourfulness(frames: Image) -> Values:
    """(n,), 0 without colour, about 1 for highly colourful pictures; 0 for grey footage.

    Spread and mean of the opponent colours red-green and yellow-blue (Hasler and Suesstrunk 2003,
    *Measuring colourfulness in natural images*, their M3 divided by 100).
    """
    if frames.shape[3] == 1:
        return np.zeros(len(frames))
    red, green, blue = np.moveaxis(frames.astype(np.float32), 3, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue])  # (2, n, H, W)
    spread = np.hypot(*opponents.std(axis=(2, 3)))
    return np.asarray((spread + 0.3 * np.hypot(*opponents.mean(axis=(2, 3)))) / FULL_COLOUR)


def look(frames: Image) -> Values:
    """What a camera's mode is known by: (n, 4), each about 0..1.

    Luminance that 10, 50 and 90 % of the pixels do not exceed, and colourfulness; of every second
    pixel of every second row.
    """
    some = frames[:, ::2, ::2]
    light = luminance(some).reshape(len(some), -1)
    quantiles = np.quantile(light, LIGHT_QUANTILES, axis=1).T / 255
    return np.column_stack([quantiles, colourfulness(some)])


def dark_share(light: Plane) -> Values:
    """(n,), share of pixels that are black."""
    return np.asarray((light <= DARK_LEVEL).mean(axis=(1, 2)), np.float64)


def saturated_share(light: Plane) -> Values:
    """(n,), share of pixels that are white."""
    return np.asarray((light >= FULL_LEVEL).mean(axis=(1, 2)), np.float64)


def edges(light: Plane) -> Plane:
    """Size of the gradient of each picture (n, H, W), in grey levels per pixel."""
    sizes = np.empty_like(light)
    for number, picture in enumerate(light):
        across = cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=0.125)
        down = cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=0.125)
        # Not cv2.magnitude, whose last bits depend on where its result lies in memory.
        sizes[number] = np.sqrt(across * across + down * down)
    return sizes


def contrast(light: Plane) -> Values:
    """(n, cells), coarse edges by the light of each cell: a cover lowers it, dimmer light does not.

    NaN where a cell has no edges.
    """
    coarse = _by_cell(edges(_quartered(light)))
    return np.where(coarse > LEAST_EDGES, coarse / (_by_cell(light) + 1.0), np.nan)


def sharpness(light: Plane) -> Values:
    """(n, cells), fine edges by coarse ones: blur lowers it, dimmer light does not.

    Mean gradient at full size by mean gradient at a quarter of it; NaN where a cell has no edges.
    """
    fine, coarse = _by_cell(edges(light)), _by_cell(edges(_quartered(light)))
    return np.where(coarse > LEAST_EDGES, fine / np.maximum(coarse, LEAST_EDGES), np.nan)


def _quartered(light: Plane) -> Plane:
    """(n, H, W) at a quarter of the size, where neither blur nor noise changes edges much."""
    return _resized(light, (max(2, light.shape[1] // 4), max(2, light.shape[2] // 4)))


def _by_cell(planes: Plane) -> Values:
    """Means (n, cells) over a grid of ``CELLS``."""
    return _resized(planes, CELLS).reshape(len(planes), -1).astype(np.float64)


def _resized(planes: Plane, size_hw: tuple[int, int]) -> Plane:
    size_wh = (size_hw[1], size_hw[0])
    return np.stack([cv2.resize(p, size_wh, interpolation=cv2.INTER_AREA) for p in planes])


def thumbnails(light: Plane, size_hw: tuple[int, int] = (24, 32)) -> Plane:
    """Small pictures without their brightness and contrast, for telling likeness.

    Args:
        light: (n, H, W).
        size_hw: of the small pictures.

    Returns:
        (n, h * w) of zero mean and unit length (zero for a picture without contrast): the product
        of two is their correlation.
    """
    flat = _resized(light, size_hw).reshape(len(light), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-3))
