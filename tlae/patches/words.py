"""Why a place of a still is unusual, in words with numbers."""

import torch
from torch import Tensor

from tlae.patches.evidence import SMALLEST, Compared, Levels

BRIGHTNESS = 5  # number of the plane that tells brightness relative to the surroundings
VISIBLE = 0.15  # difference of that plane from which on brightness is mentioned


def given(compared: Compared, levels: Levels) -> Tensor:
    """What ``words`` needs of each place, (2, h, w): the arguments of ``words``."""
    median = (levels.places[0].exp() - SMALLEST).clamp_min(SMALLEST) * levels.medians[0]
    return torch.stack([compared.days.nearest / median, compared.days.difference[BRIGHTNESS]])


def words(ratio: float, brighter: float) -> str:
    """A clause that follows "it".

    Args:
        ratio: difference to other days, in median differences of the place.
        brighter: relative brightness less that of the nearest of the other days.
    """
    if ratio <= 1:
        return ""
    look = ""
    if abs(brighter) > VISIBLE:
        look = f", and is {'brighter' if brighter > 0 else 'darker'}"
    return (
        f"differs from this place on other days by {ratio:.1f} times the median difference there"
        f"{look}"
    )
