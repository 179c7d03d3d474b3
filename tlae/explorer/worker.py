"""A pool of processes that compute maps and clusters; a job can be cancelled at any moment."""

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.explorer.job_store import CANCELLED, DONE, FAILED, RUNNING, JobStore

Rows = npt.NDArray[np.int64]
Result = npt.NDArray[Any]


@dataclass(frozen=True)
class Task:
    """What a process needs to know.

    Attributes:
        key: of the job, and the name of its result.
        folder: of the descriptors.
        descriptor: which of them.
        kind: ``map`` or ``clusters``.
        method: of that kind.
        parameters: of the method.
        rows: the items, or None for all.
    """

    key: str
    folder: Path
    descriptor: str
    kind: str
    method: str
    parameters: dict[str, Any]
    rows: Rows | None


Compute = Callable[[Task, Callable[[float | None, str], None]], Result]


class Pool:
    """Runs tasks one after the other in each of its processes and notes how far they are.

    Args:
        store: keeps states and results.
        compute: a function at the top of a module, so that a new process finds it.
        processes: started when first needed, and again after one was cancelled or killed.
    """

    def __init__(self, store: JobStore, compute: Compute, processes: int = 1) -> None:
        self.store, self.compute = store, compute
        self._waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._running: dict[str, BaseProcess] = {}
        self._cancelled: set[str] = set()
        self._is_closed = False
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._serve, name="explorer-jobs", daemon=True)
            for _ in range(processes)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Task) -> None:
        """Queue a task whose job is stored."""
        with self._lock:
            self._cancelled.discard(task.key)
        self._waiting.put(task)

    def cancel(self, key: str) -> None:
        """End a running job by ending its process; a waiting one is not begun."""
        with self._lock:
            self._cancelled.add(key)
            process = self._running.get(key)
        if process is None:
            self.store.tell(key, CANCELLED, None, "cancelled")
        else:
            process.terminate()

    def close(self) -> None:
        """End all processes; what waits or runs counts as interrupted at the next start."""
        with self._lock:
            self._is_closed = True
            for process in self._running.values():
                process.terminate()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join(timeout=10)

    def _serve(self) -> None:
        helper: tuple[BaseProcess, Connection] | None = None
        while (task := self._waiting.get()) is not None and not self._is_closed:
            if helper is not None and not helper[0].is_alive():  # killed while it had no task
                _end(helper)
                helper = None
            helper = helper or self._started(task)
            if helper is None:
                continue
            process, connection = helper
            with self._lock:
                if self._is_closed:  # while the process started
                    break
                if task.key in self._cancelled:
                    continue
                self._running[task.key] = process
            is_there = True
            try:
                is_there = self._run(task, connection)
            finally:
                with self._lock:
                    del self._running[task.key]
            if not is_there:  # one that is being killed may count as alive for a moment
                _end(helper)
                helper = None
        if helper is not None:
            _end(helper)

    def _started(self, task: Task) -> tuple[BaseProcess, Connection] | None:
        """A new process; None, and the job failed, where the system gives none."""
        try:
            return _start(self.compute)
        except OSError as error:
            if not self._is_closed:
                reason = f"no process could be started: {error.strerror or error}; try again"
                self.store.tell(task.key, FAILED, None, reason)
            return None

    def _run(self, task: Task, connection: Connection) -> bool:
        """Send the task, and note what comes back until it is done or the process is gone.

        Returns:
            Whether the process is still there.
        """
        self.store.tell(task.key, RUNNING, None, "starting")
        try:
            connection.send(task)
            while True:
                word, value = connection.recv()
                if word == RUNNING:
                    self.store.tell(task.key, RUNNING, *value)
                    continue
                if word == DONE:
                    self.store.put_array(task.key, value)
                    value = ""
                self.store.tell(task.key, word, 1.0 if word == DONE else None, value)
                return True
        except (EOFError, OSError):
            with self._lock:
                cancelled = task.key in self._cancelled
            if self._is_closed and not cancelled:
                return False
            state = CANCELLED if cancelled else FAILED
            reason = "its process was ended, perhaps for want of memory; take fewer items"
            self.store.tell(task.key, state, None, "cancelled" if cancelled else reason)
            return False


def _end(helper: tuple[BaseProcess, Connection]) -> None:
    process, connection = helper
    process.terminate()
    process.join()
    connection.close()


def _start(compute: Compute) -> tuple[BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")  # forking a process with threads is unsafe
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, compute), daemon=True)
    with _interrupts_blocked():
        process.start()
    theirs.close()  # else the end of the process would go unnoticed
    return process, ours


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Ctrl+C reaches no process that is started within: who started it ends it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(connection: Connection, compute: Compute) -> None:
    """Main function of a process; ends with the one that started it."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            task = connection.recv()
        except (EOFError, OSError):
            return
        try:
            result = compute(task, lambda share, what: connection.send((RUNNING, (share, what))))
            connection.send((DONE, result))
        except Exception as error:  # a library's refusal of odd data must not end the process
            line = " ".join(str(error).split()) or type(error).__name__
            connection.send((FAILED, line))


def _end_with_parent() -> None:
    """A server that was killed must not leave a long computation behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
