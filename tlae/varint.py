"""Whole numbers of variable length, as protocol buffers and Thrift write them: 7 bits a byte."""

MOST_BITS = 64


def packed_varint(value: int) -> bytes:
    """A number >= 0 as bytes, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and the place after it.

    Raises:
        ValueError: there is none.
    """
    value = shift = 0
    while at < len(data) and shift < MOST_BITS:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("it ends early, or holds no whole number")
