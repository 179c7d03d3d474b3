"""Cast shadows: everything is a stack of level slices, and each slice is thrown onto the ground.

A map of the ground keeps, for every cell, how high the highest slice hangs on the ray that ends
there. A point is in shadow when the ray through it meets a slice above it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from tlae.lab.sites.sprites import Floats, Place, Polygon, turn

WEST_M, EAST_M, NEAR_M, DEEP_M = -34.0, 34.0, -8.0, 72.0  # the part of the ground that is kept
BIAS_M = 0.12
SHIFT = 4


@dataclass(frozen=True)
class Slice:
    """A level polygon (N, 2), x and z in metres, at a height."""

    plan: Polygon
    height: float


def box_slices(centre: Place, size: Place, turned: float = 0.0, steps: int = 4) -> list[Slice]:
    """Slices of a box, from its foot to its top."""
    half_w, half_d = size[0] / 2, size[2] / 2
    plan = np.array([(-half_w, -half_d), (half_w, -half_d), (half_w, half_d), (-half_w, half_d)])
    plan = turn(plan, turned) + np.array([centre[0], centre[2]])
    heights = centre[1] + size[1] * np.linspace(1 / steps, 1, steps)
    return [Slice(plan, float(height)) for height in heights]


def round_slices(
    centre: tuple[float, float], radii: Iterable[tuple[float, float]], corners: int = 10
) -> list[Slice]:
    """Discs: pairs of height and radius around an upright axis."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return [Slice(ring * radius + centre, height) for height, radius in radii]


class ShadowMap:
    """The highest slice over every cell of the ground, along the rays of one light."""

    def __init__(self, cell_m: float) -> None:
        self.cell_m = cell_m
        size = (round((DEEP_M - NEAR_M) / cell_m), round((EAST_M - WEST_M) / cell_m))
        self.heights = np.zeros(size, np.float32)

    def cast_sun(self, slices: list[Slice], towards: Floats) -> None:
        """Throw slices, sorted by height, along the sun's rays."""
        self.heights[:] = 0
        right, away = float(towards[0] / towards[1]), float(towards[2] / towards[1])
        for one in slices:
            self._fill(one.plan - (right * one.height, away * one.height), one.height)

    def cast_lamp(self, slices: list[Slice], lamp: Place, reach_m: float) -> None:
        """Throw slices, sorted by height, away from a lamp."""
        self.heights[:] = 0
        under = np.array([lamp[0], lamp[2]])
        for one in slices:
            offset = one.plan - under
            near = np.abs(offset).max() < reach_m
            if near and one.height < lamp[1] - 0.3:
                self._fill(under + offset * (lamp[1] / (lamp[1] - one.height)), one.height)

    def _fill(self, plan: Polygon, height: float) -> None:
        at = (plan - (WEST_M, NEAR_M)) * (2**SHIFT / self.cell_m)
        if np.abs(at).max() < 2**20:
            points = at.astype(np.int32)
            cv2.fillConvexPoly(self.heights, cv2.convexHull(points), height, shift=SHIFT)

    def _sample(self, x: Floats, z: Floats) -> Floats:
        return np.asarray(
            cv2.remap(
                self.heights,
                (x - WEST_M) / self.cell_m - 0.5,
                (z - NEAR_M) / self.cell_m - 0.5,
                cv2.INTER_LINEAR,
            ),
            np.float32,
        )

    def lit_by_sun(self, x: Floats, y: Floats, z: Floats, towards: Floats) -> Floats:
        """Share of sunlight (H, W) that arrives at points in metres."""
        right, away = float(towards[0] / towards[1]), float(towards[2] / towards[1])
        above = self._sample(x - right * y, z - away * y)
        lit = (above <= y + BIAS_M).astype(np.float32)
        return np.asarray(cv2.blur(lit, (3, 3)), np.float32)

    def lit_by_lamp(self, x: Floats, y: Floats, z: Floats, lamp: Place) -> Floats:
        """Share of a lamp's light (H, W) that arrives at points in metres."""
        stretch = lamp[1] / np.maximum(lamp[1] - y, 0.3)
        above = self._sample(lamp[0] + (x - lamp[0]) * stretch, lamp[2] + (z - lamp[2]) * stretch)
        lit = (above <= y + BIAS_M).astype(np.float32)
        return np.asarray(cv2.blur(lit, (3, 3)), np.float32)


class Nearness:
    """How much of the sky is hidden close to the ground, by things that stand on it."""

    CELL_M = 0.2
    SPREAD_M = 0.45

    def __init__(self) -> None:
        size = (round((DEEP_M - NEAR_M) / self.CELL_M), round((EAST_M - WEST_M) / self.CELL_M))
        self.covered = np.zeros(size, np.float32)

    def stand(self, feet: Iterable[Polygon]) -> None:
        """Where things touch the ground."""
        self.covered[:] = 0
        for plan in feet:
            at = (plan - (WEST_M, NEAR_M)) * (2**SHIFT / self.CELL_M)
            cv2.fillConvexPoly(self.covered, at.astype(np.int32), 1.0, shift=SHIFT)
        sigma = self.SPREAD_M / self.CELL_M
        self.covered = np.asarray(cv2.GaussianBlur(self.covered, (0, 0), sigma), np.float32)

    def open_sky(self, x: Floats, y: Floats, z: Floats) -> Floats:
        """Share of the sky (H, W) that is left."""
        near = cv2.remap(
            self.covered,
            (x - WEST_M) / self.CELL_M - 0.5,
            (z - NEAR_M) / self.CELL_M - 0.5,
            cv2.INTER_LINEAR,
        )
        falling = np.exp(-np.maximum(y, 0) / 0.35)
        return np.asarray(1 - 0.8 * near * falling, np.float32)
