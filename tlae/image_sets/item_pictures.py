"""Pictures of items, read where their paths lead: a file, a member of a zip, a frame of a video."""

import re
import zipfile
from dataclasses import dataclass, field
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

ARCHIVE_MARK = "::"
_TILE = re.compile(r"#(\d+),(\d+)$")


def item_text(path: object, frame: object) -> str:
    """What an item is called: its path; of a video, whose frames have one path, with the frame."""
    return f"{path} #{frame}" if is_video(str(path)) else str(path)


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


def pictures_of(ids: pd.DataFrame, facts: dict[str, Any]) -> Pictures:
    """Pictures of a descriptor's items.

    Args:
        ids: table of the items.
        facts: of the descriptor, see ``Descriptors``.
    """
    tiles = facts.get("settings", {}).get("tiles_hw")
    return Pictures(ids, (int(tiles[0]), int(tiles[1])) if tiles else None)


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
