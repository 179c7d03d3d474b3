"""What `novelty score` and `filter score` do: judge pictures, write verdicts, tell."""

import json
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tlae.budget import Budget
from tlae.errors import FootageError, ModelFileError, UserError
from tlae.folder_lock import held_folder
from tlae.image_sets.describe_now import Described
from tlae.image_sets.described_input import described_input, report_left_out
from tlae.image_sets.descriptor_facts import descriptor_names
from tlae.image_sets.descriptor_settings import DescriptorSettings
from tlae.image_sets.further_checks import REASON, FurtherChecks, check_further, further_checks
from tlae.image_sets.item_pictures import item_text
from tlae.image_sets.judge_file import Judge, load_judge
from tlae.image_sets.judged_before import FACTS, TABLE, JudgedBefore, judged_by
from tlae.image_sets.scores_page import galleries_of, scores_page
from tlae.image_sets.settings import JudgeConfig
from tlae.image_sets.verdicts import INLIER, OUTLIER, verdicts, write_verdict_pictures
from tlae.number_words import how_many
from tlae.scorable import run_name
from tlae.scoring.calibrate import threshold_of
from tlae.whole_file import replace_folder, require_replaceable, write_text

logger = logging.getLogger(__name__)

VERDICTS = "verdicts.csv"  # marks the folder as ours
PAGE = "verdicts.html"
VERDICT_FILES = (VERDICTS, TABLE, FACTS, PAGE, "pictures/*.png")
SHOWN = 10


def judge_pictures(cfg: JudgeConfig, kind: str, words: dict[int, str]) -> None:
    """Judge pictures and write <out>/: verdicts.parquet, verdicts.csv, pictures/.

    Args:
        cfg: settings of the command.
        kind: of the model, see ``judge_file.KINDS``.
        words: beside each verdict.
    """
    model_file = Path(cfg.model_file).expanduser()
    judge = load_judge(model_file, kind)
    threshold = judge.threshold
    if budget := Budget(cfg.threshold, cfg.false_alarm_rate):
        threshold = threshold_of(judge.calibration, budget).value
    checks = further_checks(cfg)
    folder = Path(cfg.out or _default_folder(cfg, model_file)).expanduser()
    with held_folder(folder, "give another out=..."):
        require_replaceable(folder, VERDICTS)
        _judge(cfg, judge, threshold, checks, words, folder)


def _judge(
    cfg: JudgeConfig,
    judge: Judge,
    threshold: float,
    checks: FurtherChecks,
    words: dict[int, str],
    folder: Path,
) -> None:
    started = time.monotonic()
    facts = judged_by(Path(cfg.model_file).expanduser(), threshold, cfg)
    before = JudgedBefore.read(folder, facts, None if cfg.again else cfg.images)
    table = before.verdicts
    images = cfg.images
    described = _described(judge, cfg, before)
    if described is not None:
        fresh = verdict_table(judge, described, threshold, words[OUTLIER])
        fresh = check_further(fresh, described, checks, table)
        table = before.joined(fresh)
        images = described.images
    with replace_folder(folder, VERDICTS, VERDICT_FILES) as temporary:
        table.to_parquet(temporary / TABLE, index=False)
        table.to_csv(temporary / VERDICTS, index=False)
        write_text(temporary / FACTS, json.dumps(facts, indent=1) + "\n")
        page = _page(judge, table, words, threshold, images)
        write_text(temporary / PAGE, page)
        drawn = _draw(temporary, table, images, words, threshold, cfg.pictures)
    _report(table, words, threshold, len(before.verdicts), time.monotonic() - started)
    logger.info(f"results: {folder}{drawn}")


def _described(judge: Judge, cfg: JudgeConfig, before: JudgedBefore) -> Described | None:
    """What is left to judge; None: nothing."""
    if not before.is_new:
        return None
    try:
        described = described_input(
            before.new if before.new is not None else cfg.images,
            cfg.descriptors,
            None,
            _settings_of(judge, cfg),
            _stored_name(judge, cfg),
            quadrants=judge.quadrants,
        )
    except FootageError:  # of the new files none can be read
        if before.verdicts.empty:
            raise
        return None
    judge.require_same_descriptor(described.facts)
    report_left_out(described)
    return described


