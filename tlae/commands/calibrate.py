"""tlae calibrate model_file=PATH footage=PATH [add=true] [marks=FOLDER/marks.json].

Recalibrates thresholds in seconds: scores footage that you declare normal with the existing net,
and writes a model file whose thresholds and calibrated scores rest on that footage. The net is not
trained again; a scene that has changed completely needs `tlae train`. With marks=..., events that
you marked normal on the page of `tlae serve` count as normal footage; no footage is needed then.
"""

import shlex
import time
from pathlib import Path

from tlae.commands.calibration_lines import calibration_lines
from tlae.config import CalibrateConfig
from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.model_file import load_model, save_model
from tlae.own_file import require_own
from tlae.scoring.answers import carry_answers
from tlae.workflows.calibrate import recalibrate, require_normal
from tlae.workflows.named_footage import open_named


def run(cfg: CalibrateConfig) -> None:
    """Score normal footage, and keep the scores as the model's calibration."""
    model_file = Path(cfg.model_file).expanduser()
    model = load_model(model_file)
    footage = open_named(cfg.footage) if cfg.footage.path else None
    require_normal(cfg, footage)
    name = "marks" if footage is None else footage.name
    beside = model_file.with_name(f"{model_file.stem}-{name}.safetensors")
    out = Path(cfg.out).expanduser() if cfg.out else beside
    if out.resolve() == model_file.resolve():
        raise UserError(f"out must not be the model file itself, got {out}; give another out=...")
    require_own(out, load_model, "a model file of tlae", "out")
    if out.exists() and not cfg.overwrite:
        raise UserError(f"out must be a new file, {out} exists; give out=... or overwrite=true")
    started = time.monotonic()
    with held_folder(out, "give another out=..."):
        report = recalibrate(cfg, model, footage)
        save_model(report.model, out)
        carried = carry_answers(model_file, out)
    for line in calibration_lines(report, time.monotonic() - started):
        print(line)
    if carried is not None:
        print(f"answers: {carried} (your answers about events, copied)")
    print(f"model:   {out}")
    print(f"next:    tlae score {shlex.quote(f'model_file={out}')} footage=...")
