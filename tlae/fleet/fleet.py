"""Score a fleet: plan its jobs, run those that are not done, merge what they wrote."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tlae.errors import UserError
from tlae.fleet.engines import Engine, Processes, RayTasks, Work
from tlae.fleet.job import DONE, Outcome, is_done, read_outcome, score_job
from tlae.fleet.merge import Merged, merge
from tlae.fleet.plan import plan
from tlae.fleet.running import run_jobs
from tlae.fleet.settings import RAY, FleetConfig
from tlae.folder_lock import held_folder
from tlae.number_words import how_many
from tlae.whole_file import explain_os_errors


@dataclass(frozen=True)
class FleetReport:
    """What a command did.

    Attributes:
        jobs: of the fleet, or of its share.
        done_before: of them, those that were done already.
        failed: outcomes of those that failed now.
        merged: the whole fleet; None where only a share was scored.
    """

    jobs: int
    done_before: int
    failed: list[Outcome]
    merged: Merged | None


def score_fleet(
    cfg: FleetConfig, tell: Callable[[Outcome], None], work: Work = score_job
) -> FleetReport:
    """Score what is not scored yet.

    Args:
        cfg: settings.
        tell: is called with each outcome as it comes.
        work: what a process does with a job.

    Raises:
        UserError: settings do not fit, nothing is there, the engine does not start.
        ModuleNotFoundError: the engine is not installed.
    """
    out = Path(cfg.out).expanduser().absolute()
    _require_outside(out, Path(cfg.footage.path).expanduser())
    jobs = plan(cfg)
    left = [job for job in jobs if not is_done(job, read_outcome(job.note))]
    failed = []
    with explain_os_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    if left:
        for outcome in run_jobs(left, _engine(cfg, len(left), work), cfg.tries):
            tell(outcome)
            failed += [outcome] if outcome.state != DONE else []
    merged = None
    if cfg.shard is None:
        with explain_os_errors(out), held_folder(out, None):
            merged = merge(out, {job.name for job in jobs})
    return FleetReport(len(jobs), len(jobs) - len(left), failed, merged)


def require_none_failed(report: FleetReport, out: str) -> None:
    """Refuse to call a fleet scored while jobs of it failed; what is done is kept.

    Raises:
        UserError: names the first.
    """
    if report.failed:
        first, count = report.failed[0], len(report.failed)
        raise UserError(
            f"{count} of {how_many(report.jobs, 'job')} failed, the first is {first.name}: "
            f"{first.reason}; the "
            f"others are in {out}, the same command tries again"
        )


def _require_outside(out: Path, footage: Path) -> None:
    """Refuse to write where cameras are looked for: results would be their days."""
    if out.resolve().is_relative_to(footage.resolve()):
        raise UserError(f"out must lie outside the footage {footage}, got {out}; give another out=")


def _engine(cfg: FleetConfig, jobs: int, work: Work) -> Engine:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    workers = cfg.workers or max(1, (cores or 1) // cfg.threads)
    if cfg.engine == RAY:
        return RayTasks(cfg.address, workers, cfg.threads, cfg.gpus, work)
    return Processes(min(workers, jobs), work)
