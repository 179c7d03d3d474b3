"""The comparison as a table: models by scenes, and what they do on other days."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tlae.whole_file import write_text

if TYPE_CHECKING:
    from tlae.lab.compare.scenes import Row

logger = logging.getLogger(__name__)


def write_comparison(
    out: Path, rows: "Sequence[Row]", scenes: Sequence[str], models: Sequence[str]
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


def _flat(row: "Row") -> dict[str, object]:
    plain = {k: v for k, v in vars(row).items() if k not in ("figures", "realised")}
    return plain | row.figures | {f"realised_{k}": v for k, v in row.realised.items()}


def _markdown(table: pd.DataFrame, scenes: Sequence[str], models: Sequence[str]) -> str:
    clean, others = table[table["day"] == "clean"], table[table["day"] != "clean"]
    lines = ["# Comparison", "", "In %, means over seeds. Raw AUC of the clean day:", ""]
    lines += _by_scene(clean, "auc_raw", scenes, models, clock=True)
    for title, key in (("Macro AUC", "auc_macro"), ("RBDC", "rbdc"), ("TBDC", "tbdc")):
        if clean[key].notna().any():
            lines += ["", f"{title}:", "", *_by_scene(clean, key, scenes, models)]
    for rate in ("0.01", "0.001"):
        title = f"Calm normal frames in alarm, where {100 * float(rate):g} % was asked for:"
        lines += ["", title, "", *_by_scene(clean, f"realised_{rate}", scenes, models)]
    key = "recall_1_per_hour"
    if key in clean and clean[key].notna().any():
        lines += ["", "Events found at one false alarm an hour:", ""]
        lines += _by_scene(clean, key, scenes, models)
    if len(others):
        lines += ["", "Other days: raw AUC (share of calm normal frames in alarm at 1 %):", ""]
        lines += _by_day(others, models)
    lines += ["", "Costs, medians over scenes:", "", *_costs(clean, models), ""]
    return "\n".join(lines)


def _by_scene(
    table: pd.DataFrame, key: str, scenes: Sequence[str], models: Sequence[str], clock: bool = False
) -> list[str]:
    lines = [_line("model", *scenes, "mean"), _line(*["---"] * (len(scenes) + 2))]
    if clock and "clock" in table:
        values = [table[table["scene"] == scene]["clock"].mean() for scene in scenes]
        lines.append(_line("the clock", *_percents([*values, float(np.nanmean(values))])))
    for model in models:
        inside = table[table["model"] == model]
        values = [inside[inside["scene"] == scene][key].astype(float).mean() for scene in scenes]
        known = [value for value in values if not np.isnan(value)]
        lines.append(
            _line(model, *_percents([*values, float(np.mean(known)) if known else np.nan]))
        )
    return lines


def _by_day(table: pd.DataFrame, models: Sequence[str]) -> list[str]:
    days = list(dict.fromkeys(table["day"]))
    lines = [_line("model", *days), _line(*["---"] * (len(days) + 1))]
    for model in models:
        cells = []
        for day in days:
            inside = table[(table["model"] == model) & (table["day"] == day)]
            auc, false = inside["auc_raw"].astype(float).mean(), inside["realised_0.01"].mean()
            cells.append(f"{_percent(auc)} ({_percent(false)})")
        lines.append(_line(model, *cells))
    return lines


def _costs(table: pd.DataFrame, models: Sequence[str]) -> list[str]:
    lines = [_line("model", "training [s]", "scoring [frames/s]"), _line("---", "---", "---")]
    for model in models:
        inside = table[table["model"] == model]
        cells = (f"{inside[key].median():,.0f}" for key in ("train_s", "frames_per_s"))
        lines.append(_line(model, *cells))
    return lines


def _percents(values: Sequence[float]) -> list[str]:
    return [_percent(value) for value in values]


def _percent(value: float) -> str:
    return "-" if np.isnan(value) else f"{100 * value:.1f}"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
