"""Test clips with one planted event each, and exact masks of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from tlae.footage.frames import Image
from tlae.footage.windows import Rows
from tlae.lab.planting.movement import Field, Mask, Movements, StillScene, moving_things
from tlae.lab.planting.options import CannotPlantError, Kind
from tlae.lab.planting.playback import draw_place, playback, straight_path
from tlae.lab.planting.split import FASTEST, Frames
from tlae.lab.planting.things import (
    Sketch,
    brightness_gain,
    centre,
    cut_out,
    enlarged,
    erase,
    find_things,
    follow,
    is_solid,
    paste,
)

TRIES = 200  # draws of a place or of a thing before a kind is given up
PACE_FRAMES = 6  # over which the speed of a thing is measured
LEAST_PACE_SHARE = 0.0015  # of the picture's height a frame: what is slower stands
PACE_PX = (1.0, 3.0)  # a frame: of pasted things
STANDING_CHANCE = 0.25  # of pasted things
BIG_FACTOR = (2.0, 3.0)
BIG_SHARE = 0.6  # of the picture's height and width: no larger
PATHS = 400  # draws among which the calmest or busiest place is chosen
SHORTLIST = 0.05  # share of them that are calm or busy enough
ROW_SHARE = 0.2  # of the height: pasted things keep about their row, for the perspective
STANDING_SHARE = 0.02  # of the time: where more things stand, one that stops is normal


@dataclass(frozen=True)
class Scene:
    """What clips are made of.

    Attributes:
        frames: (N, H, W, C) of the test footage.
        runs: first and last frame (inclusive) of each stretch without a cut.
        background: of the footage.
        habits: of the training footage.
    """

    frames: Frames
    runs: Sequence[tuple[int, int]]
    background: StillScene
    habits: Movements

    def moving(self, number: int) -> Mask:
        """What moves in a frame, (H, W)."""
        return moving_things(self.frames[number], self.background)


@dataclass(frozen=True)
class PlantedClip:
    """A test clip and its event.

    Attributes:
        kind: of the event.
        strength: its measure, see ``options.STRENGTH_UNITS``.
        first: first frame (0-based) of the event.
        last: its last frame; before ``first`` where there is no event.
        numbers: frame of the test footage that each frame of the clip plays.
        thing: what is pasted, if anything.
        places: row and column of the thing in each frame of the event.
        gain: factor of its brightness.
        erased: (H, W) masks of what is taken away in each frame of the event, if anything.
    """

    kind: Kind
    strength: float
    first: int
    last: int
    numbers: Rows
    thing: Sketch | None = None
    places: Sequence[tuple[int, int]] = ()
    gain: float = 1.0
    erased: Sequence[Mask] = field(default=(), repr=False)

    def pictures(self, scene: Scene) -> Iterator[tuple[Image, Mask]]:
        """Frames (H, W, C) and masks (H, W) of what is anomalous, made one by one."""
        for number, source in enumerate(self.numbers):
            image, at = scene.frames[source], number - self.first
            if not self.first <= number <= self.last:
                yield image, np.zeros(image.shape[:2], bool)
            elif self.thing is None:
                yield image, moving_things(image, scene.background)
            else:
                if self.erased:
                    image = erase(image, self.erased[at], scene.background)
                yield paste(image, self.thing, self.places[at], self.gain)


def plant(kind: Kind, scene: Scene, clip_frames: int, rng: np.random.Generator) -> PlantedClip:
    """Make a clip of a kind.

    Raises:
        CannotPlantError: the footage offers nothing for it.
    """
    makers: dict[Kind, Callable[[Scene, int, np.random.Generator], PlantedClip]] = {
        Kind.NORMAL: _normal,
        Kind.FAST: _fast,
        Kind.REVERSED: _reversed,
        Kind.PASTED: _pasted,
        Kind.STOPPED: _stopped,
        Kind.BIG: _big,
    }
    return makers[kind](scene, clip_frames, rng)


def _normal(scene: Scene, clip_frames: int, rng: np.random.Generator) -> PlantedClip:
    numbers = draw_place(np.arange(clip_frames), scene.runs, rng)
    assert numbers is not None  # the split sees to it
    return PlantedClip(Kind.NORMAL, 0.0, 0, -1, numbers)


def _fast(scene: Scene, clip_frames: int, rng: np.random.Generator) -> PlantedClip:
    longest = max(last - first + 1 for first, last in scene.runs)
    fits = [
        s for s in range(2, FASTEST + 1) if clip_frames + (s - 1) * (clip_frames // 3) <= longest
    ]
    if not fits:
        raise CannotPlantError(
            f"no {clip_frames + clip_frames // 3} test frames without a cut, as double speed needs"
        )
    return _replayed(Kind.FAST, int(rng.choice(fits)), scene, clip_frames, rng)


def _reversed(scene: Scene, clip_frames: int, rng: np.random.Generator) -> PlantedClip:
    return _replayed(Kind.REVERSED, -1, scene, clip_frames, rng)


def _replayed(
    kind: Kind, speed: int, scene: Scene, clip_frames: int, rng: np.random.Generator
) -> PlantedClip:
    """A clip that for a while plays at another speed, where something moves throughout."""
    for _ in range(TRIES):
        first, length = _draw_span(clip_frames, rng)
        numbers = draw_place(playback(clip_frames, first, length, speed), scene.runs, rng)
        if numbers is not None and all(
            scene.moving(n).any() for n in numbers[first : first + length]
        ):
            return PlantedClip(kind, float(speed), first, first + length - 1, numbers)
    raise CannotPlantError(
        f"no {clip_frames // 3} test frames in a row in each of which something moves"
    )


def _pasted(scene: Scene, clip_frames: int, rng: np.random.Generator) -> PlantedClip:
    numbers = _normal(scene, clip_frames, rng).numbers
    first, length = _draw_span(clip_frames, rng)
    thing, pace = _draw_thing(scene, numbers, rng)
    speed = 0.0 if rng.random() < STANDING_CHANCE else float(rng.uniform(*PACE_PX))
    velocity = tuple(speed * v / np.hypot(*pace) for v in pace)
    places = _draw_path(scene, thing, velocity, length, rng, busy=False)
    gain = brightness_gain(thing, places[length // 2], scene.background)
    last = first + length - 1
    return PlantedClip(Kind.PASTED, round(speed, 3), first, last, numbers, thing, places, gain)


def _big(scene: Scene, clip_frames: int, rng: np.random.Generator) -> PlantedClip:
    numbers = _normal(scene, clip_frames, rng).numbers
    first, length = _draw_span(clip_frames, rng)
    height, width = scene.frames.shape[1:3]
    largest = BIG_SHARE / BIG_FACTOR[0]
    thing, pace = _draw_thing(scene, numbers, rng, largest)
    most = BIG_SHARE * min(height / thing.mask.shape[0], width / thing.mask.shape[1])
    factor = float(rng.uniform(BIG_FACTOR[0], min(BIG_FACTOR[1], most)))
    large = enlarged(thing, factor)
    places = _draw_path(scene, large, pace, length, rng, busy=True)
    gain = brightness_gain(large, places[length // 2], scene.background)
    last = first + length - 1
    return PlantedClip(Kind.BIG, round(factor, 3), first, last, numbers, large, places, gain)


def _stopped(scene: Scene, clip_frames: int, rng: np.random.Generator) -> PlantedClip:
    """A thing stops and stays to the end of the clip; what it was going to do is erased."""
    for _ in range(TRIES):
        numbers = _normal(scene, clip_frames, rng).numbers
        length = int(rng.integers(clip_frames // 4, clip_frames // 2 - 1))
        first = clip_frames - length
        before = int(numbers[first - 1])
        things = find_things(scene.moving(before))
        for own in (things[n] for n in rng.permutation(len(things))):
            if scene.habits.standing[own].mean() > STANDING_SHARE or not _pace(scene, before, own):
                continue
            erased = follow(own, (scene.moving(n) for n in numbers[first:]))
            if erased is None:
                continue
            thing = cut_out(scene.frames[before], own, scene.background)
            places = [thing.top_left] * length
            last = clip_frames - 1
            return PlantedClip(
                Kind.STOPPED, 0.0, first, last, numbers, thing, places, erased=erased
            )
    raise CannotPlantError("no single moving thing that stays clear of others")


def _draw_span(clip_frames: int, rng: np.random.Generator) -> tuple[int, int]:
    """First frame and length of an event: a third of the clip, not in its first fifth."""
    length = clip_frames // 3
    return int(rng.integers(-(-clip_frames // 5), clip_frames - length + 1)), length


def _draw_thing(
    scene: Scene, taken: Rows, rng: np.random.Generator, largest: float = 1.0
) -> tuple[Sketch, tuple[float, float]]:
    """A single moving thing from another time than the clip, and its pace in px a frame.

    ``largest`` is the share of the picture's height and width that its cut-out may take.
    """
    most_hw = largest * np.array(scene.frames.shape[1:3])
    low, high = taken.min() - PACE_FRAMES, taken.max() + PACE_FRAMES
    numbers = [n for n in range(len(scene.frames)) if not low <= n <= high]
    for number in rng.permutation(numbers)[:TRIES]:
        things = find_things(scene.moving(int(number)))
        for own in (things[n] for n in rng.permutation(len(things))):
            pace = _pace(scene, int(number), own)
            if pace is None:
                continue
            thing = cut_out(scene.frames[number], own, scene.background)
            if (np.array(thing.mask.shape) <= most_hw).all():
                return thing, pace
    raise CannotPlantError("no single moving thing of its size at another time of the test footage")


def _pace(scene: Scene, number: int, own: Mask) -> tuple[float, float] | None:
    """Rows and columns a thing goes per frame; None if it stands, is faint or meets another."""
    if not is_solid(scene.frames[number], own, scene.background):
        return None
    run_last = next(last for first, last in scene.runs if first <= number <= last)
    ahead = min(PACE_FRAMES, run_last - number)
    path = follow(own, (scene.moving(n) for n in range(number + 1, number + 1 + ahead)))
    if not path or not path[-1].any():
        return None
    (row, column), (then_row, then_column) = centre(own), centre(path[-1])
    pace = (then_row - row) / ahead, (then_column - column) / ahead
    return pace if np.hypot(*pace) >= LEAST_PACE_SHARE * scene.frames.shape[1] else None


def _draw_path(
    scene: Scene,
    thing: Sketch,
    velocity: tuple[float, ...],
    frames: int,
    rng: np.random.Generator,
    *,
    busy: bool,
) -> list[tuple[int, int]]:
    """Places of a thing inside the picture where things normally move (busy), or where none do."""
    size_hw = np.array(scene.frames.shape[1:3])
    shape = np.array(thing.mask.shape)
    way = straight_path(np.zeros(2), (velocity[0], velocity[1]), frames)  # (frames, 2)
    low, high = -way.min(axis=0), size_hw - shape - way.max(axis=0)
    if (high < low).any():  # too long a way: it stands
        return _draw_path(scene, thing, (0.0, 0.0), frames, rng, busy=busy)
    near = ROW_SHARE * size_hw[0]
    row = np.clip([thing.top_left[0] - near, thing.top_left[0] + near], low[0], high[0])
    starts = rng.uniform([row[0], low[1]], [row[1], high[1]], (PATHS, 2))
    paths = np.rint(straight_path(starts, (velocity[0], velocity[1]), frames)).astype(int)
    heat = _mean_below(scene.habits.moving, shape)
    at = np.minimum(paths, size_hw - shape)  # (PATHS, frames, 2)
    means = heat[at[..., 0], at[..., 1]].mean(axis=1)  # (PATHS,)
    order = np.argsort(-means if busy else means, kind="stable")
    chosen = at[order[rng.integers(max(1, round(SHORTLIST * PATHS)))]]
    return [(int(top), int(left)) for top, left in chosen]


def _mean_below(heat: Field, shape: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Field:
    """Mean of a field (H, W) below a cut-out of that shape, by its top left corner."""
    height, width = int(shape[0]), int(shape[1])
    mean = cv2.blur(heat, (width, height), anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(mean, np.float32)
