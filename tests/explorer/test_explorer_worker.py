"""Processes of the explorer: how they begin, and how they end."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.small_descriptors import write_store
from tlae.explorer import worker
from tlae.explorer.job_store import Job, JobStore
from tlae.explorer.worker import Pool, Result, Task


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    write_store(tmp_path)
    return JobStore(tmp_path / "photos.desc")


def submit(pool: Pool, key: str) -> None:
    pool.store.put_job(Job(key, "map", "pca", {}, 3))
    pool.submit(Task(key, Path(), "colours", "map", "pca", {}, None))


def wait_a_minute(task: Task, tell: Callable[[float | None, str], None]) -> Result:
    time.sleep(60)
    return np.zeros(1)


def blocked_signals(task: Task, tell: Callable[[float | None, str], None]) -> Result:
    return np.array(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))


def state(store: JobStore, key: str) -> str:
    job = store.job(key)
    assert job is not None
    return job.state


def test_a_pool_is_closed_while_a_process_starts(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, begun, go_on = worker._start, threading.Event(), threading.Event()

    def slow_start(compute: worker.Compute) -> object:
        begun.set()
        go_on.wait(30)
        return start(compute)

    monkeypatch.setattr(worker, "_start", slow_start)
    pool = Pool(store, wait_a_minute)
    submit(pool, "first")
    submit(pool, "second")
    assert begun.wait(30)
    closer = threading.Thread(target=pool.close)
    closer.start()
    time.sleep(0.2)  # it waits for the process that starts
    go_on.set()
    closer.join(30)
    assert not any(thread.is_alive() for thread in pool._threads)
    store.close()
    again = JobStore(store.arrays.parent)
    assert [state(again, key) for key in ("first", "second")] == ["interrupted"] * 2
    again.close()


def test_a_job_that_runs_while_the_pool_is_closed_is_interrupted(store: JobStore) -> None:
    pool = Pool(store, wait_a_minute)
    submit(pool, "first")
    while state(store, "first") != "running":
        time.sleep(0.02)
    pool.close()
    assert state(store, "first") == "running"  # the next start calls it interrupted
    store.close()


def test_a_process_that_cannot_be_started_fails_its_job_alone(
    store: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(compute: worker.Compute) -> object:
        raise OSError(11, "Resource temporarily unavailable")

    pool, start = Pool(store, blocked_signals), worker._start
    monkeypatch.setattr(worker, "_start", full)
    submit(pool, "first")
    while state(store, "first") != "failed":
        time.sleep(0.02)
    monkeypatch.setattr(worker, "_start", start)
    submit(pool, "second")
    while state(store, "second") != "done":
        time.sleep(0.02)
    assert signal.SIGINT in store.array("second")  # Ctrl+C in a terminal is for the server
    pool.close()
    store.close()
