"""tlae calibrate model_file=PATH footage=PATH [add=true] [scoring.alarms_per_day=2].

Recalibrates thresholds in seconds: scores footage that you declare normal with the existing net,
and writes a model file whose thresholds and calibrated scores rest on that footage. The net is not
trained again; a scene that has changed completely needs `tlae train`.
"""

import time
from pathlib import Path

from tlae.config import CalibrateConfig
from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.model_file import load_model, save_model
from tlae.own_file import require_own
from tlae.workflows.calibrate import AlarmsHere, CalibrationReport, recalibrate
from tlae.workflows.named_footage import open_named


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
    started = time.monotonic()
    with held_folder(out, "give another out=..."):
        report = recalibrate(cfg, model, footage)
        save_model(report.model, out)
    _print_report(report, time.monotonic() - started)
    print(f"model:   {out}")
    print(f"next:    tlae score model_file={out} footage=...")


def _beside(model_file: Path, footage: str) -> Path:
    return model_file.with_name(f"{model_file.stem}-{footage}.safetensors")


def _print_report(report: CalibrationReport, seconds: float) -> None:
    known = report.model.calibration
    print(
        f"calibrated on {len(known.raw):,} normal frames ({known.days:.2g} days), "
        f"{report.new_frames:,} of them new, in {seconds:.1f} s"
    )
    _print_alarms("before", report.before)
    _print_alarms("now", report.now)


def _print_alarms(when: str, alarms: AlarmsHere) -> None:
    shown = alarms.threshold.by_mode or {"": alarms.threshold.value}
    levels = ", ".join(f"{mode} {value:.4g}".strip() for mode, value in shown.items())
    print(f"  {when + ':':<7} threshold {levels}: {alarms.per_day:.2g} alarms a day here")
