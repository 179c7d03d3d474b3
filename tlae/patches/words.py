"""Why a place of a still is unusual, in words with numbers."""

from torch import Tensor

from tlae.patches.evidence import SMALLEST, Compared, Levels


def ratios(compared: Compared, levels: Levels) -> Tensor:
    """How far each place lies from other days, in median distances of the place, (h, w)."""
    median = (levels.places[0].exp() - SMALLEST).clamp_min(SMALLEST) * levels.medians[0]
    return compared.days.nearest / median


def words(ratio: float) -> str:
    """A clause that follows "it", of one of the ``ratios``; empty where nothing is unusual."""
    if ratio <= 1:
        return ""
    return f"differs from other days by {ratio:.1f} times the median difference at this place"
