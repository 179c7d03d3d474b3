"""Why a place of a still is unusual, in words with numbers."""

import numpy as np

from tlae.patches.evidence import SMALLEST, Compared, Levels
from tlae.patches.features import Plane


def ratios(compared: Compared, levels: Levels) -> Plane:
    """How far each place lies from other days, in median distances of the place, (h, w)."""
    median = np.maximum(np.exp(levels.places[0]) - SMALLEST, SMALLEST) * levels.medians[0]
    return np.asarray(compared.days.nearest / median, np.float32)


def words(ratio: float) -> str:
    """A clause that follows "it", of one of the ``ratios``; empty where nothing is unusual."""
    if round(ratio, 1) <= 1:
        return ""
    return f"differs from other days by {ratio:.1f} times the median difference at this place"
