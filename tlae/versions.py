"""Versions of what a model was made with; another OpenCV can score otherwise."""

import logging
import platform
from collections.abc import Mapping
from pathlib import Path

import cv2

from tlae import __version__

OPENCV = "opencv"

logger = logging.getLogger(__name__)


def versions() -> dict[str, str]:
    """Of tlae, Python and OpenCV, for a model file."""
    return {"tlae": __version__, "python": platform.python_version(), OPENCV: cv2.__version__}


def note_other_opencv(path: Path, made_with: object) -> None:
    """Log that another major version of OpenCV made a model.

    Its warps and its optical flow are not the same in 4 and 5, so that scores differ, and the
    thresholds are those of the other version.

    Args:
        path: of the model file.
        made_with: what its metadata says of versions; files of older versions say nothing.
    """
    made = made_with.get(OPENCV) if isinstance(made_with, Mapping) else None
    if isinstance(made, str) and _major(made) != _major(cv2.__version__):
        logger.warning(
            "note: model %s was made with OpenCV %s, this is %s, which warps frames and measures "
            "motion a little differently; `tlae calibrate` takes thresholds anew",
            *(path, made, cv2.__version__),
        )


def _major(version: str) -> str:
    return version.partition(".")[0]
