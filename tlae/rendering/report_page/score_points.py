"""The score curve as the page holds it: every frame, or lows and highs of a very long footage."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.footage.frames import OK, READ
from tlae.html_page import array_text
from tlae.rendering.footage_time import FootageTime
from tlae.table import Table, is_any, missing

MOST_POINTS = 45_000  # about 1 MB of page
UNREADABLE = "unreadable"
SEEING = ("", OK, "repeated")  # health of a camera that shows the scene

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def health_of(table: Table) -> npt.NDArray[np.object_]:
    """Camera health of each frame; ``unreadable`` where it gave no picture, whatever the reason.

    A frame of the net's warm-up has a picture, though no score.
    """
    health = np.full(len(table), OK, object)
    if "health" in table:
        health = np.where(missing(table["health"]), OK, table["health"])
    return np.where(is_any(table["state"], READ), health, UNREADABLE)


def modes_of(table: Table) -> npt.NDArray[np.object_]:
    """Camera mode of each frame, "" where the model knows one only."""
    if "mode" not in table:
        return np.full(len(table), "", object)
    return np.where(missing(table["mode"]), "", table["mode"])


def pick_rows(raw: Floats, remarkable: npt.NDArray[np.bool_], most: int) -> Ints:
    """Rows that draw the same curve as all of them.

    Of each of equal stretches stay the lowest, the highest and the first remarkable row, so that
    no peak and no fault of the camera vanishes.

    Args:
        raw: (n,), NaN where there is none.
        remarkable: (n,).
        most: so many rows at most, >= 3.

    Returns:
        (m,) row numbers, rising.
    """
    rows = np.arange(len(raw))
    if len(rows) <= most:
        return rows
    edges = np.linspace(0, len(rows), most // 3 + 1).astype(np.int64)
    starts = edges[:-1]
    stretch = np.repeat(np.arange(len(starts)), np.diff(edges))
    chosen = [
        _first_of_each(stretch, np.nan_to_num(raw, nan=np.inf)),
        _first_of_each(stretch, np.nan_to_num(-raw, nan=np.inf)),
        _first_of_each(stretch, np.where(remarkable, 0.0, 1.0)),
    ]
    return np.unique(np.concatenate(chosen))


def _first_of_each(stretch: Ints, value: Floats) -> Ints:
    """Row with the lowest value of each stretch; of equals the first."""
    order = np.lexsort((value, stretch))
    firsts = np.flatnonzero(np.diff(stretch[order], prepend=-1))
    return np.asarray(order[firsts], np.int64)


def in_thresholds(table: Table, threshold: float) -> tuple[Floats, bool]:
    """Scores (n,) as multiples of each frame's own threshold, and whether there is one.

    Args:
        table: score table.
        threshold: in raw units, where the table has no column of it.
    """
    raw = table["raw"]
    levels = np.full(len(table), threshold)
    if "threshold" in table:
        levels = table["threshold"]
    known = np.isfinite(levels) & (levels > 0)
    if not known.any():
        return raw, False
    return np.where(known, raw / np.where(known, levels, 1.0), np.nan), True


def points_json(
    table: Table,
    time: FootageTime,
    most: int = MOST_POINTS,
    threshold: float = math.inf,
) -> dict[str, Any]:
    """The curve for the page's script: typed arrays in time order, and the names of codes.

    Args:
        table: score table.
        time: of its rows.
        most: points at most.
        threshold: alarm threshold, where the table has no column of it.
    """
    health, modes = health_of(table), modes_of(table)
    value, _ = in_thresholds(table, threshold)
    order = np.argsort(time.axis_s, kind="stable")
    rows = order[pick_rows(value[order], (health != OK)[order], most)]
    health_names = [OK, *sorted(set(health) - {OK})]
    mode_names = sorted(set(modes))
    return {
        "at": array_text(time.axis_s[rows]),
        "value": array_text(value[rows].astype(np.float32)),
        "score": array_text(table["score"][rows].astype(np.float32)),
        "alarm": array_text(table["alarm"][rows].astype(np.uint8)),
        "health": array_text(_codes(health[rows], health_names)),
        "mode": array_text(_codes(modes[rows], mode_names)),
        "health_names": health_names,
        "mode_names": mode_names,
        "thinned": len(rows) < len(table),
    }


def _codes(values: npt.NDArray[np.object_], names: list[str]) -> npt.NDArray[np.uint8]:
    code = {name: number for number, name in enumerate(names)}
    return np.array([code[value] for value in values.tolist()], np.uint8)
