"""Filling a frame store: footage in, frames and index rows on disk, chunk by chunk.

``frames.u8`` holds the frames one after the other, ``index.parquet`` a row for each. While frames
are added, ``parts/`` holds the rows of each finished chunk, named by its first row; rows count from
the moment their chunk's file is there, so a killed build continues behind them.
"""

import logging
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np

from tlae.chunk_log import ChunkLog, open_array, write_table
from tlae.errors import FootageError, UserError
from tlae.footage.frames import OK, Frame
from tlae.footage.preprocess import Preprocessing, same_shape
from tlae.footage.sampling import nothing_left
from tlae.footage.sources import Footage
from tlae.number_words import how_many
from tlae.parquet_file import open_parquet, regrouped, spooled
from tlae.progress import Advance, progress
from tlae.table import MOMENT, Table, first_rows, groups

CHUNK_FRAMES = 256

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """What is stored of a footage already.

    Attributes:
        rows: in the index.
        counts: of them, per clip in order.
        first_hw: size of the first picture of each clip that has one.
    """

    rows: int
    counts: dict[str, int]
    first_hw: dict[str, tuple[int, int]]


class GrowingIndex:
    """The index of a store while frames are added; another thread may read it meanwhile.

    Its length is the number of frames that are there.

    Args:
        folder: of the store.
        follow: called whenever frames were added.
    """

    def __init__(self, folder: Path, follow: Callable[["GrowingIndex"], object]) -> None:
        self.folder, self._follow = folder, follow
        self._rows, self._files = 0, Lock()

    def __len__(self) -> int:
        return self._rows

    def so_far(self) -> Table:
        """What is there, which is not nothing."""
        with self._files:
            return spooled(regrouped(_tables(self.folder)), self.folder)

    def grow(self, rows: int) -> None:
        """Tell that so many frames are there."""
        self._rows = rows
        self._follow(self)

    def finish(self) -> None:
        """Make one file of the chunks."""
        with self._files:
            write_table(regrouped(_tables(self.folder)), self.folder / "index.parquet")
            shutil.rmtree(_log(self.folder).folder)


def decode(
    footage: Footage, preprocessing: Preprocessing, index: GrowingIndex, finished: Collection[str]
) -> None:
    """Add to a store's folder what it does not hold yet.

    Args:
        footage: goes on from what the folder holds.
        preprocessing: as for what the folder holds.
        index: of the store.
        finished: names of clips of which nothing more will come.

    Raises:
        FootageError: there is no frame at all.
        UserError: the disk is too small.
    """
    folder = index.folder
    log = _log(folder)
    log.folder.mkdir(exist_ok=True)
    known = _known(folder)
    frame_bytes = int(np.prod(preprocessing.size_hw)) * preprocessing.channels
    lengths = [clip.length for clip in footage.clips]
    total = sum(n for n in lengths if n is not None) if None not in lengths else None
    _require_space(folder, (total or 0) - known.rows, frame_bytes)
    row, frames = known.rows, folder / "frames.u8"
    open_array(frames, row * frame_bytes)
    with progress(f"reading {footage.name}", total) as advance:
        if row:
            logger.info("continuing %s after %s", folder.name, how_many(row, "frame"))
            advance(row)
            index.grow(row)
        for rows, pictures in _chunks(footage, preprocessing, known, finished, advance):
            log.append(row, rows, frames, pictures, row * frame_bytes)
            row += len(rows)
            index.grow(row)
    if not row:
        raise FootageError(nothing_left(footage.spec, footage.clips))
    index.finish()


def _log(folder: Path) -> ChunkLog:
    return ChunkLog(folder / "parts", digits=10)


def _tables(folder: Path) -> Iterator[Table]:
    """The index as far as it goes, without chunks that a killed build left though it has them."""
    rows = 0
    if (folder / "index.parquet").is_file():
        index = open_parquet(folder / "index.parquet")
        yield from index.pieces()
        rows = len(index)
    yield from _log(folder).tables(rows)


def _known(folder: Path) -> Known:
    rows, counts = 0, dict[str, int]()
    first_hw = dict[str, tuple[int, int]]()
    for table in _tables(folder):
        rows += len(table)
        for clip, inside in groups(table["clip"]).items():
            counts[clip] = counts.get(clip, 0) + len(inside)
        good = table.take(table["state"] == OK)
        for clip, first in first_rows(good["clip"]).items():
            first_hw.setdefault(clip, (int(good["source_h"][first]), int(good["source_w"][first])))
    return Known(rows, counts, first_hw)


def _chunks(
    footage: Footage,
    preprocessing: Preprocessing,
    known: Known,
    finished: Collection[str],
    advance: Advance,
) -> Iterator[tuple[Table, bytes]]:
    """Index rows and frame bytes of each further chunk."""
    rows: list[dict[str, object]] = []
    pictures: list[bytes] = []
    black = bytes(int(np.prod(preprocessing.size_hw)) * preprocessing.channels)
    for frame, size_hw in _further_frames(footage, preprocessing, known, finished):
        rows.append(
            {
                "clip": frame.clip,
                "frame": frame.frame,
                "path": frame.path,
                "time_s": frame.time_s,
                "taken_at": frame.taken_at,
                "state": frame.state,
                "source_h": size_hw[0],
                "source_w": size_hw[1],
            }
        )
        pictures.append(black if frame.image is None else preprocessing(frame.image).tobytes())
        advance()
        if len(rows) == CHUNK_FRAMES:
            yield _typed(rows), b"".join(pictures)
            rows, pictures = [], []
    if rows:
        yield _typed(rows), b"".join(pictures)


def _further_frames(
    footage: Footage, preprocessing: Preprocessing, known: Known, finished: Collection[str]
) -> Iterator[tuple[Frame, tuple[int, int]]]:
    """Frames not yet stored, with their source size; those of another shape are refused."""
    last = next(reversed(known.counts), None)
    for clip in footage.clips:
        if clip.name in finished or (clip.name in known.counts and clip.name != last):
            continue
        first_hw = known.first_hw.get(clip.name)
        for frame in clip.frames(known.counts.get(clip.name, 0), preprocessing.size_hw):
            if frame.image is None:
                yield frame, (0, 0)
                continue
            size_hw = frame.source_hw or (frame.image.shape[0], frame.image.shape[1])
            first_hw = first_hw or size_hw
            if same_shape(size_hw, first_hw):
                yield frame, size_hw
            else:
                state = (
                    f"shape {size_hw[1]}x{size_hw[0]}, clip began with {first_hw[1]}x{first_hw[0]}"
                )
                yield replace(frame, image=None, state=state), (0, 0)


def _typed(rows: list[dict[str, object]]) -> Table:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return Table({**columns, "taken_at": np.array(columns["taken_at"], MOMENT)})


def _require_space(folder: Path, frames: int, frame_bytes: int) -> None:
    needed, free = frames * frame_bytes, shutil.disk_usage(folder).free
    if needed > free:
        unit, name = (2**30, "GiB") if needed >= 2**30 else (2**20, "MiB")
        raise UserError(
            f"frame store {folder} needs {needed / unit:.1f} {name} for "
            f"{how_many(frames, 'frame')}, {free / unit:.1f} {name} are free; set paths.cache to "
            "another disk"
        )
