"""Things cut out of a frame, followed, enlarged, and pasted into another frame without a seam."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from tlae.footage.frames import Image
from tlae.lab.planting.movement import (
    Field,
    Mask,
    StillScene,
    light_shift,
    reach_px,
    solid_parts,
)

SMALLEST_SHARE = 0.0008  # of the picture
LARGEST_SHARE = 0.06
LEAST_FILLED = 0.5  # share of its convex hull: a looser shape is a group or a shadow
LEAST_SOLID = 0.7  # share of a thing that is clearly none of the ground: the rest may show through
SAME_SIZE = (0.5, 1.7)  # a followed thing outside this range met another or went behind something
BRIGHTNESS_POWER = 0.35  # a thing half takes the light of its new place, not its colour
BRIGHTNESS_RANGE = (0.85, 1.18)


@dataclass(frozen=True)
class Sketch:
    """A cut-out with room for soft edges.

    Attributes:
        pixels: (h, w, C), as filmed, 0 to 255.
        shade: (h, w), share of the background's light that is left there, in [0, 1].
        shine: (h, w, C), how much brighter than the background it is, 0 to 255.
        core: (h, w), in [0, 1]: 1 well inside, where pixels are the thing's own.
        reach: (h, w), in [0, 1]: 1 inside, falling to 0 at the sides of the cut-out.
        mask: (h, w), the thing.
        top_left: row and column of the cut-out where it was found.
        ground: brightness of the background behind it, 0 to 255.
    """

    pixels: Field
    shade: Field
    shine: Field
    core: Field
    reach: Field
    mask: Mask
    top_left: tuple[int, int]
    ground: float


def find_things(mask: Mask) -> list[Mask]:
    """Single things among all that moves: free of each other and of the picture's border.

    Args:
        mask: (H, W), all that moves.

    Returns:
        One (H, W) mask per thing, in the order of their topmost rows.
    """
    margin = 3 * reach_px(mask.shape[0])
    _, zones = cv2.connectedComponents(
        cv2.dilate(mask.astype(np.uint8), np.ones((margin + 1, margin + 1), np.uint8))
    )
    count, parts, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    found = []
    for part in range(1, count):
        left, top, width, height, area = (int(fact) for fact in facts[part])
        free = (
            min(left, top) > margin
            and left + width < mask.shape[1] - margin
            and top + height < mask.shape[0] - margin
        )
        if not free or not SMALLEST_SHARE <= area / mask.size <= LARGEST_SHARE:
            continue
        own = parts == part
        zone = zones[own][0]
        alone = not (mask & (zones == zone) & ~own).any()
        if alone and area >= LEAST_FILLED * _hull_area(own):
            found.append(own)
    return found


def follow(own: Mask, masks: Iterable[Mask]) -> list[Mask] | None:
    """Where a thing is in the frames that follow, by overlap.

    Args:
        own: (H, W), the thing now.
        masks: (H, W), all that moves in each following frame.

    Returns:
        Its mask in each of them, empty after it has left; None where it meets another thing.
    """
    area, path = int(own.sum()), []
    for mask in masks:
        _, parts = cv2.connectedComponents(mask.astype(np.uint8))
        leaving = _at_border(own) or not own.any()
        own = np.isin(parts, np.unique(parts[own & mask]))
        share = int(own.sum()) / area
        least = 0 if leaving or _at_border(own) else SAME_SIZE[0]
        if not least <= share <= SAME_SIZE[1]:
            return None
        path.append(own)
    return path


def _at_border(mask: Mask) -> bool:
    return bool(mask[[0, -1]].any() or mask[:, [0, -1]].any())


def _hull_area(mask: Mask) -> float:
    """Area of the convex hull in pixels, counted as a full mask would be."""
    corners = cv2.findNonZero(mask.astype(np.uint8))
    hull = cv2.convexHull(np.concatenate([corners, corners + 1]))
    return float(cv2.contourArea(hull))


def centre(mask: Mask) -> tuple[float, float]:
    """Mean row and column of a mask that is not empty, in pixels."""
    rows, columns = np.nonzero(mask)
    return float(rows.mean()), float(columns.mean())


def is_solid(image: Image, own: Mask, background: StillScene) -> bool:
    """Whether a thing (H, W) stands out from the ground enough to be cut out of the frame."""
    return bool(solid_parts(image, background)[own].mean() >= LEAST_SOLID)


def cut_out(image: Image, own: Mask, background: StillScene) -> Sketch:
    """Cut a thing out of a frame (H, W, C) along its mask (H, W)."""
    reach = reach_px(image.shape[0])
    margin = 3 * reach
    rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    top, left = max(0, int(rows[0]) - margin), max(0, int(columns[0]) - margin)
    box = (slice(top, int(rows[-1]) + 1 + margin), slice(left, int(columns[-1]) + 1 + margin))
    behind = background.image[box] + light_shift(image, background)
    pixels, mask = image[box].astype(np.float32), own[box]
    solid = (mask & solid_parts(image, background)[box]).astype(np.uint8)
    inside = cv2.erode(solid, np.ones((3, 3), np.uint8)).astype(np.float32)
    around = soft_edge(mask, reach)
    core = cv2.GaussianBlur(inside, (0, 0), 0.5 * reach)
    ground = float(behind[mask].mean())
    shade = np.clip(pixels.mean(axis=-1) / np.maximum(behind.mean(axis=-1), 1.0), 0, 1)
    shine = np.maximum(pixels - behind, 0)
    return Sketch(pixels, shade, shine, core, around, mask, (top, left), ground)


def soft_edge(mask: Mask, reach: int) -> Field:
    """Weights (h, w): 1 in the mask, falling to 0 about ``2 * reach`` pixels outside of it."""
    side = 2 * reach + 1
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    wide = cv2.dilate(mask.astype(np.uint8), brush).astype(np.float32)
    soft: Field = cv2.GaussianBlur(wide, (0, 0), 0.5 * reach)
    return np.maximum(mask.astype(np.float32), soft)


def enlarged(thing: Sketch, factor: float) -> Sketch:
    """The thing ``factor`` times as high and wide."""
    height, width = (round(side * factor) for side in thing.mask.shape)

    def resize(field: Field) -> Field:
        large = cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC)
        return np.asarray(large, np.float32).reshape(height, width, *field.shape[2:])

    return replace(
        thing,
        pixels=np.clip(resize(thing.pixels), 0, 255),
        shade=np.clip(resize(thing.shade), 0, 1),
        shine=np.maximum(resize(thing.shine), 0),
        core=_sharper(resize(thing.core), factor),
        reach=_sharper(resize(thing.reach), factor),
        mask=resize(thing.mask.astype(np.float32)) > 0.5,
    )


def _sharper(weight: Field, factor: float) -> Field:
    """Edges as narrow as before they were enlarged, weights in [0, 1]."""
    sharp: Field = np.clip((weight - 0.5) * factor + 0.5, 0, 1)
    return sharp


def paste(
    image: Image, thing: Sketch, top_left: tuple[int, int], gain: float
) -> tuple[Image, Mask]:
    """Put a thing into a frame.

    Inside, the pixels are the thing's own. Towards the edge and in its shadow, the new background
    is lit as the old one was: so neither the old ground nor a halo comes along.

    Args:
        image: (H, W, C).
        thing: fits into the frame at that place.
        top_left: row and column of the cut-out.
        gain: factor of its brightness.

    Returns:
        The frame, and where the thing is, (H, W).
    """
    top, left = top_left
    height, width = thing.mask.shape
    box = (slice(top, top + height), slice(left, left + width))
    under = image[box].astype(np.float32)
    core, reach = thing.core[..., None], thing.reach[..., None]  # (h, w, 1)
    around = thing.shade[..., None] * under + thing.shine
    over = core * gain * thing.pixels + (1 - core) * around
    result, mask = image.copy(), np.zeros(image.shape[:2], bool)
    result[box] = np.clip(np.rint(under + reach * (over - under)), 0, 255).astype(np.uint8)
    mask[box] = thing.mask
    return result, mask


def brightness_gain(thing: Sketch, top_left: tuple[int, int], background: StillScene) -> float:
    """Factor that brings a thing gently towards the light at its new place."""
    top, left = top_left
    height, width = thing.mask.shape
    here = float(background.image[top : top + height, left : left + width][thing.mask].mean())
    gain = (max(here, 1.0) / max(thing.ground, 1.0)) ** BRIGHTNESS_POWER
    return float(np.clip(gain, *BRIGHTNESS_RANGE))


def erase(image: Image, own: Mask, background: StillScene) -> Image:
    """The frame (H, W, C) with the background in place of a thing (H, W)."""
    weight = soft_edge(own, 2 * reach_px(image.shape[0]))[..., None]  # (H, W, 1)
    empty = background.image + light_shift(image, background)
    return np.clip(np.rint(image + weight * (empty - image)), 0, 255).astype(np.uint8)
