"""Tables as Parquet files, written and read without pyarrow, which alone takes 170 MB.

Files are plain: a row group for each piece of a table, one page a column, packed by gzip; every
column may have missing values. Any program reads them. Files of other programs are read by pyarrow.
See https://parquet.apache.org/docs/file-format/.
"""

import os
import tempfile
import weakref
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.lazy_column import PIECE_ROWS, LazyColumn
from tlae.table import MOMENT, Column, Table, compact, missing
from tlae.thrift_records import Int32, Record, packed, unpacked
from tlae.varint import packed_varint

MAGIC = b"PAR1"
WRITER = b"tlae"  # our files say who wrote them
GZIP, GZIP_BITS, GZIP_LEVEL = Int32(2), 31, 1
DATA_PAGE, OPTIONAL, PLAIN, RLE = Int32(0), Int32(1), Int32(0), Int32(3)

# The type of values in the file by the kind of a column, and what else is said of it.
TYPES = {"b": Int32(0), "i": Int32(2), "f": Int32(5), "M": Int32(2), "O": Int32(6)}
MEANINGS: dict[str, Record] = {
    "M": {10: {8: {1: False, 2: {2: {}}}}},  # microseconds of a clock without a time zone
    "O": {6: Int32(0), 10: {1: {}}},  # UTF-8
}
DTYPES = {"i": "<i8", "f": "<f8", "M": "<M8[us]"}


def write_parquet(table: Table, path: Path) -> None:
    """Write a table; a file that is there is replaced.

    Raises:
        TypeError: a column holds something else than a ``Table`` may.
    """
    write_pieces(table.pieces(), path)


def write_pieces(pieces: Iterable[Table], path: Path) -> None:
    """Write tables behind each other as one; see ``spooled`` and ``write_parquet``."""
    with path.open("wb") as file:
        _write(pieces, file)


def read_parquet(path: Path, names: Sequence[str] | None = None) -> Table:
    """Read a table.

    Args:
        path: of the file.
        names: of the columns to read; None: all.

    Raises:
        UserError: another program wrote it, and pyarrow is not installed.
        OSError: it is missing.
        KeyError: it lacks a column.
        ValueError: it is damaged.
    """
    table = open_parquet(path)
    return Table({name: table[name] for name in (table if names is None else names)})


def open_parquet(path: Path) -> Table:
    """A table of lazy columns. A file that takes the place of this one later does not change it.

    Raises:
        UserError, OSError, ValueError: see ``read_parquet``; of damage also when rows are read.
    """
    known = _opened(_Reader(path.open("rb")))
    return _by_pyarrow(path) if known is None else known


def spooled(pieces: Iterable[Table], folder: Path) -> Table:
    """Tables behind each other as one of lazy columns.

    They lie in a file without a name, which goes when nobody reads it any more.

    Args:
        pieces: one at least; with the same columns, which have the same kinds.
        folder: on the disk that takes them.
    """
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 -- its reader closes it
    reader = _Reader(file)
    _write(pieces, file)
    file.flush()
    known = _opened(reader)
    assert known is not None
    return known


def regrouped(tables: Iterable[Table]) -> Iterator[Table]:
    """The rows of short or long tables in pieces of ``PIECE_ROWS``; the last is shorter."""
    waiting: list[Table] = []
    for piece in (piece for table in tables for piece in table.pieces()):
        waiting.append(piece)
        if sum(map(len, waiting)) >= PIECE_ROWS:
            together = Table.joined(waiting)
            yield together.take(slice(PIECE_ROWS))
            waiting = [together.take(slice(PIECE_ROWS, None))]
    if waiting:
        yield Table.joined(waiting)


def _write(pieces: Iterable[Table], file: IO[bytes]) -> None:
    """Write tables behind each other, a row group for each that has rows."""
    kinds: dict[str, str] = {}
    groups: list[Record] = []
    file.write(MAGIC)
    for part in pieces:
        kinds = kinds or {name: part[name].dtype.kind for name in part}
        chunks: list[Record] = []
        for name, kind in kinds.items():
            if part[name].dtype.kind != kind:
                raise TypeError(f"column {name} is of kind {kind}, then of {part[name].dtype.kind}")
            at, (page, size) = file.tell(), _page(part[name])
            file.write(page)
            chunks.append(_chunk(name, kind, len(part), at, (size, len(page))))
        if len(part):
            groups.append({1: chunks, 2: sum(chunk[3][6] for chunk in chunks), 3: len(part)})
    rows = sum(group[3] for group in groups)
    foot = packed({1: Int32(1), 2: _schema(kinds), 3: rows, 4: groups, 6: WRITER})
    file.write(foot + len(foot).to_bytes(4, "little") + MAGIC)


class _Reader:
    """The bytes of a file, which is closed when no column is read from it any more."""

    def __init__(self, file: IO[bytes]) -> None:
        self._number = file.fileno()
        weakref.finalize(self, file.close)

    @property
    def size(self) -> int:
        return os.fstat(self._number).st_size

    def bytes(self, at: int, size: int) -> bytes:
        return os.pread(self._number, min(size, self.size), at)


def _opened(reader: _Reader) -> Table | None:
    """A table of lazy columns; None: another program wrote it."""
    tail = reader.bytes(max(0, reader.size - 8), 8)
    if reader.bytes(0, 4) != MAGIC or tail[4:] != MAGIC:
        raise ValueError("it is no whole Parquet file")
    size = int.from_bytes(tail[:4], "little")
    with _telling_damage():
        foot, _ = unpacked(reader.bytes(max(0, reader.size - 8 - size), size))
        if foot.get(6) != WRITER:
            return None
        stops = list(accumulate(group[3] for group in foot[4]))
        pieces = [slice(a, b) for a, b in zip([0, *stops], stops, strict=False)]
        columns = {}
        for number, field in enumerate(foot[2][1:]):
            facts = [group[1][number][3] for group in foot[4]]
            places = [(one[9], one[7]) for one in facts]
            columns[field[4].decode()] = _column(reader, pieces, places, _kind(field))
        return Table(columns)


