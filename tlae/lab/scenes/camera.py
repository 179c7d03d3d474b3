"""The camera over the plaza: where a point in metres lies in the picture."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]

HEIGHT_M = 9.0  # of the plaza's camera above the ground
# Sunlight moves a point this far right and nearer for each metre of height.
SUN_RIGHT, SUN_NEARER = 0.62, 0.34


@dataclass(frozen=True)
class SceneCamera:
    """Pinhole camera with upright verticals (shifted, not tilted).

    World axes in metres: x right, y up, z away; the camera stands at (0, ``height_m``, 0). Picture
    coordinates in pixels have their origin at the outer corner of the top left pixel. The defaults
    are those of the plaza.

    Attributes:
        size_hw: picture in pixels.
        height_m: of the camera above the ground.
        focal: size of one metre at one metre's distance, in picture heights.
        horizon: row of the horizon, in picture heights; negative above the picture.
        low: it looks so flatly over the ground that shadows must be drawn thinner than bodies.
    """

    size_hw: tuple[int, int]
    height_m: float = HEIGHT_M
    focal: float = 1.5
    horizon: float = -0.15
    low: bool = False

    @property
    def focal_px(self) -> float:
        """Size in pixels of one metre at one metre's distance."""
        return self.focal * self.size_hw[0]

    @property
    def horizon_px(self) -> float:
        """Row of the horizon."""
        return self.horizon * self.size_hw[0]

    def project(self, points: Points) -> Points:
        """World (N, 3) in metres to picture (N, 2), x then y, in pixels."""
        scale = self.focal_px / points[:, 2]
        x = self.size_hw[1] / 2 + points[:, 0] * scale
        y = self.horizon_px + (self.height_m - points[:, 1]) * scale
        return np.stack([x, y], axis=1)

    def half_width_m(self, z: float) -> float:
        """Half of what the picture shows across, in metres, at distance ``z``."""
        return self.size_hw[1] / 2 * z / self.focal_px

    def shadow_scale(self, z: float) -> float:
        """Thickness in pixels of the shadow of something a metre thick, at distance ``z``."""
        scale = self.focal_px / z
        return scale * min(1.0, 1.3 * self.height_m / z) if self.low else scale


def ground_shadow(points: Points) -> Points:
    """Where the shadow of each world point (N, 3) falls on the ground (N, 3)."""
    x, y, z = points.T
    return np.stack([x + SUN_RIGHT * y, np.zeros_like(y), z - SUN_NEARER * y], axis=1)
