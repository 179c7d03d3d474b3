"""Learn which pictures are like those of a folder."""

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np

from tlae.budget import Budget
from tlae.folder_lock import held_folder
from tlae.image_sets.describe_now import Described
from tlae.image_sets.described_input import (
    described_input,
    descriptor_settings,
    next_step,
    note_random_weights,
    report_left_out,
)
from tlae.image_sets.estimators import DETECTORS, Scores
from tlae.image_sets.fit_settings import NoveltyFitConfig
from tlae.image_sets.judge_file import MODEL, Judge, judge_folder, save_judge
from tlae.image_sets.novelty import fit_novelty, require_told_apart
from tlae.image_sets.novelty_defaults import AUTO, Recipe, usual_preparation
from tlae.image_sets.scores_page import galleries_of, scores_page
from tlae.image_sets.verdicts import verdicts
from tlae.number_words import how_many
from tlae.scoring.calibrate import threshold_of
from tlae.whole_file import explain_os_errors, write_text

logger = logging.getLogger(__name__)


def fit_novelty_model(cfg: NoveltyFitConfig) -> None:
    """Normal pictures in, a judge out."""
    folder = judge_folder(cfg.paths.checkpoints, cfg.name or _name(cfg), "novelty")
    with held_folder(folder, "give another name=..."):
        _fit(cfg, folder)


def _fit(cfg: NoveltyFitConfig, folder: Path) -> None:
    started = time.monotonic()
    settings = descriptor_settings(cfg)
    # The descriptor of a store is known to the store, unless there are several.
    normal = described_input(cfg.images, cfg.descriptors, None, settings)
    if normal.settings is not None:
        note_random_weights(settings)
    report_left_out(normal)
    scaler, pca = _recipe(cfg, normal)
    preparation, estimator, calibration = fit_novelty(
        normal.values,
        cfg.method,
        scaler=scaler,
        pca=pca,
        whiten=cfg.whiten,
        folds=cfg.folds,
        seed=cfg.seed,
    )
    threshold = threshold_of(calibration, Budget(cfg.threshold, cfg.false_alarm_rate)).value
    judge = Judge(
        kind="novelty",
        method=cfg.method,
        preparation=preparation,
        estimator=estimator,
        descriptor=normal.facts,
        settings=normal.settings or {},
        quadrants=False,
        calibration=calibration,
        threshold=threshold,
        training=_training(cfg, normal, (scaler, pca)),
    )
    if cfg.threshold is None:
        own = judge.scores(normal.values)
        require_told_apart(normal.values, calibration.raw, own, threshold)
    sets = {"normal, held out": calibration.raw} | _unfiltered(cfg, judge)
    save_judge(judge, folder / MODEL)
    _write_page(folder / "threshold.html", judge, sets, normal)
    _report(judge, sets, folder, normal, time.monotonic() - started)


def _recipe(cfg: NoveltyFitConfig, normal: Described) -> Recipe:
    """Scaler and components: those asked for, else those that suit descriptor and method."""
    if cfg.scaler != AUTO:
        return cfg.scaler, cfg.pca
    scaler, pca = usual_preparation(normal.facts.get("descriptor"), cfg.method)
    return scaler, cfg.pca or pca


def _name(cfg: NoveltyFitConfig) -> str:
    where = Path(str(cfg.images or cfg.descriptors)).expanduser().resolve()
    return f"{where.stem}-{cfg.method}"


def _training(cfg: NoveltyFitConfig, normal: Described, recipe: Recipe) -> dict[str, Any]:
    return {
        "pictures": len(normal.values),
        "images": normal.images,
        "false_alarm_rate": cfg.false_alarm_rate,
        "scaler": recipe[0],
        "pca": recipe[1],
        "folds": cfg.folds,
        "seed": cfg.seed,
    }


def _unfiltered(cfg: NoveltyFitConfig, judge: Judge) -> dict[str, Scores]:
    """Scores of the second set, if one was given: descriptors or pictures."""
    if cfg.unfiltered is None:
        return {}
    other = described_input(
        None, None, cfg.unfiltered, descriptor_settings(cfg), setting="unfiltered"
    )
    judge.require_same_descriptor(other.facts)
    return {"unfiltered": judge.scores(other.values)}


def _write_page(path: Path, judge: Judge, sets: dict[str, Scores], normal: Described) -> None:
    raw = judge.calibration.raw
    over = int((raw > judge.threshold).sum())
    table = normal.ids.assign(score=raw, verdict=verdicts(raw, judge.threshold))
    page = scores_page(
        f"Novelty by {judge.method} on {judge.descriptor.get('descriptor')}",
        f"{over:,} of {len(raw):,} normal pictures lie beyond the threshold {judge.threshold:.4g}",
        "Every normal picture was scored by a fit that had not seen it. Pictures beyond the "
        "threshold are called outliers (-1).",
        sets,
        judge.threshold,
        {"method": judge.method, "descriptor": judge.descriptor.get("descriptor")} | judge.training,
        galleries_of(table, normal.images, judge.threshold),
    )
    with explain_os_errors(path):
        write_text(path, page)


def _report(
    judge: Judge, sets: dict[str, Scores], folder: Path, normal: Described, seconds: float
) -> None:
    raw = judge.calibration.raw
    most = DETECTORS[judge.method].most_rows
    if most is not None and len(raw) > most:
        logger.info(
            f"{judge.method} is fitted to {most:,} pictures drawn at random: it is slow with more"
        )
    logger.info(f"learnt from {how_many(len(raw), 'picture')} in {seconds:.1f} s")
    over = int((raw > judge.threshold).sum())
    logger.info(
        f"threshold {judge.threshold:.4f}: {over:,} of {len(raw):,} held-out pictures are above it "
        f"({over / len(raw):.1%})"
    )
    if "unfiltered" in sets:
        share = float(np.mean(sets["unfiltered"] > judge.threshold))
        logger.info(f"  of {len(sets['unfiltered']):,} unfiltered pictures {share:.1%} are")
    logger.info(f"results: {folder}")
    logger.info(f"next:    {next_step('novelty', folder / MODEL, normal)}")
