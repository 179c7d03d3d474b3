"""Where an object may stand in a still, and how it takes the light of its place.

Places are drawn evenly over the picture, the object wholly inside. A place is taken if in every
frame in which the object will stand the mean brightness around is within ``PLACE_BRIGHTNESS`` of
255 grey levels, hardly any pixel there is saturated, and brightness there does not vary by more
than ``PLACE_VARIATION`` of its mean: neither in the black of the night, where a share of nothing is
nothing, nor in the glare of the sun or of a lamp, nor across the edge of one, where contrast to the
mean would mean little.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tlae.footage.frames import Image
from tlae.lab.planting.stills.figures import LUMINANCE, Field, Figure

PLACE_BRIGHTNESS = (40.0, 200.0)  # grey levels of 255
SATURATED = 250  # from here on a pixel is,
SATURATED_SHARE = 0.02  # and no more of the surroundings may be
PLACE_VARIATION = 0.35  # standard deviation of brightness, in shares of its mean
AROUND = 0.5  # of an object's height: how far its surroundings reach
PLACES_TRIED = 60
SHADING = 0.5  # of the contrast: how far parts of an object stray from its mean
LIGHTEST = 245.0  # an object that would be lighter is darker than its place instead
CAST = 0.5  # power: an object takes half of the colour of the light at its place
SHADOW = 0.6  # of the contrast: darkness of the cast shadow
SHADOW_LENGTH = 0.45  # of an object's height, along the ground


@dataclass(frozen=True)
class Place:
    """Where and how an object stands.

    Attributes:
        top, left: of its figure, in pixels.
        contrast: its mean luminance relative to the surroundings', minus 1; signed.
        slant: of its shadow, in figure heights to the right.
    """

    top: int
    left: int
    contrast: float
    slant: float


def find_place(
    images: Sequence[Image], figure: Figure, contrast: float, rng: np.random.Generator
) -> Place | None:
    """Draw a place for an object; None where no frame offers one.

    Args:
        images: RGB (H, W, 3) frames in which it will stand.
        figure: the object.
        contrast: without sign; it is darker or lighter by chance, darker where light would clip.
        rng: of place, sign and shadow.
    """
    height, width = figure.cover.shape
    room = images[0].shape[0] - height, images[0].shape[1] - width
    if min(room) < 0:
        return None
    for _ in range(PLACES_TRIED):
        top, left = int(rng.integers(room[0] + 1)), int(rng.integers(room[1] + 1))
        around = [_surroundings(image, (top, left), figure) for image in images]
        if not all(_offers_place(pixels) for pixels in around):
            continue
        brightest = max(float(luminance(pixels).mean()) for pixels in around)
        lightest = brightest * (1 + contrast) * (1 + SHADING * contrast)
        lighter = lightest <= LIGHTEST and rng.random() < 0.5
        slant = float(rng.uniform(-1, 1))
        return Place(top, left, contrast if lighter else -contrast, slant)
    return None


def put_figure(image: Image, figure: Figure, place: Place) -> tuple[Image, Image]:
    """Put an object with its shadow into a frame.

    Its mean luminance over what it covers is that of the surroundings times ``1 + contrast``; parts
    and colours stray from it by at most half of the contrast, the shadow stays weaker than the
    object. So contrast means the same for every family.

    Args:
        image: RGB (H, W, 3).
        figure: fits into the frame at that place.
        place: as found.

    Returns:
        The frame, and its mask (H, W) uint8: 255 on the object, without its shadow.
    """
    height, width = figure.cover.shape
    box = (slice(place.top, place.top + height), slice(place.left, place.left + width))
    around = _surroundings(image, (place.top, place.left), figure).astype(np.float32)
    ground = around.reshape(-1, 3).mean(axis=0)
    brightness = float(ground @ LUMINANCE)
    depth = abs(place.contrast)
    shaded = image * (1 - SHADOW * depth * _shadow(image.shape[:2], figure, place))[..., None]
    cast = (np.maximum(ground, 1.0) / max(brightness, 1.0)) ** CAST
    pixels = cast * (1 + SHADING * depth * figure.shading)  # (h, w, 3)
    weight = figure.cover[..., None]
    mean = float((luminance(pixels) * figure.cover).sum() / figure.cover.sum())
    pixels = pixels * (brightness * (1 + place.contrast) / mean)
    shaded[box] = shaded[box] * (1 - weight) + weight * pixels
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[box][figure.mask] = 255
    return np.clip(np.rint(shaded), 0, 255).astype(np.uint8), mask


def luminance(pixels: np.ndarray) -> Field:
    """(..., 3) -> (...), in the unit of the pixels."""
    return np.asarray(pixels @ LUMINANCE, np.float32)


def _offers_place(around: Image) -> bool:
    """Whether contrast to these surroundings (h, w, 3) means something."""
    brightness = luminance(around)
    mean = float(brightness.mean())
    saturated = float((around >= SATURATED).any(axis=-1).mean())
    return (
        PLACE_BRIGHTNESS[0] <= mean <= PLACE_BRIGHTNESS[1]
        and saturated <= SATURATED_SHARE
        and float(brightness.std()) <= PLACE_VARIATION * mean
    )


def _surroundings(image: Image, top_left: tuple[int, int], figure: Figure) -> Image:
    """What lies around and under an object, (h, w, 3)."""
    (top, left), (height, width) = top_left, figure.cover.shape
    box = (slice(top, top + height), slice(left, left + width))
    return image[_grown(box, max(2, round(AROUND * height)), image.shape[:2])]


def _grown(box: tuple[slice, slice], by_px: int, size_hw: tuple[int, ...]) -> tuple[slice, slice]:
    rows, columns = (
        slice(max(0, side.start - by_px), min(whole, side.stop + by_px))
        for side, whole in zip(box, size_hw, strict=True)
    )
    return rows, columns


def _shadow(size_hw: tuple[int, ...], figure: Figure, place: Place) -> Field:
    """Share (H, W) of the light that the object takes: its outline laid flat on the ground."""
    height = figure.cover.shape[0]
    # A point x, y of the figure falls to its foot's row minus what is left of its height.
    flat = SHADOW_LENGTH
    matrix = np.array(
        [
            [1, -place.slant * flat, place.left + place.slant * flat * height],
            [0, flat, place.top + height * (1 - flat)],
        ]
    )
    laid = cv2.warpAffine(figure.cover, matrix, (size_hw[1], size_hw[0]), flags=cv2.INTER_AREA)
    soft: Field = cv2.GaussianBlur(laid, (0, 0), max(0.7, 0.04 * height))
    return soft
