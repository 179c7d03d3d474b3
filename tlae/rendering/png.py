"""Pictures as PNG: bytes, or a file, all or nothing."""

from pathlib import Path

import cv2

from tlae.footage.frames import Image
from tlae.whole_file import explain_os_errors, whole_file


def png_bytes(image: Image) -> bytes:
    """Content of a PNG file of a picture, RGB (H, W, 3) uint8."""
    _, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return bytes(encoded.tobytes())


def write_png(path: Path, image: Image) -> None:
    """Write a picture.

    Args:
        path: file to write or replace.
        image: RGB (H, W, 3) uint8.

    Raises:
        UserError: the file cannot be written.
    """
    encoded = png_bytes(image)
    with explain_os_errors(path), whole_file(path) as temporary:
        temporary.write_bytes(encoded)
