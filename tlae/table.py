"""Tables in memory: columns of equal length by name, without pandas."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.number_words import how_many

if TYPE_CHECKING:
    import pandas as pd

Column = npt.NDArray[Any]
Unit = Literal["D", "s", "ms", "us"]
Flags = npt.NDArray[np.bool_]

# What stands for no value in a column, by its kind; others become float64.
NOTHING: dict[str, Any] = {"f": np.nan, "M": np.datetime64("NaT"), "O": None}
CSV_ROWS = 1024  # written at once
COMPARED = 64  # values, before all of a column are
MOMENT = "datetime64[us]"
# Letters of a second after which a column of moments ends, by the finest unit that it needs.
MOMENT_UNITS: dict[Unit, int] = {"D": 86_400_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}


class Table:
    """Columns of equal length by name.

    A column is of bool, int64, float64 (missing: NaN), datetime64[us] (missing: NaT) or object
    (text; missing: None). What reads or joins tables keeps columns that are not to be written to:
    one in which all values are equal takes no memory, see ``compact``.

    Args:
        columns: arrays or sequences of equal length; a single value stands for all rows of a table
            that has other columns.
    """

    def __init__(self, columns: Mapping[str, Any]) -> None:
        arrays = {name: _as_column(values) for name, values in columns.items()}
        length = max((len(array) for array in arrays.values() if array.ndim), default=0)
        self._columns = {
            name: array if array.ndim else np.broadcast_to(array, (length,))
            for name, array in arrays.items()
        }
        self._length = length
        for name, array in self._columns.items():
            if array.shape != (length,):
                raise ValueError(f"column {name} must have {length} rows, got {array.shape}")

    @classmethod
    def of(cls, frame: "pd.DataFrame | Table") -> "Table":
        """The same values; the index of a DataFrame is left out."""
        if isinstance(frame, Table):
            return frame
        return cls({str(name): _of_pandas(frame[name]) for name in frame})

    @classmethod
    def joined(cls, tables: Sequence["Table"]) -> "Table":
        """Tables behind each other; a column that one of them lacks is missing there."""
        names = dict.fromkeys(name for table in tables for name in table)
        return cls(
            {
                name: compact(np.concatenate([_filled(table, name, tables) for table in tables]))
                for name in names
            }
        )

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __getitem__(self, name: str) -> Column:
        """A column (n,)."""
        return self._columns[name]

    def get(self, name: str, default: Column) -> Column:
        """A column, or what stands for it where there is none."""
        return self._columns.get(name, default)

    def __repr__(self) -> str:
        return f"Table({how_many(len(self), 'row')}: {', '.join(self)})"

    def assign(self, **columns: Any) -> "Table":
        """The same table with further or other columns."""
        return Table({**self._columns, **columns})

    def only(self, names: Sequence[str]) -> "Table":
        """Some columns, in this order.

        Raises:
            KeyError: one is not there.
        """
        return Table({name: self._columns[name] for name in names})

    def take(self, rows: slice | npt.NDArray[Any]) -> "Table":
        """Some rows: a slice, row numbers, or flags (n,)."""
        return Table({name: values[rows] for name, values in self._columns.items()})

    def where(self, kept: Flags) -> "Table":
        """The same table, with no values in other rows than those that are kept.

        Flags and whole numbers become float64, if there are such rows.
        """
        if kept.all():
            return self
        columns = {}
        for name, values in self._columns.items():
            columns[name] = values.copy() if values.dtype.kind in NOTHING else values.astype(float)
            columns[name][~kept] = NOTHING[columns[name].dtype.kind]
        return Table(columns)

    def row(self, number: int) -> dict[str, Any]:
        """One row as plain values; a moment is a ``datetime`` or None."""
        return {
            name: value.item() if isinstance(value := values[number], np.generic) else value
            for name, values in self._columns.items()
        }

    def equals(self, other: "Table") -> bool:
        """Whether all columns and values are the same, in the same order."""
        return list(self) == list(other) and all(_same(self[name], other[name]) for name in self)

    def frame(self) -> "pd.DataFrame":
        """The same as a DataFrame.

        Raises:
            UserError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise UserError(
                "a table as a DataFrame needs pandas, which is not installed; pip install pandas"
            ) from error
        texts = {name for name, values in self._columns.items() if values.dtype == object}
        return pd.DataFrame(
            {
                name: pd.Series(values, dtype="str") if name in texts else values
                for name, values in self._columns.items()
            }
        )

    def to_csv(self, path: Path) -> None:
        """Write as text: a line per row, nothing where a value is missing."""
        units = {name: _unit(values) for name, values in self._columns.items()}
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self)
            for first in range(0, len(self), CSV_ROWS):
                rows = slice(first, first + CSV_ROWS)
                texts = [
                    _texts(values[rows], units[name]) for name, values in self._columns.items()
                ]
                writer.writerows(zip(*texts, strict=True))


