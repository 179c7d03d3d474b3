"""What every site has: a camera, what stands for good, what comes and goes, lamps, seasons."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np

from tlae.lab.scenes.camera import SceneCamera
from tlae.lab.sites.flora import SWAYS, Plant
from tlae.lab.sites.lighting import Lamp
from tlae.lab.sites.options import SiteOptions
from tlae.lab.sites.shadows import Slice, box_slices
from tlae.lab.sites.sprites import (
    FAR_M,
    Buffers,
    Colour,
    Face,
    Floats,
    Material,
    Place,
    Polygon,
    Sprite,
    box_faces,
    faces_sprite,
    rays,
)
from tlae.lab.sites.weather import Weather, draw_weather

FINER = 3  # the ground is drawn so many times finer, then averaged


@dataclass(frozen=True)
class Piece:
    """Something in one frame: how it looks, what casts its shadow, where it touches the ground."""

    sprite: Sprite | None
    slices: list[Slice] = field(default_factory=list)
    feet: list[Polygon] = field(default_factory=list)


Ground = Callable[[Floats, Floats], tuple[Floats, Floats]]


class Site(ABC):
    """A place that a fixed camera looks at, for all of its days.

    Attributes:
        camera: where from.
        faces_deg: where to, from north over east.
        lamps: all of them.
        fixtures: by name, what stands there in every frame unless something happened to it.
        plants: by name.
    """

    camera: SceneCamera
    faces_deg: float
    lamps: tuple[Lamp, ...]

    def __init__(self, options: SiteOptions) -> None:
        self.options = options
        self.rng = np.random.default_rng([options.seed, 41])
        self.weather: Weather = draw_weather(
            options.taken_at(0), options.all_days, options.frames_a_day, options.seed
        )
        self.fixtures: dict[str, Piece] = {}
        self.plants: dict[str, Plant] = {}
        self._plant_piece = lru_cache(400)(self._drawn_plant)

    @abstractmethod
    def base(self) -> Buffers:
        """Ground, sky and all that never moves."""

    @abstractmethod
    def visitors(self, frame: int) -> Iterable[Piece]:
        """What comes and goes, as it is in one frame."""

    @abstractmethod
    def place_for(self, rng: np.random.Generator) -> tuple[float, float]:
        """A free place on the ground (x, z) for something that does not belong there."""

    def windows(self, frame: int) -> Floats | None:
        """Light (H, W, 3) of lit windows, or None; only pixels of glass take it."""
        return None

    def hour(self, frame: int) -> float:
        """Hour of the day, 0 to 24."""
        at = self.options.taken_at(frame)
        return at.hour + at.minute / 60

    def leafy(self, frame: int) -> float:
        """How many leaves are out, 0 to 1, in steps of a fortieth."""
        day = self.options.taken_at(frame).timetuple().tm_yday
        out = 1 / (1 + math.exp(-(day - 112) / 9)) - 1 / (1 + math.exp(-(day - 308) / 7))
        return round(max(0.0, out) * 40) / 40

    def tints(self, frame: int) -> Floats:
        """Colours of materials (9, 3) in this season, times their albedo."""
        day = self.options.taken_at(frame).timetuple().tm_yday
        green = 0.5 - 0.5 * math.cos(2 * math.pi * (day - 20) / 365.25)
        autumn = 1 / (1 + math.exp(-(day - 285) / 6))
        tints = np.ones((len(Material), 3), np.float32)
        winter = np.array([1.25, 1.02, 0.95], np.float32)
        summer = np.array([0.85, 1.05, 0.8], np.float32)
        tints[Material.GRASS] = winter * (1 - green) + summer * green
        fresh = math.exp(-(((day - 118) / 18) ** 2))
        tints[Material.LEAVES] = 1 + fresh * np.array([0.25, 0.3, 0.0])
        tints[Material.LEAVES] *= 1 + autumn * np.array([1.6, 0.15, -0.3])
        return tints

    def plant(self, name: str, frame: int) -> Piece:
        """A plant as it stands in one frame."""
        wind = float(self.weather.wind[frame])
        rng = np.random.default_rng([self.options.seed, 42, frame, self.plants[name].seed])
        sway = int(rng.integers(SWAYS)) if wind > 0.1 else 0
        return self._plant_piece(name, self.leafy(frame), sway)

    def _drawn_plant(self, name: str, leafy: float, sway: int) -> Piece:
        plant = self.plants[name]
        return Piece(plant.sprite(self.camera, leafy, sway), plant.slices(leafy))

    def piece(
        self,
        faces: list[Face],
        slices: list[Slice] | None = None,
        feet: list[Polygon] | None = None,
    ) -> Piece:
        """Flat faces as a piece."""
        return Piece(faces_sprite(self.camera, faces), slices or [], feet or [])

    def boxes(self, parts: list[tuple[Place, Place, Colour]]) -> Piece:
        """Boxes as a piece: foot of the middle, measures, colour of each."""
        faces: list[Face] = []
        slices: list[Slice] = []
        feet: list[Polygon] = []
        for centre, size, colour in parts:
            faces += box_faces(centre, size, colour)
            slices += box_slices(centre, size)
            if centre[1] == 0:
                feet.append(slices[-1].plan)
        return self.piece(faces, slices, feet)

    def ground(self, texture: Ground) -> Buffers:
        """Buffers of sky and ground.

        Args:
            texture: from x and z (h, w) in metres to albedo (h, w, 3) and material (h, w).
        """
        height, width = self.camera.size_hw
        fine = SceneCamera(
            (height * FINER, width * FINER),
            self.camera.height_m,
            self.camera.focal,
            self.camera.horizon,
        )
        right, up = rays(fine)
        below = up < -1e-4
        z = np.where(below, fine.height_m / np.maximum(-up, 1e-4), FAR_M).astype(np.float32)
        z = np.minimum(z, FAR_M)
        x = np.asarray(right * z, np.float32)
        albedo, material = texture(x, np.broadcast_to(z, x.shape).astype(np.float32))
        albedo = cv2.resize(albedo, (width, height), interpolation=cv2.INTER_AREA)
        material = material[FINER // 2 :: FINER, FINER // 2 :: FINER].astype(np.uint8)
        _, coarse_up = rays(self.camera)
        ground = np.broadcast_to(coarse_up < -1e-3, (height, width))
        depth = np.where(ground, self.camera.height_m / np.maximum(-coarse_up, 1e-3), FAR_M)
        normal = np.zeros((height, width, 3), np.float32)
        normal[..., 1] = 1
        return Buffers(
            np.asarray(albedo, np.float32),
            normal,
            depth.astype(np.float32),
            np.where(ground, material, np.uint8(Material.SKY)),
            np.zeros((height, width), np.int16),
        )
