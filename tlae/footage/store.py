"""Frame store: footage decoded once, at the net's size, into one mapped file with an index.

A store is a folder: ``frames.u8`` (frames one after the other), ``index.parquet`` (one row per
frame) and, when whole, ``complete.json``. It is built in chunks; while that lasts, ``parts/`` holds
the index of each finished chunk, so a killed build continues.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock

from tlae.errors import FootageError, UserError
from tlae.footage.frames import OK, Frame, Image
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import Footage
from tlae.progress import Advance, progress
from tlae.whole_file import whole_file

FORMAT = 1  # raise when a store written by older code must not be read
CHUNK_FRAMES = 256
ASPECT_TOLERANCE = 0.02  # frames of another shape than the clip's first are not the same view

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FrameStore:
    """Frames of one footage as the net sees them.

    Attributes:
        folder: where it lies.
        index: one row per frame, in order: clip, frame, path, time_s, taken_at, state, source_h,
            source_w (pixels of the camera's picture, 0 where unreadable).
        preprocessing: how the frames were made.
    """

    folder: Path
    index: pd.DataFrame
    preprocessing: Preprocessing

    def __len__(self) -> int:
        return len(self.index)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Frames, height, width, channels."""
        return (len(self), *self.preprocessing.size_hw, self.preprocessing.channels)

    def frames(self) -> np.memmap[tuple[int, int, int, int], np.dtype[np.uint8]]:
        """All frames (N, H, W, C), mapped; unreadable ones are black."""
        return np.memmap(self.folder / "frames.u8", np.uint8, "r", shape=self.shape)

    def read(self, rows: np.ndarray) -> Image:
        """Copy of the given rows (n, H, W, C); the mapping does not outlive the call."""
        return np.asarray(self.frames()[rows])


def open_store(footage: Footage, preprocessing: Preprocessing, cache: Path) -> FrameStore:
    """Open the store of ``footage``, building or completing it first where needed.

    Raises:
        FootageError: no frame could be read.
        UserError: the disk is full.
    """
    folder = cache.expanduser() / f"{footage.name}-{_key(footage, preprocessing)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock"):
            if not (folder / "complete.json").is_file():
                _build(footage, preprocessing, folder)
    except OSError as error:
        raise UserError(
            f"frame store {folder} could not be written: {error.strerror or error}; free some "
            f"space "
            "or set paths.cache to another disk; what is done is kept"
        ) from error
    index = pd.read_parquet(folder / "index.parquet")
    if not (index["state"] == OK).any():
        reasons = ", ".join(sorted(set(index["state"]))[:3])
        raise FootageError(
            f"{footage.spec} must hold at least one readable frame, got {len(index)} unreadable "
            f"({reasons})"
        )
    return FrameStore(folder, index, preprocessing)


def _key(footage: Footage, preprocessing: Preprocessing) -> str:
    """Changes with any file, size or option, and with the place (the index holds paths)."""
    place = str(Path(footage.spec).expanduser().absolute())
    facts = [FORMAT, place, footage.fingerprint(), asdict(preprocessing)]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _build(footage: Footage, preprocessing: Preprocessing, folder: Path) -> None:
    parts = folder / "parts"
    parts.mkdir(exist_ok=True)
    finished = _finished_parts(parts)
    done = pd.concat([pd.read_parquet(part) for part in finished]) if finished else None
    frame_bytes = int(np.prod(preprocessing.size_hw)) * preprocessing.channels
    known = [clip.length for clip in footage.clips]
    total = sum(n for n in known if n is not None) if None not in known else None
    _require_space(folder, (total or 0) - (0 if done is None else len(done)), frame_bytes)
    with (
        (folder / "frames.u8").open("ab") as file,
        progress(f"reading {footage.name}", total) as advance,
    ):
        file.truncate(0 if done is None else len(done) * frame_bytes)
        if done is not None:
            logger.info("continuing %s after %d frames", folder.name, len(done))
            advance(len(done))
        number = len(finished)
        for rows, pictures in _chunks(footage, preprocessing, done, advance):
            file.write(pictures)
            file.flush()
            os.fsync(file.fileno())
            _write_parquet(rows, parts / f"{number:08d}.parquet")
            number += 1
    whole = [pd.read_parquet(part) for part in _finished_parts(parts)]
    if not whole:
        raise FootageError(f"{footage.spec} must hold at least one frame, got none")
    _write_parquet(pd.concat(whole, ignore_index=True), folder / "index.parquet")
    (folder / "complete.json").write_text(json.dumps(asdict(preprocessing)))
    shutil.rmtree(parts)


def _chunks(
    footage: Footage, preprocessing: Preprocessing, done: pd.DataFrame | None, advance: Advance
) -> Iterator[tuple[pd.DataFrame, bytes]]:
    """Index rows and frame bytes of each further chunk."""
    rows: list[dict[str, object]] = []
    pictures: list[bytes] = []
    black = bytes(int(np.prod(preprocessing.size_hw)) * preprocessing.channels)
    for frame, size_hw in _further_frames(footage, preprocessing, done):
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
    footage: Footage, preprocessing: Preprocessing, done: pd.DataFrame | None
) -> Iterator[tuple[Frame, tuple[int, int]]]:
    """Frames not yet stored, with their source size; those of another shape are refused."""
    counts = {} if done is None else done.groupby("clip", sort=False).size().to_dict()
    last = None if done is None else done["clip"].iloc[-1]
    for clip in footage.clips:
        if clip.name in counts and clip.name != last:
            continue
        first_hw = _first_size(done, clip.name)
        for frame in clip.frames(int(counts.get(clip.name, 0)), preprocessing.size_hw):
            if frame.image is None:
                yield frame, (0, 0)
                continue
            size_hw = frame.source_hw or (frame.image.shape[0], frame.image.shape[1])
            first_hw = first_hw or size_hw
            if _same_shape(size_hw, first_hw):
                yield frame, size_hw
            else:
                state = (
                    f"shape {size_hw[1]}x{size_hw[0]}, clip began with {first_hw[1]}x{first_hw[0]}"
                )
                yield replace(frame, image=None, state=state), (0, 0)


def _first_size(done: pd.DataFrame | None, clip: str) -> tuple[int, int] | None:
    if done is None:
        return None
    good = done[(done["clip"] == clip) & (done["state"] == OK)]
    return (int(good["source_h"].iloc[0]), int(good["source_w"].iloc[0])) if len(good) else None


def _same_shape(one_hw: tuple[int, int], other_hw: tuple[int, int]) -> bool:
    """Equal aspect ratio: another resolution of the same view is welcome, another view is not."""
    one, other = one_hw[1] / one_hw[0], other_hw[1] / other_hw[0]
    return abs(one / other - 1) <= ASPECT_TOLERANCE


def _typed(rows: list[dict[str, object]]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    table["taken_at"] = pd.to_datetime(table["taken_at"]).astype("datetime64[us]")
    return table.astype({"clip": "str", "path": "str", "state": "str", "time_s": "float64"})


def _finished_parts(parts: Path) -> list[Path]:
    return sorted(part for part in parts.glob("*.parquet"))


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    with whole_file(path) as temporary:
        table.to_parquet(temporary, index=False)


def _require_space(folder: Path, frames: int, frame_bytes: int) -> None:
    needed, free = frames * frame_bytes, shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"frame store {folder} needs {needed / 2**30:.1f} GiB for {frames:,} frames, "
            f"{free / 2**30:.1f} GiB are free; set paths.cache to another disk"
        )
