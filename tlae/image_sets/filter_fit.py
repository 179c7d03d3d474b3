"""Learn to tell good pictures from bad ones, from a folder of each."""

import logging
import time
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from tlae.budget import Budget
from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.image_sets.describe_now import Described
from tlae.image_sets.described_input import (
    described_input,
    descriptor_settings,
    next_step,
    note_random_weights,
    report_left_out,
)
from tlae.image_sets.estimators import Scores
from tlae.image_sets.filters import Estimate, fit_filter, measure_filter
from tlae.image_sets.fit_settings import FilterFitConfig
from tlae.image_sets.judge_file import MODEL, Judge, judge_folder, save_judge
from tlae.image_sets.novelty import calibration_of
from tlae.image_sets.novelty_defaults import AUTO, usual_filter_scaler
from tlae.image_sets.scores_page import galleries_of, scores_page
from tlae.image_sets.verdicts import verdicts
from tlae.number_words import how_many
from tlae.scoring.calibrate import threshold_of
from tlae.whole_file import explain_os_errors, write_text

logger = logging.getLogger(__name__)


def fit_filter_model(cfg: FilterFitConfig) -> None:
    """Good and bad pictures in, a filter out."""
    folder = judge_folder(cfg.paths.checkpoints, cfg.name or _name(cfg), "filter")
    with held_folder(folder, "give another name=..."):
        _fit(cfg, folder)


def _fit(cfg: FilterFitConfig, folder: Path) -> None:
    started = time.monotonic()
    settings = descriptor_settings(cfg)
    good = described_input(None, None, cfg.good, settings, quadrants=cfg.quadrants, setting="good")
    bad = described_input(None, None, cfg.bad, settings, quadrants=cfg.quadrants, setting="bad")
    if good.settings is not None:
        note_random_weights(settings)
    report_left_out(good)
    report_left_out(bad)
    _require_apart(good, bad)
    if good.values.shape[1] != bad.values.shape[1]:
        raise UserError(
            f"good and bad must have the same descriptor, got {good.values.shape[1]} and "
            f"{bad.values.shape[1]} dimensions; describe both in the same way"
        )
    scaler = cfg.scaler
    if scaler == AUTO:
        scaler = usual_filter_scaler(good.facts.get("descriptor"))
    preparation, estimator, held_out = fit_filter(
        good.values,
        bad.values,
        cfg.method,
        scaler=scaler,
        pca=cfg.pca,
        whiten=cfg.whiten,
        folds=cfg.folds,
        seed=cfg.seed,
    )
    goods = len(good.values)
    calibration = calibration_of(held_out[:goods])
    rate = cfg.false_alarm_rate
    budget = Budget(cfg.threshold) if rate is None else Budget(false_alarm_rate=rate)
    threshold = threshold_of(calibration, budget).value
    measured = measure_filter(held_out, goods, threshold, cfg.seed)
    judge = Judge(
        kind="filter",
        method=cfg.method,
        preparation=preparation,
        estimator=estimator,
        descriptor=good.facts,
        settings=good.settings or {},
        quadrants=cfg.quadrants,
        calibration=calibration,
        threshold=threshold,
        training={
            "good": {"images": good.images, "pictures": goods},
            "bad": {"images": bad.images, "pictures": len(bad.values)},
            "held out": {name: asdict(one) for name, one in measured.items()},
            "scaler": scaler,
            "seed": cfg.seed,
        },
    )
    judge.require_same_descriptor(bad.facts)
    found, kept = measured["bad found"], measured["good kept"]
    page = scores_page(
        f"Filter by {cfg.method} on {judge.descriptor.get('descriptor')}",
        f"Finds {found.value:.0%} of bad pictures ({found.low:.0%} to {found.high:.0%}) and keeps "
        f"{kept.value:.0%} of good ones ({kept.low:.0%} to {kept.high:.0%})",
        "Every picture was scored by a fit that had not seen it: its probability of being bad. In "
        "brackets: 95 % intervals over resampled pictures.",
        {"good, held out": held_out[:goods], "bad, held out": held_out[goods:]},
        threshold,
        {"method": cfg.method, "descriptor": judge.descriptor.get("descriptor")} | judge.training,
        galleries_of(_held_out_table(good, held_out[:goods], threshold), good.images, threshold),
    )
    path = folder / "threshold.html"
    with explain_os_errors(path):
        save_judge(judge, folder / MODEL)
        write_text(path, page)
    seconds = time.monotonic() - started
    logger.info(
        f"learnt from {goods:,} good and {len(bad.values):,} bad pictures in {seconds:.1f} s"
    )
    _report(measured, folder, good)


def _require_apart(good: Described, bad: Described) -> None:
    if good.settings is None or bad.settings is None:
        return  # rows made elsewhere may have numbers for names
    both = sorted(set(good.ids["path"]) & set(bad.ids["path"]))
    if both:
        raise UserError(
            f"good and bad must be different pictures, {how_many(len(both), 'picture')} "
            f"{'is' if len(both) == 1 else 'are'} in both ({both[0]}); take them out of one"
        )


def _held_out_table(good: Described, scores: Scores, threshold: float) -> pd.DataFrame:
    return good.ids.assign(score=scores, verdict=verdicts(scores, threshold))


def _name(cfg: FilterFitConfig) -> str:
    good, bad = (Path(one).expanduser().resolve().stem for one in (cfg.good, cfg.bad))
    return f"{good}-{bad}-{cfg.method}"


def _report(measured: dict[str, Estimate], folder: Path, good: Described) -> None:
    logger.info("on held-out pictures (95 % interval over resampled pictures):")
    for name, one in measured.items():
        logger.info(f"  {name:<10} {one.value:.3f} ({one.low:.3f} to {one.high:.3f})")
    logger.info(f"results: {folder}")
    logger.info(f"next:    {next_step('filter', folder / MODEL, good)}")
