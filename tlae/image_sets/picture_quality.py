"""Faults that show in a picture alone: too small, blurred, too dark, too bright."""

from dataclasses import dataclass

import cv2
import numpy as np

from tlae.footage.frames import Image
from tlae.setting_rules import share, within

LOOKED_AT_PX = 512  # longer side at which sharpness is measured, so that it can be compared
DARK, BRIGHT = 8, 247  # grey levels at which a pixel shows nothing


@dataclass
class QualityConfig:
    """Which faults of a picture count.

    Attributes:
        check: look for them.
        least_side_px: shorter side.
        least_sharpness: variance of the Laplacian of the grey picture at 512 px; photographs have
            hundreds, the same ones blurred by a hundredth of their width tens.
        most_clipped: share of pixels that are black, or white.
    """

    check: bool = False
    least_side_px: int = 64
    least_sharpness: float = 50.0
    most_clipped: float = 0.8

    def __post_init__(self) -> None:
        """Refuse what no picture could meet."""
        within("quality.least_side_px", self.least_side_px, 1, 100_000)
        within("quality.least_sharpness", self.least_sharpness, 0)
        share("quality.most_clipped", self.most_clipped)


def sharpness(grey: Image) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000) at ``LOOKED_AT_PX``.

    Args:
        grey: (H, W) uint8; smaller pictures stay as they are.
    """
    scale = LOOKED_AT_PX / max(grey.shape)
    if scale < 1:
        grey = np.asarray(
            cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
    return float(cv2.Laplacian(grey.astype(np.float32), cv2.CV_32F).var())


def fault(image: Image, rules: QualityConfig) -> str:
    """The first fault of a picture (H, W, 3) in words with its number; empty: none."""
    side = min(image.shape[:2])
    if side < rules.least_side_px:
        return f"small ({side} px)"
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    for word, clipped in (("dark", grey <= DARK), ("bright", grey >= BRIGHT)):
        if (part := float(clipped.mean())) > rules.most_clipped:
            return f"{word} ({part:.0%} of it)"
    if (sharp := sharpness(grey)) < rules.least_sharpness:
        return f"blurred (sharpness {sharp:.0f})"
    return ""
