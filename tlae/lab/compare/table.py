"""The comparison as a table: models by scenes, and what they do on other days."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tlae.lab.markdown import table_head, table_row
from tlae.whole_file import write_text

CLEAN = "clean"  # the day as it was filmed
RATES = (1e-2, 1e-3)  # false alarms asked for

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """One model on one day of one scene.

    Attributes:
        scene, model, day: names; the day is "clean" or one of ``days.DAYS``.
        seed: of the training.
        figures: by name, in [0, 1]; None where not defined.
        realised: share of calm normal frames in alarm, for each rate asked for.
        calm_frames: of them.
        moments: effective number of independent moments in the calibration.
        train_s: seconds of training.
        frames_per_s: of scoring.
    """

    scene: str
    model: str
    day: str
    seed: int
    figures: dict[str, float | None]
    realised: dict[str, float]
    calm_frames: int
    moments: float
    train_s: float
    frames_per_s: float


def write_comparison(
    out: Path, rows: Sequence[Row], scenes: Sequence[str], models: Sequence[str]
) -> None:
    """Write comparison.md and comparison.csv.

    Args:
        out: folder.
        rows: of all runs.
        scenes: names, in the order of the table.
        models: names, in that order.
    """
    table = pd.DataFrame([_flat(row) for row in rows])
    text = _markdown(table, [name for name in scenes if name in set(table["scene"])], models)
    write_text(out / "comparison.csv", table.to_csv(index=False))
    write_text(out / "comparison.md", text)
    logger.info(text)
    logger.info(f"wrote {out / 'comparison.md'} and comparison.csv")


def _flat(row: Row) -> dict[str, object]:
    plain = {k: v for k, v in vars(row).items() if k not in ("figures", "realised")}
    return plain | row.figures | {f"realised_{k}": v for k, v in row.realised.items()}


def _markdown(table: pd.DataFrame, scenes: Sequence[str], models: Sequence[str]) -> str:
    clean, others = table[table["day"] == CLEAN], table[table["day"] != CLEAN]
    lines = ["# Comparison", "", "In %, means over seeds. Raw AUC of the clean day:", ""]
    lines += _by_scene(clean, "auc_raw", scenes, models, clock=True)
    for title, key in (("Macro AUC", "auc_macro"), ("RBDC", "rbdc"), ("TBDC", "tbdc")):
        if clean[key].notna().any():
            lines += ["", f"{title}:", "", *_by_scene(clean, key, scenes, models)]
    for rate in RATES:
        title = f"Calm normal frames in alarm, where {100 * rate:g} % was asked for:"
        lines += ["", title, "", *_by_scene(clean, f"realised_{rate:g}", scenes, models)]
    key = "recall_1_per_hour"
    if key in clean and clean[key].notna().any():
        lines += ["", "Events found at one false alarm an hour:", ""]
        lines += _by_scene(clean, key, scenes, models)
    if len(others):
        asked = f"{100 * RATES[0]:g} %"
        lines += ["", f"Other days: raw AUC (share of calm normal frames in alarm at {asked}):", ""]
        lines += _by_day(others, models)
    lines += ["", "Costs, medians over scenes:", "", *_costs(clean, models), ""]
    return "\n".join(lines)


def _by_scene(
    table: pd.DataFrame, key: str, scenes: Sequence[str], models: Sequence[str], clock: bool = False
) -> list[str]:
    lines = table_head("model", *scenes, "mean")
    if clock and "clock" in table:
        values = [table[table["scene"] == scene]["clock"].mean() for scene in scenes]
        lines.append(table_row("the clock", *_percents([*values, float(np.nanmean(values))])))
    for model in models:
        inside = table[table["model"] == model]
        values = [inside[inside["scene"] == scene][key].astype(float).mean() for scene in scenes]
        known = [value for value in values if not np.isnan(value)]
        lines.append(
            table_row(model, *_percents([*values, float(np.mean(known)) if known else np.nan]))
        )
    return lines


def _by_day(table: pd.DataFrame, models: Sequence[str]) -> list[str]:
    days = list(dict.fromkeys(table["day"]))
    lines = table_head("model", *days)
    for model in models:
        cells = []
        for day in days:
            inside = table[(table["model"] == model) & (table["day"] == day)]
            auc, false = (
                inside[key].astype(float).mean() for key in ("auc_raw", f"realised_{RATES[0]:g}")
            )
            cells.append(f"{_percent(auc)} ({_percent(false)})")
        lines.append(table_row(model, *cells))
    return lines


def _costs(table: pd.DataFrame, models: Sequence[str]) -> list[str]:
    lines = table_head("model", "training [s]", "scoring [frames/s]")
    for model in models:
        inside = table[table["model"] == model]
        cells = (f"{inside[key].median():,.0f}" for key in ("train_s", "frames_per_s"))
        lines.append(table_row(model, *cells))
    return lines


def _percents(values: Sequence[float]) -> list[str]:
    return [_percent(value) for value in values]


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{100 * value:.1f}"
