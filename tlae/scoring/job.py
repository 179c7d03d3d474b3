"""A scoring job on disk: chunk by chunk, resumable, the same bytes however often it was killed.

While it runs, everything lies in ``<name>.part/``: ``maps.zarr`` and ``rebuilt.zarr`` (written in
whole shards), ``parts/`` (one small table per finished chunk) and ``state-N.safetensors`` (what the
scorer carries into chunk N). When the tables are added, the folder is renamed; states stay in it.
Where frames were added to the footage since, chunks and state of before are taken on, and what
depends on the end that there was (the last chunk, and what waited for later frames) is done again.
"""

import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from tlae.chunk_log import JOB_FILE, ChunkLog, begin_anew, is_begun, note_facts
from tlae.errors import UserError
from tlae.footage.frames import OK
from tlae.footage.store import FrameStore
from tlae.footage.windows import Rows
from tlae.parquet_file import regrouped, spooled
from tlae.progress import Advance
from tlae.scoring.scored_frames import Scored, Scorer
from tlae.scoring.stored_maps import MAP_DTYPE, rounded
from tlae.table import Column, Flags, Table, compact, missing
from tlae.tensor_file import read_tensors, write_tensors
from tlae.whole_file import replace_folder, settle

CHUNK_FRAMES = 128  # one shard of the map arrays
MAP_CODEC = BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle")
ARRAYS = ("maps.zarr", "rebuilt.zarr")
ARRAY_FILES = ("zarr.json", ("zarr.json", "c/*"))  # the mark of an array, and all of it
CLIP_FILES = tuple(f"E{'[0-9]' * digits}.{kind}" for digits in (4, 5, 6) for kind in ("mp4", "png"))
RESULT_FILES = (  # all that `score` and `events` write into a results folder
    JOB_FILE,
    *("scores.parquet", "scores.csv", "events.json", "events.csv", "events.coco.json"),
    *("summary.json", "ledger.csv", "watched.npy", "zones.yaml", "zones.parquet"),
    *(f"{array}/*" for array in ARRAYS),
    *(f".{array}.*" for array in ARRAYS),  # of a killed swap
    *("parts/[0-9]*.parquet", "state-[0-9]*.safetensors"),
    *(f"events/{clip}" for clip in CLIP_FILES),
)
UNTOLD: dict[str, Column] = {  # by the net of a frame, or by an older version
    "reason": np.array("", object),
    "example": np.array(-1),
    "skipped": np.array(0),
}
STATES_KEPT = 3  # centred scoring finishes a chunk in the next one, and writing takes a while
REBUILT_TOGETHER = 4  # pictures packed as one: a call costs more than their bytes


