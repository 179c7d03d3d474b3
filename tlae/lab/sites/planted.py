"""What is planted into the test days of a site: which thing, of which kind, where, from when on."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tlae.lab.sites.options import SiteOptions
from tlae.lab.sites.render import Change
from tlae.lab.sites.shadows import Slice, box_slices
from tlae.lab.sites.site import Piece, Site
from tlae.lab.sites.sprites import Face, Material, box_faces, faces_sprite
from tlae.lab.sites.strange import LASTING, PASSING, RETURNING, strange_piece

APART_M = 2.2  # between two things
SMALLEST_PX = 25  # of a thing at 384 rows
TRIES = 60


class ThingKind(StrEnum):
    """What can happen to a site."""

    NEW_OBJECT = "new_object"  # stands for hours or days
    GONE = "gone"  # what always stood there is missing, for hours or for good
    CHANGED = "changed"  # a fence falls, a tree is cut: for good
    ONE_FRAME = "one_frame"  # in a single still
    RECURRING = "recurring"  # comes back every day at the same hour


ORDER = (
    *(ThingKind.NEW_OBJECT, ThingKind.ONE_FRAME, ThingKind.GONE, ThingKind.RECURRING),
    *(ThingKind.NEW_OBJECT, ThingKind.ONE_FRAME, ThingKind.CHANGED, ThingKind.ONE_FRAME),
)


@dataclass(frozen=True)
class PlantedThing:
    """One planted thing.

    Attributes:
        number: from 1.
        kind: of event.
        what: its name.
        frames: those of the test part (0-based, sorted) in which it stands.
        pieces: what it adds.
        without: names of what is missing because of it.
    """

    number: int
    kind: ThingKind
    what: str
    frames: tuple[int, ...]
    pieces: tuple[Piece, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def change(self) -> Change:
        """What it does to each of its frames."""
        return Change(self.number, self.pieces, self.without)


def plan_things(site: Site, options: SiteOptions) -> list[PlantedThing]:
    """Choose all things of the test days, in the order of their first frame."""
    rng = np.random.default_rng([options.seed, 71])
    total = options.test_days * options.frames_a_day
    taken: list[tuple[float, float]] = []
    used: set[str] = set()
    things: list[PlantedThing] = []
    for number in range(round(options.things_a_day * options.test_days)):
        kind = ORDER[number % len(ORDER)]
        frames = _frames(kind, total, options, rng)
        made: tuple[str, tuple[Piece, ...], tuple[str, ...]] | None
        if kind in (ThingKind.GONE, ThingKind.CHANGED):
            made = _missing(kind, site, used, rng)
        else:
            made = _added(kind, site, taken, rng)
        if made is not None:
            used |= set(made[2])
            things.append(PlantedThing(0, kind, made[0], frames, made[1], made[2]))
    things.sort(key=lambda thing: thing.frames[0])
    return [
        PlantedThing(number, thing.kind, thing.what, thing.frames, thing.pieces, thing.without)
        for number, thing in enumerate(things, 1)
    ]


def _frames(
    kind: ThingKind, total: int, options: SiteOptions, rng: np.random.Generator
) -> tuple[int, ...]:
    a_day = options.frames_a_day
    first = int(rng.integers(1, max(2, total - 2)))
    if kind is ThingKind.ONE_FRAME:
        return (first,)
    if kind is ThingKind.RECURRING:
        hour, length = int(rng.integers(a_day)), int(rng.integers(1, 3))
        days = range((total + a_day - 1) // a_day)
        at = [day * a_day + hour + step for day in days for step in range(length)]
        return tuple(frame for frame in at if frame < total)
    if kind is ThingKind.CHANGED:
        return tuple(range(int(rng.integers(1, max(2, total // 2))), total))
    hours = float(np.exp(rng.uniform(np.log(1.0), np.log(40.0))))
    last = first + max(2, round(hours * a_day / 24))
    return tuple(range(first, min(total, last)))


def _added(
    kind: ThingKind, site: Site, taken: list[tuple[float, float]], rng: np.random.Generator
) -> tuple[str, tuple[Piece, ...], tuple[str, ...]] | None:
    names = {ThingKind.NEW_OBJECT: LASTING, ThingKind.ONE_FRAME: PASSING}.get(kind, RETURNING)
    what = str(rng.choice(names))
    smallest = SMALLEST_PX * (site.camera.size_hw[0] / 384) ** 2
    for _ in range(TRIES):
        place = site.place_for(rng)
        if any(np.hypot(place[0] - x, place[1] - z) < APART_M for x, z in taken):
            continue
        piece = strange_piece(what, site.camera, place, rng)
        if piece.sprite is not None and piece.sprite.mask.sum() >= smallest:
            taken.append(place)
            return what, (piece,), ()
    return None


def _missing(
    kind: ThingKind, site: Site, used: set[str], rng: np.random.Generator
) -> tuple[str, tuple[Piece, ...], tuple[str, ...]] | None:
    structures = [name for name in site.fixtures if name.startswith("fence")]
    trees = [name for name in site.plants if name.startswith("tree")]
    movable = [name for name in site.fixtures if name not in structures]
    smallest = SMALLEST_PX * (site.camera.size_hw[0] / 384) ** 2
    names = movable if kind is ThingKind.GONE else structures + trees
    free = []
    for name in names:
        sprite = site.fixtures[name].sprite if name in site.fixtures else site.plant(name, 0).sprite
        if name not in used and sprite is not None and sprite.mask.sum() >= smallest:
            free.append(name)
    if not free:
        return None
    name = free[int(rng.integers(len(free)))]
    if kind is ThingKind.GONE:
        return name, (), (name,)
    return (
        (name, (_stump(site, name),), (name,))
        if name in trees
        else (name, (_fallen(site, name),), (name,))
    )


def _stump(site: Site, name: str) -> Piece:
    plant = site.plants[name]
    centre = (plant.x, 0.0, plant.z)
    wide = 0.06 * plant.height
    faces = box_faces(centre, (wide, 0.3, wide), (0.33, 0.24, 0.13))
    return Piece(faces_sprite(site.camera, faces), box_slices(centre, (wide, 0.3, wide), steps=1))


def _fallen(site: Site, name: str) -> Piece:
    """The same panel, flat on the ground before its place."""
    slices: list[Slice] = site.fixtures[name].slices
    plan = slices[0].plan
    tall = max(one.height for one in slices)
    left, right, z = plan[:, 0].min(), plan[:, 0].max(), plan[:, 1].min()
    points = np.array(
        [
            (left, 0.05, z),
            (right, 0.05, z),
            (right + 0.2, 0.09, z - tall),
            (left + 0.15, 0.09, z - tall),
        ]
    )
    return Piece(faces_sprite(site.camera, [Face(points, (0.17, 0.12, 0.08), Material.WALL)]))
