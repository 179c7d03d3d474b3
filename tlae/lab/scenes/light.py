"""Daylight that drifts slowly in strength and colour."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Period in seconds and size of each wave of brightness: passing haze, thin clouds.
_WAVES = ((97.0, 0.035), (41.0, 0.02), (17.0, 0.008))
_WARMTH_S, _WARMTH = 73.0, 0.012  # period and size of the change from bluish to reddish


@dataclass(frozen=True, slots=True)
class Light:
    """Daylight of one clip; each phase is in radians."""

    phases: tuple[float, ...]
    warm_phase: float

    def gains(self, time_s: float) -> npt.NDArray[np.float64]:
        """Factors on red, green and blue at a moment, near 1."""
        brightness = 1 + sum(
            size * math.sin(2 * math.pi * time_s / period + phase)
            for (period, size), phase in zip(_WAVES, self.phases, strict=True)
        )
        warmth = _WARMTH * math.sin(2 * math.pi * time_s / _WARMTH_S + self.warm_phase)
        return brightness * np.array([1 + warmth, 1.0, 1 - warmth])


def random_light(rng: np.random.Generator) -> Light:
    """Start somewhere in the drift."""
    *phases, warm_phase = rng.uniform(0, 2 * math.pi, len(_WAVES) + 1).tolist()
    return Light(tuple(phases), warm_phase)