@dataclass
class ScoringJob:
    """Fill a part folder with the results of every frame of a store.

    Args:
        folder: part folder; created, or continued if ``facts`` are the same.
        store: frames to score.
        runs: row numbers of each run of frames without a cut.
        facts: what the numbers depend on; a part folder with others is started anew.
        keep_rebuilt: also store what the net expected.
        rows_before: the part folder holds a job for only so many of the store's rows; None: none or
            for all of them.
        delay: frames by which the scorer's results lag behind.
    """

    folder: Path
    store: FrameStore
    runs: list[Rows]
    facts: dict[str, Any]
    keep_rebuilt: bool = True
    rows_before: int | None = None
    delay: int = 0

    def __post_init__(self) -> None:
        self.log = ChunkLog(self.folder / "parts")
        if self.rows_before is not None:
            self._take_on(self.rows_before)
        elif not is_begun(self.folder, self.facts):
            begin_anew(self.folder, RESULT_FILES, "unfinished scores")
            self.log.folder.mkdir()
        note_facts(self.folder, self.facts)
        self.maps = self._array("maps.zarr", MAP_DTYPE, self.store.shape[1:3], MAP_CODEC)
        self.rebuilt: Any = None
        if self.keep_rebuilt:
            item = self.store.shape[1:]
            self.rebuilt = self._array("rebuilt.zarr", np.uint8, item, together=REBUILT_TOGETHER)

    @property
    def chunks(self) -> int:
        """Number of chunks in all."""
        return -(-len(self.store) // CHUNK_FRAMES)

    def done(self) -> int:
        """Number of chunks finished, from the first on."""
        return len(self.log.numbers())

    def rows_left(self) -> int:
        """Number of rows that are not in a finished chunk."""
        return max(0, len(self.store) - self.done() * CHUNK_FRAMES)

    def run(
        self, scorer: Scorer, batch_frames: int, advance: Advance, until: int | None = None
    ) -> None:
        """Score what is not yet scored.

        Args:
            scorer: its past is forgotten.
            batch_frames: frames that the scorer takes at once.
            advance: hears how many frames are done; what it raises ends the work as a kill would.
            until: readable row at which a chunk begins, and the work ends as if killed; None: all.

        Raises:
            UserError: the disk is full; what is done is kept.
        """
        try:
            self._run(scorer, batch_frames, advance, until)
        except OSError as error:
            raise not_written(self.folder, error) from error

    def table(self) -> Table:
        """Results of all frames, see ``results.MEASURED``; NaN where there is no verdict."""
        whole = spooled(map(_completed, regrouped(self.log.tables())), self.folder)
        index, (height, width) = self.store.index, self.store.preprocessing.size_hw
        whole = whole.assign(**{n: index.column(n) for n in ("state", "source_h", "source_w")})
        known_by = whole.only(["state", "instant"])
        all_measured = all(_measured(told).all() for told in known_by.pieces())

        def results(told: Table) -> Table:
            table = Table(
                {
                    "instant": told["instant"],
                    "frame_mean": told["frame_mean"],
                    "peak_x": (told["peak_column"] + 0.5) * told["source_w"] / width,
                    "peak_y": (told["peak_row"] + 0.5) * told["source_h"] / height,
                    **{name: told[name] for name in UNTOLD},
                }
            )
            return table if all_measured else table.where(_measured(told))

        return spooled(map(results, whole.pieces()), self.folder)

    def clean(self, folder: Path) -> None:
        """Remove from the finished folder what only a running job needs."""
        shutil.rmtree(folder / "parts", ignore_errors=True)
        self.clean_states(folder)
        for array in ARRAYS:  # what zarr was writing when it was killed
            for torn in (folder / array).rglob("*.partial"):
                torn.unlink()

    def clean_states(self, folder: Path) -> None:
        """Remove the states from which no job goes on, however the footage may grow."""
        kept = _settled_rows(self.runs, len(self.store), self.delay) // CHUNK_FRAMES
        states = sorted(folder.glob("state-*"))
        useful = [state for state in states if state.name <= self._state(kept).name]
        for state in {*states} - {*useful[-1:]}:
            state.unlink()

    def _take_on(self, rows_before: int) -> None:
        """Keep of a shorter job what does not depend on where it ended."""
        before = [run[run < rows_before] for run in self.runs]
        settled = _settled_rows([run for run in before if len(run)], rows_before, self.delay)
        kept = settled // CHUNK_FRAMES
        for number in reversed(self.log.numbers(kept)):  # a kill leaves no gap
            self.log.path(number).unlink()
            for array in ARRAYS:
                shutil.rmtree(self.folder / array / "c" / str(number), ignore_errors=True)
        for array in ARRAYS:
            if (self.folder / array).is_dir():
                opened = zarr.open_array(self.folder / array, mode="r+")
                opened.resize((len(self.store), *opened.shape[1:]))

    def _run(self, scorer: Scorer, batch_frames: int, advance: Advance, until: int | None) -> None:
        finished = self.done()
        start, state = self._last_state(scorer, finished)
        advance(min(finished * CHUNK_FRAMES, len(self.store)))
        open_chunks: dict[int, _Chunk] = {}
        with ThreadPoolExecutor(1) as writer:  # packs a chunk while the net answers for the next
            written: Future[None] = Future()
            written.set_result(None)
            for rows, scored, settled in self._results(scorer, start, state, batch_frames, until):
                advance(0)  # may end the work
                self._require_finite(rows, scored)
                for number, place in _by_chunk(rows):
                    if number >= finished:
                        if number not in open_chunks:
                            open_chunks[number] = self._empty(number)
                        open_chunks[number].put(rows[place] - number * CHUNK_FRAMES, scored, place)
                while finished < self.chunks and settled >= min(
                    (finished + 1) * CHUNK_FRAMES, len(self.store)
                ):
                    is_open = finished in open_chunks  # not where no frame of it can be read
                    chunk = open_chunks.pop(finished) if is_open else self._empty(finished)
                    written.result()  # one waits at most
                    written = writer.submit(self._write, finished, chunk)
                    advance(len(chunk.instant))
                    finished += 1
            written.result()

    def _last_state(self, scorer: Scorer, finished: int) -> tuple[int, dict[str, Any]]:
        """Last chunk, of the finished ones and the next, into which is known what is carried.

        A state that is damaged is removed, so that it is written again.
        """
        for number in range(finished, 0, -1):
            if (state := read_tensors(self._state(number), scorer.framework)) is not None:
                return number, state
            self._state(number).unlink(missing_ok=True)
        return 0, {}

    def _results(
        self,
        scorer: Scorer,
        start: int,
        state: dict[str, Any],
        batch_frames: int,
        until: int | None,
    ) -> Iterator[tuple[Rows, Scored, int]]:
        """Rows, their results, and the number of rows below which nothing more will come."""
        scorer.reset()
        if start:
            scorer.restore(state)
        first_row = start * CHUNK_FRAMES
        for run in self.runs:
            if run[-1] < first_row:
                continue
            done, to_do = np.split(run, [np.searchsorted(run, first_row)])
            waiting = done[-scorer.delay :] if scorer.delay else run[:0]
            for rows in _batches(to_do, batch_frames):
                self._keep_state(scorer, int(rows[0]), start, fresh=rows[0] == run[0])
                if rows[0] == until:
                    return
                scored = scorer.push(self.store.read(rows))
                waiting = np.concatenate([waiting, rows])
                ready, waiting = np.split(waiting, [len(scored.instant)])
                settled = int(waiting[0]) if len(waiting) else int(rows[-1]) + 1
                yield ready, scored, settled
            yield waiting, scorer.finish(), int(run[-1]) + 1
        nothing = np.zeros((0, 1, 1))
        none = np.zeros(0, dtype=object)
        empty = Scored(nothing, np.zeros(0), np.zeros((0, 2)), nothing, none, none, none)  # type: ignore[arg-type]
        yield np.zeros(0, np.int64), empty, len(self.store)

    def _require_finite(self, rows: Rows, scored: Scored) -> None:
        """Refuse results of readable frames that are not finite, before they are written."""
        bad = np.flatnonzero(~scored.is_finite)
        if len(bad):
            row = self.store.index.row(int(rows[bad[0]]))
            raise UserError(
                "scores must be finite numbers, the model gives others for frame "
                f"{row['frame']} of {row['clip']} ({row['path']}); "
                "score with precision=float32, or train with a lower learning rate"
            )

    def _keep_state(self, scorer: Scorer, row: int, start: int, *, fresh: bool) -> None:
        """At the first batch of a chunk, save what the scorer carries into it."""
        number = row // CHUNK_FRAMES
        if number <= start or self._state(number).is_file():
            return
        if fresh:
            scorer.reset()
        write_tensors(scorer.state(), self._state(number), scorer.framework)
        for old in range(number - STATES_KEPT + 1):
            self._state(old).unlink(missing_ok=True)

    def _write(self, number: int, chunk: "_Chunk") -> None:
        rows = slice(number * CHUNK_FRAMES, number * CHUNK_FRAMES + len(chunk.instant))
        self.maps[rows] = rounded(chunk.maps)
        if self.rebuilt is not None:
            self.rebuilt[rows] = chunk.rebuilt
        table = Table(
            {
                "instant": chunk.instant,
                "frame_mean": chunk.frame_mean,
                "peak_row": chunk.peak[:, 0],
                "peak_column": chunk.peak[:, 1],
                "reason": chunk.reason,
                "example": chunk.example,
                "skipped": chunk.skipped,
            }
        )
        self.log.append(number, table)

    def _array(
        self,
        name: str,
        dtype: type,
        item: tuple[int, ...],
        codec: Any = "auto",
        together: int = 1,
    ) -> Any:
        """The array of all frames; one of another type is what an earlier version wrote."""
        path = self.folder / name

        def make(where: Path) -> Any:
            return zarr.create_array(
                where,
                shape=(len(self.store), *item),
                chunks=(min(together, CHUNK_FRAMES), *item),
                shards=(CHUNK_FRAMES, *item),
                dtype=dtype,
                compressors=codec,
            )

        settle(path, ARRAY_FILES[1])
        if not (path / ARRAY_FILES[0]).is_file():  # none, or killed while it was made
            return make(path)
        before = zarr.open_array(path, mode="r")
        if before.dtype != dtype:
            with replace_folder(path, *ARRAY_FILES) as new:
                after = make(new)
                for start in range(0, len(self.store), CHUNK_FRAMES):
                    after[start : start + CHUNK_FRAMES] = before[start : start + CHUNK_FRAMES]
        return zarr.open_array(path, mode="r+")

    def _empty(self, number: int) -> "_Chunk":
        """A chunk before its frames are scored."""
        frames = min(CHUNK_FRAMES, len(self.store) - number * CHUNK_FRAMES)
        height, width, channels = self.store.shape[1:]
        return _Chunk(frames, (height, width, channels if self.keep_rebuilt else 0))

    def _state(self, number: int) -> Path:
        return self.folder / f"state-{number:08d}.safetensors"


def not_written(folder: Path, error: OSError) -> UserError:
    """One line on scores that could not be written into a folder."""
    return UserError(
        f"scores in {folder} could not be written: {error.strerror or error}; free some space or "
        "set paths.scores to another disk; the same command continues"
    )


def _completed(told: Table) -> Table:
    """What chunks tell, with the columns that those of older versions lack."""
    for name, nothing in UNTOLD.items():
        values = told.get(name, np.broadcast_to(nothing, len(told)))
        values = np.where(missing(values), nothing, values).astype(nothing.dtype)
        told = told.assign(**{name: compact(values)})
    return told


def _measured(told: Table) -> Flags:
    """Rows (n,) of which the net gave a verdict."""
    return np.asarray((told["state"] == OK) & ~np.isnan(told["instant"]))


def _settled_rows(runs: list[Rows], rows: int, delay: int) -> int:
    """Number of rows, of so many, whose results further frames cannot change."""
    if not runs or not delay:
        return rows
    return int(runs[-1][-delay:][0])


class _Chunk:
    """Results of one chunk; what is never put stays NaN or zero (unreadable frames)."""

    def __init__(self, frames: int, shape: tuple[int, int, int]) -> None:
        self.instant = np.full(frames, np.nan)
        self.frame_mean = np.full(frames, np.nan)
        self.peak = np.full((frames, 2), -1, np.int64)
        self.maps = np.zeros((frames, *shape[:2]), MAP_DTYPE)
        self.rebuilt = np.zeros((frames, *shape), np.uint8)
        self.reason = np.full(frames, "", dtype=object)
        self.example = np.full(frames, -1, np.int64)
        self.skipped = np.zeros(frames, np.int64)

    def put(self, into: Rows, scored: Scored, place: Rows) -> None:
        self.instant[into] = scored.instant[place]
        self.frame_mean[into] = scored.frame_mean[place]
        self.peak[into] = scored.peak[place]
        self.maps[into] = scored.maps[place]
        if scored.rebuilt.size:  # a net that answers with maps expects nothing
            self.rebuilt[into] = scored.rebuilt[place]
        self.reason[into] = scored.reason[place]
        self.example[into] = scored.example[place]
        self.skipped[into] = scored.skipped[place]


def _by_chunk(rows: Rows) -> Iterator[tuple[int, Rows]]:
    """Chunk number, and the positions in ``rows`` that belong to it."""
    if not len(rows):
        return
    numbers = range(int(rows[0]) // CHUNK_FRAMES, int(rows[-1]) // CHUNK_FRAMES + 1)
    edges = np.searchsorted(rows, [number * CHUNK_FRAMES for number in (*numbers, numbers.stop)])
    for number, first, stop in zip(numbers, edges[:-1], edges[1:], strict=True):
        if first < stop:
            yield number, np.arange(first, stop)


def _batches(rows: Rows, batch_frames: int) -> Iterator[Rows]:
    """Batches that never straddle a chunk, so that a resumed job forms the same ones."""
    for _, inside in _by_chunk(rows):
        for start in range(0, len(inside), batch_frames):
            yield rows[inside[start : start + batch_frames]]
