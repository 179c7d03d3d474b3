"""Writing pictures as PNG, all or nothing."""

from pathlib import Path

import cv2

from tlae.footage.frames import Image
from tlae.rendering.whole_file import explain_os_errors, part_path


def write_png(path: Path, image: Image) -> None:
    """Write a picture.

    Args:
        path: file to write or replace.
        image: RGB (H, W, 3) uint8.

    Raises:
        UserError: the file cannot be written.
    """
    _, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    temporary = part_path(path)
    with explain_os_errors(path):
        try:
            temporary.write_bytes(encoded.tobytes())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
