"""The car park: four rows of slots before an office building, seen from a mast."""

from collections.abc import Iterable
from functools import partial

import numpy as np

from tlae.lab.scenes.camera import SceneCamera
from tlae.lab.sites.carpark_cars import Traffic
from tlae.lab.sites.carpark_ground import (
    FACADE_M,
    STOREY_M,
    car_park_ground,
    mast,
    office_building,
)
from tlae.lab.sites.flora import Plant
from tlae.lab.sites.lighting import Lamp
from tlae.lab.sites.options import SiteOptions
from tlae.lab.sites.people import person, person_slices
from tlae.lab.sites.shadows import box_slices, round_slices
from tlae.lab.sites.site import Piece, Site
from tlae.lab.sites.sprites import (
    Buffers,
    Colour,
    Face,
    Floats,
    Material,
    Place,
    box_faces,
    faces_sprite,
    flat_sprite,
)
from tlae.lab.sites.vehicles import vehicle_faces, vehicle_foot, vehicle_slices

WARM = np.array([1.0, 0.72, 0.42], np.float32)
WHITE = np.array([1.0, 0.93, 0.80], np.float32)
BARRIER_M = (9.6, 19.2)  # x and z of its post


class Carpark(Site):
    """Cars come and go with a daily rhythm; the lamps follow the dusk."""

    faces_deg = 330.0

    def __init__(self, options: SiteOptions) -> None:
        super().__init__(options)
        self.camera = SceneCamera(options.size_hw, 7.5, 0.98, 0.17)
        self.traffic = Traffic(options)
        self.lamps = tuple(
            Lamp((x, 6.6, z), power * strength, below)
            for x, z, power, strength, below in (
                (-10.3, 19.3, WARM, 2.6, -0.5),
                (10.9, 25.5, WARM, 2.6, -1.3),
                (-13.9, 35.6, WARM, 2.4, -1.0),
                (17.0, 45.0, WHITE, 3.0, -0.2),
                (-2.0, 45.5, WHITE, 2.2, -1.8),
            )
        )
        self._parked: dict[object, Piece] = {}
        self._add_plants()
        self._add_fixtures()

    def _add_plants(self) -> None:
        green = (0.045, 0.075, 0.02)
        for number, (x, z, height, half) in enumerate(
            (
                (-15.5, 27.5, 6.0, 2.2),
                (15.0, 27.5, 5.5, 2.0),
                (-19, 46.5, 7.5, 3.0),
                (9.5, 46.8, 6.5, 2.4),
            )
        ):
            self.plants[f"tree {number + 1}"] = Plant(
                x, z, height, (half, 2.0), 170, 0.42, green, seed=number
            )
        for number in range(9):
            self.plants[f"hedge {number + 1}"] = Plant(
                -9.0 + 1.4 * number,
                49.8,
                1.3,
                (1.0, 0.1),
                60,
                0.3,
                (0.03, 0.055, 0.018),
                True,
                20 + number,
            )

    def _add_fixtures(self) -> None:
        def boxes(name: str, parts: list[tuple[Place, Place, Colour]]) -> None:
            self.fixtures[name] = self.boxes(parts)

        boxes(
            "bin",
            [
                ((-8.9, 0, 17.0), (0.7, 1.1, 0.7), (0.05, 0.12, 0.06)),
                ((-8.9, 1.1, 17.0), (0.76, 0.1, 0.76), (0.04, 0.08, 0.05)),
            ],
        )
        boxes(
            "ticket machine",
            [
                ((8.3, 0, 22.0), (0.5, 1.6, 0.4), (0.25, 0.28, 0.32)),
                ((8.3, 1.6, 22.0), (0.6, 0.12, 0.5), (0.5, 0.45, 0.08)),
            ],
        )
        boxes(
            "bench",
            [
                ((3.4, 0.42, 46.3), (2.2, 0.1, 0.5), (0.22, 0.13, 0.07)),
                ((3.4, 0.5, 46.55), (2.2, 0.5, 0.08), (0.22, 0.13, 0.07)),
                ((2.5, 0, 46.3), (0.1, 0.45, 0.45), (0.1, 0.1, 0.1)),
                ((4.3, 0, 46.3), (0.1, 0.45, 0.45), (0.1, 0.1, 0.1)),
            ],
        )
        for number in range(2):
            x = 12.4 + 2.2 * number
            boxes(
                f"planter {number + 1}",
                [
                    ((x, 0, 46.0), (1.3, 0.7, 1.3), (0.3, 0.29, 0.27)),
                    ((x, 0.7, 46.0), (1.0, 0.45, 1.0), (0.05, 0.09, 0.03)),
                ],
            )
        boxes(
            "sign",
            [
                ((-7.9, 0, 23.2), (0.1, 2.2, 0.1), (0.3, 0.3, 0.3)),
                ((-7.9, 2.0, 23.15), (0.75, 0.75, 0.06), (0.04, 0.12, 0.45)),
            ],
        )
        for number in range(6):  # a fence beside the pavement
            x = -24.5 + 2.4 * number
            boxes(
                f"fence {number + 1}",
                [
                    ((x, 0.1, 48.6), (2.34, 1.6, 0.06), (0.2, 0.14, 0.09)),
                    ((x - 1.2, 0, 48.6), (0.12, 1.8, 0.12), (0.13, 0.09, 0.06)),
                ],
            )

    def base(self) -> Buffers:
        """Ground, sky and all that never moves."""
        buffers = self.ground(partial(car_park_ground, self.options.seed))
        for faces in (office_building(), *map(mast, self.lamps)):
            sprite = faces_sprite(self.camera, faces)
            if sprite is not None:
                buffers.put(sprite)
        post = faces_sprite(
            self.camera,
            box_faces((BARRIER_M[0], 0, BARRIER_M[1]), (0.35, 1.05, 0.35), (0.5, 0.3, 0.04)),
        )
        if post is not None:
            buffers.put(post)
        self._lit = self._window_numbers(buffers)
        return buffers

    def _window_numbers(self, buffers: Buffers) -> np.ndarray:
        """Which window each pixel of the facade's glass belongs to, else -1."""
        height, width = self.camera.size_hw
        x = (np.arange(width) + 0.5 - width / 2) / self.camera.focal_px * FACADE_M
        y = (self.camera.horizon_px - np.arange(height) - 0.5) / self.camera.focal_px * FACADE_M
        y = y + self.camera.height_m
        column = np.floor((x + 27.1) / 3.0).astype(int)
        storey = np.floor((y - 0.5) / STOREY_M).astype(int)
        numbers = np.clip(storey, 0, 1)[:, None] * 16 + np.clip(column, 0, 15)[None]
        glass = (buffers.material == Material.GLASS) & (np.abs(buffers.depth - FACADE_M) < 0.5)
        return np.where(glass, numbers, -1)

    def windows(self, frame: int) -> Floats | None:
        """Offices are lit in the evening, fewer and fewer; the entrance all night."""
        hour = self.hour(frame)
        day = frame // self.options.frames_a_day
        rng = np.random.default_rng([self.options.seed, 44, day])
        working = self.options.taken_at(frame).weekday() < 5
        leave, come = rng.uniform(16.5, 21.5, 32), rng.uniform(6.2, 9.0, 32)
        lit = (hour > come) & (hour < leave) & (rng.random(32) < (0.75 if working else 0.06))
        lit[9] = True
        power = (0.10 * lit * rng.uniform(0.5, 1.3, 32)).astype(np.float32)
        light = np.where(self._lit >= 0, power[np.maximum(self._lit, 0)], 0)
        return np.asarray(light[..., None] * WHITE, np.float32)

    def visitors(self, frame: int) -> Iterable[Piece]:
        """Cars, people and the barrier in one frame."""
        for stay in self.traffic.at(frame):
            key = (stay.vehicle, stay.x, stay.z, stay.heading)
            if key not in self._parked:
                if len(self._parked) > 300:
                    self._parked.clear()
                self._parked[key] = self.piece(
                    vehicle_faces(*key), vehicle_slices(*key), [vehicle_foot(*key)]
                )
            yield self._parked[key]
        yield from self._walkers(frame)
        yield self._barrier(frame)

    def _walkers(self, frame: int) -> Iterable[Piece]:
        rng = np.random.default_rng([self.options.seed, 45, frame])
        busy = self.traffic.bustle(frame)
        for _ in range(rng.poisson(1.6 * busy)):
            if rng.random() < 0.55:
                x, z = rng.uniform(-20, 20), rng.uniform(45, 48)
            else:
                x, z = (
                    rng.uniform(-9, 9),
                    rng.choice([rng.uniform(16.5, 22), rng.uniform(33, 38.5)]),
                )
            sprite = flat_sprite(self.camera, (x, 0, z), person(rng))
            foot = round_slices((x, z), [(0.0, 0.22)], 6)[0].plan
            yield Piece(sprite, person_slices(x, z), [foot])

    def _barrier(self, frame: int) -> Piece:
        """Down at night and at weekends, up in the rush hours, now and then in between."""
        rng = np.random.default_rng([self.options.seed, 46, frame])
        hour, working = self.hour(frame), self.options.taken_at(frame).weekday() < 5
        rush = working and (7.2 <= hour < 9.2 or 16 <= hour < 18)
        up = rush or rng.random() < 0.12 * self.traffic.bustle(frame)
        angle = 1.35 if up else 0.0
        faces, length = [], 4.6
        for part in range(8):
            ends = np.array([part, part + 1]) / 8 * length
            z, y = BARRIER_M[1] - ends * np.cos(angle), 1.0 + ends * np.sin(angle)
            colour = (0.5, 0.03, 0.03) if part % 2 else (0.6, 0.6, 0.58)
            for side in (-0.06, 0.06):
                x = np.full(4, BARRIER_M[0] + side)
                points = np.stack(
                    [x, [y[0], y[1], y[1] + 0.12, y[0] + 0.12], [z[0], z[1], z[1], z[0]]], axis=1
                )
                faces.append(Face(points, colour))
            wide = BARRIER_M[0] + np.array([-0.06, 0.06, 0.06, -0.06])
            top = np.stack(
                [wide, np.array([y[0], y[0], y[1], y[1]]) + 0.12, [z[0], z[0], z[1], z[1]]], axis=1
            )
            faces.append(Face(top, colour))
        slices = (
            []
            if up
            else box_slices(
                (BARRIER_M[0], 1.0, BARRIER_M[1] - length / 2), (0.14, 0.12, length), steps=1
            )
        )
        return self.piece(faces, slices)

    def place_for(self, rng: np.random.Generator) -> tuple[float, float]:
        """A free place (x, z) in a lane or on the pavement."""
        z = float(
            rng.choice([rng.uniform(17.3, 21.5), rng.uniform(33.2, 38), rng.uniform(45, 47.6)])
        )
        wide = min(15.0, self.camera.half_width_m(z) - 2.0)
        return float(rng.uniform(-wide, wide)), z
