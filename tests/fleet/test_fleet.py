"""A fleet's jobs end each by itself, and together they are what `tlae score` gives."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import tlae
from tests.small_footage import small_model, write_clips
from tlae.config_parts import FootageConfig, PathsConfig
from tlae.errors import UserError
from tlae.fleet.engines import Engine
from tlae.fleet.fleet import FleetReport, require_none_failed, score_fleet
from tlae.fleet.job import DONE, FAILED, Job, Outcome, score_job
from tlae.fleet.plan import find_model, plan
from tlae.fleet.running import run_jobs
from tlae.fleet.settings import FleetConfig
from tlae.fleet.shards import parse_shard
from tlae.model_file import save_model


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cameras with a day each, and a model for both."""
    root = tmp_path_factory.mktemp("fleet")
    for camera in ("north", "south"):
        write_clips(root / "cameras" / camera / "day1", (9, 6), odd=((0, 5),))
    save_model(small_model(), root / "model.safetensors")
    return root


def settings(world: Path, out: str, **further: object) -> FleetConfig:
    """Of a fleet with one process."""
    return FleetConfig(
        footage=FootageConfig(path=str(world / "cameras")),
        models=str(world / "model.safetensors"),
        out=str(world / out),
        paths=PathsConfig(cache=str(world / "cache")),
        workers=1,
        **further,  # type: ignore[arg-type]
    )


def dies_for_south(job: Job) -> Outcome:
    """Score a job, unless its footage brings the decoder down."""
    if job.camera == "south":
        os.kill(os.getpid(), signal.SIGKILL)
    return score_job(job)


def run(cfg: FleetConfig, work: object = score_job) -> FleetReport:
    """Score without a word."""
    return score_fleet(cfg, lambda outcome: None, work)  # type: ignore[arg-type]


def test_a_process_that_dies_takes_no_other_job_along(world: Path) -> None:
    cfg = settings(world, "fleet", tries=2)
    report = run(cfg, dies_for_south)
    assert [(one.name, one.state) for one in report.failed] == [("south/day1", FAILED)]
    assert "its process died 2 times, last by SIGKILL" in report.failed[0].reason
    with pytest.raises(UserError, match="1 of 2 jobs failed, the first is south/day1"):
        require_none_failed(report, cfg.out)
    summary = json.loads((world / "fleet/summary.json").read_text())
    assert (summary["jobs"], len(summary["failed"])) == (1, 1)

    report = run(cfg)  # the same command does what is left
    assert (report.done_before, report.failed) == (1, [])
    assert report.merged is not None
    merged = pd.read_parquet(report.merged.folder / "scores.parquet")
    assert merged["camera"].unique().tolist() == ["north", "south"]
    alone = tlae.score(
        tlae.load(world / "model.safetensors"),
        world / "cameras/south/day1",
        settings={"paths.cache": str(world / "cache-alone")},
        out=world / "alone",
    )
    south = merged[merged["camera"] == "south"].reset_index(drop=True)
    pd.testing.assert_series_equal(south["raw"], alone.table["raw"])
    assert run(cfg).done_before == 2

    save_model(small_model(stride=2), world / "model.safetensors")
    with pytest.raises(UserError, match="north/day1 was written by another one"):
        run(cfg)


def test_a_day_that_went_is_no_failure_any_more(world: Path, tmp_path: Path) -> None:
    save_model(small_model(), tmp_path / "model.safetensors")
    for day, frames in (("day1", 6), ("day2", 6)):
        write_clips(tmp_path / "cameras" / "north" / day, (frames,))
    (tmp_path / "cameras" / "north" / "empty").mkdir()
    cfg = settings(tmp_path, "out")
    assert [outcome.name for outcome in run(cfg).failed] == ["north/empty"]
    (tmp_path / "cameras" / "north" / "empty").rmdir()
    shutil.rmtree(tmp_path / "cameras" / "north" / "day2")
    assert run(cfg).merged.failed == []  # type: ignore[union-attr]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert (summary["failed"], summary["jobs"]) == ([], 2)  # what was scored stays


def test_a_camera_has_a_trained_or_an_exported_model(tmp_path: Path) -> None:
    for name in ("north/model.onnx", "gate.2.onnx", "gate.2.safetensors"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert find_model(tmp_path, "north").name == "model.onnx"
    assert find_model(tmp_path, "gate.2").name == "gate.2.safetensors"
    assert find_model(tmp_path / "gate.2.onnx", "south").name == "gate.2.onnx"
    with pytest.raises(UserError, match=r"camera south has none, looked for .*south/model"):
        find_model(tmp_path, "south")


def test_results_among_the_footage_are_refused(world: Path) -> None:
    for out in ("cameras", "cameras/out"):
        with pytest.raises(UserError, match="out must lie outside the footage"):
            run(settings(world, out))


def test_every_job_is_in_one_share(world: Path) -> None:
    shares = [{job.name for job in plan(settings(world, "s", shard=f"{n}/3"))} for n in (1, 2, 3)]
    assert set.union(*shares) == {"north/day1", "south/day1"}
    assert sum(map(len, shares)) == 2


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0", "-1/2"])
def test_a_share_that_there_is_not(text: str) -> None:
    with pytest.raises(ValueError, match="shard must be I/N"):
        parse_shard(text)


class Dying:
    """An engine in which a process dies so many times before it does its job."""

    def __init__(self, deaths: int) -> None:
        self.deaths, self.given, self.closed = deaths, list[Job](), False

    def has_room(self) -> bool:
        return not self.given

    def give(self, job: Job) -> None:
        self.given.append(job)

    def is_busy(self) -> bool:
        return bool(self.given)

    def take(self) -> tuple[Job, Outcome | str]:
        job = self.given.pop()
        if self.deaths:
            self.deaths -= 1
            return job, "SIGSEGV"
        return job, Outcome(job.camera, job.day, DONE, job.facts)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(("deaths", "state"), [(2, DONE), (3, FAILED)])
def test_what_dies_is_tried_a_few_times(world: Path, deaths: int, state: str) -> None:
    jobs = plan(settings(world, f"dying-{deaths}"))
    engine: Engine = Dying(deaths)
    outcomes: Iterator[Outcome] = run_jobs(jobs[:1], engine, tries=3)
    assert [outcome.state for outcome in outcomes] == [state]
    assert engine.closed  # type: ignore[attr-defined]


def test_folders_without_days_and_cameras_without_models(world: Path, tmp_path: Path) -> None:
    cfg = settings(world, "x")
    cfg.footage.path = str(tmp_path)
    with pytest.raises(UserError, match="footage must hold <camera>/<day>/"):
        plan(cfg)
    cfg = settings(world, "x")
    cfg.models = str(tmp_path)
    with pytest.raises(UserError, match="camera north has none"):
        plan(cfg)
