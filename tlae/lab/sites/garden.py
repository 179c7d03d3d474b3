"""The garden behind a house: plants grow, chairs are moved, laundry dries, animals pass."""

from collections.abc import Iterable
from functools import lru_cache, partial

import numpy as np

from tlae.lab.scenes.camera import SceneCamera
from tlae.lab.sites.flora import SWAYS, Plant
from tlae.lab.sites.garden_ground import HOUSE_M, WINDOWS, garden_ground, houses
from tlae.lab.sites.garden_things import chair, laundry, parasol
from tlae.lab.sites.lighting import Lamp
from tlae.lab.sites.options import SiteOptions
from tlae.lab.sites.people import bird, four_legs, person, person_slices
from tlae.lab.sites.shadows import round_slices
from tlae.lab.sites.site import Piece, Site
from tlae.lab.sites.sprites import (
    Buffers,
    Colour,
    Floats,
    Material,
    Place,
    box_faces,
    faces_sprite,
    flat_sprite,
)

WARM = np.array([1.0, 0.66, 0.34], np.float32)
TABLE_M = (-1.7, 7.7)
WOOD: Colour = (0.24, 0.145, 0.08)
LINE_M = (-7.2, -2.2, 17.5)  # of the laundry: from x to x, at z
WARM_HOURS = (9.0, 20.0)


