"""Colour histogram: which colours a picture has, and how much of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.footage.frames import Image

HSV_RANGES = [0, 180, 0, 256, 0, 256]  # OpenCV halves hue to fit a byte
MOST_BINS = 32_768  # 32 per axis; beyond, nearly all bins of a photograph are empty


@dataclass(frozen=True)
class ColourHistogram:
    """Histogram over hue, saturation and value together, scaled to length 1.

    As in Rosebrock 2020, *Intro to anomaly detection with OpenCV, computer vision and
    scikit-learn*, whose bins are the default.

    Attributes:
        bins: for hue, saturation and value.
    """

    bins: tuple[int, ...] = (4, 6, 3)

    def __post_init__(self) -> None:
        fitting = len(self.bins) == 3 and min(self.bins) >= 1 and max(self.bins) <= 256
        if not fitting or int(np.prod(self.bins)) > MOST_BINS:
            raise UserError(
                f"bins must be three numbers >= 1 with a product of at most {MOST_BINS:,}, got "
                f"{list(self.bins)}"
            )

    @property
    def dimensions(self) -> int:
        """Product of the bins."""
        return int(np.prod(self.bins))

    @property
    def min_hw(self) -> tuple[int, int] | None:
        """Every pixel counts."""
        return None

    @property
    def facts(self) -> Mapping[str, Any]:
        """No weights."""
        return {"weights": None, "versions": {"opencv": cv2.__version__}}

    def prepare(self, image: Image) -> npt.NDArray[np.float32]:
        """RGB (H, W, 3) uint8 to its histogram (D,) of length 1."""
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        counts = cv2.calcHist([hsv], [0, 1, 2], None, list(self.bins), HSV_RANGES)
        return np.asarray(cv2.normalize(counts, None).ravel(), np.float32)

    def describe(self, prepared: Sequence[npt.NDArray[np.generic]]) -> npt.NDArray[np.float32]:
        """Stack the histograms of n pictures, (n, D)."""
        return np.stack(prepared).astype(np.float32, copy=False)
