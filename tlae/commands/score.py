"""tlae score model_file=PATH footage=PATH [name=NAME] [scoring.alarms_per_day=2].

Says of every frame how unusual it is, where, and whether that is an alarm. Writes
<paths.scores>/<name>/: scores.parquet, scores.csv (one row per frame), events.json, maps.zarr,
ledger.csv (one row per file: done, partly, skipped or waiting, and why), summary.json. A killed job
continues when started again, and one whose footage has grown takes only what is new; asked again
with another alarm budget, it answers without running the net. footage.every=10min,
footage.start=DATE, footage.end=DATE and footage.hours=6-20 read a part of the footage.
"""

import time
from collections import Counter
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import zarr

from tlae import __version__
from tlae.camera.canonical_store import UNOBSERVED, canonical_store
from tlae.commands.footage_lines import (
    BEING_WRITTEN,
    left_out,
    left_out_words,
    tell_clock,
    tell_other_depth,
    tell_other_shape,
)
from tlae.commands.named_footage import open_named, saved
from tlae.config import ScoreConfig
from tlae.errors import UserError, refusing_bad_values
from tlae.folder_lock import held_folder
from tlae.footage.frames import OK
from tlae.footage.images import Levels
from tlae.footage.sources import Footage
from tlae.footage.store import FrameStore, open_store
from tlae.footage.windows import Rows, segments, usual_interval_s
from tlae.model_file import Model, load_model
from tlae.progress import progress
from tlae.scoring.areas import whole_area
from tlae.scoring.calibrate import Calibration, PerMode, threshold_of
from tlae.scoring.drift import advice, watch_drift
from tlae.scoring.event_rule import EventRule
from tlae.scoring.events import (
    SCENE,
    Event,
    accept_standing,
    find_events,
    in_alarm,
    seen_runs,
)
from tlae.scoring.job import ScoringJob
from tlae.scoring.job_folder import find_place, finish, footage_facts
from tlae.scoring.ledger import ledger
from tlae.scoring.results import MEASURED, read_results, score_table, write_tables
from tlae.scoring.rule import ScoringRule
from tlae.scoring.scorer import FrameScorer, reading_of
from tlae.scoring.stored_maps import StoredMaps
from tlae.whole_file import require_plain_name, whole_file, write_json

ALARM_KEYS = ("threshold", "false_alarm_rate", "alarms_per_day")
SHORT_RUNS = 0.1  # share of frames in runs shorter than the window that is worth a warning
INTERVAL_FACTOR = 3.0  # footage this much slower or faster than the model's is worth a warning


def run(cfg: ScoreConfig) -> None:
    """Score footage with a trained model."""
    model_file = Path(cfg.model_file).expanduser()
    model = load_model(model_file)
    footage = open_named(cfg.footage)
    name = require_plain_name(cfg.name or f"{run_name(model_file)}-{footage.name}", "name")
    folder = Path(cfg.paths.scores).expanduser() / require_plain_name(name + cfg.suffix, "name")
    with held_folder(folder, "give another name=..."):
        _score(cfg, model_file, model, footage, folder)


