"""Pictures of described items, read again from their footage, or from where their paths lead."""

import re
from collections.abc import Iterator
from contextlib import suppress

import pandas as pd

from tlae.footage.frames import Clip, Image
from tlae.footage.images import Unreadable
from tlae.footage.sources import open_footage
from tlae.footage.sources.video import VideoClip
from tlae.image_sets.describe import cut_tiles
from tlae.image_sets.item_pictures import Pictures

LARGEST_SIDE_PX = 2048  # of a picture that is read by its path
TILE = re.compile(r"#(\d+),(\d+)$")  # how the path of a tile ends: its row and column


def read_pictures(
    images: str | None, items: pd.DataFrame, tiles_hw: tuple[int, int] | None = None
) -> Iterator[tuple[int, Image]]:
    """Read the pictures of some items; those that cannot be read (any more) are left out.

    Args:
        images: footage, as ``open_footage`` takes it; None: the items' paths lead to them.
        items: rows of a store's ids with path, clip and frame.
        tiles_hw: number of tiles down and across, where the items are tiles; None: whole pictures.

    Yields:
        Position in ``items`` and RGB picture or tile, clip by clip in the order of frames.
    """
    if images is None:
        yield from _by_path(items, tiles_hw)
        return
    clips = {clip.name: clip for clip in open_footage(images).clips}
    numbered = items.reset_index(drop=True)
    for name, rows in numbered.groupby("clip", sort=True):
        if str(name) not in clips:
            continue
        wanted: dict[int, list[int]] = {}
        for position, frame in rows["frame"].items():
            wanted.setdefault(int(frame), []).append(int(str(position)))
        for frame, image in _frames(clips[str(name)], sorted(wanted)):
            for position in wanted[frame]:
                path = str(numbered["path"].iloc[position])
                yield position, image if tiles_hw is None else _tile(image, path, tiles_hw)


def _by_path(items: pd.DataFrame, tiles_hw: tuple[int, int] | None) -> Iterator[tuple[int, Image]]:
    pictures = Pictures(items, tiles_hw)
    for position in range(len(items)):
        with suppress(Unreadable):
            yield position, pictures.read(position, LARGEST_SIDE_PX)


def _frames(clip: Clip, numbers: list[int]) -> Iterator[tuple[int, Image]]:
    """Stills are opened one by one, a video is read forward once."""
    if isinstance(clip, VideoClip):
        left = set(numbers)
        for frame in clip.frames():
            if frame.frame in left and frame.image is not None:
                yield frame.frame, frame.image
            left.discard(frame.frame)
            if not left:
                return
        return
    for number in numbers:
        found = next(iter(clip.frames(start=number)), None)
        if found is not None and found.image is not None:
            yield number, found.image


def _tile(image: Image, path: str, tiles_hw: tuple[int, int]) -> Image:
    place = TILE.search(path)
    wanted = place and (int(place[1]), int(place[2]))
    tiles = cut_tiles(image, tiles_hw)
    return next((tile for row, column, tile in tiles if (row, column) == wanted), image)
