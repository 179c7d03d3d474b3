"""What is evaluated: one score per frame, from a results folder or from any table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.errors import UserError, nearest
from tlae.number_words import how_many
from tlae.scoring.results import Scores, read_results

SCORE_COLUMNS = ("raw", "score", "error", "anomaly_score")  # looked for in this order
YES, NO = ("yes", "true", "1", "1.0"), ("", "no", "false", "0", "0.0")
TABLE_SUFFIXES = (".csv", ".parquet")

MapOf = Callable[[int], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class ScoredTable:
    """Frames with their scores, clip by clip.

    Attributes:
        name: of the folder or file.
        table: one row per frame: ``clip``, ``frame``, ``raw`` (NaN where there is no score), and
            where known ``label``, ``alarm``, ``time_s``.
        map_of: smoothed error map (h, w) of a row; None where no maps are stored.
        interval_s: median time between frames [s]; None where times are not known.
        threshold: alarm threshold in raw units; None: not known.
        asked: the false-alarm budget that was asked for, as in the model file.
        results: the results folder, where it is one.
        notes: what a reader must know, a line each.
    """

    name: str
    table: pd.DataFrame
    map_of: MapOf | None = None
    interval_s: float | None = None
    threshold: float | None = None
    asked: dict[str, float] = field(default_factory=dict)
    results: Scores | None = None
    notes: tuple[str, ...] = ()

    @property
    def lengths(self) -> dict[str, int]:
        """Frames of each clip, in order."""
        counts = self.table.groupby("clip", sort=False).size()
        return {str(clip): int(count) for clip, count in counts.items()}

    @property
    def clip_codes(self) -> npt.NDArray[np.int64]:
        """Number of the clip of each row, 0 for the first."""
        return np.asarray(self.table.groupby("clip", sort=False).ngroup(), np.int64)

    @property
    def has_score(self) -> npt.NDArray[np.bool_]:
        """True for each row with a score."""
        return self.table["raw"].notna().to_numpy()


def read_scored(
    path: Path, column: str | None = None, interval_s: float | None = None
) -> ScoredTable:
    """Open a results folder, or a CSV or Parquet table with ``clip``, ``frame`` and a score.

    Args:
        path: folder written by ``tlae score``, or a table.
        column: the score; None: the first of ``SCORE_COLUMNS``. Higher is more anomalous.
        interval_s: time between frames of a table that has no ``time_s`` [s].

    Raises:
        UserError: it is neither, a column is missing, or a value makes no sense.
    """
    if path.is_dir():
        return _of_results(read_results(path), column or "raw")
    if not path.is_file() or path.suffix.lower() not in TABLE_SUFFIXES:
        raise UserError(
            f"scores must be a folder written by `tlae score`, or a table "
            f"({', '.join(TABLE_SUFFIXES)}), got {path}"
        )
    table, notes = _checked(_read_table(path), path, column)
    return ScoredTable(
        name=path.stem,
        table=table,
        interval_s=_interval(table) or interval_s,
        notes=notes,
    )


def _of_results(results: Scores, column: str) -> ScoredTable:
    table = results.table.copy()
    if column not in table:
        raise UserError(
            f"column={column} is not in {results.folder}; {nearest(column, map(str, table))}"
        )
    table["raw"] = table[column]
    if column != "raw":
        table["score"] = np.nan  # it is the raw score's
    threshold = results.summary["threshold"] if column == "raw" else None
    if results.summary["threshold"] is None:
        table = table.drop(columns="alarm")  # no threshold was known: silence is no verdict
    left_out = table.loc[table["raw"].isna(), "state"].value_counts()
    notes = tuple(f"without a score: {count:,} x {state}" for state, count in left_out.items())
    return ScoredTable(
        name=results.folder.name,
        table=table,
        map_of=results.map_of,
        interval_s=_interval(table),
        threshold=threshold,
        asked=results.summary.get("alarm", {}),
        results=results,
        notes=notes,
    )


def _read_table(path: Path) -> pd.DataFrame:
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype={"clip": str})
    except (ValueError, OSError) as error:  # pandas' and pyarrow's errors are ValueErrors
        raise UserError(
            f"{path} cannot be read as a table: {' '.join(str(error).split())}"
        ) from error


def _checked(
    table: pd.DataFrame, path: Path, column: str | None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rows in clip and frame order, the score as ``raw``; every oddity refused or noted."""
    wanted = [column] if column else [name for name in SCORE_COLUMNS if name in table][:1]
    for names in (("clip",), ("frame",), wanted or SCORE_COLUMNS):
        if not any(name in table for name in names):
            raise UserError(
                f"{path} must have a column {' or '.join(map(repr, names))}; it has "
                f"{', '.join(map(str, table))}"
            )
    table = table.assign(raw=_numbers(table, wanted[0], path), frame=_numbers(table, "frame", path))
    infinite = int(np.isinf(table["raw"]).sum())
    if infinite:
        raise UserError(f"{path}: scores must be finite, got {infinite:,} infinite; give others")
    nameless = table["clip"].isna()
    if nameless.any():
        raise UserError(
            f"{path}: every row must name its clip (empty, nan and NA are no name), "
            f"{how_many(int(nameless.sum()), 'row')} without; give each row one"
        )
    no_number = ~(table["frame"] % 1 == 0)
    if no_number.any():
        raise UserError(
            f"{path}: every row must have a whole frame number, "
            f"{how_many(int(no_number.sum()), 'row')} without, the first is "
            f"{table['frame'][no_number].iloc[0]:g}; count the frames of each clip from 0"
        )
    if "time_s" in table:
        table["time_s"] = _numbers(table, "time_s", path)
    twice = table.duplicated(["clip", "frame"])
    if twice.any():
        row: Any = table[twice].iloc[0]
        raise UserError(
            f"{path} must have one row per frame, got {row['clip']} frame {row['frame']:g} twice"
        )
    order = table.groupby("clip", sort=False).ngroup()
    table = table.iloc[np.lexsort((table["frame"], order))].reset_index(drop=True)
    if "time_s" in table:
        _require_forward(table, path)
    if "label" in table:
        table["label"] = _labels(table, path)
    if "alarm" in table:
        table["alarm"] = _flags(table, "alarm", path)
    return table, _notes(table)


