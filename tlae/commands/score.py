"""tlae score model_file=PATH footage=PATH [name=NAME] [scoring.alarms_per_day=2].

Says of every frame how unusual it is, where, and whether that is an alarm. Writes
<paths.scores>/<name>/: scores.parquet, scores.csv (one row per frame), events.json, maps.zarr,
summary.json. A killed job continues when started again; asked again with another alarm budget, it
answers without running the net.
"""

import json
import shutil
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
from tlae.config import FootageConfig, ScoreConfig
from tlae.errors import UserError, refusing_bad_values
from tlae.footage.frames import OK
from tlae.footage.sources import Footage, open_footage
from tlae.footage.store import FrameStore, open_store
from tlae.footage.windows import segments, usual_interval_s
from tlae.model_file import Model, load_model
from tlae.progress import progress
from tlae.scoring.areas import whole_area
from tlae.scoring.calibrate import Calibration, threshold_of
from tlae.scoring.event_rule import EventRule
from tlae.scoring.events import SCENE, Event, accept_standing, find_events, in_alarm
from tlae.scoring.job import CHUNK_FRAMES, ScoringJob
from tlae.scoring.results import MEASURED, score_table, write_json, write_tables
from tlae.scoring.rule import ScoringRule
from tlae.scoring.scorer import FrameScorer, frames_answered
from tlae.scoring.stored_maps import StoredMaps

ALARM_KEYS = ("threshold", "false_alarm_rate", "alarms_per_day")
INTERVAL_FACTOR = 3.0  # footage this much slower or faster than the model's is worth a warning


def run(cfg: ScoreConfig) -> None:
    """Score footage with a trained model."""
    started = time.monotonic()
    model_file = Path(cfg.model_file).expanduser()
    model = load_model(model_file)
    settings = {str(k): v for k, v in dict(cfg.scoring).items()}  # type: ignore[call-overload]
    with refusing_bad_values():
        rule = model.rule.changed_by(settings)
        event_rule = EventRule(**dict(cfg.events))  # type: ignore[call-overload]
    footage = open_named(cfg.footage)
    name = (cfg.name or f"{run_name(model_file)}-{footage.name}") + cfg.suffix
    folder = Path(cfg.paths.scores).expanduser() / name
    store = open_store(footage, model.preprocessing, Path(cfg.paths.cache))
    _warn_of_other_pace(model, store)
    asked = {key: settings[key] for key in ALARM_KEYS if settings.get(key) is not None}
    asked = asked or {key: value for key, value in model.alarm.items() if value is not None}
    threshold, calibration = _threshold(model, rule, asked)
    runs = segments(store.index, model.gap_s)
    precision = model.precision if cfg.precision == "calibrated" else cfg.precision
    keep_rebuilt = cfg.keep_rebuilt and not model.net.judges  # which expects nothing to be shown
    facts = _facts(model_file, store, rule, precision, cfg) | {"keep_rebuilt": keep_rebuilt}
    working = _working_folder(folder, facts, overwrite=cfg.overwrite)
    fresh = working != folder
    if fresh:
        job = ScoringJob(working, store, runs, facts, keep_rebuilt)
        scorer = FrameScorer(model, rule, pick_device(cfg.device), precision)
        to_do = max(0, len(store) - job.done() * CHUNK_FRAMES)
        begun = time.monotonic()
        with progress(f"scoring {footage.name}", len(store)) as advance:
            job.run(scorer, cfg.batch_frames, advance)
        pace: float | None = round(to_do / (time.monotonic() - begun), 1)
        measured = job.table()
    else:
        pace = json.loads((folder / "summary.json").read_text()).get("frames_per_s")
        measured = pd.read_parquet(folder / "scores.parquet", columns=list(MEASURED))
    table = score_table(store, measured, runs, rule, calibration, threshold)
    stored = StoredMaps(zarr.open_array(working / "maps.zarr", mode="r"), runs, rule)
    found_in = stored, event_rule, usual_interval_s(store.index), model.gap_s
    area = whole_area(table, calibration, event_rule)
    (area,) = accept_standing(table, [area], *found_in)
    table["alarm"] = in_alarm(table, area.counted, area.threshold)
    events = find_events(table, [area], *found_in)
    write_tables(working, table, events)
    if model.watched is not None:
        np.save(working / "watched.npy", model.watched.numpy())
    summary = _summary(table, footage, rule, threshold, calibration, cfg)
    summary |= {"alarm": asked, "events": asdict(event_rule), "frames_per_s": pace}
    write_json(working / "summary.json", summary)
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
        working.rename(folder)
        job.clean(folder)
    _tell(table, events, folder, threshold, time.monotonic() - started, fresh=fresh)


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


