"""The actions of the explorer, without the web: known results at once, others as jobs."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from tlae.errors import UserError
from tlae.explorer.collection import Collection
from tlae.explorer.job_store import UNFINISHED, Job, JobStore, Labeling, Labels
from tlae.explorer.move_plan import MovePlan, file_table, plan_moves
from tlae.explorer.regroup import checked, merged, methods, regroup
from tlae.explorer.worker import Pool, Result, Rows, Task
from tlae.image_sets.descriptor_store import open_descriptors
from tlae.image_sets.item_pictures import pictures_of
from tlae.image_sets.maps import MAPS, Coordinates, lay_out
from tlae.number_words import how_many

MAP, CLUSTERS = "map", "clusters"
FEWEST_TO_CLUSTER = 3


class NotFound(UserError):
    """An item, labeling or job that there is not."""


@dataclass(frozen=True)
class Request:
    """A clustering that a user asks for.

    Attributes:
        method: a clusterer.
        parameters: of the method; those left out keep their default.
        rows: items to cluster again; None: all.
        parent: labeling that the others keep their cluster of.
        name: of the labeling that results; None: derived from the method.
    """

    method: str
    parameters: Mapping[str, Any]
    rows: Sequence[int] | None = None
    parent: str | None = None
    name: str | None = None


class Explorer:
    """One collection being explored; a context manager that holds the folder's lock.

    Args:
        collection: what is explored.
        processes: that compute jobs.

    Raises:
        UserError: another explorer has the folder, or it cannot be written to.
    """

    def __init__(self, collection: Collection, processes: int = 1) -> None:
        self.collection = collection
        self.folder = collection.descriptors.folder.resolve()
        self.pictures = pictures_of(collection.descriptors.ids, collection.descriptors.facts)
        self._lock = FileLock(self.folder / "explorer.lock")
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise UserError(
                f"{self.folder} must be explored by one process at a time, another one has it; "
                "use its page, or stop it"
            ) from error
        except OSError as error:
            raise UserError(
                f"{self.folder} must be writable, got: {error.strerror}; copy it to another place"
            ) from error
        try:
            self.store = JobStore(self.folder)
        except BaseException:
            self._lock.release()
            raise
        self.pool = Pool(self.store, compute, processes)
        self.start = self._first_labeling()

    def __enter__(self) -> "Explorer":
        return self

    def __exit__(self, *reason: object) -> None:
        self.pool.close()
        self.store.close()
        self._lock.release()

    @property
    def notes(self) -> list[str]:
        """What a viewer should know."""
        notes = self.collection.notes
        if count := self.store.interrupted:
            jobs = how_many(count, "job")
            notes.append(f"{jobs} interrupted when the server ended; ask again to start anew.")
        return notes

    def map(self, method: str, dimensions: int, seed: int = 0) -> Coordinates | Job:
        """Coordinates of all items: at once if known or PCA, else a job that computes them.

        Raises:
            UserError: an unknown method, one that is not installed, or dimensions other than 2, 3.
        """
        if method not in MAPS:
            raise NotFound(f"no map is called {method!r}; known: {', '.join(MAPS)}")
        if dimensions not in (2, 3):
            raise UserError(f"dimensions must be 2 or 3, got {dimensions}")
        if not MAPS[method].available:
            raise UserError(f"{MAPS[method].title} is not installed; {MAPS[method].install}")
        parameters = {"dimensions": dimensions, "seed": seed}
        key = self._key(MAP, method, parameters, None)
        if not self.store.has_array(key) and method == "pca":
            self.store.put_array(
                key, lay_out("pca", self.collection.descriptors.values, dimensions)
            )
        return self._known_or_job(key, MAP, method, parameters, None)

    def has_map(self, method: str, dimensions: int) -> bool:
        """Whether a map is known already."""
        parameters = {"dimensions": dimensions, "seed": 0}
        return self.store.has_array(self._key(MAP, method, parameters, None))

    def cluster(self, request: Request) -> Labeling | Job:
        """A labeling: at once if its clusters are known, else the job that finds them.

        Raises:
            UserError: an unknown method, parameter, item or labeling, or too few items.
        """
        parameters = checked(request.method, request.parameters)
        rows = None if request.rows is None else self.rows(request.rows)
        items = self.collection.count if rows is None else len(rows)
        if items < FEWEST_TO_CLUSTER:
            raise UserError(f"rows must be at least {FEWEST_TO_CLUSTER} items, got {items}")
        parent = self.labeling(request.parent or self.start)
        key = self._key(CLUSTERS, request.method, parameters, rows)
        found = self._known_or_job(key, CLUSTERS, request.method, parameters, rows)
        if isinstance(found, Job):
            return found
        name = request.name or f"{methods()[request.method]}, {how_many(items, 'item')}"
        identity = hashlib.sha256(f"{parent.id} {key}".encode()).hexdigest()[:16]
        known = self.store.labeling(identity)
        if known is not None:
            if request.name and request.name != known.name:
                self.store.rename(identity, request.name, known.clusters)
            return self.labeling(identity)
        made = Labeling(identity, name, parent.id, request.method, parameters, items)
        labels = merged(self.store.labels(parent.id), rows, found.astype(np.int32))
        self.store.put_labeling(made, self.collection.key, labels)
        return made

    def labelings(self) -> list[Labeling]:
        """All labelings of these items, oldest first."""
        return self.store.labelings(self.collection.key)

    def labeling(self, key: str) -> Labeling:
        """One labeling.

        Raises:
            NotFound: there is none of that id for these items.
        """
        for labeling in self.labelings():
            if labeling.id == key:
                return labeling
        raise NotFound(f"no labeling has the id {key!r}")

    def labels(self, key: str) -> Labels:
        """Cluster of every item in a labeling; (N,)."""
        return self.store.labels(self.labeling(key).id)

    def rename(self, key: str, name: str | None, clusters: Mapping[str, str]) -> Labeling:
        """Name a labeling, and clusters in it; an empty name takes the cluster's name away."""
        labeling = self.labeling(key)
        known = {**labeling.clusters, **clusters}
        self.store.rename(key, name or labeling.name, {k: v for k, v in known.items() if v})
        return self.labeling(key)

    def job(self, key: str) -> Job:
        """One job.

        Raises:
            NotFound: there is none of that id.
        """
        job = self.store.job(key)
        if job is None:
            raise NotFound(f"no job has the id {key!r}")
        return job

    def cancel(self, key: str) -> Job:
        """End a job that is not finished."""
        if self.job(key).state in UNFINISHED:
            self.pool.cancel(key)
        return self.job(key)

    def rows(self, rows: Sequence[int]) -> Rows:
        """Checked, sorted, each once.

        Raises:
            NotFound: an item that there is not.
        """
        chosen = np.unique(np.asarray(rows, np.int64))
        count = self.collection.count
        if len(chosen) and not (chosen[0] >= 0 and chosen[-1] < count):
            wrong = chosen[0] if chosen[0] < 0 else chosen[-1]
            raise NotFound(f"rows must be in 0 to {count - 1}, got {wrong}")
        return chosen

    def files(self, rows: Sequence[int] | None, labeling: str) -> str:
        """CSV of the items, with their cluster."""
        chosen = self._rows_or_all(rows)
        ids = self.collection.descriptors.ids.iloc[chosen]
        labels = self.labels(labeling)[chosen]
        times = ids["taken_at"].astype(str).where(ids["taken_at"].notna(), "")
        columns = (ids["path"], ids["clip"], ids["frame"], times)
        names = self.cluster_names(labeling, labels)
        return file_table(zip(*columns, labels, names, strict=True))

    def move_plan(self, rows: Sequence[int] | None, labeling: str, target: str) -> MovePlan:
        """Where the items' files would go; nothing is moved."""
        if not target.strip():
            raise UserError("target must name a folder, got nothing")
        chosen = self._rows_or_all(rows)
        names = self.cluster_names(labeling, self.labels(labeling)[chosen])
        paths = [str(path) for path in self.collection.paths[chosen]]
        return plan_moves(paths, names, target, lambda path: Path(path).is_file())

    def cluster_names(self, labeling: str, labels: Labels) -> list[str]:
        """What clusters are called: as the user named them, else ``cluster 3`` or ``outliers``."""
        given = self.labeling(labeling).clusters
        return [given.get(str(label), default_name(int(label))) for label in labels]

    def _rows_or_all(self, rows: Sequence[int] | None) -> Rows:
        return np.arange(self.collection.count) if rows is None else self.rows(rows)

    def _known_or_job(
        self, key: str, kind: str, method: str, parameters: dict[str, Any], rows: Rows | None
    ) -> Result | Job:
        job = self.store.job(key)  # first: its result is there before it is done
        if job is not None and job.state in UNFINISHED:
            return job
        if self.store.has_array(key):
            return self.store.array(key)
        items = self.collection.count if rows is None else len(rows)
        job = Job(key, kind, method, parameters, items)
        self.store.put_job(job)
        name = self.collection.descriptors.name
        self.pool.submit(Task(key, self.folder, name, kind, method, parameters, rows))
        return job

    def _key(self, kind: str, method: str, parameters: Mapping[str, Any], rows: Rows | None) -> str:
        """Hash of items, descriptor, method and parameters."""
        collection = self.collection
        items = collection.item_hashes if rows is None else collection.item_hashes[rows]
        text = json.dumps([kind, method, parameters, collection.values_key], sort_keys=True)
        return hashlib.sha256(items.tobytes() + text.encode()).hexdigest()[:32]

    def _first_labeling(self) -> str:
        """Store the labels that the user gave, or one cluster of all."""
        collection = self.collection
        text = f"{collection.key} {collection.labels_name}".encode()
        key = hashlib.sha256(collection.labels.tobytes() + text).hexdigest()[:16]
        if self.store.labeling(key) is None:
            name = collection.labels_name or "all items"
            first = Labeling(key, name, "", "", {}, collection.count)
            self.store.put_labeling(first, collection.key, collection.labels)
        return key


def default_name(label: int) -> str:
    """What a cluster is called that nobody named."""
    return "outliers" if label < 0 else f"cluster {label}"


def compute(task: Task, tell: Callable[[float | None, str], None]) -> Result:
    """Compute a job's result; runs in a process of the pool."""
    values: npt.NDArray[Any] = open_descriptors(task.folder, task.descriptor).values
    if task.kind == MAP:
        dimensions, seed = task.parameters["dimensions"], task.parameters["seed"]
        return lay_out(task.method, values, dimensions, seed, tell)
    chosen = np.asarray(values) if task.rows is None else np.asarray(values[task.rows])
    return regroup(chosen, task.method, task.parameters, tell)
