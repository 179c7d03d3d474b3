"""tlae calibrate model_file=PATH footage=PATH [add=true] [scoring.alarms_per_day=2].

The new normal, in seconds: scores footage that you declare normal with the net as it is, and writes
a model file whose thresholds and calibrated scores rest on that footage. The net is not trained
again; a scene that has changed all over needs `tlae train`.
"""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from tlae.camera.canonical_store import without_ill
from tlae.commands.footage_lines import left_out, left_out_words
from tlae.commands.named_footage import open_named, require_pace_for
from tlae.commands.own_file import require_own
from tlae.commands.score import ALARM_KEYS, open_seen, pick_device
from tlae.config import CalibrateConfig
from tlae.errors import FootageError, UserError
from tlae.folder_lock import held_folder
from tlae.footage.sources import Footage
from tlae.footage.windows import segments
from tlae.model_file import Model, load_model, save_model
from tlae.progress import progress
from tlae.scoring.calibrate import Calibration, PerMode, joined, require_evidence, threshold_of
from tlae.training.calibration import Normal, calibrate, fit_to_normal


def run(cfg: CalibrateConfig) -> None:
    """Score normal footage, and keep the scores as the model's calibration."""
    model_file = Path(cfg.model_file).expanduser()
    model = load_model(model_file)
    footage = open_named(cfg.footage)
    out = Path(cfg.out).expanduser() if cfg.out else _beside(model_file, footage.name)
    if out.resolve() == model_file.resolve():
        raise UserError(f"out must not be the model file itself, got {out}; give another out=...")
    require_own(out, load_model, "a model file of tlae", "out")
    if out.exists() and not cfg.overwrite:
        raise UserError(f"out must be a new file, {out} exists; give out=... or overwrite=true")
    with held_folder(out, "give another out=..."):
        _calibrate(cfg, model, footage, out)


def _calibrate(cfg: CalibrateConfig, model: Model, footage: Footage, out: Path) -> None:
    """Write a file that no other process writes."""
    started = time.monotonic()
    asked = {key: cfg.scoring[key] for key in ALARM_KEYS}  # type: ignore[index]
    alarm = asked if any(value is not None for value in asked.values()) else model.alarm
    require_pace_for(alarm, footage)
    store = open_seen(footage, model, Path(cfg.paths.cache))
    if model.camera is not None:
        store = without_ill(store)
    runs = segments(store.index, model.gap_s)
    if not runs:
        raise FootageError(
            f"footage {cfg.footage.path} must hold normal frames that can be judged, got none "
            f"({left_out_words(left_out(store.index['state'], footage))}); give other footage"
        )
    normal = Normal(store, runs, model.rule, pick_device(cfg.device))
    before = _threshold(model, model.alarm, model.calibration)
    with progress(f"scoring {footage.name}", sum(len(run) for run in runs)) as advance:
        as_before = fresh = calibrate(model, normal, advance)
    if model.rule.background and not cfg.add:
        model.typical_error, fresh = fit_to_normal(model, normal)
    model.calibration = joined(model.calibration, fresh) if cfg.add else fresh
    require_evidence(model.calibration, **{k: v for k, v in alarm.items() if k != "threshold"})
    model.alarm = alarm
    save_model(model, out)
    new = len(fresh.raw)
    known = model.calibration
    print(
        f"calibrated on {len(known.raw):,} normal frames ({known.days:.2g} days), {new:,} of them "
        f"new, in {time.monotonic() - started:.1f} s"
    )
    _tell("before", model, as_before, before)
    _tell("now", model, fresh, _threshold(model, alarm, known))
    print(f"model:   {out}")
    print(f"next:    tlae score model_file={out} footage=...")


def _beside(model_file: Path, footage: str) -> Path:
    return model_file.with_name(f"{model_file.stem}-{footage}.safetensors")


def _threshold(model: Model, alarm: dict[str, float | None], calibration: Calibration) -> PerMode:
    smoothed = calibration.smoothed(model.rule.smooth_frames, causal=model.rule.causal)
    return threshold_of(smoothed, **alarm)


def _tell(when: str, model: Model, here: Calibration, threshold: PerMode) -> None:
    """How often this footage is in alarm.

    Args:
        when: first word.
        model: for its rule.
        here: scores of the footage by the model of then.
        threshold: of then.
    """
    smoothed = here.smoothed(model.rule.smooth_frames, causal=model.rule.causal)
    modes = np.full(len(smoothed.raw), "", dtype=object) if smoothed.mode is None else smoothed.mode
    excess = replace(smoothed, raw=smoothed.raw - threshold.of(modes), mode=None)
    alarms = excess.alarms_above(0.0)
    shown = threshold.by_mode or {"": threshold.value}
    levels = ", ".join(f"{mode} {value:.4g}".strip() for mode, value in shown.items())
    print(f"  {when + ':':<7} threshold {levels}: {alarms / smoothed.days:.2g} alarms a day here")
