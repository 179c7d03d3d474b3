"""Descriptors that others made: arrays and tables with the names of their pictures."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.errors import UserError
from tlae.footage.frames import OK
from tlae.image_sets.batch_size import free_memory
from tlae.image_sets.descriptor_store import IDS, ITEM_COLUMNS, DescriptorWriter
from tlae.image_sets.safe_pickle import RefusedPickle, read_pickle
from tlae.progress import Advance, quiet

CHUNK_ROWS = 8192
PICKLE_SUFFIXES = (".pkl", ".pickle", ".p")
SUFFIXES = (".npy", ".npz", ".csv", ".parquet", *PICKLE_SUFFIXES)
ID_COLUMNS = ("path", "file", "filename", "file_name", "image", "name", "id")
LARGEST_SHARE = 0.5  # of the free memory, for files that must be read whole


@dataclass(frozen=True)
class Imported:
    """Descriptors of others.

    Attributes:
        values: (N, D), any kind of number.
        names: of the N pictures; None where the file does not tell.
    """

    values: npt.NDArray[Any]
    names: list[str] | None


def read_descriptors(path: Path, id_column: str | None = None) -> Imported:
    """Read descriptors from a file; nothing in it is run.

    Args:
        path: ``.npy`` (N, D), stays on disk; ``.npz`` with one such array and perhaps one of names;
            ``.csv`` or ``.parquet`` with a column of names and columns of numbers; a pickle of an
            array, of a list of rows, or of a dict from names to rows.
        id_column: column of names in a table; None: see ``ID_COLUMNS``, else the first of text.

    Raises:
        UserError: it is none of these, or its rows differ in length.
    """
    if not path.is_file():
        raise UserError(f"from_file must be an existing file, got {path}; check the path")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"from_file must be one of {', '.join(SUFFIXES)}, got {path}")
    try:
        if suffix == ".npy":
            return _checked(np.load(path, mmap_mode="r", allow_pickle=False), None, path)
        if suffix == ".npz":
            return _from_npz(path)
        _require_memory(path, path.stat().st_size)
        if suffix in PICKLE_SUFFIXES:
            return _from_pickle(read_pickle(path.read_bytes()), path)
        table = pd.read_csv(path) if suffix == ".csv" else pd.read_parquet(path)
        return _from_table(table, id_column, path)
    except RefusedPickle as refused:
        raise UserError(
            f"{path} holds {refused}, which is not read: a pickle may run any code, so only "
            "numbers, text, lists, dicts and NumPy arrays are taken; save a .npy instead"
        ) from refused
    except UserError:
        raise
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())[:150]
        raise UserError(f"{path} cannot be read as {suffix} ({reason}); save it again") from error


def read_names(path: Path, id_column: str | None = None) -> list[str]:
    """Names of pictures, one per row: ``.npy`` of text, a table, or a text file with one a line.

    Raises:
        UserError: the file is missing or holds no names.
    """
    if not path.is_file():
        raise UserError(f"ids must be an existing file, got {path}; check the path")
    suffix = path.suffix.lower()
    try:
        if suffix == ".npy":
            return [str(name) for name in np.load(path, allow_pickle=False).ravel()]
        if suffix in (".csv", ".parquet"):
            table = pd.read_csv(path) if suffix == ".csv" else pd.read_parquet(path)
            return [str(name) for name in table[_id_column(table, id_column, path)]]
        return path.read_text(encoding="utf-8").splitlines()
    except UserError:
        raise
    except (OSError, ValueError) as error:
        raise UserError(
            f"ids must be a .txt, .csv, .parquet or .npy file of names, {path} is not ({error})"
        ) from error


def import_descriptors(
    imported: Imported, names: list[str] | None, writer: DescriptorWriter, advance: Advance = quiet
) -> int:
    """Copy imported descriptors into a store, in pieces.

    Where the store has descriptors already, rows go by name to its pictures; without names they
    must be as many, in the same order.

    Args:
        imported: what ``read_descriptors`` gave.
        names: of the pictures; None: as imported, else those of the store, else row numbers.
        writer: entered.
        advance: called with the number of rows done.

    Returns:
        Number of rows of numbers that are not finite.

    Raises:
        UserError: names and rows do not fit together, or not to the store.
    """
    names = names if names is not None else imported.names
    rows = len(imported.values)
    if names is not None and len(names) != rows:
        raise UserError(f"ids must name each of the {rows:,} rows, got {len(names):,} names")
    if names is not None and len(set(names)) != rows:
        twice = pd.Series(names)[pd.Series(names).duplicated()].iloc[0]
        raise UserError(f"ids must differ from row to row, {twice!r} stands there twice")
    items, source = _items(writer, names, rows)
    broken = 0
    for start in range(writer.items, len(items), CHUNK_ROWS):
        chunk = items.iloc[start : start + CHUNK_ROWS]
        rows_here = source[start : start + CHUNK_ROWS]
        values = np.asarray(imported.values[rows_here[rows_here >= 0]], np.float32)
        broken += writer.append(chunk, values)
        advance(len(chunk))
    return broken


def _items(
    writer: DescriptorWriter, names: list[str] | None, rows: int
) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Items to write, and the row of each in the imported array; -1 where it has none."""
    known = writer.known
    if known is None:
        table = pd.DataFrame({"path": names or [str(n) for n in range(rows)], "clip": ""})
        unknown = np.full(rows, "NaT", "datetime64[us]")
        table = table.assign(frame=np.arange(rows), taken_at=unknown, state=OK)
        return table.astype({"path": "str", "clip": "str", "state": "str"}), np.arange(rows)
    table = known[list(ITEM_COLUMNS)].copy()
    if names is None:
        described = (known["row"] >= 0).to_numpy()
        if rows != int(described.sum()):
            raise UserError(
                f"descriptors without names must be as many as {writer.folder / IDS} has described "
                f"images ({int(described.sum()):,}), got {rows:,}; give ids=..."
            )
        source = np.where(described, np.cumsum(described) - 1, -1)
    else:
        places = {name: row for row, name in enumerate(names)}
        source = np.array([_place(path, places) for path in table["path"]], np.int64)
        if not (source >= 0).any():
            raise UserError(
                f"names of the imported descriptors must be those of {writer.folder / IDS}, none "
                f"is: {names[0]!r} there, {table['path'].iloc[0]!r} here"
            )
    table["state"] = np.where(source >= 0, OK, "not imported")
    return table, source


