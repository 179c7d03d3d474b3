"""A site drawn for tests: a textured scene by day and night, a still every quarter of an hour."""

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tests.training_frames import Frames

SIZE_HW = (48, 64)
INTERVAL_S = 900.0
A_DAY = 96
NIGHT = 0.15  # of the light at noon

Pictures = npt.NDArray[np.uint8]


def drawn(count: int, seed: int = 0, things: dict[int, tuple[int, int]] | None = None) -> Pictures:
    """Stills (n, H, W, 3) from midnight on.

    Args:
        count: stills.
        seed: of noise and light; the scene is always the same.
        things: top and left of a bright box of 8 x 8 px, by the number of the still.
    """
    scene = np.random.default_rng(3).random((12, 16, 3))
    scene = cv2.resize(scene, SIZE_HW[::-1], interpolation=cv2.INTER_CUBIC)
    scene = np.clip(90 + 70 * (scene - 0.5), 20, 200)
    generator = np.random.default_rng(seed)
    stills = np.empty((count, *SIZE_HW, 3), np.uint8)
    for number, still in enumerate(stills):
        height = np.sin(2 * np.pi * (number % A_DAY / A_DAY - 0.25))
        light = NIGHT + (1 - NIGHT) * max(0.0, float(height)) * generator.uniform(0.8, 1.1)
        lit = scene * light + generator.normal(0, 1.5, scene.shape)
        if things and number in things:
            top, left = things[number]
            lit[top : top + 8, left : left + 8] = 220 * light + 10
        still[:] = np.clip(lit, 0, 255)
    return stills


def as_frames(stills: Pictures) -> Tensor:
    """(n, C, H, W) in [0, 1]."""
    return torch.from_numpy(stills).permute(0, 3, 1, 2).float() / 255


def footage_of(stills: Pictures) -> Frames:
    """As a net gets them."""
    return Frames(all_of_them=torch.from_numpy(stills).permute(0, 3, 1, 2), interval_s=INTERVAL_S)
