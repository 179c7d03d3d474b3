"""tlae fleet footage=CAMERAS models=PATH out=FOLDER [shard=1/4] [engine=ray] [workers=4].

Scores many cameras and days. CAMERAS holds <camera>/<day>/... or <camera>/<day>.mp4; each day of a
camera is a job of its own, scored as `tlae score` does, with the model <models>/<camera>/
model.safetensors or one for all. Writes <out>/: parts/<camera>/<day>/ (as `tlae score` writes),
jobs/ (what became of each), and merged scores.parquet, events.csv, jobs.csv, summary.json. A job
that is done is not done again. shard=2/4 does the second of four shares, on a machine of its own;
when all have ended, the same command without shard merges. engine=ray uses a Ray cluster.
"""

from tlae.fleet.fleet import FleetReport, require_none_failed, score_fleet
from tlae.fleet.job import DONE, Outcome
from tlae.fleet.settings import FleetConfig
from tlae.number_words import how_many


def run(cfg: FleetConfig) -> None:
    """Score a fleet, a line for each job."""
    report = score_fleet(cfg, _print_outcome)
    _print_report(report, cfg)
    require_none_failed(report, cfg.out)


def _print_outcome(outcome: Outcome) -> None:
    events = f"events: {outcome.events:,}{_hidden(outcome.hidden)}"
    found = f"{how_many(outcome.frames, 'frame')}, {events}, {outcome.seconds:.1f} s"
    print(f"{outcome.name}: {found if outcome.state == DONE else f'failed, {outcome.reason}'}")


def _print_report(report: FleetReport, cfg: FleetConfig) -> None:
    now = report.jobs - report.done_before - len(report.failed)
    before = f", {report.done_before:,} were done before" if report.done_before else ""
    jobs = how_many(report.jobs, "job")
    print(f"done: {now:,} of {jobs} now{before}, {len(report.failed):,} failed")
    if report.merged is None:
        print("next: when all shares have ended, the same command without shard merges them")
        return
    done = report.merged.done
    frames, events, hidden = (
        sum(getattr(one, name) for one in done) for name in ("frames", "events", "hidden")
    )
    found = f"{how_many(frames, 'frame')}, events: {events:,}{_hidden(hidden)}"
    print(f"results: {report.merged.folder}: {found}")


def _hidden(events: int) -> str:
    return f" ({events:,} more are hidden by your answers)" if events else ""