def _score(
    cfg: ScoreConfig, model_file: Path, model: Model, footage: Footage, folder: Path
) -> None:
    """Score into a folder that no other process writes into."""
    started = time.monotonic()
    settings = {str(k): v for k, v in dict(cfg.scoring).items()}  # type: ignore[call-overload]
    with refusing_bad_values():
        rule = model.rule.changed_by(settings)
        event_rule = EventRule(**dict(cfg.events))  # type: ignore[call-overload]
    store = open_seen(footage, model, Path(cfg.paths.cache))
    _warn_of_other_pace(model, store)
    clock = tell_clock(store, model.gap_s, cfg.footage.time_pattern)
    asked = {key: settings[key] for key in ALARM_KEYS if settings.get(key) is not None}
    asked = asked or {key: value for key, value in model.alarm.items() if value is not None}
    threshold, calibration = _threshold(model, rule, asked)
    runs = segments(store.index, model.gap_s)
    _warn_of_short_runs(model, runs)
    precision = model.precision if cfg.precision == "calibrated" else cfg.precision
    keep_rebuilt = cfg.keep_rebuilt and not model.net.judges  # which expects nothing to be shown
    facts = _facts(model_file, store, rule, precision, cfg) | {"keep_rebuilt": keep_rebuilt}
    place = find_place(folder, facts, footage, store, overwrite=cfg.overwrite)
    working, fresh, to_do = place.folder, place.fresh, 0
    if fresh:
        scorer = FrameScorer(model, rule, pick_device(cfg.device), precision)
        job = ScoringJob(working, store, runs, facts, keep_rebuilt, place.rows_before, scorer.delay)
        to_do = job.rows_left()
        begun = time.monotonic()
        with progress(f"scoring {footage.name}", len(store)) as advance:
            job.run(scorer, cfg.batch_frames, advance)
        pace: float | None = round(to_do / (time.monotonic() - begun), 1)
        measured = job.table()
    else:
        known = read_results(folder)
        pace = known.summary.get("frames_per_s")
        measured = known.table.reindex(columns=list(MEASURED))
    table = score_table(store, measured, runs, rule, calibration, threshold)
    maps = zarr.open_array(working / "maps.zarr", mode="r")
    stored = StoredMaps(maps, seen_runs(table, runs), rule)
    found_in = stored, event_rule, usual_interval_s(store.index), model.gap_s
    area = whole_area(table, calibration, event_rule)
    (area,) = accept_standing(table, [area], *found_in)
    table["alarm"] = in_alarm(table, area.counted, area.threshold)
    events = find_events(table, [area], *found_in)
    write_tables(working, table, events)
    if model.watched is not None:
        np.save(working / "watched.npy", model.watched.numpy())
    drifts = [] if calibration is None else watch_drift(table, calibration)
    summary = _summary(
        table, footage, rule, threshold, calibration, cfg, model.preprocessing.levels
    )
    summary |= {"alarm": asked, "events": asdict(event_rule), "frames_per_s": pace}
    summary |= {"clock": clock, "drift": [asdict(drift) for drift in drifts]}
    with whole_file(working / "ledger.csv") as temporary:
        ledger(table, footage.waiting, BEING_WRITTEN).to_csv(temporary, index=False)
    write_json(working / "summary.json", summary)
    if fresh:
        finish(job, folder)
    new = int((table["state"].iloc[len(table) - to_do :] == OK).sum())
    seconds = time.monotonic() - started
    _tell(table, events, folder, threshold, seconds, new if fresh else None)
    if advised := advice(drifts):
        print(f"drift:   {advised}")
    _tell_end(summary, new)


def open_seen(footage: Footage, model: Model, cache: Path) -> FrameStore:
    """The footage as the model's net sees it."""
    tell_other_depth(footage, model.preprocessing.levels)
    store = open_store(footage, model.preprocessing, cache)
    tell_other_shape(store, model.source_hw)
    return store if model.camera is None else canonical_store(model.camera, store)


def event_lines(events: list[Event], most: int = 5) -> list[str]:
    """The highest peaks, a line each; then what is wrong with the camera."""
    scenes = [event for event in events if event.kind == SCENE]
    lines = []
    for event in sorted(scenes, key=lambda e: -(e.peak_raw or 0.0))[:most]:
        span = f"frames {event.first_frame}-{event.last_frame}"
        when = event.started_at or f"{event.start_s:.1f} s"
        where = f" in {event.zone}" if event.zone else ""
        kept = ", stays" if event.stays else ""
        lines.append(
            f"  {event.id} {event.clip} {span}{where} (from {when}), peak "
            f"{event.peak_raw:.4g}{kept}"
        )
    troubles = Counter(event.health for event in events if event.kind != SCENE)
    return lines + [f"  camera {health}: {count} x" for health, count in troubles.items()]


def run_name(model_file: Path) -> str:
    """Short name of a model: its run folder, or its file name where it lies alone."""
    return model_file.resolve().parent.name if model_file.stem == "model" else model_file.stem


def model_digest(model_file: Path) -> str:
    """What scores know their model by, wherever it lies."""
    return sha256(model_file.read_bytes()).hexdigest()


def pick_device(device: str) -> torch.device:
    """The named device; auto takes a GPU where there is one."""
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise UserError(
            f"device must be auto, cpu, cuda, cuda:N or mps and be there, got {device!r} "
            f"({str(error).splitlines()[0]})"
        ) from error
    return chosen


def _facts(
    model_file: Path, store: FrameStore, rule: ScoringRule, precision: str, cfg: ScoreConfig
) -> dict[str, Any]:
    """What the maps and instant scores depend on."""
    if precision not in ("float32", "bfloat16"):
        raise UserError(f"precision must be calibrated, float32 or bfloat16, got {precision!r}")
    return {
        "model": model_digest(model_file),
        **footage_facts(store),
        "rule": {k: v for k, v in asdict(rule).items() if k != "smooth_frames"},
        "precision": precision,
        "batch_frames": cfg.batch_frames,
    }


