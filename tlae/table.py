"""Tables: columns of equal length by name, in memory or read piece by piece, without pandas."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.lazy_column import Column as Column
from tlae.lazy_column import LazyColumn, Values, linked_pieces, pieces_of
from tlae.lazy_column import compact as compact
from tlae.number_words import how_many

if TYPE_CHECKING:
    import pandas as pd

Unit = Literal["D", "s", "ms", "us"]
Flags = npt.NDArray[np.bool_]

# What stands for no value in a column, by its kind; others become float64.
NOTHING: dict[str, Any] = {"f": np.nan, "M": np.datetime64("NaT"), "O": None}
CSV_ROWS = 1024  # written at once
MOMENT = "datetime64[us]"
# Letters of a second after which a column of moments ends, by the finest unit that it needs.
MOMENT_UNITS: dict[Unit, int] = {"D": 86_400_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}


class Table:
    """Columns of equal length by name.

    A column is of bool, int64, float64 (missing: NaN), datetime64[us] (missing: NaT) or object
    (text; missing: None). What reads or joins tables keeps columns that are not written to:
    one in which all values are equal takes no memory, see ``compact``. A ``LazyColumn`` is read
    whenever it is asked for: whole by ``table[name]``, in parts by ``take``, ``pieces`` or
    ``column``.

    Args:
        columns: arrays or sequences of equal length; a single value stands for all rows of a table
            that has other columns.
    """

    def __init__(self, columns: Mapping[str, Any]) -> None:
        arrays = {name: _as_column(values) for name, values in columns.items()}
        length = max((len(array) for array in arrays.values() if array.ndim), default=0)
        self._columns = {
            name: array if array.ndim else np.broadcast_to(np.asarray(array), (length,))
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
        return np.asarray(self._columns[name][:])

    def column(self, name: str) -> Values:
        """A column as it lies, of which slices or single rows are to be read."""
        return self._columns[name]

    def get(self, name: str, default: Column) -> Column:
        """A column, or what stands for it where there is none."""
        return self[name] if name in self._columns else default

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

    def pieces(self) -> Iterator["Table"]:
        """The rows, piece by piece and in memory; one piece at least."""
        for rows in pieces_of(len(self)) if len(self) else [slice(0)]:
            yield self.take(rows)

    def derived(self, dtype: npt.DTypeLike, make: Callable[["Table"], Column]) -> LazyColumn:
        """A column that is worked out piece by piece, by a function of a piece."""
        return LazyColumn([*pieces_of(len(self))], dtype, lambda rows: make(self.take(rows)))

    def marked(self, names: Sequence[str], test: Callable[["Table"], Flags]) -> Flags:
        """Rows (n,) that pass a test, which sees some columns piece by piece."""
        return np.asarray(self.only(names).derived(bool, test)[:])

    def where(self, kept: Flags) -> "Table":
        """The same table, with no values in other rows than those that are kept.

        Flags and whole numbers become float64.
        """
        columns = {}
        for name in self:
            values = self[name]
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
            {n: pd.Series(self[n], dtype="str") if n in texts else self[n] for n in self}
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


def missing(values: Column) -> Flags:
    """Where a column (n,) has no value."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind == "M":
        return np.isnat(values)
    if values.dtype != object:
        return np.zeros(len(values), bool)
    return np.fromiter((value is None for value in values), bool, len(values))


def changes(values: Values) -> Flags:
    """Rows (n,) at which a column has another value than in the row before; the first is one."""
    changed = np.ones(len(values), bool)
    for near in linked_pieces(len(values)):
        part = values[near]
        changed[near][1:] = part[1:] != part[:-1]
    return changed


def counted(values: Values) -> dict[str, int]:
    """How often each text stands in a column, the most frequent first."""
    counts = Counter[Any]()
    for rows in pieces_of(len(values)):
        counts.update(values[rows].tolist())
    return {str(value): count for value, count in counts.most_common()}


def highest(values: Values) -> float | None:
    """Highest number of a column; None: it has none."""
    pieces = (values[rows] for rows in pieces_of(len(values)))
    known = (piece[~np.isnan(piece)] for piece in pieces)
    return max((float(numbers.max()) for numbers in known if len(numbers)), default=None)


def is_any(values: Column, wanted: Sequence[Any]) -> Flags:
    """Rows (n,) that have one of some values."""
    among = set(wanted)
    return np.fromiter((value in among for value in values.tolist()), bool, len(values))


def groups(values: Values) -> dict[Any, npt.NDArray[np.int64]]:
    """Row numbers of each value, in the order of their first row."""
    rows: dict[Any, list[npt.NDArray[np.int64]]] = {}
    edges = np.append(np.flatnonzero(changes(values)), len(values))
    for first, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        rows.setdefault(values[first], []).append(np.arange(first, stop))
    return {value: np.concatenate(parts) for value, parts in rows.items()}


def first_rows(values: Values) -> dict[str, int]:
    """First row of each text, in order."""
    found: dict[str, int] = {}
    for row in np.flatnonzero(changes(values)).tolist():
        found.setdefault(str(values[row]), row)
    return found


def _as_column(values: Any) -> Values:
    """Values as one of the kinds of a column."""
    if isinstance(values, LazyColumn):
        return values
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


def _unit(column: Values) -> Unit | None:
    """The coarsest unit that a column of moments needs; None for other columns."""
    if column.dtype.kind != "M":
        return None
    units = [_unit_of(column[rows]) for rows in pieces_of(len(column))]
    finest: Unit = min(units, key=MOMENT_UNITS.__getitem__, default="D")
    return finest


def _unit_of(moments: Column) -> Unit:
    known = moments[~np.isnat(moments)].astype(np.int64)
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
