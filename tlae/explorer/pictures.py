"""Pictures of items: read where they lie, shrunk, laid out on sheets."""

import re
import zipfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from tlae.errors import UserError
from tlae.footage.frames import Image
from tlae.footage.images import Unreadable, decode_image
from tlae.footage.sources import open_footage
from tlae.footage.sources.archive import LARGEST_PICTURE_BYTES
from tlae.footage.sources.listing import is_video

TILE_PX = 64  # of one picture on a sheet
SHEET_SIDE = 16  # pictures across and down a sheet
PER_SHEET = SHEET_SIDE**2
JPEG_QUALITY = 82
ARCHIVE_MARK = "::"
_TILE = re.compile(r"#(\d+),(\d+)$")


@dataclass(frozen=True)
class Pictures:
    """Pictures of a table of items.

    Attributes:
        ids: one row per item, with ``path`` and ``frame``.
        tiles_hw: number of tiles down and across, where items are tiles of pictures.
        root: where relative paths start.
    """

    ids: pd.DataFrame = field(repr=False)
    tiles_hw: tuple[int, int] | None = None
    root: Path = Path()

    def read(self, row: int, size_px: int) -> Image:
        """One picture, its longer side at most so long.

        Returns:
            RGB (H, W, 3) uint8.

        Raises:
            Unreadable: it is gone or damaged, with the reason.
        """
        path, frame = str(self.ids["path"].iloc[row]), int(self.ids["frame"].iloc[row])
        tile = _TILE.search(path) if self.tiles_hw else None
        if tile is not None and self.tiles_hw is not None:
            whole = self._decode(path[: tile.start()], frame, size_px * max(self.tiles_hw))
            return _shrunk(_cut(whole, (int(tile[1]), int(tile[2])), self.tiles_hw), size_px)
        return _shrunk(self._decode(path, frame, size_px), size_px)

    def _decode(self, path: str, frame: int, size_px: int) -> Image:
        archive, mark, member = path.partition(f".zip{ARCHIVE_MARK}")
        try:
            if mark:
                data = _member(self.root / f"{archive}.zip", member)
            elif is_video(path):
                return _video_frame(self.root / path, frame, size_px)
            else:
                data = (self.root / path).read_bytes()
        except (OSError, ValueError) as error:
            raise Unreadable(getattr(error, "strerror", None) or "no longer there") from error
        return decode_image(data, (size_px, size_px))[0]

    def sheet(self, number: int) -> tuple[Image, int]:
        """Pictures ``number * PER_SHEET`` and following, in rows of ``SHEET_SIDE``.

        Returns:
            RGB (side, side, 3) uint8, and how many pictures could not be read; their tiles are
            hatched.
        """
        first = number * PER_SHEET
        side = SHEET_SIDE * TILE_PX
        sheet = np.zeros((side, side, 3), np.uint8)
        missing = 0
        for place in range(min(PER_SHEET, len(self.ids) - first)):
            top, left = (TILE_PX * part for part in divmod(place, SHEET_SIDE))
            try:
                tile = _square(self.read(first + place, 2 * TILE_PX), TILE_PX)
            except Unreadable:
                tile = placeholder(TILE_PX)
                missing += 1
            sheet[top : top + TILE_PX, left : left + TILE_PX] = tile
        return sheet, missing


def pictures_of(ids: pd.DataFrame, facts: dict[str, Any]) -> Pictures:
    """Pictures of a descriptor's items.

    Args:
        ids: table of the items.
        facts: of the descriptor, see ``Descriptors``.
    """
    tiles = facts.get("settings", {}).get("tiles_hw")
    return Pictures(ids, (int(tiles[0]), int(tiles[1])) if tiles else None)


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


def _member(archive: Path, member: str) -> bytes:
    try:
        with zipfile.ZipFile(archive) as opened:
            if opened.getinfo(member).file_size > LARGEST_PICTURE_BYTES:
                raise Unreadable("too large in the archive")
            return opened.read(member)
    except (KeyError, RuntimeError, zipfile.BadZipFile) as error:
        raise Unreadable("not readable in the archive") from error


def _video_frame(video: Path, frame: int, size_px: int) -> Image:
    """Read forward to a frame: exact, and slow far into a long video."""
    try:
        clip = open_footage(str(video)).clips[0]
    except UserError as error:
        raise Unreadable("no longer there") from error
    found = next(clip.frames(start=frame, min_hw=(size_px, size_px)), None)
    if found is None or found.image is None:
        raise Unreadable("not in the video")
    return found.image


def _cut(image: Image, place: tuple[int, int], tiles_hw: tuple[int, int]) -> Image:
    """One of ``tiles_hw`` tiles down and across."""
    rows = np.linspace(0, image.shape[0], tiles_hw[0] + 1).round().astype(int)
    columns = np.linspace(0, image.shape[1], tiles_hw[1] + 1).round().astype(int)
    (row, column) = place
    return image[rows[row] : rows[row + 1], columns[column] : columns[column + 1]]


def _shrunk(image: Image, size_px: int) -> Image:
    scale = size_px / max(image.shape[:2])
    if scale >= 1:
        return image
    height, width = (max(1, round(scale * side)) for side in image.shape[:2])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _square(image: Image, size_px: int) -> Image:
    """The middle of a picture as a square."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    middle = image[top : top + side, left : left + side]
    return np.asarray(
        cv2.resize(middle, (size_px, size_px), interpolation=cv2.INTER_AREA), np.uint8
    )
