"""What moves in front of the background, and where things normally move or stand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from tlae.footage.frames import Image

Mask = npt.NDArray[np.bool_]
Field = npt.NDArray[np.float32]

SAMPLES = 64  # frames that give the background
LEAST_DIFFERENCE = 24.0  # grey levels of 255: more than noise and compression
SPREADS = 6.0  # a difference so many typical ones large is no swaying tree
WEAK = 0.5  # this share of the threshold is enough close to a place that is over it
SPECK_SHARE = 0.0003  # of the picture: smaller things are dropped
SHADOW_LIGHT = 0.68  # a shadow leaves at least this share of the light,
SHADOW_TINT = 0.12  # and nearly the same share in each channel
STEADY_SHARE = 0.5  # of the threshold: a thing that changes less between two frames stands


@dataclass(frozen=True)
class StillScene:
    """The empty scene.

    Attributes:
        image: (H, W, C), median of the footage, 0 to 255.
        threshold: (H, W), difference in grey levels above which something is there.
    """

    image: Field
    threshold: Field


@dataclass(frozen=True)
class Movements:
    """Where things are in training footage.

    Attributes:
        moving: (H, W), share of time in which a thing is there, in [0, 1].
        standing: (H, W), share of time in which a thing is there that stands still.
    """

    moving: Field
    standing: Field


def learn_background(frames: Sequence[Image]) -> StillScene:
    """Median of a few frames (H, W, C), and how far a pixel strays from it by itself."""
    image = np.median(np.stack(frames), axis=0).astype(np.float32)  # (H, W, C)
    flat = StillScene(image, np.zeros(image.shape[:2], np.float32))
    strays = np.stack([difference(frame, flat) for frame in frames]).astype(np.float16)
    spread = cv2.blur(np.median(strays, axis=0).astype(np.float32), (5, 5))  # (H, W)
    return StillScene(image, np.maximum(LEAST_DIFFERENCE, SPREADS * spread))


def light_shift(image: Image, background: StillScene) -> Field:
    """How much brighter the whole frame (H, W, C) is than the background, (C,) in grey levels."""
    step = max(1, min(image.shape[:2]) // 120)
    there = image[::step, ::step].astype(np.float32) - background.image[::step, ::step]
    shift: Field = np.median(there, axis=(0, 1)).astype(np.float32)
    return shift


def difference(image: Image, background: StillScene) -> Field:
    """Largest difference of a channel to the background, frame (H, W, C) -> (H, W)."""
    shifted = background.image + light_shift(image, background)
    return np.asarray(np.abs(image - shifted).max(axis=-1), np.float32)


def moving_things(image: Image, background: StillScene) -> Mask:
    """Where a frame shows things that the background lacks: whole, without holes and specks.

    Args:
        image: (H, W, C), 0 to 255.
        background: of the same size.

    Returns:
        (H, W) bool.
    """
    there, body = difference(image, background), solid_parts(image, background)
    brush = _brush(2 * reach_px(image.shape[0]))
    near = cv2.dilate(body.astype(np.uint8), brush) > 0
    whole = body | (near & (there > WEAK * background.threshold))
    return _without_specks(ndimage.binary_fill_holes(_closed(whole)))


def solid_parts(image: Image, background: StillScene) -> Mask:
    """Where a frame (H, W, C) differs clearly from the background and not as a shadow does."""
    behind = np.maximum(background.image + light_shift(image, background), 1.0)
    light = image / behind  # (H, W, C)
    lowest, highest = light.min(axis=-1), light.max(axis=-1)
    shadow = (lowest > SHADOW_LIGHT) & (highest < 1.0) & (highest - lowest < SHADOW_TINT)
    clear = np.abs(image - behind).max(axis=-1) > background.threshold
    return _closed(_opened(clear & ~shadow))


def reach_px(height: int) -> int:
    """Width of soft edges and of gaps that are closed, in pixels of a picture so high."""
    return max(1, round(height / 180))


def learn_habits(
    pairs: int, read_pair: Callable[[int], tuple[Image, Image]], background: StillScene
) -> Movements:
    """Where things are, and where they stand, in pairs of frames a while apart.

    Args:
        pairs: their number, at least 1.
        read_pair: gives the n-th pair of frames, each (H, W, C).
        background: of the same size.
    """
    moving = np.zeros(background.threshold.shape, np.float32)
    standing = np.zeros_like(moving)
    for number in range(pairs):
        one, other = read_pair(number)
        before, after = moving_things(one, background), moving_things(other, background)
        change = np.abs(one.astype(np.float32) - other).max(axis=-1)
        moving += (before.astype(np.float32) + after) / 2
        standing += before & after & (change < STEADY_SHARE * background.threshold)
    side = 8 * reach_px(background.image.shape[0]) + 1
    return Movements(
        cv2.blur(moving / pairs, (side, side)), cv2.blur(standing / pairs, (side, side))
    )


def _opened(mask: Mask) -> Mask:
    """The mask without what is narrower than two pixels."""
    square = np.ones((2, 2), np.uint8)
    inner = cv2.erode(mask.astype(np.uint8), square, anchor=(0, 0))
    opened: Mask = cv2.dilate(inner, square, anchor=(1, 1)) > 0  # else OpenCV shifts it by a pixel
    return opened


def _closed(mask: Mask) -> Mask:
    """The mask with narrow gaps closed; the border of the picture eats nothing."""
    reach = reach_px(mask.shape[0])
    edge = 2 * reach + 1
    wide = np.pad(mask.astype(np.uint8), edge, mode="edge")
    closed = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, _brush(reach))
    inner: Mask = closed[edge:-edge, edge:-edge] > 0
    return inner


def _brush(reach: int) -> Image:
    brush: Image = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return brush


def _without_specks(mask: Mask) -> Mask:
    """The mask without connected parts that are too small to be a thing."""
    least = max(6.0, SPECK_SHARE * mask.size)
    count, parts, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    large = [n for n in range(1, count) if facts[n, cv2.CC_STAT_AREA] >= least]
    return np.isin(parts, large)