def open_named(cfg: FootageConfig) -> Footage:
    """Open footage as the settings say."""
    return open_footage(
        cfg.path,
        interval_s=cfg.interval_s,
        time_source=cfg.time_source,
        time_pattern=cfg.time_pattern,
    )


def run_name(model_file: Path) -> str:
    """Short name of a model: its run folder, or its file name where it lies alone."""
    return model_file.resolve().parent.name if model_file.stem == "model" else model_file.stem


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
        "model": sha256(model_file.read_bytes()).hexdigest(),
        "store": store.folder.name,
        "rule": {k: v for k, v in asdict(rule).items() if k != "smooth_frames"},
        "precision": precision,
        "batch_frames": cfg.batch_frames,
    }


def _working_folder(folder: Path, facts: dict[str, Any], *, overwrite: bool) -> Path:
    """The finished folder if only its tables are to be made anew, else its part folder."""
    if (folder / "job.json").is_file():
        before = json.loads((folder / "job.json").read_text())
        if before == facts:
            return folder
        if not overwrite:
            changed = ", ".join(key for key in facts if before.get(key) != facts[key])
            raise UserError(
                f"{folder} holds scores of another job (other {changed}); give another name=... or "
                "overwrite=true"
            )
    elif folder.exists() and any(folder.iterdir()) and not overwrite:
        raise UserError(
            f"{folder} is not empty and not ours; give another name=... or overwrite=true"
        )
    return folder.with_name(folder.name + ".part")


def _threshold(
    model: Model, rule: ScoringRule, asked: dict[str, float]
) -> tuple[float, Calibration | None]:
    """Alarm threshold and calibration; both are void under a rule the model was not made with."""
    maps_differ = {
        key
        for key, value in asdict(rule).items()
        if value != getattr(model.rule, key) and key != "smooth_frames"
    }
    if frames_answered(model) == 1:
        maps_differ.discard("causal")  # it then concerns smoothing, and the first frames of a run
    calibration = None
    if maps_differ:
        print(
            f"the model was calibrated with another {', '.join(sorted(maps_differ))}: the score "
            f"column "
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
    threshold: float,
    calibration: Calibration | None,
    cfg: ScoreConfig,
) -> dict[str, Any]:
    states = table["state"].value_counts()
    return {
        "tlae": __version__,
        "model_file": str(cfg.model_file),
        "footage": {
            "path": str(Path(footage.spec).expanduser().absolute()),
            "interval_s": cfg.footage.interval_s,
            "time_source": cfg.footage.time_source,
            "time_pattern": cfg.footage.time_pattern,
        },
        "frames": len(table),
        "scored": int(states.get(OK, 0)),
        "left_out": {str(k): int(v) for k, v in states.items() if k != OK},
        "clips": int(table["clip"].nunique()),
        "alarm_frames": int(table["alarm"].sum()),
        "threshold": threshold if np.isfinite(threshold) else None,
        "raw_highest": float(table["raw"].max()),
        "rule": asdict(rule),
        "calibrated_on_frames": None if calibration is None else len(calibration.raw),
    }


def _warn_of_other_pace(model: Model, store: FrameStore) -> None:
    """A net that saw ten frames a second does not know what four an hour look like."""
    learnt, here = model.calibration.interval_s, usual_interval_s(store.index)
    if learnt > 0 and here > 0 and not 1 / INTERVAL_FACTOR < here / learnt < INTERVAL_FACTOR:
        print(
            f"note: frames are {here:g} s apart, the model learnt from frames {learnt:g} s apart; "
            "scores may mean little"
        )


def _tell(
    table: pd.DataFrame,
    events: list[Event],
    folder: Path,
    threshold: float,
    seconds: float,
    *,
    fresh: bool,
) -> None:
    scored = int((table["state"] == OK).sum())
    rate = f", {scored / seconds:,.0f} frames/s" if fresh else " (known maps, no net run)"
    print(f"scored {scored:,} of {len(table):,} frames in {seconds:.1f} s{rate}")
    for state, count in table["state"].value_counts().items():
        if state != OK:
            print(f"  left out: {count:,} x {state}")
    alarms = int(table["alarm"].sum())
    print(f"{alarms:,} frames in alarm (raw > {threshold:.4g}), {len(events):,} events")
    for line in event_lines(events):
        print(line)
    print(f"results: {folder}")
    print(f"next:    tlae render scores={folder}")
