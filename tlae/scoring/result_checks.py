"""Whether the tables of a results folder are those that scoring wrote: anybody may edit them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tlae.errors import UserError
from tlae.lazy_column import linked_pieces
from tlae.number_words import how_many
from tlae.scoring.result_files import reporting_damage
from tlae.table import Table, changes, counted

NEEDED = {"clip", "frame", "time_s", "taken_at", "state", "raw", "score", "alarm"}  # to be read
NUMBERS = {"frame", "time_s", "instant", "frame_mean", "raw", "score", "threshold", "alarm"}
NEEDED_FACTS = {"footage", "rule", "threshold"}  # of the summary
NEEDED_OF_EVENTS = {"clip", "first_frame", "last_frame", "peak_frame", "peak_raw"}


def require_whole(
    folder: Path,
    table: Table,
    summary: dict[str, Any],
    events: Sequence[dict[str, Any]],
) -> None:
    """Refuse tables that lack something, hold another kind of value, or are in another order.

    Args:
        folder: where they lie.
        table: of scores.
        summary: content of ``summary.json``.
        events: content of ``events.json``.

    Raises:
        UserError: in one line.
    """
    if {"clip", "frame"} <= set(table) and not _is_in_order(table):
        raise UserError(
            f"rows of {folder / 'scores.parquet'} must stand clip by clip, their frames rising, as "
            "scoring wrote them; put them back in order, or score again"
        )
    missing = sorted(NEEDED - set(table)) + sorted(NEEDED_FACTS - set(summary))
    missing += sorted({key for event in events for key in NEEDED_OF_EVENTS - set(event)})
    with reporting_damage(folder, "scores.parquet"):
        _require_numbers(table)
    with reporting_damage(folder, "summary.json"):
        _require_facts(summary)
    if len(table) != summary.get("frames", len(table)):
        rows, frames = how_many(len(table), "row"), how_many(summary["frames"], "frame")
        raise UserError(
            f"scores in {folder} must have one row per frame, got {rows} and {frames}; score again"
        )
    if missing or not len(table):
        lack = ", ".join(missing) or "any frame"
        raise UserError(
            f"scores in {folder} lack {lack}: another version of tlae wrote them; score again "
            "with overwrite=true"
        )


def _require_numbers(table: Table) -> None:
    """Refuse columns of another kind than scoring writes."""
    for name in NUMBERS & set(table):
        if table.column(name).dtype.kind not in "bif":
            raise ValueError(f"column {name} holds no numbers")


def _require_facts(summary: dict[str, Any]) -> None:
    """Refuse facts of another kind than scoring writes."""
    kinds: dict[str, type | tuple[type, ...]] = {
        "frames": int,
        "footage": dict,
        "rule": dict,
        "threshold": (int, float, type(None)),
    }
    for name, kind in kinds.items():
        if name in summary and not isinstance(summary[name], kind):
            raise ValueError(f"{name} is {summary[name]!r}")


def _is_in_order(table: Table) -> bool:
    """Whether rows stand clip by clip, their frames rising: maps are found by the row."""
    clips, frames = table.column("clip"), table.column("frame")
    begins = changes(clips)
    for near in linked_pieces(len(table)):
        rising = np.diff(frames[near]) > 0
        if not (rising | begins[near][1:]).all():
            return False
    return int(begins.sum()) == len(counted(clips))
