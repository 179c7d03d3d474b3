"""People and animals: flat figures that face the camera, and the discs that cast their shadow."""

import numpy as np

from tlae.lab.sites.shadows import Slice, round_slices
from tlae.lab.sites.sprites import Colour, Material, Polygon

Parts = list[tuple[Polygon, Colour, Material]]

CLOTHES: tuple[Colour, ...] = (
    (0.05, 0.06, 0.09),
    (0.02, 0.02, 0.025),
    (0.30, 0.04, 0.04),
    (0.45, 0.45, 0.43),
    (0.06, 0.13, 0.28),
    (0.10, 0.12, 0.06),
    (0.42, 0.30, 0.08),
    (0.18, 0.13, 0.10),
)
SKIN: tuple[Colour, ...] = ((0.48, 0.30, 0.22), (0.30, 0.17, 0.11), (0.12, 0.07, 0.05))
HAIR: Colour = (0.05, 0.035, 0.025)


def oval(x: float, y: float, half_w: float, half_h: float, corners: int = 14) -> Polygon:
    """An ellipse as a polygon, (N, 2)."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([x + half_w * np.cos(angles), y + half_h * np.sin(angles)], axis=1)


def person(rng: np.random.Generator, seated: bool = False) -> Parts:
    """A person of about 1.7 m who walks, or sits."""
    tall = rng.uniform(0.93, 1.07)
    coat = CLOTHES[int(rng.integers(len(CLOTHES)))]
    trousers = CLOTHES[int(rng.integers(4))]
    skin = SKIN[int(rng.integers(len(SKIN)))]
    stride = rng.uniform(-0.3, 0.3)
    hip = 0.5 if seated else 0.86
    parts: Parts = []
    for side in (-1, 1):
        knee = side * 0.08 + side * stride * 0.5
        foot = side * 0.08 + side * stride
        leg = [(side * 0.14, hip), (side * 0.02, hip), (knee - 0.05, 0.42), (foot - 0.05, 0.02)]
        leg += [(foot + 0.11, 0.02), (knee + 0.07, 0.42)]
        parts.append((np.array(leg), trousers, Material.CLOTH))
    for side in (-1, 1):
        hand = side * 0.24 - side * stride * 0.6
        arm = [(side * 0.17, hip + 0.56), (side * 0.24, hip + 0.5), (hand + 0.05, hip - 0.02)]
        arm.append((hand - 0.05, hip - 0.02))
        parts.append((np.array(arm), coat, Material.CLOTH))
    torso = np.array(
        [(-0.16, hip - 0.05), (0.16, hip - 0.05), (0.21, hip + 0.56), (-0.21, hip + 0.56)]
    )
    parts.append((torso, coat, Material.CLOTH))
    parts.append((oval(0.02, hip + 0.72, 0.095, 0.125), skin, Material.CLOTH))
    parts.append((oval(-0.01, hip + 0.78, 0.10, 0.08), HAIR, Material.CLOTH))
    return [(outline * tall, colour, material) for outline, colour, material in parts]


def person_slices(x: float, z: float, seated: bool = False) -> list[Slice]:
    """What casts the shadow of a person."""
    top = 1.3 if seated else 1.7
    radii = [(0.3, 0.15), (0.7, 0.17), (1.0, 0.22), (top - 0.3, 0.22), (top, 0.11)]
    return round_slices((x, z), radii, 8)


def four_legs(length: float, colour: Colour, tail_up: float = 0.3) -> Parts:
    """A cat, dog or deer that stands across the view; ``length`` of its body in metres."""
    parts: Parts = []
    high = 0.62 * length
    for at in (-0.42, -0.3, 0.3, 0.4):
        leg = [(at - 0.035, 0.6), (at + 0.035, 0.6), (at + 0.03, 0.0), (at - 0.03, 0.0)]
        parts.append((np.array(leg) * (length, high), colour, Material.CLOTH))
    parts.append((oval(0, high * 0.75, 0.5 * length, 0.3 * high), colour, Material.CLOTH))
    parts.append(
        (oval(0.56 * length, high * 1.12, 0.17 * length, 0.2 * high), colour, Material.CLOTH)
    )
    neck = np.array([(0.3, 0.75), (0.46, 0.7), (0.62, 1.1), (0.48, 1.2)]) * (length, high)
    parts.append((neck, colour, Material.CLOTH))
    tail = np.array([(-0.45, 0.8), (-0.5, 0.95), (-0.8, 0.8 + tail_up), (-0.78, 0.7 + tail_up)])
    parts.append((tail * (length, high), colour, Material.CLOTH))
    return parts


def bird(colour: Colour) -> Parts:
    """A bird on the ground, some 0.3 m long."""
    beak = np.array([(0.17, 0.23), (0.25, 0.21), (0.17, 0.19)])
    tail = np.array([(-0.1, 0.12), (-0.32, 0.1), (-0.32, 0.06), (-0.1, 0.06)])
    return [
        (oval(0, 0.12, 0.15, 0.085), colour, Material.CLOTH),
        (oval(0.12, 0.21, 0.065, 0.06), colour, Material.CLOTH),
        (tail, colour, Material.CLOTH),
        (beak, (0.4, 0.25, 0.03), Material.CLOTH),
    ]
