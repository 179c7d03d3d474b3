"""The one thread that opens, reads and closes a camera; it hands frames over."""

import logging
import queue
import threading
import time

from tlae.watching.arrival import Arrival, Source

AHEAD = 2  # frames read before they are asked for, where none may be lost
STOP_S = (
    1.0  # for the thread to end; FFmpeg waits for a silent camera for longer, and cannot be told
)

logger = logging.getLogger(__name__)


class Reader:
    """Read a source in a thread of its own.

    Args:
        source: see ``Source``.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._waiting: queue.Queue[Arrival] = queue.Queue(AHEAD if source.keeps_all else 1)
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._ended = False
        self._thread = threading.Thread(target=self._read, name="camera", daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Whether all frames were taken, and none will come."""
        return self._ended and self._waiting.empty()

    def take(self, wait_s: float) -> Arrival | None:
        """The next frame, or the newest one; None where none comes in this time.

        Raises:
            UserError: the camera could not be opened at the start.
        """
        try:
            return self._waiting.get(timeout=wait_s)
        except queue.Empty:
            if self._failure is not None:
                raise self._failure from None
            return None

    def close(self) -> None:
        """End the thread, which closes the camera itself; one that waits for it is left alone."""
        self._stop.set()
        ends_s = time.monotonic() + STOP_S
        while self._thread.is_alive() and time.monotonic() < ends_s:
            self._drop_one()
            self._thread.join(0.05)
        if self._thread.is_alive():
            logger.warning("the camera sends nothing, and is left without waiting for it")

    def _read(self) -> None:
        try:
            for arrival in self._source.frames(self._stop):
                if self._stop.is_set():
                    break
                if arrival is not None:
                    self._hand_over(arrival)
        except BaseException as error:  # who takes frames reports it
            self._failure = error
        finally:
            self._ended = True

    def _hand_over(self, arrival: Arrival) -> None:
        while not self._stop.is_set():
            try:
                self._waiting.put(arrival, timeout=0.5 if self._source.keeps_all else 0)
            except queue.Full:
                if not self._source.keeps_all:
                    self._source.counts.dropped += self._drop_one()
            else:
                return

    def _drop_one(self) -> int:
        try:
            self._waiting.get_nowait()
        except queue.Empty:
            return 0
        return 1
