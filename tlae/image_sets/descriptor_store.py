"""Descriptor store: a folder with one table of pictures and one array per descriptor.

``ids.parquet`` has one row per item: ``path`` (file or ``archive.zip::name``; of a tile, followed
by ``#row,column``), ``clip``, ``frame``, ``taken_at``, ``state`` ("ok", or why it is not described)
and ``row`` (its row in every array, -1 where it is not described). ``<name>.npy`` is the array
(N, D) of one descriptor, ``<name>.json`` its facts; descriptors of the same pictures stand side by
side. While a descriptor is written, all of it lies in ``<name>.part/``, so a killed job continues.
"""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.chunk_log import (
    JOB_FILE,
    ChunkLog,
    begin_anew,
    is_begun,
    note_facts,
    open_array,
    write_table,
)
from tlae.errors import FootageError, UserError, nearest
from tlae.folder_lock import held_folder
from tlae.footage.frames import OK
from tlae.image_sets.descriptor_facts import DESCRIBE_AGAIN, descriptor_names, facts_of
from tlae.parquet_file import read_parquet
from tlae.table import Table, counted
from tlae.whole_file import is_empty_folder, remove_ours, write_text

IDS = "ids.parquet"
PART_FILES = (JOB_FILE, "values.npy", "[0-9]*.parquet")  # of an unfinished descriptor
DTYPES = ("float16", "float32")
ITEM_COLUMNS = ("path", "clip", "frame", "taken_at", "state")  # `row` is added when written
NOT_FINITE = "no finite numbers"  # of a row of NaN
READ_ROWS = 8192  # rows looked at together, so that memory stays constant

Values = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Descriptors:
    """One descriptor of a set of pictures.

    Attributes:
        folder: the store.
        name: of the descriptor.
        ids: (N rows) the described items, in the order of ``values``; columns as in the store.
        values: (N, D) float16 or float32, mapped from disk. A row of NaN stands where this
            descriptor found nothing finite, see ``usable``.
        facts: descriptor, weights, dimensions, dtype, settings, images, versions, complete; for
            tiles ``facts["settings"]["tiles_hw"]`` is their number down and across.
    """

    folder: Path
    name: str
    ids: pd.DataFrame
    values: np.memmap[Any, np.dtype[Any]]
    facts: dict[str, Any]

    def usable(self) -> npt.NDArray[np.bool_]:
        """(N,) True where all values of a row are finite; reads the array in pieces."""
        pieces = [
            np.isfinite(np.asarray(self.values[start : start + READ_ROWS])).all(axis=1)
            for start in range(0, len(self.values), READ_ROWS)
        ]
        return np.concatenate(pieces)

    def left_out(self) -> dict[str, int]:
        """Why items are not described, with their number; the most frequent first."""
        states = read_parquet(self.folder / IDS, ["state"])["state"]
        reasons = counted(states[states != OK])
        broken = int((~self.usable()).sum())
        return reasons | ({NOT_FINITE: broken} if broken else {})


def open_descriptors(folder: Path | str, name: str | None = None) -> Descriptors:
    """Open one descriptor of a store; its values stay on disk until they are read.

    Args:
        folder: written by ``tlae describe``.
        name: of the descriptor; None: the only one.

    Raises:
        UserError: no such store or descriptor, several without a name, or a damaged file.
    """
    folder = Path(folder).expanduser()
    names = descriptor_names(folder)
    if not names or not (folder / IDS).is_file():
        held = "an unfinished one" if any(folder.glob("*.part")) else "none"
        raise UserError(
            f"descriptors must be a folder that holds descriptors, got {folder} with {held}; "
            "`tlae describe` writes it"
        )
    if name is None and len(names) > 1:
        raise UserError(f"{folder} holds several; give descriptor=... one of: {', '.join(names)}")
    name = names[0] if name is None else name
    if name not in names:
        raise UserError(f"{folder} has no descriptor {name!r}; {nearest(name, names)}")
    facts = facts_of(folder, name)
    try:
        values = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        ids = read_parquet(folder / IDS).frame()
        ids = ids[ids["row"] >= 0].reset_index(drop=True)
        if values.ndim != 2 or len(values) != len(ids):
            raise ValueError(f"shape {values.shape}, {len(ids):,} described items in {IDS}")
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise UserError(
            f"descriptor {name} in {folder} is damaged ({str(error).splitlines()[0]}); "
            f"{DESCRIBE_AGAIN.format(name)}"
        ) from error
    return Descriptors(folder, name, ids, values, facts)


