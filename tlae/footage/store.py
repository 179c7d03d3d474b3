"""Frame store: footage decoded once, at the net's size, into one mapped file with an index.

A store is a folder: ``frames.u8`` (frames one after the other), ``index.parquet`` (one row per
frame), ``contents.json`` (the files that are being read), ``complete.json`` (those that have been).
Footage to which files were added goes on in the store that it has; footage in which something
changed gets another one, so a store is never rewritten under those who read it.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from tlae.errors import FootageError, UserError
from tlae.folder_lock import held_folder
from tlae.footage.contents import Contents, as_json, contents_of, from_json, goes_on_from
from tlae.footage.decoding import GrowingIndex, decode
from tlae.footage.frames import OK, Image
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import Footage
from tlae.parquet_file import open_parquet
from tlae.table import Table
from tlae.whole_file import write_text

FORMAT = 3  # raise when a store written by older code must not be read


@dataclass(frozen=True)
class FrameStore:
    """Frames of one footage as the net sees them.

    Attributes:
        folder: where it lies.
        index: one row per frame, in order: clip, frame, path, time_s, taken_at, state, source_h,
            source_w (pixels of the camera's picture, 0 where unreadable); lazy columns.
        preprocessing: how the frames were made.
        contents: the files that they come from.
    """

    folder: Path
    index: Table
    preprocessing: Preprocessing
    contents: Contents = ()

    def __len__(self) -> int:
        return len(self.index)

    @property
    def origin(self) -> str:
        """Names the place and the way of reading; stays the same when files change."""
        return self.folder.name.rpartition("-")[0]

    @property
    def key(self) -> str:
        """Names the place, the way of reading and the exact files."""
        return f"{self.origin}-{_digest(as_json(self.contents))}"

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Frames, height, width, channels."""
        return (len(self), *self.preprocessing.size_hw, self.preprocessing.channels)

    @property
    def source_hw(self) -> tuple[int, int]:
        """Most frequent size of the camera's readable pictures, in pixels."""
        readable = self.index["state"] == OK
        sizes = np.stack([self.index["source_h"], self.index["source_w"]], axis=1)[readable]
        known, counts = np.unique(sizes, axis=0, return_counts=True)
        height, width = known[counts.argmax()].tolist()
        return height, width

    def frames(self) -> np.memmap[tuple[int, int, int, int], np.dtype[np.uint8]]:
        """All frames (N, H, W, C), mapped; unreadable ones are black."""
        try:
            return np.memmap(self.folder / "frames.u8", np.uint8, "r", shape=self.shape)
        except (OSError, ValueError) as error:  # ValueError: it is too short
            raise UserError(
                f"frame store {self.folder} could not be read: {error}; the same command reads the "
                "footage again"
            ) from error

    def read(self, rows: np.ndarray) -> Image:
        """Copy of the given rows (n, H, W, C); the mapping does not outlive the call."""
        return np.asarray(self.frames()[rows])


class GrowingStore:
    """A store while frames are added to it; its length is the number of those that are there.

    Args:
        empty: the store without any.
        index: of those that are there.
    """

    def __init__(self, empty: FrameStore, index: GrowingIndex) -> None:
        self._empty, self._index = empty, index

    def __len__(self) -> int:
        return len(self._index)

    def so_far(self) -> FrameStore:
        """The store with what is there; may be called in another thread.

        Raises:
            UserError: the disk is full.
        """
        with filling_cache(f"frame store {self._empty.folder}"):
            return replace(self._empty, index=self._index.so_far())


Follow = Callable[[GrowingStore], object]


def open_store(
    footage: Footage, preprocessing: Preprocessing, cache: Path, follow: Follow | None = None
) -> FrameStore:
    """Open the store of ``footage``, building it or adding to it first where needed.

    Args:
        footage: whose frames are wanted.
        preprocessing: how they are to be made.
        cache: folder of the stores.
        follow: called again and again while frames are added.

    Raises:
        FootageError: no frame could be read.
        UserError: the disk is full.
    """
    footage = footage.with_levels(preprocessing.levels)
    base = cache.expanduser() / f"{footage.name}-{_key(footage, preprocessing)}"
    with filling_cache(f"frame store {base}"), held_folder(base, None):
        contents = contents_of(footage)
        folder = _folder(footage, contents, base)
        store = FrameStore(folder, Table({}), preprocessing, contents)
        _complete(footage, store, follow)
        index = open_parquet(folder / "index.parquet")
    if not (index["state"] == OK).any():
        reasons = ", ".join(sorted(set(index["state"]))[:3])
        raise FootageError(
            f"{footage.spec} must hold at least one readable frame, got {len(index)} unreadable "
            f"({reasons})"
        )
    return replace(store, index=index)


@contextmanager
def filling_cache(thing: str) -> Iterator[None]:
    """Turn a full disk into one line for the user, which names the thing that is written.

    Raises:
        UserError: in place of an ``OSError``.
    """
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{thing} could not be written: {error.strerror or error}; free some space or set "
            "paths.cache to another disk; what is done is kept"
        ) from error


def _key(footage: Footage, preprocessing: Preprocessing) -> str:
    """Changes with the place (the index holds paths), with how times are found, with any option."""
    place = str(Path(footage.spec).expanduser().absolute())
    options = {name: value for name, value in asdict(preprocessing).items() if value is not None}
    return _digest([FORMAT, place, next(footage.clips[0].fingerprint()), options])


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _folder(footage: Footage, contents: Contents, base: Path) -> Path:
    """The store that holds the most of this footage and nothing else, or a new one."""
    stores = {note.parent: _read(note) for note in base.parent.glob(f"{base.name}-*/contents.json")}
    by_size = sorted(stores, key=lambda folder: -sum(clip.files for clip in stores[folder]))
    for folder in by_size:
        if stores[folder] == contents or goes_on_from(footage, stores[folder]):
            return folder
    folder = base.with_name(f"{base.name}-{_digest(as_json(contents))}")
    folder.mkdir(exist_ok=True)
    return folder


def _complete(footage: Footage, empty: FrameStore, follow: Follow | None) -> None:
    """Read what is not there yet."""
    folder, contents = empty.folder, empty.contents
    complete = _read(folder / "complete.json")
    if complete == contents:
        return

    def grown(index: GrowingIndex) -> None:
        if follow is not None:
            follow(GrowingStore(empty, index))

    _write(contents, folder / "contents.json")
    finished = {clip.clip for clip in {*complete} & {*contents}}
    decode(footage, empty.preprocessing, GrowingIndex(folder, grown), finished)
    _write(contents, folder / "complete.json")


def _read(path: Path) -> Contents:
    """Contents as noted; none where there is no note, or a torn one."""
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ()


def _write(contents: Contents, path: Path) -> None:
    write_text(path, json.dumps(as_json(contents)))
