"""Trees, bushes and beds: many small leaf patches around a trunk, moved by the wind."""

from dataclasses import dataclass

import numpy as np

from tlae.lab.scenes.camera import SceneCamera
from tlae.lab.sites.shadows import Slice, round_slices
from tlae.lab.sites.sprites import Colour, Face, Material, Place, Sprite, faces_sprite

SWAYS = 4  # positions of branches that are drawn; the wind picks one for every frame
BARK: Colour = (0.10, 0.075, 0.055)


@dataclass(frozen=True)
class Plant:
    """A tree or bush.

    Attributes:
        x, z: foot in metres.
        height: of its top.
        crown: half width, and height where leaves begin.
        leaves: number of patches in summer.
        patch: radius of a patch in metres.
        colour: of its leaves.
        evergreen: keeps its leaves in winter.
        seed: of its shape.
    """

    x: float
    z: float
    height: float
    crown: tuple[float, float]
    leaves: int
    patch: float
    colour: Colour
    evergreen: bool = False
    seed: int = 0

    def sprite(self, camera: SceneCamera, leafy: float, sway: int) -> Sprite | None:
        """As the camera sees it; ``leafy`` from 0 (bare) to 1, ``sway`` below ``SWAYS``."""
        return faces_sprite(camera, self.faces(leafy, sway))

    def faces(self, leafy: float, sway: int) -> list[Face]:
        """Trunk, branches and the leaf patches that have come out."""
        rng = np.random.default_rng([self.seed, 31])
        half, begins = self.crown
        faces = self._wood(rng, sway)
        count = self.leaves if self.evergreen else round(self.leaves * leafy)
        middle, half_h = (self.height + begins) / 2, (self.height - begins) / 2
        wind = np.random.default_rng([self.seed, 32, sway])
        for _ in range(self.leaves):
            away = rng.normal(size=3)
            away *= rng.random() ** 0.25 / np.linalg.norm(away)
            shade, size = rng.uniform(0.65, 1.2), rng.uniform(0.6, 1.3) * self.patch
            hue, ring = rng.normal(0, 0.05, 3), rng.uniform(0.55, 1.2, 9)
            tilt = rng.normal(0, 0.5, 3)
            moved = wind.normal(0, 0.035, 2) * (1 + away[1])
            if count <= 0:
                break
            count -= 1
            centre = (
                self.x + half * away[0] + moved[0],
                middle + half_h * away[1] + moved[1],
                self.z + half * away[2],
            )
            deep = 0.55 + 0.45 * (0.5 + 0.5 * away[1]) * min(1.0, float(np.linalg.norm(away)) + 0.1)
            colour = np.clip(np.array(self.colour) * (1 + hue) * shade * deep, 0.005, 0.9)
            faces.append(_patch(centre, size, ring, tuple(colour), away + tilt))
        return faces

    def _wood(self, rng: np.random.Generator, sway: int) -> list[Face]:
        half, begins = self.crown
        if begins < 0.3:
            return []
        thick = 0.035 * self.height
        faces = [_limb((self.x, 0, self.z), (self.x, begins + 0.4, self.z), thick, thick * 0.8)]
        top = (self.x, self.height * 0.93, self.z)
        faces.append(_limb((self.x, begins, self.z), top, thick * 0.75, thick * 0.15))
        wind = np.random.default_rng([self.seed, 33, sway])
        for _ in range(11):
            start = rng.uniform(begins, 0.5 * (begins + self.height))
            angle, out = rng.uniform(-1, 1), rng.uniform(0.5, 0.95)
            end_y = start + rng.uniform(0.35, 0.9) * (self.height - start) * 0.9
            end = (
                self.x + half * out * angle + wind.normal(0, 0.02),
                end_y,
                self.z + half * rng.uniform(-0.5, 0.5),
            )
            faces.append(_limb((self.x, start, self.z), end, thick * 0.4, thick * 0.08))
            for _ in range(3):
                share = rng.uniform(0.4, 0.9)
                base = [
                    a + (b - a) * share for a, b in zip((self.x, start, self.z), end, strict=True)
                ]
                tip = (
                    base[0] + rng.normal(0, 0.3 * half),
                    base[1] + rng.uniform(0.2, 0.9),
                    base[2],
                )
                faces.append(_limb((base[0], base[1], base[2]), tip, thick * 0.15, thick * 0.04))
        return faces

    def slices(self, leafy: float) -> list[Slice]:
        """What casts its shadow: thinner crowns cast smaller ones."""
        half, begins = self.crown
        leafy = 1.0 if self.evergreen else leafy
        trunk = 0.03 * self.height
        radii = [(height, trunk) for height in np.linspace(0.3, self.height * 0.8, 7)]
        wide = half * (0.25 + 0.65 * leafy**0.5)
        if self.evergreen or leafy > 0.12:
            for share in (0.1, 0.3, 0.5, 0.7, 0.9):
                radius = wide * (1 - (2 * share - 1) ** 2) ** 0.5
                radii.append((begins + share * (self.height - begins), radius))
        return round_slices((self.x, self.z), radii, 9)


def _limb(start: Place, end: Place, thick: float, thin: float) -> Face:
    a, b = np.array(start), np.array(end)
    along = b - a
    side = np.array([along[1], -along[0], 0.0])
    side /= max(float(np.linalg.norm(side)), 1e-6)
    points = np.stack([a - side * thick, a + side * thick, b + side * thin, b - side * thin])
    return Face(points, BARK, Material.WALL, (float(side[0]) * 0.5, 0.2, -0.85))


def _patch(
    centre: Place, size: float, ring: np.ndarray, colour: tuple[float, ...], facing: np.ndarray
) -> Face:
    angles = np.linspace(0, 2 * np.pi, len(ring), endpoint=False)
    points = np.stack(
        [
            centre[0] + size * ring * np.cos(angles),
            centre[1] + 0.75 * size * ring * np.sin(angles),
            np.full(len(ring), centre[2]),
        ],
        axis=1,
    )
    facing = facing + np.array([0, 0.5, -0.4])
    unit = facing / max(float(np.linalg.norm(facing)), 1e-6)
    normal = (float(unit[0]), float(unit[1]), float(unit[2]))
    return Face(points, (colour[0], colour[1], colour[2]), Material.LEAVES, normal)
