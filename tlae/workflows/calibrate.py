"""Recalibrate a model on footage that is declared normal; the net is not trained again."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tlae.budget import Budget
from tlae.camera.canonical_store import without_ill
from tlae.config import CalibrateConfig
from tlae.device import pick_device
from tlae.errors import FootageError
from tlae.footage.sources import Footage
from tlae.footage.windows import segments
from tlae.model_file import Model
from tlae.progress import progress
from tlae.scoring.calibrate import Calibration, PerMode, joined, require_evidence, threshold_of
from tlae.scoring.rule import ScoringRule
from tlae.training.calibration import Normal, calibrate, fit_to_normal
from tlae.workflows.footage_notes import left_out, left_out_words
from tlae.workflows.named_footage import require_pace_for
from tlae.workflows.score import open_seen


@dataclass(frozen=True)
class AlarmsHere:
    """How often the footage of a calibration is in alarm.

    Attributes:
        threshold: raw units.
        per_day: alarms a day of that footage.
    """

    threshold: PerMode
    per_day: float


@dataclass(frozen=True)
class CalibrationReport:
    """What a recalibration did.

    Attributes:
        model: with the new calibration and budget; not written yet.
        new_frames: normal frames that were scored for it.
        before: alarms on this footage by the model as it was.
        now: alarms on this footage by the new one.
    """

    model: Model
    new_frames: int
    before: AlarmsHere
    now: AlarmsHere


def recalibrate(cfg: CalibrateConfig, model: Model, footage: Footage) -> CalibrationReport:
    """Score normal footage, and take the scores as the model's calibration.

    Args:
        cfg: settings; the model and the footage are those given here.
        model: as it is.
        footage: declared normal.

    Raises:
        UserError: the footage shows too little for the budget, or cannot be read.
    """
    budget = cfg.scoring or model.budget
    require_pace_for(budget, footage)
    store = open_seen(footage, model, Path(cfg.paths.cache))
    if model.camera is not None:
        store = without_ill(store)
    detector = model.detector
    runs = segments(store.index, detector.gap_s)
    if not runs:
        raise FootageError(
            f"footage {cfg.footage.path} must hold normal frames that can be judged, got none "
            f"({left_out_words(left_out(store.index['state'], footage))}); give other footage"
        )
    normal = Normal(store, runs, model.rule, pick_device(cfg.device))
    before = _threshold(model.rule, model.calibration, model.budget)
    with progress(f"scoring {footage.name}", sum(len(run) for run in runs)) as advance:
        as_before = fresh = calibrate(detector, normal, advance)
    if model.rule.background and not cfg.add:
        typical, fresh, _ = fit_to_normal(detector, normal)
        detector = replace(detector, typical_error=typical)
    calibration = joined(model.calibration, fresh) if cfg.add else fresh
    require_evidence(calibration, budget)
    now = _threshold(model.rule, calibration, budget)
    new = replace(model, detector=detector, calibration=calibration, budget=budget, file=None)
    return CalibrationReport(
        new,
        len(fresh.raw),
        _alarms_here(model.rule, as_before, before),
        _alarms_here(model.rule, fresh, now),
    )


def _threshold(rule: ScoringRule, calibration: Calibration, budget: Budget) -> PerMode:
    return threshold_of(calibration.smoothed(rule.smooth_frames, causal=rule.causal), budget)


def _alarms_here(rule: ScoringRule, here: Calibration, threshold: PerMode) -> AlarmsHere:
    """Alarms of footage that was scored as ``here`` at a threshold."""
    smoothed = here.smoothed(rule.smooth_frames, causal=rule.causal)
    modes = np.full(len(smoothed.raw), "", dtype=object) if smoothed.mode is None else smoothed.mode
    excess = replace(smoothed, raw=smoothed.raw - threshold.of(modes), mode=None)
    return AlarmsHere(threshold, excess.alarms_above(0.0) / smoothed.days)