def _column(
    reader: _Reader, pieces: list[slice], places: list[tuple[int, int]], kind: str
) -> LazyColumn:
    """A column, whose pieces are the row groups; of each the place and the size of its page."""
    place_of = dict(zip((piece.start for piece in pieces), places, strict=True))

    def values(piece: slice) -> Column:
        with _telling_damage():
            return _values(reader.bytes(*place_of[piece.start]), kind)

    return LazyColumn(pieces, _empty(kind, 0).dtype, values)


@contextmanager
def _telling_damage() -> Iterator[None]:
    try:
        yield
    except (LookupError, OverflowError, zlib.error) as error:
        raise ValueError(f"it is damaged: {error}") from error


def _schema(kinds: dict[str, str]) -> list[Record]:
    """The root, and each column."""
    fields = [
        {1: TYPES[kind], 3: OPTIONAL, 4: name.encode(), **MEANINGS.get(kind, {})}
        for name, kind in kinds.items()
    ]
    return [{4: b"schema", 5: Int32(len(fields))}, *fields]


def _kind(field: Record) -> str:
    """Kind of a column, from what the schema says of it."""
    alike = [kind for kind, number in TYPES.items() if number == field[1]]
    return alike[-1] if 10 in field else alike[0]


def _chunk(name: str, kind: str, rows: int, at: int, sizes: tuple[int, int]) -> Record:
    """What the foot says of a column in a row group: place, size before and after packing."""
    facts: Record = {1: TYPES[kind], 2: [PLAIN, RLE], 3: [name.encode()], 4: GZIP, 5: rows}
    return {2: at, 3: {**facts, 6: sizes[0], 7: sizes[1], 9: at}}


def _page(values: Column) -> tuple[bytes, int]:
    """Head and packed content, and the size of both before it was packed."""
    known = ~missing(values)
    flags = np.packbits(known, bitorder="little").tobytes()  # one run of flags, eight a byte
    levels = packed_varint(len(flags) << 1 | 1) + flags
    content = len(levels).to_bytes(4, "little") + levels + _plain(values[known])
    packer = zlib.compressobj(GZIP_LEVEL, wbits=GZIP_BITS)
    small = packer.compress(content) + packer.flush()
    page = {1: Int32(len(values)), 2: PLAIN, 3: RLE, 4: RLE}
    begin = packed({1: DATA_PAGE, 2: Int32(len(content)), 3: Int32(len(small)), 5: page})
    return begin + small, len(begin) + len(content)


def _plain(values: Column) -> bytes:
    """Values that are there, one behind the other."""
    if values.dtype == bool:
        return np.packbits(values, bitorder="little").tobytes()
    if values.dtype != object:
        return np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    texts = {text: text.encode() for text in set(values.tolist())}
    sized = {text: len(data).to_bytes(4, "little") + data for text, data in texts.items()}
    return b"".join(sized[text] for text in values.tolist())


def _values(data: bytes, kind: str) -> Column:
    """A column of a row group, from the bytes of its page."""
    page, at = unpacked(data)
    rows = page[5][1]
    content = zlib.decompress(data[at : at + page[3]], GZIP_BITS)
    size = int.from_bytes(content[:4], "little")
    flags = np.frombuffer(content[: 4 + size], np.uint8)[4 + size - -(-rows // 8) :]
    known = np.unpackbits(flags, count=rows, bitorder="little").astype(bool)
    values = _empty(kind, rows)
    values[known] = _unpacked(content[4 + size :], int(known.sum()), kind)
    return compact(values)


def _unpacked(content: bytes, count: int, kind: str) -> npt.NDArray[Any]:
    """Values that are there."""
    if kind == "b":
        bits = np.frombuffer(content, np.uint8)
        return np.unpackbits(bits, count=count, bitorder="little").astype(bool)
    if kind in DTYPES:
        return np.frombuffer(content, DTYPES[kind], count)
    first = content[: 4 + int.from_bytes(content[:4], "little")]
    if content == first * count:  # all alike, as most texts of a piece are
        return np.full(count, first[4:].decode(), object)
    return np.fromiter(_text(content, count), object, count)


def _text(content: bytes, count: int) -> Iterator[str]:
    """Each text; equal ones are the same object, so that they take little memory."""
    known: dict[bytes, str] = {}
    at = 0
    for _ in range(count):
        size = int.from_bytes(content[at : at + 4], "little")
        part = content[at + 4 : at + 4 + size]
        if part not in known:
            known[part] = part.decode()
        yield known[part]
        at += 4 + size


def _empty(kind: str, rows: int) -> Column:
    """Missing values; flags and whole numbers, which have none, are 0."""
    if kind == "O":
        return np.full(rows, None, object)
    if kind == "M":
        return np.full(rows, np.datetime64("NaT"), MOMENT)
    if kind == "f":
        return np.full(rows, np.nan)
    return np.zeros(rows, bool if kind == "b" else np.int64)


def _by_pyarrow(path: Path) -> Table:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise UserError(
            f"{path} was written by another program or an earlier version of tlae, and needs "
            "pyarrow to be read, which is not installed; pip install pyarrow"
        ) from error
    read = pyarrow.parquet.read_table(path)
    return Table({name: read[name].to_numpy() for name in read.column_names})
