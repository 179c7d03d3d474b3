"""Score footage with a trained model into a folder: begun, continued, or grown with the footage."""

import errno
import logging
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from tlae import __version__
from tlae.budget import Budget
from tlae.config import ScoreConfig
from tlae.errors import refusing_bad_values
from tlae.folder_lock import held_folder
from tlae.footage.frames import OK
from tlae.footage.sources import Footage
from tlae.footage.store import FrameStore
from tlae.footage.windows import Rows, median_interval_s, readable, segments
from tlae.progress import progress
from tlae.scorable import Scorable, load_scorable, run_name
from tlae.scoring.answers import FIELD, read_answers, require_shape, sizes_of, with_answers
from tlae.scoring.areas import whole_area
from tlae.scoring.calibrate import Calibration, PerMode, doubts, threshold_of
from tlae.scoring.drift import advice, watch_drift
from tlae.scoring.event_rule import EventRule
from tlae.scoring.event_search import find_events
from tlae.scoring.events import Event, accept_standing, in_alarm, seen_runs
from tlae.scoring.interest import ranked
from tlae.scoring.job import ScoringJob, not_written
from tlae.scoring.job_folder import JobPlace, find_place, finish
from tlae.scoring.ledger import ledger
from tlae.scoring.results import (
    EXAMPLES,
    MEASURED,
    Scores,
    read_results,
    score_table,
    write_tables,
)
from tlae.scoring.rule import ScoringRule
from tlae.scoring.stored_maps import StoredMaps
from tlae.table import Table, counted, highest
from tlae.whole_file import require_plain_name, whole_file, write_json
from tlae.workflows.footage_notes import (
    BEING_WRITTEN,
    left_out,
    note_clock,
    note_other_pace,
    note_other_view,
    note_short_runs,
)
from tlae.workflows.named_footage import open_named, require_pace_for, saved
from tlae.workflows.scoring_work import ScoringWork, as_seen, open_decoded
from tlae.workflows.thing_pictures import tell_kinds

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScoringReport:
    """What a scoring did.

    Attributes:
        scores: all of the footage, where they lie now.
        threshold: alarm threshold in raw units.
        seconds: that it took.
        scored_now: readable frames that the net answered for this time.
        ran_net: whether the net ran at all; False: another budget for known maps.
    """

    scores: Scores
    threshold: PerMode
    seconds: float
    scored_now: int
    ran_net: bool


@dataclass(frozen=True)
class _Outcome:
    """What a scoring did, apart from the scores; see ``ScoringReport``."""

    threshold: PerMode
    scored_now: int
    ran_net: bool


@dataclass(frozen=True)
class _Reading:
    """What turns maps into alarms."""

    rule: ScoringRule
    event_rule: EventRule
    budget: Budget
    threshold: PerMode
    calibration: Calibration | None


@dataclass(frozen=True)
class _Measured:
    """Results of the net, before smoothing in time."""

    table: Table
    job: ScoringJob | None  # None: nothing was to be done
    to_do: int  # rows
    pace: float | None  # frames a second


def score_named(cfg: ScoreConfig) -> ScoringReport:
    """Score the footage that settings name with the model that they name.

    Raises:
        UserError: see ``score``; also where another process holds the folder.
    """
    model_file = Path(cfg.model_file).expanduser()
    model = load_scorable(model_file)
    footage = open_named(cfg.footage)
    name = require_plain_name(cfg.name or f"{run_name(model_file)}-{footage.name}", "name")
    folder = Path(cfg.paths.scores).expanduser() / require_plain_name(name + cfg.suffix, "name")
    with held_folder(folder, "give another name=..."):
        return score(cfg, model, footage, folder)


def score(cfg: ScoreConfig, model: Scorable, footage: Footage, folder: Path) -> ScoringReport:
    """Score footage into a folder that no other process writes into.

    Args:
        cfg: settings; the footage and the folder are those given here.
        model: trained model.
        footage: to be scored.
        folder: of the results; continued where it was begun, extended where the footage grew.

    Raises:
        UserError: settings do not fit, the footage cannot be read, the disk is full.
    """
    started = time.monotonic()
    try:
        outcome = _written(cfg, model, footage, folder)  # holds no table: the scores are one
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise not_written(folder, error) from error
    scores, seconds = read_results(folder), time.monotonic() - started
    return ScoringReport(scores, seconds=seconds, **vars(outcome))


