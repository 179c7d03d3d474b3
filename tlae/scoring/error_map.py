"""How far the net's answer is from the frame, per pixel."""

import torch
from torch import Tensor


def error_map(answer: Tensor, target: Tensor, error: str = "absolute", unit: float = 1.0) -> Tensor:
    """Difference per pixel, mean over channels.

    Args:
        answer: (..., C, H, W), what the net rebuilt or predicted.
        target: same shape, in [0, 1].
        error: "absolute" or "squared".
        unit: value of a full-scale difference (255 for rules published on 8-bit pictures).

    Returns:
        (..., H, W), >= 0.
    """
    difference = (answer - target).abs() * unit
    return (difference.square() if error == "squared" else difference).mean(dim=-3)


def background_weight(typical_error: Tensor) -> Tensor:
    """Weight in (0, 1] that calms places whose error is large in normal footage.

    Foreground-weighted error for long-lived cameras, after Liu et al. 2022 (*Detecting Anomalies
    Reliably in Long-term Surveillance Systems*) in idea. The median is the floor, so quiet places
    keep a weight near 1 and their noise is not blown up as by a z-score.

    Args:
        typical_error: (H, W), mean error of normal footage.
    """
    floor = typical_error.median().clamp_min(torch.finfo(typical_error.dtype).tiny)
    return 2 * floor / (typical_error.clamp_min(floor) + floor)
