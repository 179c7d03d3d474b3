"""Which car stands in which slot, from when to when; who drives through; the delivery."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tlae.lab.sites.options import SiteOptions
from tlae.lab.sites.vehicles import Vehicle, draw_vehicle

SLOT_M, DEPTH_M = 2.6, 5.0
DELIVERY_H = 10.5
HOURLY = np.concatenate(  # arrivals of visitors an hour, in shares of the busiest
    [
        (0, 0, 0, 0, 0, 0.05, 0.2, 0.6, 0.9, 1, 0.9, 0.8),
        (0.9, 0.8, 0.9, 0.9, 0.8, 0.6, 0.4, 0.25, 0.15, 0.08, 0.03, 0),
    ]
)


@dataclass(frozen=True)
class Row:
    """Slots side by side; cars stand with their front away from the camera, or towards it."""

    near: float
    slots: int
    away: bool


ROWS = (
    Row(10.6, 6, True),
    Row(22.4, 10, True),
    Row(27.6, 10, False),
    Row(39.2, 15, True),
)


@dataclass(frozen=True)
class Stay:
    """A vehicle that stands at a place from one moment to another (in days, from the first)."""

    vehicle: Vehicle
    x: float
    z: float
    heading: float
    come: float
    leave: float


class Traffic:
    """All cars of all days."""

    def __init__(self, options: SiteOptions) -> None:
        self.options = options
        self.rng = np.random.default_rng([options.seed, 51])
        self.slots = [
            ((number - (row.slots - 1) / 2) * SLOT_M, row.near + DEPTH_M / 2, row.away)
            for row in ROWS
            for number in range(row.slots)
        ]
        self.busy: list[list[tuple[float, float]]] = [[] for _ in self.slots]
        self.stays: list[Stay] = []
        self._regulars()
        self._residents()
        self._visitors()
        self._deliveries()
        self.stays.sort(key=lambda stay: stay.come)
        self.come = np.array([stay.come for stay in self.stays])
        self.leave = np.array([stay.leave for stay in self.stays])

    def working(self, day: int) -> bool:
        """True from Monday to Friday."""
        return self.options.taken_at(day * self.options.frames_a_day).weekday() < 5

    def _park(self, slot: int, vehicle: Vehicle, come: float, leave: float) -> bool:
        if any(come < end + 0.004 and leave > start - 0.004 for start, end in self.busy[slot]):
            return False
        self.busy[slot].append((come, leave))
        x, z, away = self.slots[slot]
        if self.rng.random() < 0.15:  # backed in
            away = not away
        heading = (0.0 if away else np.pi) + self.rng.normal(0, 0.025)
        x, z = x + self.rng.normal(0, 0.13), z + self.rng.normal(0, 0.16)
        self.stays.append(Stay(vehicle, float(x), float(z), float(heading), come, leave))
        return True

    def _regulars(self) -> None:
        """People who work here: the same car in the same slot at about the same hours."""
        for slot in self.rng.permutation(len(self.slots))[:20].tolist():
            vehicle = draw_vehicle(self.rng)
            come, leave = self.rng.uniform(6.8, 9.4), self.rng.uniform(15.4, 18.6)
            for day in range(self.options.all_days):
                absent = self.rng.random() < (0.12 if self.working(day) else 0.94)
                late = self.rng.normal(0, 0.2, 2)
                if not absent:
                    self._park(
                        slot, vehicle, day + (come + late[0]) / 24, day + (leave + late[1]) / 24
                    )

    def _residents(self) -> None:
        """Neighbours who leave their car over night."""
        for slot in self.rng.permutation(len(self.slots))[:5].tolist():
            vehicle = draw_vehicle(self.rng)
            come, leave = self.rng.uniform(17.5, 20), self.rng.uniform(6.2, 8)
            for day in range(-1, self.options.all_days):
                if self.rng.random() < 0.8:
                    start = day + (come + self.rng.normal(0, 0.4)) / 24
                    stays = 2 if self.working(day) is False and self.rng.random() < 0.5 else 1
                    self._park(slot, vehicle, start, day + stays + leave / 24)

    def _visitors(self) -> None:
        for day in range(self.options.all_days):
            share = 1.0 if self.working(day) else 0.22
            for hour in range(24):
                for _ in range(self.rng.poisson(5.0 * HOURLY[hour] * share)):
                    come = day + (hour + self.rng.random()) / 24
                    leave = come + float(np.clip(self.rng.gamma(1.6, 0.7), 0.15, 6)) / 24
                    vehicle = draw_vehicle(self.rng)
                    for slot in self.rng.permutation(len(self.slots))[:6].tolist():
                        if self._park(slot, vehicle, come, leave):
                            break

    def _deliveries(self) -> None:
        """The same white van before the entrance, every working day at the same hour."""
        van = Vehicle("van", (0.62, 0.6, 0.5))
        for day in range(self.options.all_days):
            if self.working(day):
                come = day + (DELIVERY_H + self.rng.normal(0, 0.06)) / 24
                leave = come + self.rng.uniform(0.3, 0.6) / 24
                x = 0.6 + self.rng.normal(0, 0.2)
                self.stays.append(Stay(van, float(x), 43.4 - 5.2, np.pi / 2, come, leave))

    def bustle(self, frame: int) -> float:
        """How busy it is, 0 to 1."""
        at = frame / self.options.frames_a_day
        hour = (at % 1) * 24
        share = 1.0 if self.working(int(at)) else 0.3
        return float(np.interp(hour, np.arange(24) + 0.5, HOURLY) * share)

    def at(self, frame: int) -> Iterator[Stay]:
        """Every vehicle in one frame, standing or driving."""
        now = frame / self.options.frames_a_day
        for number in np.flatnonzero((self.come <= now) & (self.leave > now)).tolist():
            yield self.stays[number]
        rng = np.random.default_rng([self.options.seed, 52, frame])
        for _ in range(rng.poisson(0.5 * self.bustle(frame))):
            lane, side = (18.0, 1) if rng.random() < 0.5 else (20.6, -1)
            if rng.random() < 0.5:
                lane += 16.5
            x = rng.uniform(-13, 8.5)
            yield Stay(draw_vehicle(rng), float(x), float(lane), side * np.pi / 2, now, now)