def verdict_table(
    judge: Judge, described: Described, threshold: float, unusual: str
) -> pd.DataFrame:
    """One row per picture: path, clip, frame, taken_at, score, calibrated, verdict, reason.

    ``score`` is the estimator's, ``calibrated`` the share of normal pictures that are calmer,
    ``reason`` the word ``unusual`` where the verdict is that.
    """
    scores = judge.scores(described.values)
    columns = [c for c in ("path", "clip", "frame", "taken_at") if c in described.ids]
    judged = verdicts(scores, threshold)
    return described.ids[columns].assign(
        score=scores,
        calibrated=judge.calibration.calibrated(scores),
        verdict=judged,
        reason=np.where(judged == OUTLIER, unusual, ""),
    )


def _settings_of(judge: Judge, cfg: JudgeConfig) -> DescriptorSettings:
    settings = judge.descriptor_settings
    if settings is None and cfg.images is not None:
        raise ModelFileError(
            f"model file {cfg.model_file} was fitted to stored descriptors; describe the pictures "
            "in the same way and give descriptors=..."
        )
    return settings or DescriptorSettings()


def _stored_name(judge: Judge, cfg: JudgeConfig) -> str | None:
    """Which descriptor of the store is judged: that of the fit, if it is there."""
    if cfg.descriptors is None or cfg.descriptor is not None:
        return cfg.descriptor
    own = judge.descriptor.get("name")
    return own if own in descriptor_names(Path(cfg.descriptors).expanduser()) else None


def _default_folder(cfg: JudgeConfig, model_file: Path) -> str:
    where = Path(str(cfg.images or cfg.descriptors)).expanduser().resolve()
    return f"scores/{run_name(model_file)}-{where.stem}"


def _page(
    judge: Judge, table: pd.DataFrame, words: dict[int, str], threshold: float, images: str | None
) -> str:
    out = int((table["verdict"] == OUTLIER).sum())
    reasons = table.loc[table["verdict"] == OUTLIER, REASON].str.split(" ").str[0].value_counts()
    listed = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
    sets = {
        f"learnt from ({words[INLIER]}), held out": judge.calibration.raw,
        "judged": table["score"].to_numpy(np.float64),
    }
    return scores_page(
        f"{out:,} of {len(table):,} {words[OUTLIER]}",
        f"{out:,} of {len(table):,} pictures are {words[OUTLIER]}"
        + (f": {listed}" if len(reasons) > 1 else ""),
        f"By {judge.method} on {judge.descriptor.get('descriptor')}; the threshold is "
        f"{threshold:.4g}. All verdicts stand in {VERDICTS}.",
        sets,
        threshold,
        {"method": judge.method, "descriptor": judge.descriptor.get("descriptor")} | judge.training,
        galleries_of(table, images, threshold),
    )


def _draw(
    folder: Path,
    table: pd.DataFrame,
    images: str | None,
    words: dict[int, str],
    threshold: float,
    most: int,
) -> str:
    """Pictures with their verdict; says where they are, or why there are none."""
    if most == 0:
        return ""
    try:
        drawn = write_verdict_pictures(folder / "pictures", table, images, words, threshold, most)
    except UserError as error:  # the pictures moved: the verdicts are worth keeping
        return f"\nno pictures drawn: {error}"
    if not drawn:
        return "\nno pictures drawn: no path in the table leads to a picture from here"
    rest = " with the highest scores" if drawn < len(table) else ""
    return f" (verdicts drawn on {how_many(drawn, 'picture')}{rest})"


def _report(
    table: pd.DataFrame, words: dict[int, str], threshold: float, known: int, seconds: float
) -> None:
    out = int((table["score"] > threshold).sum())
    judged = f"{len(table) - known:,} new of " * bool(known) + how_many(len(table), "picture")
    logger.info(
        f"judged {judged} in {seconds:.1f} s: {out:,} {words[OUTLIER]} (score > {threshold:.4f})"
    )
    further = table.loc[(table["verdict"] == OUTLIER) & ~(table["score"] > threshold), REASON]
    kinds = further.str.split(" ").str[0].value_counts()
    if len(kinds):
        listed = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
        left = len(table) - out - len(further)
        pictures = how_many(left, f"{words[INLIER]} picture")
        logger.info(f"  then left out: {listed}; remaining: {pictures}")
    ranked: Any = table.sort_values("score", ascending=False).head(SHOWN)
    for row in ranked.itertuples():
        logger.info(f"  {row.verdict:>2}  {row.score:.4f}  {item_text(row.path, row.frame)}")
    if len(table) > SHOWN:
        logger.info(f"  ... {len(table) - SHOWN:,} more in {VERDICTS}")
