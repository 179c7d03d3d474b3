"""From a smoothed map to one number per frame, and where it comes from."""

import torch
from torch import Tensor


def reduce_map(
    maps: Tensor, reduction: str, watched: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Score each frame by the worst place of its map, or by the mean.

    The worst place keeps a small object from being averaged away: on UCSD Ped2 the choice is worth
    more than the net.

    Args:
        maps: (B, H, W), smoothed, 0 where ignored.
        reduction: "maximum" or "mean" (of the watched pixels).
        watched: (H, W), True where changes count; None: everywhere.

    Returns:
        Scores (B,), and the place of the maximum as (B, 2) row, column.
    """
    flat = maps.flatten(1)
    largest, place = flat.max(dim=1)
    peak = torch.stack([place // maps.shape[-1], place % maps.shape[-1]], dim=1)
    if reduction == "mean":
        return flat.sum(dim=1) / (flat.shape[1] if watched is None else watched.sum()), peak
    return largest, peak
