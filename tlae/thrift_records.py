"""Records of Thrift's compact protocol, as the head and foot of a Parquet file hold them.

A record is a dict from field numbers to values: int (64 bits), ``Int32``, bool, bytes, a list of
equal kinds, or a record. See github.com/apache/thrift, doc/specs/thrift-compact-protocol.md.
"""

import struct
from typing import Any

from tlae.varint import packed_varint, read_varint

Record = dict[int, Any]

TRUE, FALSE, BYTE, INT16, INT32, INT64, DOUBLE, BINARY, LIST, SET, _, STRUCT = range(1, 13)
LONG_LIST = 15  # a list of so many items or more says its length in a number of its own


class Int32(int):
    """A number that is written as one of 32 bits."""


def packed(record: Record) -> bytes:
    """A record as bytes; its fields are in rising order, no more than 15 apart."""
    out, before = bytearray(), 0
    for number, value in record.items():
        kind = _kind(value)
        out.append((number - before) << 4 | kind)
        before = number
        if kind not in (TRUE, FALSE):
            out += _value(value)
    out.append(0)
    return bytes(out)


def unpacked(data: bytes, at: int = 0) -> tuple[Record, int]:
    """A record, and the place after it.

    Raises:
        ValueError, IndexError: it is none.
    """
    record: Record = {}
    number = 0
    while head := data[at]:
        at += 1
        if head >> 4:
            number += head >> 4
        else:
            number, at = _signed(data, at)
        record[number], at = _read(data, at, head & 15)
    return record, at + 1


def _kind(value: Any) -> int:
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if isinstance(value, int):
        return INT32 if isinstance(value, Int32) else INT64
    if isinstance(value, bytes):
        return BINARY
    return LIST if isinstance(value, list) else STRUCT


def _value(value: Any) -> bytes:
    match value:
        case int():
            return packed_varint(value << 1 if value >= 0 else (-value << 1) - 1)
        case bytes():
            return packed_varint(len(value)) + value
        case list():
            kind = _kind(value[0]) if value else STRUCT
            size = min(len(value), LONG_LIST) << 4 | kind
            more = packed_varint(len(value)) if len(value) >= LONG_LIST else b""
            return bytes([size]) + more + b"".join(map(_value, value))
    return packed(value)


def _read(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in (TRUE, FALSE):
        return kind == TRUE, at
    if kind in (INT16, INT32, INT64):
        return _signed(data, at)
    if kind == STRUCT:
        return unpacked(data, at)
    if kind == BYTE:
        return data[at], at + 1
    if kind == DOUBLE:
        return struct.unpack_from("<d", data, at)[0], at + 8
    if kind == BINARY:
        size, at = read_varint(data, at)
        return data[at : at + size], at + size
    if kind not in (LIST, SET):
        raise ValueError(f"no record: a field of kind {kind}")
    size, of = data[at] >> 4, data[at] & 15
    at += 1
    if size == LONG_LIST:
        size, at = read_varint(data, at)
    items = []
    for _ in range(size):
        if of in (TRUE, FALSE):  # in a list, a flag takes a byte
            item, at = data[at] == TRUE, at + 1
        else:
            item, at = _read(data, at, of)
        items.append(item)
    return items, at


def _signed(data: bytes, at: int) -> tuple[int, int]:
    value, at = read_varint(data, at)
    return (value >> 1) ^ -(value & 1), at
