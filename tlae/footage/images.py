"""Image bytes to RGB pixels, and why a file gives none."""

import io
import warnings
from contextlib import suppress

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError, features

from tlae.footage.frames import Image
from tlae.footage.jpeg_damage import ends_early, has_lost_block, has_stray_marker, is_cut

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".pgm", ".ppm"}
    | ({".avif"} if features.check("avif") else set())
    | ({".jp2", ".j2k", ".jpx"} if features.check("jpg_2000") else set())
)

Levels = tuple[float, float]
"""Counts of a camera that become grey levels 0 and 255; what lies between is mapped linearly."""

DEEP_MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
"""Pillow's names of grey pictures of 16 bits and of floating-point numbers."""

_ORIENTATION = 274  # EXIF tag; 5 to 8 swap height and width
_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
# OpenCV is fastest for these and exact. The rest goes to Pillow: OpenCV multiplies TIFF and GIF
# colours by alpha, rounds 16-bit colour TIFF, and writes about cut BMP files to stderr.
_PNG_16_BIT_GREY = b"\x10\x00"  # depth and colour type in the header
_OPENCV_KINDS = ("jpeg", "png", "webp")


class Unreadable(Exception):
    """A file that gives no picture.

    Attributes:
        reason: a few words that become the frame's state.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def decode_image(
    data: bytes, min_hw: tuple[int, int] | None = None, levels: Levels | None = None
) -> tuple[Image, tuple[int, int] | None]:
    """Decode one picture; of several in a file, the first.

    Without levels 16-bit values lose their low byte; colour of 16 bits always does. Alpha is
    dropped, grey becomes three equal channels, and the EXIF orientation is applied.

    Args:
        data: content of the file; the kind is read from it, not from the name.
        min_hw: a JPEG at least 2, 4 or 8 times larger is decoded at a half, quarter or eighth,
            never below this size in pixels.
        levels: of grey pictures of 16 bits or of floating-point numbers; other pictures are
            decoded without.

    Returns:
        RGB ``(H, W, 3)`` uint8, and the size of the whole picture where it was reduced, else None.

    Raises:
        Unreadable: "empty file", "truncated", "damaged", "not an image", "floating-point pixels" or
            "too many pixels".
    """
    if not data:
        raise Unreadable("empty file")
    kind = _kind(data)
    if _is_cut(data, kind):
        raise Unreadable("truncated")
    if kind == "jpeg" and (has_stray_marker(data) or has_lost_block(data)):
        raise Unreadable("damaged")
    if kind in _OPENCV_KINDS and not (levels and data[24:26] == _PNG_16_BIT_GREY):
        size_hw = _oriented_size(data)
        source_hw = size_hw if min_hw and kind == "jpeg" else None
        factor = reduction(source_hw, min_hw) if source_hw and min_hw else 1
        with suppress(cv2.error):  # an absurd size in the header
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), _REDUCED[factor])
            if pixels is not None:
                if kind == "jpeg" and ends_early(data, pixels, factor):
                    raise Unreadable("truncated")
                return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), source_hw if factor > 1 else None
    return _decode_with_pillow(data, kind, levels), None


def reduction(size_hw: tuple[int, int], min_hw: tuple[int, int]) -> int:
    """Largest of 1, 2, 4, 8 by which a picture may be divided without going below ``min_hw``."""
    ratio = min(size_hw[0] // max(min_hw[0], 1), size_hw[1] // max(min_hw[1], 1))
    return max(factor for factor in _REDUCED if factor <= max(ratio, 1))


def _kind(data: bytes) -> str:
    if data[8:12] == b"WEBP":
        return "webp"
    for start, kind in (
        (b"\xff\xd8\xff", "jpeg"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"GIF8", "gif"),
        (b"BM", "bmp"),
        (b"II*\x00", "tiff"),
        (b"MM\x00*", "tiff"),
    ):
        if data.startswith(start):
            return kind
    return ""


def _is_cut(data: bytes, kind: str) -> bool:
    """Whether the end of the file is missing; bytes after the end do no harm.

    Decoders differ here: some fill the missing part with grey and call it well.
    """
    if kind == "jpeg":
        return is_cut(data)
    if kind == "png":
        return b"IEND" not in data
    if kind == "webp":
        return int.from_bytes(data[4:8], "little") + 7 > len(data)  # a missing pad byte is common
    if kind == "tiff":  # the directory usually stands at the end
        directory = data[4:8] if data.startswith(b"MM") else data[7:3:-1]
        return int.from_bytes(directory, "big") + 2 > len(data)
    return False


def _oriented_size(data: bytes) -> tuple[int, int] | None:
    """Height and width after rotation, from the header alone; None where it is not known.

    Raises:
        Unreadable: a small file that claims more pixels than Pillow takes, 179 million.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd EXIF
            with Pillow.open(io.BytesIO(data)) as picture:
                width, height = picture.size
                turned = picture.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    except Pillow.DecompressionBombError as error:
        raise Unreadable("too many pixels") from error
    except Exception:  # Pillow raises errors of every kind on damaged headers
        return None
    return (width, height) if turned else (height, width)


def further_pictures(data: bytes) -> int:
    """Pictures in a file after the first one, which alone is read: of an animation, of pages."""
    animated = data[:4] in (b"GIF8", b"II*\0", b"MM\0*") or data[8:12] == b"WEBP"
    if not animated and b"acTL" not in data[:200]:  # of an animated PNG, before its pixels
        return 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(io.BytesIO(data)) as picture:
                return int(getattr(picture, "n_frames", 1)) - 1
    except Exception:  # Pillow raises errors of every kind on damaged data
        return 0


def _decode_with_pillow(data: bytes, kind: str, levels: Levels | None) -> Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(io.BytesIO(data)) as picture:
                return _to_rgb(ImageOps.exif_transpose(picture), levels)
    except Unreadable:
        raise
    except UnidentifiedImageError as error:
        raise Unreadable("damaged" if kind else "not an image") from error
    except Pillow.DecompressionBombError as error:
        raise Unreadable("too many pixels") from error
    except Exception as error:  # Pillow raises errors of every kind on damaged data
        raise Unreadable("truncated" if "truncated" in str(error) else "damaged") from error


def _to_rgb(picture: Pillow.Image, levels: Levels | None) -> Image:
    if levels and picture.mode in DEEP_MODES:
        grey = to_grey_levels(np.asarray(picture, np.float64), levels)
        return np.repeat(grey[..., np.newaxis], 3, axis=-1)  # (H, W, 3)
    if picture.mode == "F":
        raise Unreadable("floating-point pixels")
    if picture.mode.startswith("I"):  # 16-bit grey
        grey = np.clip(np.asarray(picture).astype(np.int64) >> 8, 0, 255).astype(np.uint8)  # (H, W)
        return np.repeat(grey[..., np.newaxis], 3, axis=-1)  # (H, W, 3)
    return np.array(picture.convert("RGB"), dtype=np.uint8)


def to_grey_levels(counts: npt.NDArray[np.float64], levels: Levels) -> Image:
    """Map counts linearly, clip them, and round.

    Args:
        counts: (H, W); what is not a number takes the median of the picture.
        levels: counts of grey 0 and 255.

    Returns:
        (H, W) uint8.

    Raises:
        Unreadable: "no finite pixel".
    """
    unknown = np.isnan(counts)
    if unknown.any():
        if not np.isfinite(counts).any():
            raise Unreadable("no finite pixel")
        counts = np.where(unknown, np.median(counts[np.isfinite(counts)]), counts)
    low, high = levels
    grey: Image = np.rint(np.clip((counts - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    return grey