def _numbers(table: pd.DataFrame, column: str, path: Path) -> pd.Series:
    try:
        return pd.to_numeric(table[column]).astype(float)
    except (ValueError, TypeError) as error:
        raise UserError(f"{path}: column {column!r} must hold numbers; {error}") from error


def _require_forward(table: pd.DataFrame, path: Path) -> None:
    """Refuse times that run backwards in a clip; events and durations would be wrong."""
    steps = table.dropna(subset=["time_s"]).groupby("clip", sort=False)["time_s"].diff()
    back = steps.index[steps < 0]
    if len(back):
        row: Any = table.loc[back[0]]
        raise UserError(
            f"{path}: time_s must not decrease within a clip, got {row['time_s']:g} at "
            f"{row['clip']} frame {row['frame']:g}, {-steps[back[0]]:g} less than before; "
            "count the seconds from the beginning of each clip"
        )


def _flags(table: pd.DataFrame, column: str, path: Path) -> pd.Series:
    """A column of yes and no, however it is written; an empty cell is a no."""
    words = table[column].astype("string").fillna("").str.strip().str.lower()
    wrong = ~words.isin([*YES, *NO])
    if wrong.any():
        raise UserError(
            f"{path}: column {column!r} must hold yes or no ({', '.join(YES)}; {', '.join(NO[1:])} "
            f"or nothing), got {str(table[column][wrong].iloc[0])!r} in "
            f"{how_many(int(wrong.sum()), 'row')}"
        )
    return words.isin(YES).astype(bool)


def _labels(table: pd.DataFrame, path: Path) -> pd.Series:
    label = _numbers(table, "label", path)
    wrong = ~label.isin([0, 1])
    if wrong.any():
        raise UserError(
            f"{path}: labels must be 0 (normal) or 1 (anomalous), got {label[wrong].iloc[0]:g} in "
            f"{how_many(int(wrong.sum()), 'row')}"
        )
    return label.astype(bool)


def _notes(table: pd.DataFrame) -> tuple[str, ...]:
    """Frames that are not there."""
    frames = table.groupby("clip", sort=False)["frame"]
    gaps = int((frames.max() - frames.min() + 1 - frames.size()).sum())
    if not gaps:
        return ()
    return (f"{how_many(gaps, 'frame')} missing between the first and the last of a clip",)


def _interval(table: pd.DataFrame) -> float | None:
    """Median time between neighbouring frames of a clip [s]."""
    if "time_s" not in table:
        return None
    steps = table.groupby("clip", sort=False)["time_s"].diff()
    steps = steps[steps > 0]
    return float(steps.median()) if len(steps) else None
