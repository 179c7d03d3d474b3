"""Damage in the pixel data of a JPEG, which decoders make up for and call well."""

import io
import re

from PIL import Image as Pillow

from tlae.footage.frames import Image

_MARKER = re.compile(rb"\xff[\x01-\xfe]")  # in pixel data; ff00 is a value, ffff a filler
_BETWEEN_SCANS = {0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)}  # with a length
_LOST = bytes(256)  # more than the blocks of all components in one place
_HUFFMAN, _PROGRESSIVE = 0xC4, 0xC2  # markers of a JPEG
_END = b"\xff\xd9"
_MADE_UP = 128  # grey level of blocks without pixel data
_CORNER_PX = 4
_MORE = b"\xa5" * 256  # pixel data for blocks that have none


def scan_start(data: bytes) -> int:
    """Offset of the first pixel data: an end mark before it belongs to an embedded thumbnail."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        if data[at + 1] == 0xDA:  # start of scan
            return at
        filler = data[at + 1] == 0xFF
        at += 1 if filler else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return len(data)


def is_cut(data: bytes) -> bool:
    """Whether the end mark of a JPEG is missing."""
    return data.rfind(_END) < scan_start(data)


def has_stray_marker(data: bytes) -> bool:
    """Whether a JPEG's pixel data holds a marker that cannot stand there, or restarts in disorder.

    Decoders make up what is missing and call it well.
    """
    at, restart = scan_start(data), 0
    while found := _MARKER.search(data, at):
        marker, at = data[found.start() + 1], found.end()
        if marker == 0xD9:  # end of image
            return False
        if 0xD0 <= marker <= 0xD7:  # restarts count from 0 to 7, from each scan on
            if marker - 0xD0 != restart % 8:
                return True
            restart += 1
        elif marker in _BETWEEN_SCANS:
            restart = 0 if marker == 0xDA else restart
            at += int.from_bytes(data[at : at + 2], "big")
        else:
            return True
    return False


def has_lost_block(data: bytes) -> bool:
    """Whether zeros stand where a JPEG's pixel data was, as a failing disk leaves them.

    The code of all zeros is that of the first symbol of a Huffman table. Unless that is the end of
    a block in every table, so many zeros mean the same coefficient in every place of a block: no
    encoder writes that.
    """
    start = scan_start(data)
    symbols = _symbols_of_zeros(data, start)
    return any(symbols) and data.find(_LOST, start, data.rfind(_END)) >= 0


def _symbols_of_zeros(data: bytes, scan_start: int) -> list[int]:
    """What a code of all zeros means in each AC table; nothing of a progressive JPEG."""
    at, symbols = 2, list[int]()
    while at + 4 <= scan_start and data[at] == 0xFF:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == _PROGRESSIVE:
            return []
        table = at + 4
        while data[at + 1] == _HUFFMAN and table + 17 < end:
            if data[table] >> 4:  # of AC coefficients
                symbols.append(data[table + 17])
            table += 17 + sum(data[table + 1 : table + 17])
        at = end
    return symbols


def ends_early(data: bytes, pixels: Image, factor: int) -> bool:
    """Whether pixel data that has an end mark ends before the picture does.

    Decoders fill what is missing with grey, up to the last corner. Where a corner is of that grey,
    more data is put before the end mark: it changes only a picture that lacked it. A picture in
    which only the last block is broken off, or data between restarts is missing, counts as whole;
    so does a progressive one.

    Args:
        data: the file.
        pixels: (H, W, C), decoded from it, turned in any way.
        factor: by which it is smaller than the picture in the file.
    """
    side = max(1, _CORNER_PX // factor)
    ends = slice(side), slice(-side, None)
    if not any((pixels[rows, columns] == _MADE_UP).all() for rows in ends for columns in ends):
        return False
    end = data.rfind(_END)
    try:
        return _brightness(data) != _brightness(data[:end] + _MORE + data[end:])
    except OSError:  # Pillow takes fewer files than OpenCV
        return False


def _brightness(data: bytes) -> bytes:
    """Mean of each block, in the quickest way; without the warnings that OpenCV prints."""
    with Pillow.open(io.BytesIO(data)) as picture:
        picture.draft("L", (1, 1))
        return picture.tobytes()
