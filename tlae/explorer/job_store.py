"""Jobs, their results and the labelings made of them: SQLite beside plain arrays."""

import json
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.whole_file import whole_file

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"
CANCELLED, INTERRUPTED = "cancelled", "interrupted"
UNFINISHED = (WAITING, RUNNING)

Labels = npt.NDArray[np.int32]

_TABLES = """
create table if not exists jobs (
    id text primary key, kind text, method text, parameters text, items integer,
    state text, progress real, message text, created_at real, ended_at real);
create table if not exists labelings (
    id text primary key, collection text, name text, parent text, method text, parameters text,
    items integer, clusters text, created_at real);
"""


@dataclass(frozen=True)
class Job:
    """One computation.

    Attributes:
        id: hash of all that its result depends on; the result is stored under it.
        kind: ``map`` or ``clusters``.
        method: of that kind.
        parameters: of the method.
        items: how many are laid out or grouped.
        state: waiting, running, done, failed, cancelled or interrupted.
        progress: share done in [0, 1]; None where the method cannot tell.
        message: what is being done, or why it failed.
    """

    id: str
    kind: str
    method: str
    parameters: Mapping[str, Any]
    items: int
    state: str = WAITING
    progress: float | None = None
    message: str = ""
    created_at: float = field(default_factory=time.time)
    ended_at: float | None = None


@dataclass(frozen=True)
class Labeling:
    """One assignment of every item to a cluster.

    Attributes:
        id: hash of what it was made of.
        name: for people.
        parent: the labeling before, "" for the first; undoing goes there.
        method: how the items were grouped; "" for the first.
        parameters: of the method.
        items: how many were grouped again.
        clusters: names given to clusters.
    """

    id: str
    name: str
    parent: str
    method: str
    parameters: Mapping[str, Any]
    items: int
    clusters: Mapping[str, str] = field(default_factory=dict)
    created_at: float = field(default_factory=time.time)


class JobStore:
    """``explorer.sqlite`` and the folder ``explorer/`` of arrays beside it.

    Args:
        folder: of the descriptors.

    Raises:
        UserError: the folder cannot be written to, or the file is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.arrays = folder / "explorer"
        self._lock = threading.Lock()
        path = folder / "explorer.sqlite"
        try:
            self.arrays.mkdir(exist_ok=True)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._db.row_factory = sqlite3.Row
            self._db.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise UserError(
                f"{path} must be a writable SQLite file, got: {error}; make the folder writable, "
                "or remove the file: it holds only jobs and labelings of the explorer"
            ) from error
        stopped = "update jobs set state = ? where state in (?, ?) returning id"
        self.interrupted = len(self._do(stopped, INTERRUPTED, *UNFINISHED))  # by the last end

    def close(self) -> None:
        """Close the file; what still runs counts as interrupted at the next start."""
        with self._lock:
            self._db.close()

    def put_job(self, job: Job) -> None:
        """Add a job, or start it over."""
        self._put("jobs", job)

    def job(self, key: str) -> Job | None:
        """A job by its id."""
        rows = self._do("select * from jobs where id = ?", key)
        return _job(rows[0]) if rows else None

    def jobs(self, limit: int = 50) -> list[Job]:
        """The newest jobs, newest first."""
        rows = self._do("select * from jobs order by created_at desc limit ?", limit)
        return [_job(row) for row in rows]

    def tell(self, key: str, state: str, progress: float | None, message: str) -> None:
        """Note how far a job is."""
        ended = None if state in UNFINISHED else time.time()
        self._do(
            "update jobs set state = ?, progress = ?, message = ?, ended_at = ? where id = ?",
            *(state, progress, message, ended, key),
        )

    def put_labeling(self, labeling: Labeling, collection: str, labels: Labels) -> None:
        """Store a labeling, its labels first."""
        self.put_array(f"labels-{labeling.id}", labels)
        self._put("labelings", labeling, collection=collection)

    def labeling(self, key: str) -> Labeling | None:
        """A labeling by its id."""
        rows = self._do("select * from labelings where id = ?", key)
        return _labeling(rows[0]) if rows else None

    def labelings(self, collection: str) -> list[Labeling]:
        """All labelings of a collection, oldest first."""
        rows = self._do(
            "select * from labelings where collection = ? order by created_at", collection
        )
        return [_labeling(row) for row in rows]

    def rename(self, key: str, name: str, clusters: Mapping[str, str]) -> None:
        """Name a labeling and its clusters."""
        self._do(
            "update labelings set name = ?, clusters = ? where id = ?",
            *(name, json.dumps(clusters), key),
        )

    def labels(self, key: str) -> Labels:
        """Cluster of every item; (N,)."""
        return np.asarray(self.array(f"labels-{key}"), np.int32)

    def has_array(self, name: str) -> bool:
        """Whether an array is stored."""
        return (self.arrays / f"{name}.npy").is_file()

    def array(self, name: str) -> npt.NDArray[Any]:
        """A stored array."""
        return np.asarray(np.load(self.arrays / f"{name}.npy", allow_pickle=False))

    def put_array(self, name: str, array: npt.NDArray[Any]) -> None:
        """Store an array; it appears whole or not at all."""
        with (
            whole_file(self.arrays / f"{name}.npy") as temporary,
            temporary.open("wb") as file,
        ):
            np.save(file, array, allow_pickle=False)

    def _put(self, table: str, record: Job | Labeling, **more: str) -> None:
        values = {**vars(record), **more}
        plain = [json.dumps(v) if isinstance(v, Mapping) else v for v in values.values()]
        marks = ", ".join("?" * len(values))
        self._do(f"insert or replace into {table} ({', '.join(values)}) values ({marks})", *plain)

    def _do(self, statement: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(statement, values).fetchall()


def _job(row: sqlite3.Row) -> Job:
    return Job(**{**dict(row), "parameters": json.loads(row["parameters"])})


def _labeling(row: sqlite3.Row) -> Labeling:
    known = {key: row[key] for key in row.keys() if key != "collection"}  # noqa: SIM118  a Row is no mapping
    for key in ("parameters", "clusters"):
        known[key] = json.loads(known[key])
    return Labeling(**known)