def _written(cfg: ScoreConfig, model: Scorable, footage: Footage, folder: Path) -> "_Outcome":
    """Score, and write the results; see ``score``."""
    with refusing_bad_values():
        rule = model.rule.changed_by(vars(cfg.scoring))
        budget = Budget.of(vars(cfg.scoring)) or model.budget
    asked = cfg.scoring.causal or cfg.scoring.kernel_frames is not None
    if asked and (line := rule.idle_setting()):
        logger.warning(line)
    require_pace_for(budget, footage)
    answers = read_answers(model.file) if cfg.answers and model.file is not None else None
    work = ScoringWork(cfg, model, rule)
    with work.ahead(folder) as ahead:
        follow = None if ahead is None else ahead.follow
        decoded = open_decoded(footage, model, Path(cfg.paths.cache), follow)
    store = as_seen(model, decoded)
    if answers is not None:
        require_shape(answers, sizes_of(store.index))
    note_other_pace(store, model.calibration.interval_s)
    note_other_view(store, model)
    clock = note_clock(store, model.gap_s, cfg.footage.time_pattern)
    reading = _Reading(rule, cfg.events, budget, *_threshold(model, rule, budget))
    runs = segments(store.index, model.gap_s)
    place = find_place(folder, work.facts(store), footage, store, overwrite=cfg.overwrite)
    started = None if ahead is None else ahead.started
    measured = _measure(work, store, runs, place, footage.name, started)
    table, events = _find_alarms(store, runs, place.folder, model.gap_s, reading, measured)
    note_short_runs(table.column("state"), runs, model.span_frames, model.gap_s)
    seen = footage.with_levels(model.preprocessing.levels).clips
    events = tell_kinds(events, table, {clip.name: clip for clip in seen})
    if answers is not None:
        events = with_answers(events, table, answers)
    events = ranked(events)
    write_tables(place.folder, table, events)
    if model.watched_places is not None:
        np.save(place.folder / "watched.npy", model.watched_places)
    if len(examples := model.examples()):
        np.save(place.folder / EXAMPLES, examples)
    calibration = reading.calibration
    drifts = [] if calibration is None else watch_drift(table, calibration)
    summary: dict[str, Any] = {"tlae": __version__, "model_file": str(cfg.model_file)}
    summary |= {"footage": saved(cfg.footage, model.preprocessing.levels)}
    summary |= _counts_of(table, footage) | _alarms_of(table, reading)
    summary |= {"alarm": budget.given(), "events": asdict(cfg.events)}
    summary |= {} if answers is None else {FIELD: answers.facts(events)}
    summary |= {"frames_per_s": measured.pace, "clock": clock}
    summary |= {"drift": [asdict(drift) for drift in drifts], "drift_advice": advice(drifts)}
    with whole_file(place.folder / "ledger.csv") as temporary:
        ledger(table, footage.waiting, BEING_WRITTEN, place.folder).to_csv(temporary)
    write_json(place.folder / "summary.json", summary)
    if measured.job is not None:
        finish(measured.job, folder)
    new = int(readable(table)[len(table) - measured.to_do :].sum())
    return _Outcome(reading.threshold, new, place.fresh)


def _measure(
    work: ScoringWork,
    store: FrameStore,
    runs: list[Rows],
    place: JobPlace,
    name: str,
    started: float | None,
) -> _Measured:
    """Run the net where frames have no result yet, or have had one since it was ``started``."""
    if not place.fresh:
        known = read_results(place.folder)
        pace = known.summary.get("frames_per_s")
        return _Measured(_reread(known.stored), None, 0, pace)
    job = work.job(place.folder, store, runs, place.rows_before)
    to_do = job.rows_left() if started is None else len(store)
    begun = started or time.monotonic()
    with progress(f"scoring {name}", len(store)) as advance:
        job.run(work.scorer, work.cfg.batch_frames, advance)
    return _Measured(job.table(), job, to_do, round(to_do / (time.monotonic() - begun), 1))


def _find_alarms(
    store: FrameStore,
    runs: list[Rows],
    folder: Path,
    gap_s: float,
    reading: _Reading,
    measured: _Measured,
) -> tuple[Table, list[Event]]:
    """The score table and the events of the whole picture."""
    rule, calibration = reading.rule, reading.calibration
    table = score_table(
        *(store, measured.table, runs, rule, calibration, reading.threshold), folder=folder
    )
    maps = zarr.open_array(folder / "maps.zarr", mode="r")
    stored = StoredMaps(maps, seen_runs(table, runs), rule)
    found_in = stored, reading.event_rule, median_interval_s(store.index), gap_s
    area = whole_area(table, calibration, reading.event_rule)
    (area,) = accept_standing(table, [area], *found_in)
    table = table.assign(alarm=in_alarm(table, area.counted, area.threshold))
    return table, find_events(table, [area], *found_in)


def _threshold(
    model: Scorable, rule: ScoringRule, budget: Budget
) -> tuple[PerMode, Calibration | None]:
    """Alarm threshold and calibration; both are void under a rule the model was not made with."""
    if not (differ := model.differing(rule)):
        calibration = model.calibration.smoothed(rule.smooth_frames, causal=rule.causal)
        return threshold_of(calibration, budget), calibration
    logger.warning(
        "the model was calibrated with another %s: the score column stays empty; train with these "
        "scoring settings to calibrate them",
        ", ".join(differ),
    )
    if budget.threshold is None:
        logger.warning("no alarms either: give scoring.threshold=... in raw units")
    return threshold_of(None, budget), None


def _counts_of(table: Table, footage: Footage) -> dict[str, Any]:
    """What the summary says of the footage."""
    return {
        "frames": len(table),
        "scored": counted(table.column("state")).get(OK, 0),
        "measured": int(table.marked(["instant"], lambda piece: ~np.isnan(piece["instant"])).sum()),
        "left_out": left_out(table.column("state"), footage),
        "clips": len(counted(table.column("clip"))),
        "modes": counted(table.column("mode")),
        "health": counted(table.column("health")),
    }


def _alarms_of(table: Table, reading: _Reading) -> dict[str, Any]:
    """What the summary says of the alarms."""
    threshold, calibration = reading.threshold, reading.calibration
    return {
        "alarm_frames": int(table["alarm"].sum()),
        "threshold": threshold.value if np.isfinite(threshold.value) else None,
        "thresholds": dict(threshold.by_mode),
        "raw_highest": highest(table.column("raw")),
        "rule": asdict(reading.rule),
        "calibrated_on_frames": None if calibration is None else len(calibration.raw),
        **doubts(calibration, reading.budget, table),
    }


def _reread(known: Table) -> Table:
    """What the net said, of scores that lie there; older versions know less."""
    unsaid = {n: None if n == "reason" else np.nan for n in MEASURED if n not in known}
    return known.assign(**unsaid).only(MEASURED)
