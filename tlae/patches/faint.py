"""What distances alone say of a place, which orders what the judge passes by."""

import torch
import torch.nn.functional as F
from torch import Tensor

from tlae.patches.evidence import DISTANCES, QUANTILES, SMALLEST

HIGH = len(QUANTILES) - 1  # the distance that few normal stills exceed at a place
FLOOR = 0.3  # of its mean over all places, so that calm places are not all noise
AROUND = 15  # cells
MOST = 0.05  # that it adds to a map of the judge, far below an alarm


def faint(evidence: Tensor) -> Tensor:
    """How far places lie beyond what is normal there, and beyond their surroundings.

    The smaller of the distances to other days and to the last hours counts, each by what few
    normal stills exceed at the place. Light that changes over a part of the picture drops out, as
    the mean of the surroundings is taken off.

    Args:
        evidence: (n, E, h, w), of ``evidence.Levels``.

    Returns:
        (n, h, w), in [0, ``MOST``].
    """
    days = _by_place(evidence, 0, DISTANCES + HIGH)
    hours = _by_place(evidence, DISTANCES - 1, DISTANCES + len(QUANTILES) + HIGH)
    beyond = torch.minimum(days, hours)
    around = F.avg_pool2d(beyond[:, None], AROUND, 1, AROUND // 2, count_include_pad=False)
    return MOST * (beyond - around[:, 0]).clamp(0, 1)


def _by_place(evidence: Tensor, distance: int, level: int) -> Tensor:
    """A distance by the level of its place; both are logarithms, see ``evidence.Levels``."""
    high = evidence[:, level].exp() - SMALLEST
    floor = FLOOR * high.mean(dim=(1, 2), keepdim=True)
    return (evidence[:, distance].exp() - SMALLEST) / (high + floor)