def _threshold(
    model: Model, rule: ScoringRule, asked: dict[str, float]
) -> tuple[PerMode, Calibration | None]:
    """Alarm threshold and calibration; both are void under a rule the model was not made with."""
    made, asked_for = (asdict(reading_of(model, one)) for one in (model.rule, rule))
    maps_differ = [key for key in made if made[key] != asked_for[key]]
    calibration = None
    if maps_differ:
        print(
            f"the model was calibrated with another {', '.join(maps_differ)}: the score column "
            "stays empty; train with these scoring settings to calibrate them"
        )
        if "threshold" not in asked:
            print("no alarms either: give scoring.threshold=... in raw units")
    else:
        calibration = model.calibration.smoothed(rule.smooth_frames, causal=rule.causal)
    return threshold_of(calibration, **asked), calibration


def _summary(
    table: pd.DataFrame,
    footage: Footage,
    rule: ScoringRule,
    threshold: PerMode,
    calibration: Calibration | None,
    cfg: ScoreConfig,
    levels: Levels | None,
) -> dict[str, Any]:
    return {
        "tlae": __version__,
        "model_file": str(cfg.model_file),
        "footage": saved(cfg.footage, levels),
        "frames": len(table),
        "scored": int((table["state"] == OK).sum()),
        "measured": int(table["instant"].notna().sum()),
        "left_out": left_out(table["state"], footage),
        "clips": int(table["clip"].nunique()),
        "modes": _counts(table["mode"]),
        "health": _counts(table["health"]),
        "alarm_frames": int(table["alarm"].sum()),
        "threshold": threshold.value if np.isfinite(threshold.value) else None,
        "thresholds": dict(threshold.by_mode),
        "raw_highest": float(table["raw"].max()) if table["raw"].notna().any() else None,
        "rule": asdict(rule),
        "calibrated_on_frames": None if calibration is None else len(calibration.raw),
    }


def _counts(names: pd.Series) -> dict[str, int]:
    return {str(name): int(count) for name, count in names.value_counts().items()}


def _warn_of_other_pace(model: Model, store: FrameStore) -> None:
    """A net that saw ten frames a second does not know what four an hour look like."""
    learnt, here = model.calibration.interval_s, usual_interval_s(store.index)
    if learnt > 0 and here > 0 and not 1 / INTERVAL_FACTOR < here / learnt < INTERVAL_FACTOR:
        print(
            f"note: frames are {here:g} s apart, the model learnt from frames {learnt:g} s apart; "
            "scores may mean little"
        )


def _warn_of_short_runs(model: Model, runs: list[Rows]) -> None:
    """Where frames are further apart than the model's gap, no window holds what the net expects."""
    span = (model.window_frames - 1) * model.stride + 1
    short = sum(len(run) for run in runs if len(run) < span)
    frames = sum(len(run) for run in runs)
    if short > SHORT_RUNS * frames:
        print(
            f"note: {short:,} of {frames:,} frames stand in runs shorter than the net's window of "
            f"{span} frames (an interval over {model.gap_s:g} s ends a run); copies of their first "
            "frame fill it, scores there may mean little"
        )


def _tell(
    table: pd.DataFrame,
    events: list[Event],
    folder: Path,
    threshold: PerMode,
    seconds: float,
    new: int | None,
) -> None:
    scored = int((table["state"] == OK).sum())
    rate = " (known maps, no net run)" if new is None else f", {new / seconds:,.0f} frames/s"
    print(f"scored {scored:,} of {len(table):,} frames in {seconds:.1f} s{rate}")
    readable = table[table["state"] == OK]
    for name in ("mode", "health"):
        counts = _counts(readable[name])
        if len(counts) > 1 or not set(counts) <= {UNOBSERVED[name]}:
            told = ", ".join(f"{count:,} {what}" for what, count in counts.items())
            print(f"  {name + ':':<8}{told}")
    alarms = int(table["alarm"].sum())
    levels = {f"{mode} ": level for mode, level in threshold.by_mode.items()}
    shown = ", ".join(f"{k}{v:.4g}" for k, v in (levels or {"": threshold.value}).items())
    print(f"{alarms:,} frames in alarm (raw > {shown}), {len(events):,} events")
    for line in event_lines(events):
        print(line)
    print(f"results: {folder}")
    print(f"next:    tlae report scores={folder}")
    print(f"         tlae render scores={folder}")


def _tell_end(summary: dict[str, Any], new: int) -> None:
    print(
        f"done: {summary['scored']:,} of {summary['frames']:,} frames have a score, {new:,} were "
        f"scored now; {left_out_words(summary['left_out'])}"
    )
