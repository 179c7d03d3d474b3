"""tlae score model_file=PATH footage=PATH [name=NAME] [scoring.alarms_per_day=2].

Says of every frame how unusual it is, where, and whether that is an alarm. Writes
<paths.scores>/<name>/: scores.parquet, scores.csv (one row per frame), events.json, maps.zarr,
ledger.csv (one row per file: done, partly, skipped or waiting, and why), summary.json. A killed job
continues when started again, and one whose footage has grown takes only what is new; asked again
with another alarm budget, it answers without running the net. footage.every=10min,
footage.start=DATE, footage.end=DATE and footage.hours=6-20 read a part of the footage.
"""

import shlex
from collections import Counter

from tlae.camera.watch import UNOBSERVED
from tlae.commands.event_lines import shown_and_hidden
from tlae.config import ScoreConfig
from tlae.footage.frames import OK
from tlae.number_words import how_many, per_second
from tlae.workflows.footage_notes import left_out_words
from tlae.workflows.score import ScoringReport, score_named


def run(cfg: ScoreConfig) -> None:
    """Score footage with a trained model."""
    report = score_named(cfg)
    _print_scores(report)
    summary = report.scores.summary
    if advised := summary["drift_advice"]:
        print(f"drift:   {advised}")
    print(
        f"done: {summary['scored']:,} of {summary['frames']:,} frames have a score, "
        f"{report.scored_now:,} were scored now; {left_out_words(summary['left_out'])}"
    )


def _print_scores(report: ScoringReport) -> None:
    """How many frames and events, what is in alarm, and what comes next."""
    scores, seconds = report.scores, report.seconds
    table, summary = scores.stored, scores.summary
    pace = f", {per_second(report.scored_now / seconds)} frames/s"
    if not report.ran_net:
        pace = " (known maps, no net run)"
    frames = f"{summary['scored']:,} of {how_many(len(table), 'frame')}"
    print(f"scored {frames} in {seconds:.1f} s{pace}")
    for name in ("mode", "health"):
        found = Counter[str]()
        for piece in table.only(["state", name]).pieces():
            found.update(piece[name][piece["state"] == OK].tolist())
        if len(found) > 1 or not set(found) <= {UNOBSERVED[name]}:
            shown = ", ".join(f"{count:,} {what}" for what, count in found.most_common())
            print(f"  {name + ':':<8}{shown}")
    levels = {f"{mode} ": level for mode, level in report.threshold.by_mode.items()}
    levels = levels or {"": report.threshold.value}
    shown = ", ".join(f"{mode}{level:.4g}" for mode, level in levels.items())
    alarms = summary["alarm_frames"]
    events = how_many(len(scores.events), "event")
    print(f"{how_many(alarms, 'frame')} in alarm (raw > {shown}), {events}")
    for line in shown_and_hidden(scores):
        print(line)
    if not scores.events and (above := summary["above_normal"]):
        print(
            f"  {how_many(above, 'frame')} above all known normal footage, but below the "
            "threshold; `tlae events` with a larger scoring.false_alarm_rate shows them"
        )
    print(f"results: {scores.folder}")
    where = shlex.quote(f"scores={scores.folder}")
    print(f"next:    tlae report {where}")
    print(f"         tlae render {where}")
