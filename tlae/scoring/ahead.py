"""Scoring what is decoded already while the rest of the footage still is.

A thread runs the job on the part of the frame store that is there. Where decoding has ended, it
leaves what a killed job leaves, so whoever continues the job gets the same bytes.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Condition
from types import TracebackType

from tlae.footage.store import FrameStore, GrowingStore
from tlae.footage.windows import Rows, segments
from tlae.progress import OFF, progress_as
from tlae.scoring.job import CHUNK_FRAMES, ScoringJob
from tlae.scoring.scored_frames import Scorer

LEAST_FRAMES = 2 * CHUNK_FRAMES  # of a piece
LEAST_SHARE = 1 / 16  # of what was there before: each piece goes through the whole index


class ScoringAhead:
    """Score a store while it is filled; in a ``with`` block around what fills it.

    Attributes:
        started: ``time.monotonic()`` when the net began; None: it did not.

    Args:
        job_of: makes the job of a store so far; takes ``ScoringJob``'s runs and ``rows_before``.
        seen: what the net sees of a store so far.
        scorer: gives the scorer, once frames are there.
        batch_frames: that the scorer takes at once.
        gap_s: an interval longer than this ends a run [s]; 0: none does.
    """

    def __init__(
        self,
        job_of: Callable[[FrameStore, list[Rows], int | None], ScoringJob],
        seen: Callable[[FrameStore], FrameStore],
        scorer: Callable[[], Scorer],
        batch_frames: int,
        gap_s: float,
    ) -> None:
        self.started: float | None = None
        self._job_of, self._seen, self._scorer = job_of, seen, scorer
        self._batch_frames, self._gap_s = batch_frames, gap_s
        self._changed = Condition()
        self._store: GrowingStore | None = None
        self._rows = 0  # of it, when it was last heard of
        self._ended = False
        self._threads = ThreadPoolExecutor(1, "scoring ahead")

    def follow(self, store: GrowingStore) -> None:
        """Hear that frames were added.

        Raises:
            UserError: of the job; nothing else needs to be decoded then.
        """
        if self._work.done():
            self._work.result()
        with self._changed:
            self._store, self._rows = store, len(store)
            self._changed.notify()

    def __enter__(self) -> "ScoringAhead":
        self._work = self._threads.submit(self._run)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop at the end of a batch; no interruption leaves the thread behind.

        Raises:
            UserError: of the job, unless the block raised something itself.
        """
        with self._changed:
            self._ended = True
            self._changed.notify()
        interrupted = None
        while not self._work.done():
            try:
                wait([self._work])
            except KeyboardInterrupt as again:  # what holds the folder must outlast the thread
                interrupted = again
        self._threads.shutdown()
        if error is not None:
            return
        if interrupted is not None:
            raise interrupted
        self._work.result()

    def _run(self) -> None:
        rows, rows_before = 0, None  # that were looked at, that the job is for
        with progress_as(OFF):
            while (so_far := self._next(rows)) is not None:
                store = self._seen(so_far)
                rows, runs = len(store), segments(store.index, self._gap_s)
                if not (until := _last_begin(runs)):
                    continue
                job = self._job_of(store, runs, rows_before)
                self.started = self.started or time.monotonic()
                try:
                    job.run(self._scorer(), self._batch_frames, self._go_on, until)
                except _Ended:
                    return
                rows_before = rows

    def _next(self, rows: int) -> FrameStore | None:
        """The store, when enough was added to so many rows; None: no more is wanted."""
        least = rows + max(LEAST_FRAMES, round(LEAST_SHARE * rows))
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._rows >= least)
            store = self._store
        return None if self._ended or store is None else store.so_far()

    def _go_on(self, done: int = 1) -> None:
        if self._ended:
            raise _Ended


class _Ended(Exception):
    """Decoding has ended."""


def _last_begin(runs: list[Rows]) -> int | None:
    """The last row at which a chunk begins and that can be read: all before it is certain."""
    for run in reversed(runs):
        begins = run[run % CHUNK_FRAMES == 0]
        if len(begins):
            return int(begins[-1])
    return None
