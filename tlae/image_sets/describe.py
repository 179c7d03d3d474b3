"""Describe footage picture by picture into a store: constant memory, resumable."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tlae.footage.frames import OK, Frame, Image
from tlae.footage.sources import Footage
from tlae.image_sets.descriptor_store import ITEM_COLUMNS, DescriptorWriter
from tlae.image_sets.descriptors import Descriptor, Prepared
from tlae.image_sets.prefetch import prefetch
from tlae.progress import Advance, quiet

CHUNK_ITEMS = 256  # written together; a killed job loses no more than this
AHEAD = 64  # pictures or tiles prepared early
TOO_SMALL = "smaller than its tiles"


@dataclass(frozen=True)
class _Item:
    """A picture or a tile, prepared; ``prepared`` is None where it cannot be described."""

    frame: Frame
    path: str
    state: str
    prepared: Prepared | None
    ends_picture: bool  # whether it is the last of its picture


def describe_footage(
    footage: Footage,
    descriptor: Descriptor,
    writer: DescriptorWriter,
    batch_size: int,
    tiles_hw: tuple[int, int] | None = None,
    advance: Advance = quiet,
) -> int:
    """Describe what ``writer`` does not have yet.

    Args:
        footage: pictures; those that cannot be read have the reason in their state.
        descriptor: how.
        writer: entered; what it has already is not read again.
        batch_size: pictures described at once; batches do not straddle chunks, so that a killed
            and continued job forms the same ones.
        tiles_hw: cut each picture into so many tiles down and across; None: whole pictures.
        advance: called with the number of further pictures.

    Returns:
        Number of rows that are not finite, see ``DescriptorWriter.append``.
    """
    broken = 0
    with closing(prefetch(_items(footage, descriptor, writer.last, tiles_hw), AHEAD)) as items:
        for chunk in _chunks(items):
            values = np.zeros((0, descriptor.dimensions), np.float32)
            prepared = [item.prepared for item in chunk if item.prepared is not None]
            batches = [
                descriptor.describe(prepared[start : start + batch_size])
                for start in range(0, len(prepared), batch_size)
            ]
            broken += writer.append(_table(chunk), np.concatenate([values, *batches]))
            advance(sum(item.ends_picture for item in chunk))
    return broken


def least_hw(descriptor: Descriptor, tiles_hw: tuple[int, int] | None) -> tuple[int, int] | None:
    """Size below which a picture must not be decoded for its tiles; None: only as it is."""
    if descriptor.min_hw is None:
        return None
    down, across = tiles_hw or (1, 1)
    return descriptor.min_hw[0] * down, descriptor.min_hw[1] * across


def cut_tiles(image: Image, tiles_hw: tuple[int, int]) -> Iterator[tuple[int, int, Image]]:
    """Row, column and pixels of each tile, row by row; sizes differ by one pixel at most."""
    rows, columns = (
        np.linspace(0, length, parts + 1).round().astype(int)
        for length, parts in zip(image.shape[:2], tiles_hw, strict=True)
    )
    for row in range(tiles_hw[0]):
        for column in range(tiles_hw[1]):
            tile = image[rows[row] : rows[row + 1], columns[column] : columns[column + 1]]
            yield row, column, np.ascontiguousarray(tile)


def _items(
    footage: Footage,
    descriptor: Descriptor,
    last: tuple[str, int] | None,
    tiles_hw: tuple[int, int] | None,
) -> Iterator[_Item]:
    """Every item after the picture ``last`` (clip, frame)."""
    down, across = tiles_hw or (1, 1)
    for frame in _frames(footage, last, least_hw(descriptor, tiles_hw)):
        if frame.image is None:
            yield _Item(frame, frame.path, frame.state, None, ends_picture=True)
        elif tiles_hw is None:
            yield _Item(frame, frame.path, OK, descriptor.prepare(frame.image), ends_picture=True)
        elif frame.image.shape[0] < down or frame.image.shape[1] < across:
            yield _Item(frame, frame.path, TOO_SMALL, None, ends_picture=True)
        else:
            for row, column, tile in cut_tiles(frame.image, tiles_hw):
                ends = (row, column) == (down - 1, across - 1)
                path = f"{frame.path}#{row},{column}"
                yield _Item(frame, path, OK, descriptor.prepare(tile), ends_picture=ends)


def _frames(
    footage: Footage, last: tuple[str, int] | None, min_hw: tuple[int, int] | None
) -> Iterator[Frame]:
    names = [clip.name for clip in footage.clips]
    first = names.index(last[0]) if last else 0
    for number, clip in enumerate(footage.clips[first:]):
        start = last[1] + 1 if last and number == 0 else 0
        yield from clip.frames(start, min_hw)


def _chunks(items: Iterator[_Item]) -> Iterator[list[_Item]]:
    """Lists of at least ``CHUNK_ITEMS``, ending with a whole picture; the last may be short."""
    chunk: list[_Item] = []
    for item in items:
        chunk.append(item)
        if item.ends_picture and len(chunk) >= CHUNK_ITEMS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _table(chunk: list[_Item]) -> pd.DataFrame:
    table = pd.DataFrame(
        [(i.path, i.frame.clip, i.frame.frame, i.frame.taken_at, i.state) for i in chunk],
        columns=list(ITEM_COLUMNS),
    )
    table["taken_at"] = pd.to_datetime(table["taken_at"]).astype("datetime64[us]")
    return table.astype({"path": "str", "clip": "str", "state": "str", "frame": "int64"})