class Garden(Site):
    """A terrace, a lawn and beds before a fence; dusk, seasons and people change them."""

    faces_deg = 75.0

    def __init__(self, options: SiteOptions) -> None:
        super().__init__(options)
        self.camera = SceneCamera(options.size_hw, 4.3, 0.95, 0.2)
        self.lamps = (
            Lamp((3.9, 2.5, 6.6), WARM * 0.5, -2.0, until_h=22.75, from_h=5.6, glows_px=6),
            Lamp((-5.6, 1.1, 13.6), WARM * 0.16, -1.0, glows_px=3),
            Lamp((5.2, 1.1, 17.2), WARM * 0.16, -1.2, glows_px=3),
            Lamp((-16.5, 6.0, 31.0), np.array([1.0, 0.85, 0.65], np.float32) * 3.0, -0.4),
        )
        self.used = self._last_used()
        self._growing = lru_cache(500)(self._grown)
        self._add_plants()
        self._add_fixtures()

    def _add_plants(self) -> None:
        apple, birch, dark = (0.05, 0.085, 0.022), (0.065, 0.10, 0.025), (0.022, 0.045, 0.018)
        self.plants["tree 1"] = Plant(5.9, 14.5, 4.6, (1.8, 1.5), 190, 0.32, apple, seed=101)
        self.plants["tree 2"] = Plant(-9.6, 21.0, 6.8, (2.2, 2.0), 190, 0.4, birch, seed=102)
        self.plants["tree 3"] = Plant(2.0, 27.5, 7.5, (2.6, 2.2), 170, 0.5, birch, seed=103)
        self.plants["tree 4"] = Plant(-1.8, 29.5, 8.8, (1.6, 0.8), 170, 0.5, dark, True, 104)
        for number in range(7):
            x, z = -13.0 + 4.1 * number, 23.0 + 0.3 * (number % 2)
            self.plants[f"bush {number + 1}"] = Plant(
                x,
                z,
                1.0 + 0.3 * (number % 3),
                (0.8, 0.1),
                60,
                0.24,
                dark,
                number % 2 == 0,
                110 + number,
            )

    def _add_fixtures(self) -> None:
        for number in range(13):
            x = -15.6 + 2.4 * number
            self.fixtures[f"fence {number + 1}"] = self.boxes(
                [
                    ((x, 0.08, 24.0), (2.34, 1.65, 0.06), (0.21, 0.145, 0.095)),
                    ((x - 1.2, 0, 24.0), (0.12, 1.85, 0.12), (0.14, 0.1, 0.07)),
                ]
            )
        clay: Colour = (0.36, 0.15, 0.08)
        for number, (x, z) in enumerate(((3.2, 8.4), (-4.4, 8.6), (4.3, 8.7))):
            self.fixtures[f"pot {number + 1}"] = self.boxes(
                [
                    ((x, 0, z), (0.5, 0.5, 0.5), clay),
                    ((x, 0.5, z), (0.42, 0.4, 0.42), (0.04, 0.08, 0.02)),
                ]
            )
        grey: Colour = (0.33, 0.33, 0.31)
        self.fixtures["bird bath"] = self.boxes(
            [
                ((-1.6, 0, 13.6), (0.25, 0.75, 0.25), grey),
                ((-1.6, 0.75, 13.6), (0.8, 0.14, 0.8), grey),
            ]
        )
        green: Colour = (0.03, 0.13, 0.07)
        self.fixtures["wheelbarrow"] = self.boxes(
            [
                ((7.6, 0.3, 18.2), (1.1, 0.4, 0.7), green),
                ((7.2, 0, 18.2), (0.2, 0.4, 0.12), (0.03, 0.03, 0.03)),
                ((8.5, 0.55, 18.2), (0.9, 0.06, 0.6), WOOD),
            ]
        )
        self.fixtures["water butt"] = self.boxes([((8.2, 0, 20.4), (0.75, 1.15, 0.75), green)])
        self.fixtures["bench"] = self.boxes(
            [
                ((0.2, 0.4, 20.6), (1.8, 0.08, 0.5), WOOD),
                ((0.2, 0.5, 20.85), (1.8, 0.5, 0.07), WOOD),
                ((-0.55, 0, 20.6), (0.1, 0.4, 0.45), WOOD),
                ((0.95, 0, 20.6), (0.1, 0.4, 0.45), WOOD),
            ]
        )

    def base(self) -> Buffers:
        """Ground, sky and all that never moves."""
        buffers = self.ground(partial(garden_ground, self.options.seed))
        faces = houses()
        for x, _, z in (lamp.place for lamp in self.lamps):
            top = next(lamp.place[1] for lamp in self.lamps if lamp.place[::2] == (x, z))
            faces += box_faces((x, 0, z + 0.12), (0.09, top, 0.09), (0.12, 0.12, 0.12))
        for x in LINE_M[:2]:
            faces += box_faces((x, 0, LINE_M[2]), (0.08, 2.0, 0.08), (0.3, 0.3, 0.3))
        sprite = faces_sprite(self.camera, faces)
        if sprite is not None:
            buffers.put(sprite)
        self._glass = buffers.material == Material.GLASS
        self._lit = self._window_numbers()
        return buffers

    def _window_numbers(self) -> np.ndarray:
        """Which of the neighbours' windows each pixel shows, else -1."""
        height, width = self.camera.size_hw
        numbers = np.full((height, width), -1)
        for number, (x, y) in enumerate(WINDOWS):
            corners = np.array([(x - 0.1, y + 1.4, HOUSE_M), (x + 1.4, y - 0.1, HOUSE_M)])
            (left, top), (right, bottom) = self.camera.project(corners).round().astype(int)
            numbers[max(0, top) : max(0, bottom), max(0, left) : max(0, right)] = number
        return np.where(self._glass, numbers, -1)

    def windows(self, frame: int) -> Floats | None:
        """The neighbours are at home in the evening, each at hours of their own."""
        hour, day = self.hour(frame), frame // self.options.frames_a_day
        rng = np.random.default_rng([self.options.seed, 82, day])
        count = len(WINDOWS)
        first, last = rng.uniform(16, 20.5, count), rng.uniform(20, 24, count)
        early = rng.uniform(6, 8, count)
        lit = (hour > first) & (hour < last) | (hour > early) & (hour < early + 0.8)
        power = (0.07 * lit * rng.uniform(0.4, 1.3, count)).astype(np.float32)
        light = np.where(self._lit >= 0, power[np.maximum(self._lit, 0)], 0)
        return np.asarray(light[..., None] * WARM, np.float32)

    def _pleasant(self, frame: int) -> bool:
        """Dry and light enough to be outside."""
        weather = self.weather
        dry = weather.rain[frame] + weather.wet[frame] + weather.snow[frame] < 0.1
        return bool(dry and WARM_HOURS[0] < self.hour(frame) < WARM_HOURS[1])

    def _today(self, frame: int, what: int) -> np.random.Generator:
        day = frame // self.options.frames_a_day
        return np.random.default_rng([self.options.seed, 83, what, day])

    def visitors(self, frame: int) -> Iterable[Piece]:
        """Beds, furniture, laundry, people and animals in one frame."""
        yield from self._beds(frame)
        yield from self._furniture(frame)
        if self._today(frame, 1).random() < 0.35 and self._pleasant(frame):
            yield self._laundry(frame)
        yield from self._people(frame)
        yield from self._animals(frame)

    def _beds(self, frame: int) -> Iterable[Piece]:
        """Plants in the beds grow from April to July, a little every second day."""
        day = self.options.taken_at(frame).timetuple().tm_yday
        grown = 1 / (1 + np.exp(-(day - 125) / 16)) - 1 / (1 + np.exp(-(day - 300) / 8))
        rng = np.random.default_rng([self.options.seed, 84, frame])
        step, sway = round(40 * max(0.06, float(grown))), int(rng.integers(SWAYS))
        for number in range(14):
            yield self._growing(number, step, sway)

    def _grown(self, number: int, step: int, sway: int) -> Piece:
        rng = np.random.default_rng([self.options.seed, 85, number])
        size = step / 40 * rng.uniform(0.7, 1.2) + 0.05
        row, column = divmod(number, 7)
        x, z = -6.6 - 0.75 * row - 0.25 * column, 12.2 + 0.75 * column - 0.3 * row
        green = np.array((0.05, 0.10, 0.025)) * rng.uniform(0.7, 1.4, 3)
        colour: Colour = (float(green[0]), float(green[1]), float(green[2]))
        plant = Plant(
            x,
            z,
            1.0 * size,
            (0.42 * size, 0.02),
            26,
            0.16 * size + 0.02,
            colour,
            True,
            200 + number,
        )
        return Piece(plant.sprite(self.camera, 1.0, sway), plant.slices(1.0))

    def _furniture(self, frame: int) -> Iterable[Piece]:
        """A table, four chairs that stay where they were left last, a parasol on fine days."""
        rng = np.random.default_rng([self.options.seed, 86, self.used[frame] + 1])
        x, z = TABLE_M[0] + rng.normal(0, 0.06), TABLE_M[1] + rng.normal(0, 0.05)
        legs: list[tuple[Place, Place, Colour]] = [
            ((x + right, 0, z + away), (0.07, 0.7, 0.07), WOOD)
            for right in (-0.75, 0.75)
            for away in (-0.35, 0.35)
        ]
        yield self.boxes([((x, 0.7, z), (1.7, 0.06, 0.9), WOOD), *legs])
        for right, away in ((-0.5, -0.75), (0.5, -0.75), (-0.5, 0.8), (0.5, 0.8)):
            shift = rng.normal(0, 0.16, 2)
            yield self.piece(
                *chair(
                    x + right + shift[0],
                    z + away + abs(shift[1]) * np.sign(away),
                    float(rng.normal(0, 0.3)),
                    away,
                )
            )
        sunny = self.weather.cover[frame] < 0.55 and self._pleasant(frame)
        if sunny and self._today(frame, 2).random() < 0.5 and 11 < self.hour(frame) < 18:
            yield self.piece(*parasol(x + 1.25, z + 0.2))

    def _last_used(self) -> np.ndarray:
        """For each frame, the last one until then in which somebody sat here, else -1."""
        sat = np.full(self.options.all_days * self.options.frames_a_day, -1)
        for day in range(self.options.all_days):
            rng = np.random.default_rng([self.options.seed, 83, 3, day])
            start, long = rng.uniform(10, 18), rng.uniform(0.3, 1.5)
            for step in range(self.options.frames_a_day):
                frame = day * self.options.frames_a_day + step
                hour = step * 24 / self.options.frames_a_day
                if start <= hour < start + long and self._pleasant(frame):
                    sat[frame] = frame
        return np.asarray(np.maximum.accumulate(sat))

    def _laundry(self, frame: int) -> Piece:
        now = np.random.default_rng([self.options.seed, 87, frame])
        blown = float(self.weather.wind[frame])
        return self.piece(*laundry(LINE_M, blown, self._today(frame, 5), now))

    def _people(self, frame: int) -> Iterable[Piece]:
        rng = np.random.default_rng([self.options.seed, 88, frame])
        if self.used[frame] == frame:
            x, z = TABLE_M[0] + rng.choice([-0.5, 0.5]), TABLE_M[1] + 0.8
            parts = person(rng, seated=True)
            yield Piece(flat_sprite(self.camera, (x, 0, z), parts), person_slices(x, z, True))
        mows = self._today(frame, 6)
        if mows.random() < 0.16 and self._pleasant(frame):
            start = mows.uniform(10, 17)
            if start <= self.hour(frame) < start + 0.6:
                yield from self._mower(rng)
        if self._pleasant(frame) and rng.random() < 0.10:
            x, z = self.place_for(rng)
            yield Piece(flat_sprite(self.camera, (x, 0, z), person(rng)), person_slices(x, z))

    def _mower(self, rng: np.random.Generator) -> Iterable[Piece]:
        x, z = rng.uniform(-4, 4), rng.uniform(10.5, 19)
        yield self.boxes(
            [
                ((x, 0.08, z), (0.6, 0.25, 0.5), (0.40, 0.06, 0.03)),
                ((x, 0.33, z), (0.3, 0.15, 0.3), (0.05, 0.05, 0.05)),
            ]
        )
        yield Piece(
            flat_sprite(self.camera, (x + 0.9, 0, z), person(rng)), person_slices(x + 0.9, z)
        )

    def _animals(self, frame: int) -> Iterable[Piece]:
        rng = np.random.default_rng([self.options.seed, 89, frame])
        x, z = self.place_for(rng)
        kind, hour = rng.random(), self.hour(frame)
        if kind < 0.025:
            colours: tuple[Colour, ...] = ((0.03, 0.03, 0.03), (0.3, 0.16, 0.06), (0.3, 0.3, 0.29))
            parts = four_legs(0.45, colours[self.options.seed % 3], 0.5)
        elif kind < 0.08 and 6 < hour < 19:
            parts = bird((0.03, 0.03, 0.03) if rng.random() < 0.6 else (0.25, 0.25, 0.27))
        else:
            return
        sign = 1 if rng.random() < 0.5 else -1
        parts = [(outline * (sign, 1), colour, material) for outline, colour, material in parts]
        yield Piece(
            flat_sprite(self.camera, (x, 0, z), parts), round_slices((x, z), [(0.15, 0.15)], 6)
        )

    def place_for(self, rng: np.random.Generator) -> tuple[float, float]:
        """A free place (x, z) on the lawn."""
        z = float(rng.uniform(9.8, 20.0))
        wide = min(4.6, self.camera.half_width_m(z) - 1.5)
        return float(rng.uniform(-wide, wide)), z
