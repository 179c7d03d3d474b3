"""Actions of the explorer: what is known at once, what becomes a job, what is kept."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.small_descriptors import GROUP, two_groups, write_labels, write_store
from tlae.errors import UserError
from tlae.explorer import explorer as actions
from tlae.explorer.collection import open_collection
from tlae.explorer.explorer import Explorer, NotFound, Request
from tlae.explorer.job_store import Job, JobStore, Labeling
from tlae.explorer.worker import Task

TWO = Request("kmeans", {"k": 2})
LONGEST_S = 120


@pytest.fixture
def explorer(tmp_path: Path) -> Iterator[Explorer]:
    write_store(tmp_path)
    with Explorer(open_collection(tmp_path / "photos.desc")) as opened:
        yield opened


def ended(explorer: Explorer, job: Job) -> Job:
    for _ in range(10 * LONGEST_S):
        if explorer.job(job.id).state not in ("waiting", "running"):
            return explorer.job(job.id)
        time.sleep(0.1)
    raise AssertionError(f"{job} has not ended")


def clustered(explorer: Explorer, request: Request) -> Labeling:
    found = explorer.cluster(request)
    if isinstance(found, Job):
        assert ended(explorer, found).state == "done"
        found = explorer.cluster(request)
    assert isinstance(found, Labeling)
    return found


def test_what_is_not_known_becomes_a_job_and_is_known_afterwards(explorer: Explorer) -> None:
    first = explorer.cluster(TWO)
    assert isinstance(first, Job)
    assert first.items == 2 * GROUP
    made = clustered(explorer, TWO)
    assert explorer.cluster(TWO) == made
    labels = explorer.labels(made.id)
    assert len(set(labels[:GROUP])) == len(set(labels[GROUP:])) == 1
    assert made.parent == explorer.start
    assert len(explorer.store.jobs()) == 1


def test_a_selection_is_clustered_within_its_parent(explorer: Explorer) -> None:
    whole = clustered(explorer, TWO)
    rows = list(range(GROUP))
    parts = clustered(explorer, Request("kmeans", {"k": 3}, rows, whole.id, "three parts"))
    assert parts.name == "three parts"
    assert parts.parent == whole.id
    before, after = explorer.labels(whole.id), explorer.labels(parts.id)
    np.testing.assert_array_equal(before[GROUP:], after[GROUP:])
    assert len(set(after[:GROUP])) == 3
    assert not set(after[:GROUP]) & set(after[GROUP:])


def test_equal_selections_in_another_order_are_known(explorer: Explorer) -> None:
    clustered(explorer, Request("kmeans", {"k": 2}, list(range(9))))
    again = Request("kmeans", {"k": 2.0, "pca": 50}, [*range(8, -1, -1), 0])
    assert isinstance(explorer.cluster(again), Labeling)


def test_results_and_names_are_there_at_the_next_start(tmp_path: Path) -> None:
    write_store(tmp_path)
    collection = open_collection(tmp_path / "photos.desc")
    with Explorer(collection) as explorer:
        made = clustered(explorer, TWO)
        explorer.rename(made.id, "light and dark", {"0": "dark", "1": "light"})
    with Explorer(collection) as explorer:
        assert explorer.labeling(made.id).name == "light and dark"
        assert explorer.cluster_names(made.id, np.array([0, 1, -1])) == [
            "dark",
            "light",
            "outliers",
        ]
        assert isinstance(explorer.cluster(TWO), Labeling)
        assert explorer.rename(made.id, None, {"0": ""}).clusters == {"1": "light"}


def test_other_items_or_another_descriptor_are_not_taken_for_known(tmp_path: Path) -> None:
    write_store(tmp_path)
    with Explorer(open_collection(tmp_path / "photos.desc")) as explorer:
        clustered(explorer, TWO)
    values = two_groups()
    values[0] += 1
    (tmp_path / "photos.desc/shade.npy").unlink()
    (tmp_path / "photos.desc/shade.json").unlink()
    write_store(tmp_path, values)
    with Explorer(open_collection(tmp_path / "photos.desc")) as explorer:
        assert isinstance(explorer.cluster(TWO), Job)


def test_a_cancelled_job_ends_and_the_next_one_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "compute", wait_unless_two)
    write_store(tmp_path)
    with Explorer(open_collection(tmp_path / "photos.desc")) as explorer:
        endless = explorer.cluster(Request("kmeans", {"k": 3}))
        waiting = explorer.cluster(Request("kmeans", {"k": 4}))
        assert isinstance(endless, Job)
        assert isinstance(waiting, Job)
        until(lambda: explorer.job(endless.id).message == "begun")
        explorer.cancel(waiting.id)
        explorer.cancel(endless.id)
        assert ended(explorer, endless).state == "cancelled"
        assert ended(explorer, waiting).state == "cancelled"
        assert clustered(explorer, TWO).method == "kmeans"


def test_a_process_that_is_killed_fails_its_job_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "compute", die_unless_two)
    write_store(tmp_path)
    with Explorer(open_collection(tmp_path / "photos.desc")) as explorer:
        killed = explorer.cluster(Request("kmeans", {"k": 3}))
        assert isinstance(killed, Job)
        failed = ended(explorer, killed)
        assert failed.state == "failed"
        assert "its process was ended, perhaps for want of memory" in failed.message
        clustered(explorer, TWO)


def test_a_job_that_was_running_is_interrupted_at_the_next_start_and_can_be_asked_again(
    tmp_path: Path,
) -> None:
    write_store(tmp_path)
    folder = tmp_path / "photos.desc"
    store = JobStore(folder)
    with Explorer(open_collection(folder)) as explorer:
        made = explorer.cluster(TWO)
        assert isinstance(made, Job)
        assert ended(explorer, made).state == "done"
    (folder / "explorer" / f"{made.id}.npy").unlink()  # as if killed before it was done
    store.tell(made.id, "running", 0.5, "clustering")
    store.close()
    with Explorer(open_collection(folder)) as explorer:
        assert explorer.job(made.id).state == "interrupted"
        assert explorer.notes == [
            "1 job interrupted when the server ended; ask again to start anew."
        ]
        clustered(explorer, TWO)
        assert explorer.job(made.id).state == "done"


def test_a_refusal_of_the_method_is_the_jobs_message(tmp_path: Path) -> None:
    write_store(tmp_path, np.ones((8, 3)))
    with Explorer(open_collection(tmp_path / "photos.desc")) as explorer:
        job = explorer.cluster(TWO)
        assert isinstance(job, Job)
        failed = ended(explorer, job)
    assert failed.state == "failed"
    assert "equal" in failed.message
    assert "\n" not in failed.message


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request("kmean", {}), "no method is called 'kmean'; did you mean kmeans?"),
        (Request("kmeans", {}, [1, 2]), "rows must be at least 3 items, got 2"),
        (Request("kmeans", {}, [1, 2, 99]), "rows must be in 0 to 59, got 99"),
        (Request("kmeans", {}, [-1, 2, 9]), "rows must be in 0 to 59, got -1"),
        (Request("kmeans", {}, None, "gone"), "no labeling has the id 'gone'"),
    ],
)
def test_bad_requests_are_refused(explorer: Explorer, request_: Request, words: str) -> None:
    with pytest.raises(UserError) as refused:
        explorer.cluster(request_)
    assert words in str(refused.value)
    assert explorer.store.jobs() == []


def test_maps_are_checked(explorer: Explorer) -> None:
    with pytest.raises(NotFound, match="no map is called 'mds'"):
        explorer.map("mds", 2)
    with pytest.raises(UserError, match="dimensions must be 2 or 3, got 4"):
        explorer.map("pca", 4)
    assert not isinstance(explorer.map("pca", 3), Job)
    assert explorer.has_map("pca", 3)
    assert not explorer.has_map("pca", 2)


def test_one_explorer_at_a_time(explorer: Explorer) -> None:
    with pytest.raises(UserError, match="one process at a time"):
        Explorer(explorer.collection)


def test_a_foreign_database_is_told(tmp_path: Path) -> None:
    write_store(tmp_path)
    (tmp_path / "photos.desc/explorer.sqlite").write_text("no database at all, " * 100)
    collection = open_collection(tmp_path / "photos.desc")
    with pytest.raises(UserError, match="must be a writable SQLite file, got: file is not"):
        Explorer(collection)
    (tmp_path / "photos.desc/explorer.sqlite").unlink()
    with Explorer(collection):
        pass
    assert sqlite3.connect(tmp_path / "photos.desc/explorer.sqlite")


def test_labels_of_a_table_are_the_first_labeling(tmp_path: Path) -> None:
    described = write_store(tmp_path)
    table = write_labels(tmp_path / "mine.parquet", described, [0] * GROUP + [-1] * GROUP)
    with Explorer(open_collection(tmp_path / "photos.desc", labels=table)) as explorer:
        first = explorer.labeling(explorer.start)
        assert first.name == "mine.parquet"
        assert explorer.labels(first.id).tolist() == [0] * GROUP + [-1] * GROUP
        assert list(explorer.collection.columns) == ["hour", "day", "position", "score"]
        csv = explorer.files([0, 59], first.id).splitlines()
        assert csv[0] == "path,clip,frame,taken_at,label,cluster"
        assert csv[1].endswith("000.png,pictures,0,2026-05-01 06:30:00,0,cluster 0")
        assert csv[2].endswith(",-1,outliers")


def test_a_plan_names_a_folder_per_cluster(explorer: Explorer) -> None:
    made = clustered(explorer, TWO)
    explorer.rename(made.id, None, {str(explorer.labels(made.id)[0]): "dark"})
    plan = explorer.move_plan([0, 59], made.id, "/out")
    assert [target for _, target in plan.moves] == [
        "/out/dark/000.png",
        f"/out/cluster_{explorer.labels(made.id)[59]}/059.png",
    ]
    with pytest.raises(UserError, match="target must name a folder"):
        explorer.move_plan(None, made.id, " ")


def until(true: Any) -> None:
    for _ in range(10 * LONGEST_S):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("waited in vain")


def wait_unless_two(task: Task, tell: Any) -> np.ndarray:
    if task.parameters["k"] != 2:
        tell(None, "begun")
        time.sleep(10 * LONGEST_S)
    return np.zeros(2 * GROUP, np.int32)


def die_unless_two(task: Task, tell: Any) -> np.ndarray:
    if task.parameters["k"] != 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return np.zeros(2 * GROUP, np.int32)
