"""A fleet on two Ray workers gives what one process gives, whatever dies on the way."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.small_footage import small_model, write_clips
from tlae.config_parts import FootageConfig, PathsConfig
from tlae.errors import UserError
from tlae.fleet.engines import RayTasks
from tlae.fleet.fleet import score_fleet
from tlae.fleet.job import DONE, FAILED, Job, Outcome, score_job
from tlae.fleet.settings import FleetConfig
from tlae.model_file import save_model

ray: Any = pytest.importorskip("ray", reason="needs the extra ray")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray has warnings of its own

DAYS = {"north": ("day1", "day2", "day3"), "south": ("day1", "day2"), "west": ("day1",)}
CRASHES = "south/day2"  # its file brings the decoder down, every time
LOSES_WORKER = "north/day2"  # is at work when its worker goes
WAIT_S = 120.0
SAME_FILES = ("scores.parquet", "events.csv")


def cluster_job(job: Job) -> Outcome:
    """Score a job; two of them meet with what happens on a cluster."""
    if job.name == CRASHES:
        os.kill(os.getpid(), signal.SIGSEGV)
    if job.name == LOSES_WORKER:
        place = job.note.parents[2] / "begun"
        with place.open("a", encoding="utf-8") as file:
            file.write(ray.get_runtime_context().get_node_id() + "\n")
        if len(place.read_text(encoding="utf-8").splitlines()) == 1:
            time.sleep(WAIT_S)
    return score_job(job)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cameras, and a model for all."""
    root = tmp_path_factory.mktemp("ray")
    for camera, days in DAYS.items():
        for number, day in enumerate(days):
            write_clips(root / "cameras" / camera / day, (9 + number, 6), odd=((0, 5),))
    save_model(small_model(), root / "model.safetensors")
    return root


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Two workers of one core each, beside a head without any."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # workers import this file
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
        cluster.workers = [cluster.add_node(num_cpus=1) for _ in range(2)]
        cluster.wait_for_nodes()
        yield cluster
        ray.shutdown()
        cluster.shutdown()


def settings(world: Path, out: str, **further: Any) -> FleetConfig:
    """Of a fleet of jobs with one thread."""
    return FleetConfig(
        footage=FootageConfig(path=str(world / "cameras")),
        models=str(world / "model.safetensors"),
        out=str(world / out),
        paths=PathsConfig(cache=str(world / "cache" / out)),
        **further,
    )


def kill_worker_of(begun: Path, cluster: Any) -> None:
    """Kill the worker on which a job has begun."""
    until = time.monotonic() + WAIT_S
    while not begun.is_file() and time.monotonic() < until:
        time.sleep(0.1)
    node = begun.read_text(encoding="utf-8").strip()
    (worker,) = [one for one in cluster.workers if one.node_id == node]
    cluster.remove_node(worker, allow_graceful=False)


def test_a_worker_that_goes_and_a_file_that_crashes_change_no_result(
    world: Path, cluster: Any
) -> None:
    cfg = settings(world, "ray", engine="ray", address=cluster.address, tries=2)
    killer = threading.Thread(target=kill_worker_of, args=(world / "ray/begun", cluster))
    killer.start()
    told: list[Outcome] = []
    report = score_fleet(cfg, told.append, cluster_job)
    killer.join()
    states = {outcome.name: outcome.state for outcome in told}
    names = [f"{camera}/{day}" for camera, days in DAYS.items() for day in days]
    assert states == {name: FAILED if name == CRASHES else DONE for name in names}
    assert [one.name for one in report.failed] == [CRASHES]
    assert report.failed[0].reason.startswith("its process died 2 times, last by WorkerCrashed")
    tries = (world / "ray/begun").read_text(encoding="utf-8").split()
    assert len(tries) == len(set(tries)) == 2  # once on each worker

    again = score_fleet(cfg, told.append)  # what crashed is tried again, by what does not crash
    assert (again.jobs, again.done_before, again.failed) == (len(names), len(names) - 1, [])
    score_fleet(settings(world, "alone", workers=1), told.append)
    for name in SAME_FILES:
        assert (world / "ray" / name).read_bytes() == (world / "alone" / name).read_bytes()


def test_a_cluster_without_room_is_refused(cluster: Any) -> None:
    with pytest.raises(UserError, match="needs a worker with 2 cores and 0 GPUs, got none among"):
        RayTasks(cluster.address, 1, 2, 0.0, score_job)


@pytest.mark.parametrize(
    ("address", "shown"), [("127.0.0.1:1", "Connection refused"), ("nowhere", "neither HOST:PORT")]
)
def test_an_address_without_a_cluster_is_refused_at_once(address: str, shown: str) -> None:
    with pytest.raises(UserError, match=f"must lead to a Ray cluster, got {address}: .*{shown}"):
        RayTasks(address, 1, 1, 0.0, score_job)
