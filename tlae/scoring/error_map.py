"""How far the net's answer is from the frame, per pixel."""

import torch
from torch import Tensor

SMALLEST_VARIANCE = 1e-6  # (a quarter of a grey level of 255)^2: nothing to fit a gain to
GAIN_RANGE = (0.25, 4.0)  # beyond, it is another scene rather than another light


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


def map_as_error(maps: Tensor, error: str, unit: float) -> Tensor:
    """``error_map`` of an answer that is itself the map (..., H, W), >= 0."""
    difference = maps if unit == 1 else maps * unit
    return difference.square() if error == "squared" else difference


def match_light(answer: Tensor, target: Tensor) -> Tensor:
    """Give the answer the frame's overall brightness and contrast.

    Gain and offset are a least-squares fit over the whole frame, so a flash, a cloud or an exposure
    step is no error, while a thing that fills a small part of the frame hardly moves the fit. A
    frame without contrast gets the offset alone.

    Args:
        answer: (..., C, H, W).
        target: same shape.

    Returns:
        (..., C, H, W).
    """
    pixels = (-3, -2, -1)
    answer_mean = answer.mean(pixels, keepdim=True)
    target_mean = target.mean(pixels, keepdim=True)
    centred = answer - answer_mean
    covariance = (centred * (target - target_mean)).mean(pixels, keepdim=True)
    variance = centred.square().mean(pixels, keepdim=True)
    gain = torch.where(variance > SMALLEST_VARIANCE, covariance / variance, 1.0)
    return centred * gain.clamp(*GAIN_RANGE) + target_mean


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