class DescriptorWriter:
    """Write one descriptor chunk by chunk; killed and continued it ends with the same bytes.

    Use it as a context manager: it holds the store's lock.

    Args:
        folder: the store; made where it is missing.
        name, dimensions: of the descriptor.
        facts: what the values depend on; an unfinished descriptor with other facts starts anew.
        dtype: "float16" or "float32".
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        dimensions: int,
        facts: dict[str, Any],
        dtype: str = "float32",
    ) -> None:
        if dtype not in DTYPES:
            raise UserError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")
        if not name or name.startswith(".") or any(sign in name for sign in "/\\:"):
            raise UserError(f"name must be usable as a file name, got {name!r}; give another")
        self.folder, self.name, self.dtype = folder, name, np.dtype(dtype)
        self.facts = facts | {"name": name, "dimensions": dimensions, "dtype": dtype}
        self.part = folder / f"{name}.part"
        self.log, self.array = ChunkLog(self.part), self.part / "values.npy"
        self.shape = (0, dimensions)  # rows so far
        self.chunks = self.items = self.pictures = 0  # written so far
        self.last: tuple[str, int] | None = None  # clip and frame of the last item written
        self.known: pd.DataFrame | None = None  # items of the descriptors that this one joins
        self._held = held_folder(folder, "give another out=...")

    def __enter__(self) -> Self:
        self._held.__enter__()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if set(descriptor_names(self.folder)) - {self.name}:  # this one joins them
                self.known = read_parquet(self.folder / IDS).frame()
            self._continue_or_begin()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *reason: object) -> None:
        if not self.chunks:
            remove_ours(self.part, PART_FILES)
        self._leave()

    def _leave(self) -> None:
        if is_empty_folder(self.folder):  # nothing was written
            self.folder.rmdir()
        self._held.__exit__(None, None, None)

    def append(self, items: pd.DataFrame, values: Values) -> int:
        """Add the next chunk.

        Args:
            items: ``ITEM_COLUMNS`` of further items, in order; their state is "ok" where described.
            values: (n, D), one row for each item whose state is "ok".

        Returns:
            Number of rows that are not finite in the store's dtype; they become NaN.

        Raises:
            UserError: the store holds other items, or the dimensions differ.
        """
        described = (items["state"] == OK).to_numpy()
        if values.shape != (int(described.sum()), self.shape[1]):
            raise UserError(
                f"descriptor {self.name} must have {self.shape[1]} dimensions for each of "
                f"{int(described.sum())} pictures, got {values.shape}"
            )
        values = self._aligned(items, described, values)
        with np.errstate(over="ignore"):  # becomes infinite, which is reported
            stored = values.astype(self.dtype)
        broken = ~np.isfinite(stored).all(axis=1)
        stored[broken] = np.nan
        table = items.assign(written=len(stored) * (np.arange(len(items)) == 0))
        self.log.append(self.chunks, Table.of(table), self.array, stored.tobytes(), self._size())
        self._count(items, len(stored))
        return int(broken.sum())

    def finish(self) -> Descriptors:
        """Give the descriptor its name.

        Raises:
            FootageError: nothing could be described.
            UserError: the store has further items.
        """
        table = self._table()
        if not self.shape[0]:
            states = table["state"].value_counts()
            reasons = ", ".join(f"{count} x {state}" for state, count in states.items())
            remove_ours(self.part, PART_FILES)
            raise FootageError(
                f"at least one picture must be readable, got none ({reasons or 'no pictures'})"
            )
        if self.known is None:
            write_table(Table.of(table).pieces(), self.folder / IDS)
        elif len(self.known) != len(table):
            raise UserError(self._other_items(f"{len(self.known):,} of them, not {len(table):,}"))
        with self.array.open("r+b") as file:
            file.write(_npy_header(self.shape, self.dtype))
        facts = self.facts | {"rows": self.shape[0], "complete": True}
        note, array = (self.folder / f"{self.name}{ending}" for ending in (".json", ".npy"))
        note.unlink(missing_ok=True)  # of an earlier one; facts come after what they tell of
        self.array.replace(array)
        write_text(note, json.dumps(facts, indent=1, sort_keys=True, default=str) + "\n")
        remove_ours(self.part, PART_FILES)
        return open_descriptors(self.folder, self.name)

    def _continue_or_begin(self) -> None:
        """Take up the chunks of a killed job with the same facts, or make an empty part."""
        array, same = self.array, is_begun(self.part, self.facts)
        named, note = (self.folder / f"{self.name}{ending}" for ending in (".npy", ".json"))
        if same and named.is_file() and not note.is_file() and not array.is_file():
            named.replace(array)  # killed between giving the array its name and its facts
        if named.is_file() and not (note.is_file() or same):
            raise UserError(
                f"{named} is not a descriptor of tlae; give another name=... or out=..."
            )
        if not (same and array.is_file()):
            begin_anew(self.part, PART_FILES, "an unfinished descriptor")
            array.touch()
            note_facts(self.part, self.facts)
        for items in (part.frame() for part in self.log.tables()):
            self._count(items, int(items["written"].sum()))
        open_array(array, self._size())

    def _size(self) -> int:
        """Bytes of the array so far, with the header that ``finish`` writes."""
        header = _npy_header(self.shape, self.dtype)
        return len(header) + self.shape[0] * self.shape[1] * self.dtype.itemsize

    def _count(self, items: pd.DataFrame, rows: int) -> None:
        self.chunks += 1
        self.items += len(items)
        self.shape = (self.shape[0] + rows, self.shape[1])
        self.pictures += int(items.groupby(["clip", "frame"]).ngroups)
        if len(items):
            self.last = str(items["clip"].iloc[-1]), int(items["frame"].iloc[-1])

    def _aligned(
        self, items: pd.DataFrame, described: npt.NDArray[np.bool_], values: Values
    ) -> Values:
        """Rows as the store has them: NaN where only other descriptors could read the picture."""
        if self.known is None:
            return values
        known = self.known.iloc[self.items : self.items + len(items)]
        same = len(known) == len(items) and (known["path"].to_numpy() == items["path"].to_numpy())
        if not np.all(same):
            raise UserError(self._other_items(f"they differ from item {self.items} on"))
        wanted = (known["row"] >= 0).to_numpy()
        whole = np.full((len(items), self.shape[1]), np.nan, values.dtype)
        whole[described] = values
        return whole[wanted]

    def _other_items(self, how: str) -> str:
        return f"{self.folder} holds descriptors of other pictures ({how}); give another out=..."

    def _table(self) -> pd.DataFrame:
        if not self.chunks:
            return pd.DataFrame(columns=[*ITEM_COLUMNS, "row"])
        table = Table.joined(list(self.log.tables())).frame()[list(ITEM_COLUMNS)]
        described = table["state"] == OK
        return table.assign(row=(described.cumsum() - 1).where(described, -1).astype("int64"))


def _npy_header(shape: tuple[int, int], dtype: np.dtype[Any]) -> bytes:
    """Start of an ``.npy`` file; NumPy pads it so that its length does not depend on the rows."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header,
        {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape},
    )
    return header.getvalue()
