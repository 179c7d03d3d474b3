"""The street of the deep view: where walls, grass and alleys are, in metres.

The street leads away from a camera on a low post. Walls stand on both sides; an alley and, at the
end, another street cross it. Grass lies on two islands in its middle and before the right wall.
"""

from dataclasses import dataclass

import numpy as np

from tlae.lab.scenes.camera import SceneCamera

FOCAL, HORIZON, POST_M = 1.45, 0.18, 2.8
LAYOUT_ASPECT = 1.5  # width by height of the picture for which the street was laid out

LEFT_WALL_X, RIGHT_WALL_X, END_WALL_Z = -8.0, 9.5, 48.0
WALLS_Z = ((0.0, 22.0), (25.5, 37.0))  # nothing but the ends of these hides what is behind a wall
ISLAND_X = 1.25  # half its width
ISLANDS_Z = ((7.4, 20.8), (26.8, 35.5))
LAWN_X = 4.4
LAWNS_Z = ((7.4, 20.8), (26.8, 36.0))
ALLEY_Z, CROSSING_Z = 23.7, 6.2  # middle of the alley; people cross here close to the camera
CROSS_STREET_Z = (40.0, 42.6)


def street_camera(size_hw: tuple[int, int]) -> SceneCamera:
    """The camera on its post; people at 5 m fill half of the picture's height."""
    return SceneCamera(size_hw, POST_M, FOCAL, HORIZON, low=True)


@dataclass(frozen=True)
class Street:
    """The street as wide as the picture asks for.

    Attributes:
        widening: factor on everything across, 1 for a picture of 3:2.
    """

    widening: float

    @classmethod
    def before(cls, camera: SceneCamera) -> "Street":
        """The street that fits a camera's picture."""
        height, width = camera.size_hw
        return cls(width / height / LAYOUT_ASPECT)

    @property
    def elbow_room(self) -> float:
        """Factor on how far people are apart; below 1 in a narrow street."""
        return min(1.0, self.widening)

    def on_grass(self, x: np.ndarray, z: np.ndarray, margin_m: float = 0.0) -> np.ndarray:
        """Whether points on the ground lie on grass or up to ``margin_m`` beside it."""
        x = x / self.widening
        margin_x = margin_m / self.widening
        island = np.abs(x) < ISLAND_X + margin_x
        lawn = x > LAWN_X - margin_x
        found = np.zeros(np.broadcast(x, z).shape, bool)
        for strip, stretches in ((island, ISLANDS_Z), (lawn, LAWNS_Z)):
            for near, far in stretches:
                found |= strip & (z > near - margin_m) & (z < far + margin_m)
        return found

    def in_sight(
        self, camera: SceneCamera, x: np.ndarray, z: np.ndarray, reach_m: float
    ) -> np.ndarray:
        """Whether something that reaches ``reach_m`` across shows, by frame and walls."""
        seen = np.abs(x) < z * camera.half_width_m(1.0) + reach_m
        for _, corner in WALLS_Z:
            behind = z > corner
            left, right = (self.widening * side / corner for side in (LEFT_WALL_X, RIGHT_WALL_X))
            inside = (x > left * z - reach_m) & (x < right * z + reach_m)
            seen &= ~behind | inside
        return np.asarray(seen)
