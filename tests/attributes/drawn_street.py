"""A drawn street: boxes that walk to and fro in front of a patterned background."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tests.training_frames import Frames

SIZE_HW = (96, 144)
PAVEMENT = (48, 80)  # rows in which feet are
Pictures = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Walker:
    """A box that walks.

    Attributes:
        x, foot: where it is in frame 0 [px].
        pace: to the right [px per frame].
        tall, wide: [px].
        stops_at: frame from which on it stands.
    """

    x: float
    foot: int
    pace: float
    tall: int = 18
    wide: int = 10
    stops_at: int = 10_000


def background() -> Pictures:
    """Pavement below, a wall above; (H, W, 3)."""
    rows, columns = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    pattern = 10 * np.sin(rows / 3) * np.sin(columns / 5)
    grey = np.where(rows < PAVEMENT[0] - 12, 80, 150) + pattern
    return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)


def drawn(walkers: list[Walker], frames: int, seed: int = 0) -> Pictures:
    """Footage (n, H, W, 3) with a little noise."""
    generator = np.random.default_rng(seed)
    empty = background().astype(np.float64)
    texture = generator.uniform(20, 60, (SIZE_HW[0], 64))
    film = []
    for number in range(frames):
        frame = empty + generator.normal(0, 1.5, empty.shape)
        for walker in walkers:
            left = round(walker.x + walker.pace * min(number, walker.stops_at))
            top = walker.foot - walker.tall
            columns = np.arange(max(0, left), min(SIZE_HW[1], left + walker.wide))
            rows = np.arange(max(0, top), walker.foot)
            frame[np.ix_(rows, columns)] = texture[np.ix_(rows - top, columns - left)][..., None]
        film.append(np.clip(frame, 0, 255))
    return np.stack(film).astype(np.uint8)


def normal_street(frames: int = 240) -> Pictures:
    """Walkers at 1 to 2 px a frame, all to the right, on the pavement."""
    generator = np.random.default_rng(1)
    walkers = [
        Walker(float(-30 - 60 * n), int(generator.integers(*PAVEMENT)), generator.uniform(1, 2))
        for n in range(8)
    ]
    return drawn(walkers, frames)


def as_tensor(pictures: Pictures) -> Tensor:
    """(n, H, W, C) uint8 -> (n, C, H, W) uint8."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2)


def frames_of(pictures: Pictures, **more: object) -> Frames:
    """As a net gets them."""
    frames = as_tensor(pictures)
    return Frames(all_of_them=frames, seen=frames[::4].float() / 255, **more)  # type: ignore[arg-type]
