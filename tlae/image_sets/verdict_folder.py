"""What `novelty score` and `filter score` do: judge pictures, write verdicts, tell."""

import logging
import time
from pathlib import Path
from typing import Any

import pandas as pd

from tlae.budget import Budget
from tlae.errors import ModelFileError, UserError
from tlae.folder_lock import held_folder
from tlae.image_sets.describe_now import Described
from tlae.image_sets.described_input import described_input, report_left_out
from tlae.image_sets.descriptor_facts import descriptor_names
from tlae.image_sets.descriptor_settings import DescriptorSettings
from tlae.image_sets.judge_file import Judge, load_judge
from tlae.image_sets.settings import JudgeConfig
from tlae.image_sets.verdicts import OUTLIER, verdicts, write_verdict_pictures
from tlae.model_file import run_name
from tlae.scoring.calibrate import threshold_of
from tlae.whole_file import replace_folder

logger = logging.getLogger(__name__)

VERDICTS = "verdicts.csv"  # marks the folder as ours
VERDICT_FILES = (VERDICTS, "verdicts.parquet", "pictures/*.png")
SHOWN = 10


def judge_pictures(cfg: JudgeConfig, kind: str, words: dict[int, str]) -> None:
    """Judge pictures and write <out>/: verdicts.parquet, verdicts.csv, pictures/.

    Args:
        cfg: settings of the command.
        kind: of the model, see ``judge_file.KINDS``.
        words: beside each verdict.
    """
    started = time.monotonic()
    model_file = Path(cfg.model_file).expanduser()
    judge = load_judge(model_file, kind)
    threshold = judge.threshold
    if budget := Budget(cfg.threshold, cfg.false_alarm_rate):
        threshold = threshold_of(judge.calibration, budget).value
    described = described_input(
        cfg.images,
        cfg.descriptors,
        None,
        _settings_of(judge, cfg),
        _stored_name(judge, cfg),
        quadrants=judge.quadrants,
    )
    judge.require_same_descriptor(described.facts)
    report_left_out(described)
    table = verdict_table(judge, described, threshold)
    folder = Path(cfg.out or _default_folder(cfg, model_file)).expanduser()
    with (
        held_folder(folder, "give another out=..."),
        replace_folder(folder, VERDICTS, VERDICT_FILES) as temporary,
    ):
        table.to_parquet(temporary / "verdicts.parquet", index=False)
        table.to_csv(temporary / VERDICTS, index=False)
        drawn = _draw(temporary, table, described, words, threshold, cfg.pictures)
    _report(table, words, threshold, time.monotonic() - started)
    logger.info(f"results: {folder}{drawn}")


def verdict_table(judge: Judge, described: Described, threshold: float) -> pd.DataFrame:
    """One row per picture: path, clip, frame, taken_at, score, calibrated, verdict.

    ``score`` is the estimator's, ``calibrated`` the share of normal pictures that are calmer.
    """
    scores = judge.scores(described.values)
    columns = [c for c in ("path", "clip", "frame", "taken_at") if c in described.ids]
    return described.ids[columns].assign(
        score=scores,
        calibrated=judge.calibration.calibrated(scores),
        verdict=verdicts(scores, threshold),
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


def _draw(
    folder: Path,
    table: pd.DataFrame,
    described: Described,
    words: dict[int, str],
    threshold: float,
    most: int,
) -> str:
    """Pictures with their verdict; says where they are, or why there are none."""
    if most == 0:
        return ""
    try:
        drawn = write_verdict_pictures(
            folder / "pictures", table, described.images, words, threshold, most
        )
    except UserError as error:  # the pictures moved: the verdicts are worth keeping
        return f"\nno pictures drawn: {error}"
    if not drawn:
        return "\nno pictures drawn: no path in the table leads to a picture from here"
    rest = " with the highest scores" if drawn < len(table) else ""
    return f" (verdicts drawn on {drawn:,} pictures{rest})"


def _report(table: pd.DataFrame, words: dict[int, str], threshold: float, seconds: float) -> None:
    out = int((table["verdict"] == OUTLIER).sum())
    logger.info(
        f"judged {len(table):,} pictures in {seconds:.1f} s: {out:,} {words[OUTLIER]} "
        f"(score > {threshold:.4f})"
    )
    ranked: Any = table.sort_values("score", ascending=False).head(SHOWN)
    for row in ranked.itertuples():
        logger.info(f"  {row.verdict:>2}  {row.score:.4f}  {row.path}")
    if len(table) > SHOWN:
        logger.info(f"  ... {len(table) - SHOWN:,} more in {VERDICTS}")
