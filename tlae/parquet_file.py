"""Tables as Parquet files, written and read without pyarrow, which alone takes 170 MB.

Files are plain: row groups of ``GROUP_ROWS`` rows, one page a column, packed by gzip; every column
may have missing values. Any program reads them. Files of other programs are read by pyarrow.
See https://parquet.apache.org/docs/file-format/.
"""

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.table import MOMENT, Column, Table, compact, missing
from tlae.thrift_records import Int32, Record, packed, unpacked
from tlae.varint import packed_varint

MAGIC = b"PAR1"
WRITER = b"tlae"  # our files say who wrote them
GROUP_ROWS = 8192  # few, because the texts of a group are in memory twice
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
    kinds: dict[str, str] = {name: table[name].dtype.kind for name in table}
    groups: list[Record] = []
    with path.open("wb") as file:
        file.write(MAGIC)
        for first in range(0, len(table), GROUP_ROWS):
            part = table.take(slice(first, first + GROUP_ROWS))
            chunks: list[Record] = []
            for name, kind in kinds.items():
                at, (page, size) = file.tell(), _page(part[name])
                file.write(page)
                chunks.append(_chunk(name, kind, len(part), at, (size, len(page))))
            groups.append({1: chunks, 2: sum(chunk[3][6] for chunk in chunks), 3: len(part)})
        foot = packed({1: Int32(1), 2: _schema(kinds), 3: len(table), 4: groups, 6: WRITER})
        file.write(foot + len(foot).to_bytes(4, "little") + MAGIC)


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
    data = path.read_bytes()
    if data[:4] != MAGIC or data[-4:] != MAGIC:
        raise ValueError("it is no whole Parquet file")
    try:
        foot, _ = unpacked(data, len(data) - 8 - int.from_bytes(data[-8:-4], "little"))
        columns = _columns(data, foot, names) if foot.get(6) == WRITER else None
    except (LookupError, zlib.error) as error:
        raise ValueError(f"it is damaged: {error}") from error
    if columns is None:
        return _by_pyarrow(path, names)
    return Table(columns if names is None else {name: columns[name] for name in names})


def _columns(data: bytes, foot: Record, names: Sequence[str] | None) -> dict[str, Column]:
    """The columns of these names, as far as there are such; None: all."""
    kinds = {field[4].decode(): _kind(field) for field in foot[2][1:]}
    wanted = [name for name in kinds if names is None or name in names]
    return {name: _column(data, foot, list(kinds).index(name), kinds[name]) for name in wanted}


def _column(data: bytes, foot: Record, number: int, kind: str) -> Column:
    """The values of a column in all row groups."""
    column, first = _empty(kind, foot[3]), 0
    for group in foot[4]:
        rows = slice(first, first + group[3])
        column[rows] = _values(data, group[1][number][3][9], kind)
        first = rows.stop
    return compact(column)


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


def _values(data: bytes, at: int, kind: str) -> Column:
    """A column of a row group."""
    page, at = unpacked(data, at)
    rows = page[5][1]
    content = zlib.decompress(data[at : at + page[3]], GZIP_BITS)
    size = int.from_bytes(content[:4], "little")
    flags = np.frombuffer(content[: 4 + size], np.uint8)[4 + size - -(-rows // 8) :]
    known = np.unpackbits(flags, count=rows, bitorder="little").astype(bool)
    values = _empty(kind, rows)
    values[known] = _unpacked(content[4 + size :], int(known.sum()), kind)
    return values


def _unpacked(content: bytes, count: int, kind: str) -> npt.NDArray[Any]:
    """Values that are there."""
    if kind == "b":
        bits = np.frombuffer(content, np.uint8)
        return np.unpackbits(bits, count=count, bitorder="little").astype(bool)
    if kind in DTYPES:
        return np.frombuffer(content, DTYPES[kind], count)
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


def _by_pyarrow(path: Path, names: Sequence[str] | None) -> Table:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise UserError(
            f"{path} was written by another program or an earlier version of tlae, and needs "
            "pyarrow to be read, which is not installed; pip install pyarrow"
        ) from error
    read = pyarrow.parquet.read_table(path, columns=None if names is None else list(names))
    return Table({name: read[name].to_numpy() for name in read.column_names})
