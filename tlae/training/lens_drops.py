"""Drops on the lens, drawn into normal stills: blurred places with a soft edge, and no things."""

import cv2
import numpy as np
import torch
from torch import Generator, Tensor

WET = 0.3  # share of the stills
MOST_DROPS = 3
RADIUS = (0.03, 0.2)  # in picture heights
LONG = (0.8, 1.25)  # height to width, squared
SOFT = (0.1, 0.5)  # width of the edge, in radii
OPAQUE = (0.6, 1.0)
BLUR = (0.25, 0.8)  # standard deviation, in radii
LIGHT = (0.75, 1.0)  # that comes through
GLARE = (0.0, 0.16)  # that is added
HIDDEN = 0.6  # opacity from which on a thing behind a drop is none


def under_drops(stills: Tensor, things: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Some stills through a wet lens.

    Args:
        stills: (n, C, H, W) in [0, 1].
        things: (n, H, W), 1 where a thing is.
        generator: of all chance.

    Returns:
        Both, with drops; a thing behind one is marked no more.
    """
    wet, seen = stills.clone(), things.clone()
    for still, mask in zip(wet, seen, strict=True):
        if _between((0.0, 1.0), generator) < WET:
            for _ in range(int(torch.randint(1, MOST_DROPS + 1, (), generator=generator))):
                _add_drop(still, mask, generator)
    return wet, seen


def _add_drop(still: Tensor, mask: Tensor, generator: Generator) -> None:
    height, width = mask.shape
    radius = height * RADIUS[0] * (RADIUS[1] / RADIUS[0]) ** _between((0.0, 1.0), generator)
    down = torch.arange(height)[:, None] - _between((0.0, height), generator)
    across = torch.arange(width)[None, :] - _between((0.0, width), generator)
    long, soft = _between(LONG, generator), _between(SOFT, generator)
    distance = (down**2 * long + across**2 / long).sqrt() / radius
    opaque = ((1 + soft / 2 - distance) / soft).clamp(0, 1) * _between(OPAQUE, generator)
    picture = np.ascontiguousarray(still.permute(1, 2, 0).numpy())
    blurred = cv2.GaussianBlur(picture, (0, 0), radius * _between(BLUR, generator))
    light = torch.from_numpy(blurred.reshape(picture.shape)).permute(2, 0, 1)
    light = light * _between(LIGHT, generator) + _between(GLARE, generator)
    still.lerp_(light.clamp(0, 1), opaque)
    mask[opaque > HIDDEN] = 0


def _between(limits: tuple[float, float], generator: Generator) -> float:
    low, high = limits
    return low + (high - low) * float(torch.rand((), generator=generator))
