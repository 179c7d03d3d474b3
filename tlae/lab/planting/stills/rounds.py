"""One round of planting: which objects stand in which of the test frames."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image
from tlae.lab.planting.stills.figures import Figure, draw_figure
from tlae.lab.planting.stills.options import FAMILIES, StillOptions
from tlae.lab.planting.stills.placing import Place, find_place, luminance, put_figure

Frames = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ObjectKind:
    """What is graded: size in frame heights, contrast without sign, frames, family."""

    size: float
    contrast: float
    stands: int
    family: str


@dataclass(frozen=True)
class PlantedObject:
    """An object that stands in some frames.

    Attributes:
        kind: of it.
        first_frame: 0-based.
        figure: as drawn.
        place: where it stands.
        brightness: mean of the first frame, 0 to 255: low at night.
    """

    kind: ObjectKind
    first_frame: int
    figure: Figure
    place: Place
    brightness: float

    @property
    def last_frame(self) -> int:
        """Last frame in which it stands."""
        return self.first_frame + self.kind.stands - 1

    def record(self) -> dict[str, object]:
        """Its row in ``planted.csv``."""
        rows = np.flatnonzero(self.figure.mask.any(axis=1))
        columns = np.flatnonzero(self.figure.mask.any(axis=0))
        return {
            "first_frame": self.first_frame,
            "last_frame": self.last_frame,
            "size": self.kind.size,
            "contrast": self.kind.contrast,
            "darker": self.place.contrast < 0,
            "family": self.kind.family,
            "left": self.place.left + int(columns[0]),
            "top": self.place.top + int(rows[0]),
            "width": int(columns[-1] - columns[0]) + 1,
            "height": int(rows[-1] - rows[0]) + 1,
            "frame_brightness": round(self.brightness, 1),
        }


@dataclass(frozen=True)
class Round:
    """The objects of one round, in order of time, never two in one frame."""

    objects: tuple[PlantedObject, ...]

    def records(self) -> list[dict[str, object]]:
        """Rows for ``planted.csv``."""
        return [planted.record() for planted in self.objects]

    def pictures(self, frames: Frames) -> Iterator[tuple[int, Image, Image]]:
        """Number, picture (H, W, 3) and mask (H, W) of every frame."""
        standing = {
            frame: planted
            for planted in self.objects
            for frame in range(planted.first_frame, planted.last_frame + 1)
        }
        for frame in range(len(frames)):
            image = np.asarray(frames[frame])
            if frame in standing:
                yield (frame, *put_figure(image, standing[frame].figure, standing[frame].place))
            else:
                yield frame, image, np.zeros(image.shape[:2], np.uint8)


def plant_round(frames: Frames, options: StillOptions, number: int) -> Round:
    """Choose objects and their places, one after the other through the frames.

    Every combination of size, contrast, frames and family comes equally often, in an order drawn
    anew each time through. Where a frame offers no place, the object waits for the next frame.

    Args:
        frames: RGB (N, H, W, 3).
        options: of what is planted.
        number: of the round, from 1.
    """
    rng = np.random.default_rng([options.seed, number])
    kinds = _kinds(options, rng)
    objects: list[PlantedObject] = []
    frame = 1  # the first frame of a clip has none before it
    kind = next(kinds)
    while frame + kind.stands <= len(frames):
        planted = _object(kind, frames, frame, rng)
        if planted is None:
            frame += 1
            continue
        objects.append(planted)
        frame = planted.last_frame + 1 + options.pause_frames
        kind = next(kinds)
    return Round(tuple(objects))


def _kinds(options: StillOptions, rng: np.random.Generator) -> Iterator[ObjectKind]:
    every = [
        ObjectKind(*values)
        for values in product(options.sizes, options.contrasts, options.stands, FAMILIES)
    ]
    while True:
        yield from (every[at] for at in rng.permutation(len(every)))


def _object(
    kind: ObjectKind, frames: Frames, first: int, rng: np.random.Generator
) -> PlantedObject | None:
    images = [np.asarray(frames[first + step]) for step in range(kind.stands)]
    elsewhere = np.asarray(frames[int(rng.integers(len(frames)))])
    height_px = max(1, round(kind.size * images[0].shape[0]))
    figure = draw_figure(kind.family, height_px, elsewhere, rng)
    place = find_place(images, figure, kind.contrast, rng)
    if place is None:
        return None
    return PlantedObject(kind, first, figure, place, float(luminance(images[0]).mean()))
