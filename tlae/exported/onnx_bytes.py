"""The metadata of an ONNX file, read and written without the library ``onnx``.

A file is a protocol buffer (``ModelProto`` in onnx.proto): fields one after the other, each with
its number. Field 14 holds pairs of a key and a value; the rest describes the graph.
"""

from collections.abc import Iterator, Mapping

from tlae.varint import packed_varint, read_varint

METADATA_FIELD = 14
VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5  # ways in which a field is written


def split(data: bytes) -> tuple[bytes, dict[str, str]]:
    """The file without its metadata, and the metadata.

    Raises:
        ValueError: it is no protocol buffer, or its metadata is no text.
    """
    graph, metadata = [], {}
    for number, whole, content in _fields(data):
        if number != METADATA_FIELD:
            graph.append(data[whole])
            continue
        pair = {part: data[content][place] for part, _, place in _fields(data[content])}
        metadata[pair.get(1, b"").decode()] = pair.get(2, b"").decode()
    return b"".join(graph), metadata


def joined(graph: bytes, metadata: Mapping[str, str]) -> bytes:
    """A file of what ``split`` took apart."""
    pairs = [_field(1, key.encode()) + _field(2, text.encode()) for key, text in metadata.items()]
    return graph + b"".join(_field(METADATA_FIELD, pair) for pair in pairs)


def _fields(data: bytes) -> Iterator[tuple[int, slice, slice]]:
    """Number, whole and content of each field."""
    at = 0
    while at < len(data):
        key, begin = read_varint(data, at)
        kind = key & 7
        if kind == VARINT:
            _, stop = read_varint(data, begin)
        elif kind == LENGTH:
            size, begin = read_varint(data, begin)
            stop = begin + size
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            stop = begin + (8 if kind == EIGHT_BYTES else 4)
        else:
            raise ValueError("not an ONNX file")
        if stop > len(data):
            raise ValueError("it ends early")
        yield key >> 3, slice(at, stop), slice(begin, stop)
        at = stop


def _field(number: int, content: bytes) -> bytes:
    return packed_varint(number << 3 | LENGTH) + packed_varint(len(content)) + content
