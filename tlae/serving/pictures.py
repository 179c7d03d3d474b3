"""Pictures and maps as bytes of requests and answers; a bomb is refused before it is decoded."""

import io
import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy
from PIL import Image as Pillow

from tlae.footage.frames import Image
from tlae.footage.images import Levels, Unreadable, decode_image, to_grey_levels
from tlae.rendering.heatmap import FloatMap, HeatScale, map_picture
from tlae.rendering.overlay import draw_overlay
from tlae.rendering.png import png_bytes
from tlae.serving.refusals import Refused

KINDS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")  # Pillow's names
NPY = b"\x93NUMPY"
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}

Picture = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class SentPicture:
    """A picture of a request.

    Attributes:
        whole: (H, W, 3) uint8 RGB, to be shown; an array as it was sent: (H, W) or (H, W, C).
        scored: the same at the size at which `tlae score` decodes such a file.
    """

    whole: Picture
    scored: Picture


def read_picture(
    data: bytes,
    most_pixels: float,
    levels: Levels | None = None,
    min_hw: tuple[int, int] | None = None,
) -> SentPicture:
    """Decode the body of a request.

    Args:
        data: a JPEG, PNG, WebP, BMP or TIFF file, or an array as ``numpy.save`` writes it.
        most_pixels: height times width of the largest picture.
        levels: see ``decode_image``.
        min_hw: what the model needs of a picture, see ``decode_image``.

    Raises:
        Refused: 413 too many pixels, 415 another kind of file, 422 damaged.
    """
    if data.startswith(NPY):
        array = _array(data, most_pixels)
        return SentPicture(array, array)
    height, width = _size(data)
    _require_pixels(height, width, most_pixels)
    try:
        scored, whole_hw = decode_image(data, min_hw, levels)
        whole = scored if whole_hw is None else decode_image(data, levels=levels)[0]
        return SentPicture(whole, scored)
    except Unreadable as problem:
        raise Refused(
            422, f"the picture must be readable, got: {problem.reason}; send it again"
        ) from problem


def npy_bytes(array: npt.NDArray[Any]) -> bytes:
    """An array as ``numpy.save`` writes it."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def map_png(error: FloatMap, threshold: float) -> bytes:
    """A map (h, w) in the colours of heat, as PNG of its own size."""
    return png_bytes(map_picture(np.nan_to_num(error), HeatScale.of_map(error, threshold, 0.0)))


def heat_picture(image: Picture, error: FloatMap, threshold: float, *, alarm: bool) -> Image:
    """A picture with heat, contours and boxes.

    Args:
        image: (H, W, 3) or (H, W).
        error: (h, w), in raw units.
        threshold: alarm threshold in raw units; infinite: heat alone.
        alarm: whether to draw the badge.

    Returns:
        RGB of a size that text on it can be read, see ``display_hw``.
    """
    if image.dtype != np.uint8:
        low = float(image.min())
        image = to_grey_levels(
            np.asarray(image, np.float64), (low, max(float(image.max()), low + 1))
        )
    if image.ndim == 2:
        image = image[..., None]
    if image.shape[-1] == 1:
        image = np.repeat(image, 3, axis=-1)
    scale = HeatScale.of_map(error, threshold, 0.0)
    return draw_overlay(image, error, threshold, scale, alarm=alarm, legend=True)


def _size(data: bytes) -> tuple[int, int]:
    """Height and width, from the header alone."""
    if not data:
        raise Refused(422, "the picture must not be empty; send the bytes of a file as the body")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of sizes that are refused below, and odd EXIF
            with Pillow.open(io.BytesIO(data)) as picture:
                kind, (width, height) = str(picture.format), picture.size
    except Pillow.DecompressionBombError as error:
        raise Refused(413, "the picture has too many pixels; send it smaller") from error
    except Exception as error:  # Pillow raises errors of every kind on damaged headers
        raise Refused(
            415, f"the body must be a picture ({', '.join(KINDS)}) or a .npy array, this is none"
        ) from error
    if kind not in KINDS:
        raise Refused(415, f"the picture must be one of {', '.join(KINDS)}, got {kind}; convert it")
    return height, width


def _require_pixels(height: int, width: int, most: float) -> None:
    if height * width > most:
        raise Refused(
            413,
            f"a picture must have at most {most / 1e6:g} megapixels, got {width} x {height}; "
            "send it smaller",
        )


def _array(data: bytes, most_pixels: float) -> Picture:
    stream = io.BytesIO(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape, by_column, kind = HEADERS[npy.read_magic(stream)](stream)
    except Exception as error:  # the header is parsed as Python
        raise Refused(422, "the .npy array must be whole, its header is damaged") from error
    if kind.kind not in "uif" or len(shape) not in (2, 3) or min(shape) < 1:
        raise Refused(
            422, f"an array must be (H, W) or (H, W, 3) of numbers, got {shape} of {kind}"
        )
    _require_pixels(shape[0], shape[1], most_pixels)
    start = stream.tell()
    if math.prod(shape) * kind.itemsize != len(data) - start:
        raise Refused(422, f"the .npy array must be whole, its bytes do not fit the shape {shape}")
    flat = np.frombuffer(data, kind, offset=start)
    return np.ascontiguousarray(flat.reshape(shape, order="F" if by_column else "C"))
