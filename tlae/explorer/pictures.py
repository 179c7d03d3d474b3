"""Thumbnails of items, laid out on sheets."""

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from tlae.footage.frames import Image
from tlae.footage.images import Unreadable

if TYPE_CHECKING:
    from tlae.image_sets.item_pictures import Pictures

TILE_PX = 64  # of one picture on a sheet
SHEET_SIDE = 16  # pictures across and down a sheet
PER_SHEET = SHEET_SIDE**2
JPEG_QUALITY = 82


def thumbnail_sheet(pictures: "Pictures", number: int) -> tuple[Image, int]:
    """Pictures ``number * PER_SHEET`` and following, in rows of ``SHEET_SIDE``.

    Returns:
        RGB (side, side, 3) uint8, and how many pictures could not be read; their tiles are
        hatched.
    """
    first = number * PER_SHEET
    side = SHEET_SIDE * TILE_PX
    sheet = np.zeros((side, side, 3), np.uint8)
    missing = 0
    for place in range(min(PER_SHEET, len(pictures.ids) - first)):
        top, left = (TILE_PX * part for part in divmod(place, SHEET_SIDE))
        try:
            tile = _square(pictures.read(first + place, 2 * TILE_PX), TILE_PX)
        except Unreadable:
            tile = placeholder(TILE_PX)
            missing += 1
        sheet[top : top + TILE_PX, left : left + TILE_PX] = tile
    return sheet, missing


@lru_cache(maxsize=8)
def placeholder(size_px: int) -> Image:
    """Hatched square that stands for a picture that is not there; (size, size, 3)."""
    down, across = np.indices((size_px, size_px))
    stripe = ((down + across) // max(size_px // 12, 2)) % 2
    return np.repeat((118 + 20 * stripe)[..., np.newaxis], 3, axis=-1).astype(np.uint8)


def jpeg(image: Image) -> bytes:
    """Encode RGB (H, W, 3) as JPEG."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes()


def _square(image: Image, size_px: int) -> Image:
    """The middle of a picture as a square."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = image[top : top + side, left : left + side]
    return np.asarray(
        cv2.resize(middle, (size_px, size_px), interpolation=cv2.INTER_AREA), np.uint8
    )