def _place(path: str, places: dict[str, int]) -> int:
    """Row of a picture by its path, or by its file name alone."""
    return places.get(path, places.get(path.replace("::", "/").rpartition("/")[2], -1))


def _checked(values: npt.NDArray[Any], names: list[str] | None, path: Path) -> Imported:
    if values.ndim != 2 or values.dtype.kind not in "biuf" or 0 in values.shape:
        raise UserError(
            f"{path} must hold a table of numbers, one row per picture, got {values.dtype} of "
            f"shape {values.shape}"
        )
    return Imported(values, names)


def _from_npz(path: Path) -> Imported:
    with zipfile.ZipFile(path) as archive:
        _require_memory(path, sum(entry.file_size for entry in archive.infolist()))
    with np.load(path, allow_pickle=False) as held:
        arrays = {name: held[name] for name in held.files}
    tables = {k: v for k, v in arrays.items() if v.ndim == 2 and v.dtype.kind in "biuf"}
    if len(tables) != 1:
        raise UserError(
            f"{path} must hold one table of numbers, got {len(tables)} "
            f"({', '.join(f'{k} {v.shape}' for k, v in arrays.items())}); save a .npy instead"
        )
    values = next(iter(tables.values()))
    texts = [v for v in arrays.values() if v.dtype.kind in "US" and v.shape == (len(values),)]
    return _checked(values, [str(name) for name in texts[0]] if texts else None, path)


def _from_table(table: pd.DataFrame, id_column: str | None, path: Path) -> Imported:
    column = _id_column(table, id_column, path)
    rest = table.drop(columns=column)
    if len(rest.columns) == 1 and rest.dtypes.iloc[0] == np.dtype(object):  # Parquet's lists
        values = _stacked(list(rest.iloc[:, 0]), path)
    else:
        foreign = [str(c) for c in rest if not pd.api.types.is_numeric_dtype(rest[c])]
        if foreign:
            raise UserError(
                f"{path} must have numbers in every column but {column}, got text in "
                f"{', '.join(foreign[:3])}; leave these out"
            )
        values = rest.to_numpy(np.float32)
    return _checked(values, [str(name) for name in table[column]], path)


def _id_column(table: pd.DataFrame, asked: str | None, path: Path) -> str:
    names = [str(column) for column in table.columns]
    if asked is not None:
        if asked not in names:
            raise UserError(f"{path} has no column {asked!r}; it has {', '.join(names[:8])}")
        return asked
    texts = [n for n in names if not pd.api.types.is_numeric_dtype(table[n])]
    known = [n for n in names if n.lower() in ID_COLUMNS]
    for column in known + texts:
        return column
    raise UserError(
        f"{path} must have a column with the names of the pictures; name it {ID_COLUMNS[0]}, or "
        "say which it is by id_column=..."
    )


def _from_pickle(held: Any, path: Path) -> Imported:
    """An array, rows, names to rows, or (names, rows) in either order."""
    if isinstance(held, np.ndarray) and held.ndim == 2:
        return _checked(held, None, path)
    if isinstance(held, dict) and all(isinstance(name, str) for name in held):
        return _checked(_stacked(list(held.values()), path), list(held), path)
    if isinstance(held, list) and len(held) == 2:
        for names, rows in (held, held[::-1]):
            names = names.tolist() if isinstance(names, np.ndarray) else names
            if isinstance(names, list) and all(isinstance(name, str) for name in names):
                return _checked(_stacked(list(rows), path), names, path)
    if isinstance(held, list | np.ndarray):
        return _checked(_stacked(list(held), path), None, path)
    raise UserError(
        f"{path} must hold an array, a list of rows, or a dict from names to rows, got "
        f"{type(held).__name__}; save a .npy instead"
    )


def _stacked(rows: list[Any], path: Path) -> npt.NDArray[np.float32]:
    """Rows of equal length, each flattened: nets leave axes of length one."""
    flat = [np.asarray(row, np.float32).ravel() for row in rows]
    lengths = pd.Series([len(row) for row in flat]).value_counts()
    if len(lengths) > 1:
        listed = ", ".join(f"{count} x {length}" for length, count in lengths.items())
        raise UserError(f"{path} must have rows of one length, got {listed}; import them apart")
    return np.stack(flat) if flat else np.zeros((0, 0), np.float32)


def _require_memory(path: Path, size_bytes: int) -> None:
    free = free_memory()
    if size_bytes > LARGEST_SHARE * free:
        raise UserError(
            f"{path} unpacks to {size_bytes / 2**30:.1f} GiB, {free / 2**30:.1f} GiB of memory are "
            "free; save it as .npy, which stays on disk"
        )
