"""Recalibrate a model on footage that is declared normal; the net is not trained again."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tlae.budget import Budget
from tlae.camera.canonical_store import without_ill
from tlae.config import CalibrateConfig
from tlae.config_parts import PRECISIONS
from tlae.device import pick_device
from tlae.errors import FootageError, UserError
from tlae.footage.sources import Footage
from tlae.footage.store import FrameStore
from tlae.footage.windows import Rows, segments
from tlae.model_file import Model
from tlae.progress import progress
from tlae.scoring.calibrate import Calibration, PerMode, joined, threshold_of
from tlae.scoring.detector import Detector
from tlae.scoring.rule import ScoringRule
from tlae.training.calibration import Normal, calibrate, fit_to_normal
from tlae.workflows.footage_notes import left_out, left_out_words
from tlae.workflows.marked_events import (
    MarkedEvents,
    MarksReport,
    marked_events,
    report_of,
    with_marks,
    without_marked,
)
from tlae.workflows.named_footage import require_pace_for
from tlae.workflows.scoring_work import as_seen, open_decoded


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
        new_frames: normal frames of the footage that were scored for it.
        before: alarms on this footage by the model as it was; without footage, on what the new
            calibration rests on.
        now: the same by the new one.
        marks: what marks of events did; None: there were none.
    """

    model: Model
    new_frames: int
    before: AlarmsHere
    now: AlarmsHere
    marks: MarksReport | None = None


@dataclass(frozen=True)
class _Fresh:
    """The scores of normal footage, and the detector that goes with them."""

    detector: Detector
    as_before: Calibration
    calibration: Calibration
    left_out: int = 0
    undated: int = 0


def recalibrate(cfg: CalibrateConfig, model: Model, footage: Footage | None) -> CalibrationReport:
    """Score normal footage, and take the scores as the model's calibration.

    Args:
        cfg: settings; the model and the footage are those given here.
        model: as it is.
        footage: declared normal; None: the calibration stays, and marks are added to it.

    Raises:
        UserError: the footage cannot be read, or the marks do not fit.
    """
    require_normal(cfg, footage)
    budget = cfg.scoring or model.budget
    events = None if cfg.marks is None else marked_events(Path(cfg.marks).expanduser(), model)
    if events is not None and cfg.precision != PRECISIONS[0]:
        raise UserError(
            f"precision must be calibrated with marks, got {cfg.precision}: the events have scores "
            "of the model as it is; calibrate on footage alone"
        )
    if footage is None:
        fresh, here = _Fresh(model.detector, model.calibration, model.calibration), None
        calibration = model.calibration
    else:
        if events is not None and model.rule.background and not cfg.add:
            raise UserError(
                "add must be true with marks and footage where scoring.background is on, because "
                "other typical errors give other scores than the events had; give add=true"
            )
        require_pace_for(budget, footage)
        fresh = _fresh(cfg, model, footage, events)
        here = fresh.calibration
        calibration = joined(model.calibration, here) if cfg.add else here
    without, marks = calibration, None
    if events is not None:
        calibration = with_marks(calibration, events)
    new = replace(model, detector=fresh.detector, calibration=calibration, budget=budget, file=None)
    if events is not None:
        marks = report_of(events, new, without, budget, (fresh.left_out, fresh.undated))
    before = threshold_under(model.rule, model.calibration, model.budget)
    now = threshold_under(model.rule, calibration, budget)
    return CalibrationReport(
        new,
        0 if here is None else len(here.raw),
        _alarms_here(model.rule, calibration if here is None else fresh.as_before, before),
        _alarms_here(model.rule, calibration if here is None else here, now),
        marks,
    )


def require_normal(cfg: CalibrateConfig, footage: Footage | None) -> None:
    """Refuse a recalibration that is told of nothing that is normal."""
    if footage is None and cfg.marks is None:
        raise UserError("footage=... must be given, or marks=...; see --help")


def normal_store(footage: Footage, model: Model, cache: Path) -> FrameStore:
    """Normal footage as the model's net sees it, without frames of ill health."""
    store = as_seen(model, open_decoded(footage, model, cache))
    return store if model.camera is None else without_ill(store)


def require_frames(runs: list[Rows], store: FrameStore, footage: Footage) -> None:
    """Refuse footage without a frame to calibrate on.

    Raises:
        FootageError: there is none.
    """
    if not runs:
        raise FootageError(
            f"footage {footage.spec} must hold normal frames that can be judged, got none "
            f"({left_out_words(left_out(store.index['state'], footage))}); give other footage"
        )


def _fresh(
    cfg: CalibrateConfig, model: Model, footage: Footage, events: MarkedEvents | None
) -> _Fresh:
    """Score footage that is normal but for marked events."""
    store = normal_store(footage, model, Path(cfg.paths.cache))
    detector, left_out_frames, undated = model.detector, 0, 0
    if cfg.precision != PRECISIONS[0]:
        detector = replace(detector, precision=cfg.precision)
    runs = segments(store.index, detector.gap_s)
    if events is not None:
        runs, left_out_frames, undated = without_marked(runs, store.index, events)
    require_frames(runs, store, footage)
    normal = Normal(store, runs, model.rule, pick_device(cfg.device))
    with progress(f"scoring {footage.name}", sum(len(run) for run in runs)) as advance:
        as_before = calibration = calibrate(detector, normal, advance)
    if model.rule.background and not cfg.add:
        typical, calibration, _ = fit_to_normal(detector, normal)
        detector = replace(detector, typical_error=typical)
    return _Fresh(detector, as_before, calibration, left_out_frames, undated)


def threshold_under(rule: ScoringRule, calibration: Calibration, budget: Budget) -> PerMode:
    """What a budget makes of a calibration, once its scores are smoothed as the rule says."""
    return threshold_of(calibration.smoothed(rule.smooth_frames, causal=rule.causal), budget)


def _alarms_here(rule: ScoringRule, here: Calibration, threshold: PerMode) -> AlarmsHere:
    """Alarms of footage that was scored as ``here`` at a threshold."""
    smoothed = here.smoothed(rule.smooth_frames, causal=rule.causal)
    modes = np.full(len(smoothed.raw), "", dtype=object) if smoothed.mode is None else smoothed.mode
    excess = replace(smoothed, raw=smoothed.raw - threshold.of(modes), mode=None)
    return AlarmsHere(threshold, excess.alarms_above(0.0) / smoothed.days)
