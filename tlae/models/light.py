"""Pictures in the light of another one, so that what differs is not the light."""

import torch
import torch.nn.functional as F
from torch import Tensor

from tlae.models.blocks import area_means

LEAST_SPREAD = 1e-3  # of a picture, in spreads around the mean frame: a black one has no contrast
FLAT_VARIANCE = 1e-2  # in squared spreads around the mean frame: flatter places keep their contrast
GAIN_RANGE = (0.25, 4.0)
COARSER = 4  # local light is fitted on so many times smaller pictures, as it is smooth
LOCAL = 0.33  # side of the box in which light is local, in frame heights


def in_the_light_of(frames: Tensor, others: Tensor) -> Tensor:
    """Give ``others`` (N, C, H, W) each frame's mean and spread of every channel."""
    pixels = (-2, -1)
    spread, mean = torch.std_mean(frames, pixels, keepdim=True)
    other_spread, other_mean = torch.std_mean(others, pixels, keepdim=True)
    gain = (spread / other_spread.clamp_min(LEAST_SPREAD)).clamp(*GAIN_RANGE)
    return (others - other_mean) * gain + mean


def in_the_local_light_of(frames: Tensor, others: Tensor, fraction: float = LOCAL) -> Tensor:
    """Give ``others`` the local brightness and contrast of the frames.

    Gain and offset are fitted by least squares in a sliding box (He & Sun 2015, *Fast guided
    filter*): what the sun and shadows change over wide areas is gone, a small thing stays.

    Args:
        frames: (N, C, H, W) or (1, C, H, W), standardised.
        others: (N, C, H, W).
        fraction: side of the box in frame heights, in (0, 1].
    """
    height, width = (int(length) for length in frames.shape[-2:])
    coarse_hw = max(1, height // COARSER), max(1, width // COARSER)
    side = max(1, round(fraction * coarse_hw[0])) | 1

    def mean(values: Tensor) -> Tensor:
        small = area_means(values, coarse_hw)
        return F.avg_pool2d(small, side, 1, side // 2, count_include_pad=False)

    def fine(values: Tensor) -> Tensor:
        return F.interpolate(values, (height, width), mode="bilinear", align_corners=False)

    other_mean, frame_mean = mean(others), mean(frames)
    covariance = mean(others * frames) - other_mean * frame_mean
    variance = mean(others.square()) - other_mean.square()
    gain = ((covariance + FLAT_VARIANCE) / (variance + FLAT_VARIANCE)).clamp(*GAIN_RANGE)
    return fine(gain) * others + fine(frame_mean - gain * other_mean)
