"""Cars, vans and lorries: a profile of the side, drawn out to a width that narrows upwards."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tlae.lab.sites.shadows import Slice
from tlae.lab.sites.sprites import Colour, Face, Material, Polygon, turn

Placing = Callable[[list[tuple[float, float, float]]], Polygon]

PAINTS: tuple[Colour, ...] = (
    (0.62, 0.63, 0.64),
    (0.33, 0.34, 0.36),
    (0.03, 0.03, 0.035),
    (0.10, 0.105, 0.115),
    (0.70, 0.70, 0.68),
    (0.36, 0.03, 0.03),
    (0.04, 0.09, 0.28),
    (0.07, 0.16, 0.30),
    (0.05, 0.16, 0.10),
    (0.38, 0.30, 0.20),
    (0.55, 0.30, 0.04),
    (0.16, 0.08, 0.05),
    (0.50, 0.50, 0.54),
)
GLASS: Colour = (0.025, 0.03, 0.035)
TYRE: Colour = (0.018, 0.018, 0.02)
RIM: Colour = (0.22, 0.22, 0.23)
RED: Colour = (0.35, 0.015, 0.01)
CLEAR: Colour = (0.6, 0.6, 0.55)
ROOF_IN = 0.82  # width of the roof, of the width at the belt


@dataclass(frozen=True)
class Body:
    """A shape: length, width, height of belt and roof, in metres; roof and glass in lengths.

    ``glass`` are bottom front, top front, top rear, bottom rear, from the front bumper.
    """

    length: float
    width: float
    belt: float
    roof: float
    bonnet: float
    glass: tuple[float, float, float, float]
    closed: bool = False


BODIES = {
    "hatch": Body(3.95, 1.72, 0.92, 1.48, 0.80, (0.24, 0.40, 0.90, 0.99)),
    "saloon": Body(4.65, 1.80, 0.92, 1.44, 0.82, (0.28, 0.43, 0.74, 0.86)),
    "estate": Body(4.60, 1.80, 0.92, 1.48, 0.82, (0.27, 0.42, 0.93, 0.99)),
    "suv": Body(4.55, 1.88, 1.08, 1.72, 1.00, (0.25, 0.38, 0.91, 0.99)),
    "pickup": Body(5.2, 1.88, 1.10, 1.76, 1.02, (0.25, 0.36, 0.56, 0.60)),
    "van": Body(5.4, 2.02, 1.20, 2.42, 1.12, (0.12, 0.24, 0.99, 1.0), True),
    "lorry": Body(7.2, 2.35, 1.35, 3.2, 1.3, (0.01, 0.04, 0.99, 1.0), True),
}
COMMON = ("hatch", "saloon", "estate", "suv")


@dataclass(frozen=True)
class Vehicle:
    """One vehicle: its body and its paint."""

    body: str
    paint: Colour

    @property
    def shape(self) -> Body:
        """Measures."""
        return BODIES[self.body]


def draw_vehicle(rng: np.random.Generator) -> Vehicle:
    """Any common car, in a common paint, each a little different."""
    kinds = (*COMMON, "pickup", "van")
    body = str(rng.choice(kinds, p=(0.36, 0.2, 0.16, 0.2, 0.03, 0.05)))
    share = np.array([9, 9, 8, 8, 8, 4, 4, 3, 2, 2, 1, 1, 6], float)
    paint = np.array(PAINTS[int(rng.choice(len(PAINTS), p=share / share.sum()))])
    paint = np.clip(paint * rng.uniform(0.8, 1.2) + rng.normal(0, 0.006, 3), 0.01, 0.8)
    return Vehicle(body, (float(paint[0]), float(paint[1]), float(paint[2])))


def vehicle_faces(vehicle: Vehicle, x: float, z: float, heading: float) -> list[Face]:
    """All outer faces of a vehicle on the ground.

    Args:
        vehicle: which.
        x: of its middle, in metres.
        z: of its middle, in metres.
        heading: 0 has its front away from the camera; radians, towards the right.
    """
    shape = vehicle.shape
    length, half = shape.length, shape.width / 2
    low = 0.24
    g0, g1, g2, g3 = (at * length for at in shape.glass)
    nose, tail = 0.62 * shape.bonnet, 0.72 * shape.belt
    belt, roof, bonnet = shape.belt, shape.roof, shape.bonnet

    def place(points: list[tuple[float, float, float]]) -> Polygon:
        """From the car (right, up, from the front bumper backwards) to the world."""
        local = np.array(points)
        plan = turn(np.stack([local[:, 0], length / 2 - local[:, 2]], axis=1), -heading)
        return np.stack([plan[:, 0] + x, local[:, 1], plan[:, 1] + z], axis=1)

    narrow, paint = half * ROOF_IN, vehicle.paint
    faces: list[Face] = []

    def across(a: tuple[float, float, float], b: tuple[float, float, float]) -> Polygon:
        """A strip from side to side between (half width, up, back) and another."""
        return place([(-a[0], *a[1:]), (a[0], *a[1:]), (b[0], *b[1:]), (-b[0], *b[1:])])

    def add(points: Polygon, colour: Colour, material: Material = Material.CAR) -> None:
        faces.append(Face(points, colour, material))

    add(across((half, low, 0), (half, nose, 0)), paint)
    add(across((half, nose, 0), (half * 0.96, bonnet, 0.22)), paint)
    add(across((half * 0.96, bonnet, 0.22), (half * 0.95, belt, g0)), paint)
    add(across((half * 0.95, belt, g0), (narrow, roof - 0.04, g1)), GLASS, Material.GLASS)
    add(across((narrow, roof - 0.04, g1), (narrow, roof, (g1 + g2) / 2)), paint)
    add(across((narrow, roof, (g1 + g2) / 2), (narrow, roof - 0.05, g2)), paint)
    rear = (paint, Material.CAR) if shape.closed else (GLASS, Material.GLASS)
    add(across((narrow, roof - 0.05, g2), (half * 0.95, belt, g3)), *rear)
    add(across((half * 0.95, belt, g3), (half, tail, length)), paint)
    add(across((half, tail, length), (half, low, length)), paint)
    plate = [(-0.26, 0.45, length + 0.02), (0.26, 0.45, length + 0.02)]
    plate += [(0.26, 0.57, length + 0.02), (-0.26, 0.57, length + 0.02)]
    add(place(plate), (0.55, 0.55, 0.5))
    for side in (-1, 1):
        outer = side * half
        body = [(outer, low, 0.05), (outer, nose, 0.0), (side * half * 0.98, bonnet, 0.22)]
        body += [(side * half * 0.97, belt, g0), (side * half * 0.97, belt, g3)]
        body += [(outer, tail, length), (outer, low, length - 0.05)]
        add(place(body), paint)
        cabin = [(side * half * 0.96, belt, g0), (side * narrow, roof - 0.03, g1)]
        cabin += [(side * narrow, roof - 0.04, g2), (side * half * 0.96, belt, g3)]
        add(place(cabin), paint)
        end = 0.34 if shape.closed else 1.0  # vans have glass at the front only
        faces += _side_glass(place, side, half, (belt, roof), (g0, g1, g2, g3), end)
        for at in (0.19, 0.80):
            faces += _wheel(place, outer + side * 0.015, at * length, 0.31 + 0.05 * (roof > 1.6))
        for up, back, colour in ((nose - 0.1, -0.02, CLEAR), (tail - 0.12, length + 0.02, RED)):
            inner = side * (half - 0.42)
            lamp = [(outer * 0.97, up, back), (inner, up, back), (inner, up + 0.14, back)]
            add(place([*lamp, (outer * 0.97, up + 0.14, back)]), colour)
    return faces


def _side_glass(
    place: Placing,
    side: int,
    half: float,
    levels: tuple[float, float],
    along: tuple[float, float, float, float],
    end: float,
) -> list[Face]:
    belt, roof = levels
    g0, g1, g2, g3 = along
    narrow = half * ROOF_IN
    rise = 0.86
    top = belt + (roof - belt) * rise
    out = side * (half * 0.96 + (narrow - half * 0.96) * rise + 0.012)
    bottom = side * (half * 0.96 + 0.012)
    front_low, front_high = g0 + 0.12, g0 + (g1 - g0) * rise + 0.08
    rear_low, rear_high = g3 - 0.15, g3 + (g2 - g3) * rise - 0.12
    rear_low = front_low + (rear_low - front_low) * end
    rear_high = front_high + (rear_high - front_high) * end
    corners = [(bottom, belt + 0.04, front_low), (out, top, front_high)]
    corners += [(out, top, rear_high), (bottom, belt + 0.04, rear_low)]
    return [Face(place(corners), GLASS, Material.GLASS)]


def _wheel(place: Placing, across: float, back: float, radius: float) -> list[Face]:
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    faces = []
    for size, colour, out in ((radius, TYRE, 0.0), (radius * 0.58, RIM, 0.01)):
        ring = [
            (across + np.sign(across) * out, radius + size * np.sin(a), back + size * np.cos(a))
            for a in angles
        ]
        faces.append(Face(place(ring), colour, Material.CAR))
    return faces


def vehicle_slices(vehicle: Vehicle, x: float, z: float, heading: float) -> list[Slice]:
    """What casts the shadow of a vehicle."""
    shape = vehicle.shape
    half, length = shape.width / 2, shape.length
    slices = []
    for share in (0.35, 0.75, 1.0):
        slices.append(
            Slice(_plan(half, 0.05, length - 0.05, length, x, z, heading), share * shape.belt)
        )
    g0, g1, g2, g3 = (at * length for at in shape.glass)
    for share in (0.34, 0.67, 1.0):
        wide = half * (0.95 + (ROOF_IN - 0.95) * share)
        front, rear = g0 + (g1 - g0) * share, g3 + (g2 - g3) * share
        height = shape.belt + (shape.roof - shape.belt) * share
        slices.append(Slice(_plan(wide, front, rear, length, x, z, heading), height))
    return slices


def vehicle_foot(vehicle: Vehicle, x: float, z: float, heading: float) -> Polygon:
    """Outline on the ground."""
    shape = vehicle.shape
    return _plan(shape.width / 2, 0, shape.length, shape.length, x, z, heading)


def _plan(
    half: float, front: float, rear: float, length: float, x: float, z: float, heading: float
) -> Polygon:
    local = np.array([(-half, front), (half, front), (half, rear), (-half, rear)])
    local[:, 1] = length / 2 - local[:, 1]
    return np.asarray(turn(local, -heading) + np.array([x, z]), np.float64)
