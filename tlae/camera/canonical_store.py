"""A frame store as the net shall see it: canonical pictures, and the camera's state in the index.

It lies beside the store that it is made from, is made in chunks, and goes on where it ended: after
a kill, or when that store has grown. ``frames.u8`` holds the pictures, ``parts/`` the index of each
chunk.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from tlae.camera.camera import Camera
from tlae.camera.camera_file import camera_arrays
from tlae.camera.health import CAN_ALARM
from tlae.camera.watch import UNOBSERVED, CameraWatch, WatchState
from tlae.chunk_log import ChunkLog
from tlae.folder_lock import held_folder
from tlae.footage.frames import OK, Image
from tlae.footage.store import FrameStore, filling_cache
from tlae.footage.windows import Rows
from tlae.parquet_file import read_parquet, regrouped, spooled
from tlae.progress import progress
from tlae.table import Table, is_any

FORMAT = 1  # raise when frames are seen otherwise by the same camera
CHUNK_FRAMES = 256  # as a frame store grows
BATCH_FRAMES = 64
COPIES = "copies"  # exact copies in a row up to a frame; what the next chunk must know


def canonical_store(camera: Camera, store: FrameStore) -> FrameStore:
    """The store with canonical pictures; its index has the columns ``UNOBSERVED``.

    Raises:
        UserError: the disk is full; what is done is kept.
    """
    folder = store.folder.with_name(f"{store.folder.name}-{_key(camera)}")
    log = _log(folder)
    with filling_cache(f"canonical frames {folder}"), held_folder(folder, None):
        log.folder.mkdir(parents=True, exist_ok=True)
        _complete(camera, store, folder)
        chunks = (read_parquet(log.path(start)) for start in _starts(store))
        index = spooled(regrouped(chunks), folder)
    return replace(store, folder=folder, index=index)


def without_ill(store: FrameStore) -> FrameStore:
    """The store with frames of ill health left out, as if they were unreadable; for training."""
    health, state = store.index["health"], store.index["state"]
    is_ill = (state == OK) & ~is_any(health, CAN_ALARM)
    return replace(store, index=store.index.assign(state=np.where(is_ill, health, state)))


def observe(camera: Camera, store: FrameStore) -> Table:
    """Columns ``UNOBSERVED`` for each row of the store; frames are read once, in chunks.

    Unreadable frames have mode "" and health "ok": their state says what is wrong.
    """
    past = WatchState()
    tables = []
    for start in _starts(store):
        table, _, past = _seen_chunk(camera, store, start, past)
        tables.append(table.only(list(UNOBSERVED)))
    return Table.joined(tables)


def _key(camera: Camera) -> str:
    """Changes with all that a frame's looks depend on."""
    arrays, facts = camera_arrays(camera)
    parts = [repr((FORMAT, sorted(facts.items()))).encode()]
    parts += [arrays[name].tobytes() for name in sorted(arrays)]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:12]


def _starts(store: FrameStore) -> range:
    return range(0, len(store), CHUNK_FRAMES)


def _log(folder: Path) -> ChunkLog:
    return ChunkLog(folder / "parts", digits=10)


def _complete(camera: Camera, store: FrameStore, folder: Path) -> None:
    """Make the chunks that are missing, and all after the first such."""
    to_do = [start for start in _starts(store) if not _is_done(store, folder, start)]
    if not to_do:
        return
    past = _past(store, folder, to_do[0])
    frame_bytes = int(np.prod(store.shape[1:]))
    path = folder / "frames.u8"
    path.touch()
    with progress("canonical light", len(store)) as advance:
        advance(to_do[0])
        for start in range(to_do[0], len(store), CHUNK_FRAMES):
            table, pictures, past = _seen_chunk(camera, store, start, past)
            _log(folder).append(start, table, path, pictures.tobytes(), start * frame_bytes)
            advance(len(table))


def _is_done(store: FrameStore, folder: Path, start: int) -> bool:
    """Whether the chunk is there, of the rows that the store has now."""
    part = _log(folder).path(start)
    if not part.is_file():
        return False
    now = store.index.take(slice(start, start + CHUNK_FRAMES))
    return read_parquet(part, list(now)).equals(now)


def _past(store: FrameStore, folder: Path, start: int) -> WatchState:
    """What the frames before ``start`` leave behind: the last readable one, however far back."""
    for before in reversed(range(0, start, CHUNK_FRAMES)):
        table = read_parquet(_log(folder).path(before), ["clip", "state", COPIES])
        good = np.flatnonzero(table["state"] == OK)
        if len(good):
            frame = store.read(np.array([before + good[-1]]))[0]
            last = table.row(int(good[-1]))
            return WatchState(str(last["clip"]), frame, int(last[COPIES]))
    return WatchState()


def _seen_chunk(
    camera: Camera, store: FrameStore, start: int, past: WatchState
) -> tuple[Table, Image, WatchState]:
    """Index with what was observed, pictures (n, H, W, C), and the past of the next chunk."""
    table = store.index.take(slice(start, start + CHUNK_FRAMES))
    pictures = np.zeros((len(table), *store.shape[1:]), np.uint8)
    defaults = UNOBSERVED | {COPIES: 0}
    observed = {name: np.array([value] * len(table), object) for name, value in defaults.items()}
    scale_x = table["source_w"] / store.shape[2]
    scale_y = table["source_h"] / store.shape[1]
    watch = CameraWatch(camera, past)
    for clip, rows in _batches(table):
        seen, copies = watch.push(clip, store.read(start + rows))
        for row, one, count in zip(rows, seen, copies, strict=True):
            pictures[row] = one.picture
            observed["mode"][row], observed["health"][row] = one.mode, str(one.health)
            observed["shift_x"][row] = one.shift_x * scale_x[row]
            observed["shift_y"][row] = one.shift_y * scale_y[row]
            observed[COPIES][row] = count
    typed = {name: np.array(observed[name].tolist()) for name in defaults}
    return table.assign(**typed), pictures, watch.past


def _batches(table: Table) -> Iterator[tuple[str, Rows]]:
    """Clip and readable rows of a chunk, in batches that hold one clip."""
    good = np.flatnonzero(table["state"] == OK)
    clips = table["clip"]
    for run in np.split(good, np.flatnonzero(clips[good][1:] != clips[good][:-1]) + 1):
        for start in range(0, len(run), BATCH_FRAMES):
            yield str(clips[run[0]]), run[start : start + BATCH_FRAMES]