def compact(values: Column) -> Column:
    """The same column (n,), not to be written to; equal values are one that stands for all."""
    whole = values.view(np.int64) if values.dtype.kind in "fM" else values  # NaN is as NaN
    for some in (whole[:COMPARED], whole):
        if not len(some) or not (some == some[0]).all():
            values.flags.writeable = False
            return values
    return np.broadcast_to(values[:1].copy().reshape(()), values.shape)


def missing(values: Column) -> Flags:
    """Where a column (n,) has no value."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "M":
        return np.isnat(values)
    if values.dtype != object:
        return np.zeros(len(values), bool)
    return np.fromiter((value is None for value in values), bool, len(values))


def changes(values: Column) -> Flags:
    """Rows (n,) at which a column has another value than in the row before; the first is one."""
    changed = np.ones(len(values), bool)
    changed[1:] = values[1:] != values[:-1]
    return changed


def counted(values: Column) -> dict[str, int]:
    """How often each text stands in a column, the most frequent first."""
    return {str(value): count for value, count in Counter(values.tolist()).most_common()}


def highest(values: Column) -> float | None:
    """Highest number of a column; None: it has none."""
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else None


def is_any(values: Column, wanted: Sequence[Any]) -> Flags:
    """Rows (n,) that have one of some values."""
    among = set(wanted)
    return np.fromiter((value in among for value in values.tolist()), bool, len(values))


def groups(values: Column) -> dict[Any, npt.NDArray[np.int64]]:
    """Row numbers of each value, in the order of their first row."""
    rows: dict[Any, list[npt.NDArray[np.int64]]] = {}
    edges = np.append(np.flatnonzero(changes(values)), len(values))
    for first, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        rows.setdefault(values[first], []).append(np.arange(first, stop))
    return {value: np.concatenate(parts) for value, parts in rows.items()}


def first_rows(values: Column) -> dict[str, int]:
    """First row of each text, in order."""
    found: dict[str, int] = {}
    for row in np.flatnonzero(changes(values)).tolist():
        found.setdefault(str(values[row]), row)
    return found


def _as_column(values: Any) -> Column:
    """Values as one of the kinds of a column."""
    array = np.asarray(values)
    match array.dtype.kind:
        case "f":
            return array.astype(np.float64, copy=False)
        case "i" | "u":
            return array.astype(np.int64, copy=False)
        case "M":
            return array.astype(MOMENT, copy=False)
        case "U":
            return array.astype(object)
    return array


def _of_pandas(series: "pd.Series") -> Column:
    if series.dtype.kind in "biufM":
        return series.to_numpy(copy=True)
    empty = series.isna().to_numpy()
    values = series.to_numpy(dtype=object, copy=True)
    values[empty] = None
    return np.asarray(values)


def _filled(table: Table, name: str, tables: Sequence[Table]) -> Column:
    """A column, or as many missing values of its kind."""
    if name in table:
        return table[name]
    kind = next(other[name].dtype for other in tables if name in other)
    kind = kind if kind.kind in NOTHING else np.dtype(np.float64)
    return np.full(len(table), NOTHING[kind.kind], kind)


def _same(one: Column, other: Column) -> bool:
    if one.dtype != other.dtype or len(one) != len(other):
        return False
    both = missing(one) & missing(other)
    return bool(((one == other) | both).all())


def _unit(values: Column) -> Unit | None:
    """The coarsest unit that a column of moments needs; None for other columns."""
    if values.dtype.kind != "M":
        return None
    known = values[~np.isnat(values)].astype(np.int64)
    return next(unit for unit, us in MOMENT_UNITS.items() if not (known % us).any())


def _texts(values: Column, unit: Unit | None) -> list[Any]:
    """Values as the writer of lines wants them."""
    empty = missing(values)
    if unit:
        texts: list[Any] = [
            text.replace("T", " ") for text in np.datetime_as_string(values, unit).tolist()
        ]
    else:
        texts = values.tolist()
    for row in np.flatnonzero(empty).tolist():
        texts[row] = ""
    return texts
