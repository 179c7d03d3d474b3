"""The place of a thing in single pictures: what changed there, and which pictures still show it.

Whether a thing came or went shows at the outline of what changed: a thing in front of the ground
has an edge there, and colours other than those around it; where it is gone, the ground goes on
(colour contrast and edges along the contour tell abandoned from removed objects: San Miguel and
Martinez 2008, *Robust unattended and stolen object detection by fusing simple algorithms*).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image
from tlae.footage.preprocess import same_shape
from tlae.footage.zones import Mask
from tlae.scoring.event_rule import HOUR_S
from tlae.scoring.events import Box

SINCE = 5  # pictures around the peak that show the thing
JUST_BEFORE = 8  # pictures before it came, and
DAYS_BEFORE, EACH_DAY = 2, 3  # so many of the same hour of so many days before
BEFORE = 5  # of all these, those taken in the light most alike
LIKE_LIGHT = 1.5  # times the least difference around the place; other light tells nothing
AROUND = 0.5  # of a box, that is looked at on each side of it
LEAST_AROUND = 0.025  # of the picture's height
LONGEST_PX = 64  # side of a box; larger ones are looked at smaller
NOISE_TIMES = 3.0  # what differs so much more than its surroundings has changed
LEAST_CHANGE = 6.0  # in Lab
DARKEST = 6.0  # median lightness around a place; what is darker shows nothing
RING_PX = 4  # around what changed

Plane = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class View:
    """Where a place is cut out of pictures.

    Attributes:
        rows, columns: first and last + 1, in source pixels.
        inside: (h, w), True where the place is in the cutting.
        size_hw: of the source.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    inside: Mask
    size_hw: tuple[int, int]

    @classmethod
    def of(cls, box: Box, size_hw: tuple[int, int]) -> "View":
        """The surroundings of a box."""
        (left, top, width, height), (tall, wide) = box, size_hw
        least = max(2, round(LEAST_AROUND * tall))
        beside, above = (max(least, round(AROUND * side)) for side in (width, height))
        rows = max(0, top - above), min(tall, top + height + above)
        columns = max(0, left - beside), min(wide, left + width + beside)
        inside = np.zeros((rows[1] - rows[0], columns[1] - columns[0]), np.uint8)
        y, x = top - rows[0], left - columns[0]
        inside[y : y + height, x : x + width] = 1
        scale = min(1.0, LONGEST_PX / max(width, height, 1))
        small = tuple(max(3, round(scale * side)) for side in inside.shape[::-1])
        inside = cv2.resize(inside, small, interpolation=cv2.INTER_NEAREST)
        if not inside.any():  # too small to be seen at this size
            inside[:] = 1
        return cls(rows, columns, inside > 0, size_hw)

    @property
    def around(self) -> Mask:
        """(h, w), True around the place; everywhere, where it fills the picture."""
        return np.asarray(self.inside if self.inside.all() else ~self.inside)

    def of_picture(self, image: Image) -> Plane | None:
        """The cutting of a picture in Lab (h, w, 3); None: the picture has another shape."""
        height, width = self.size_hw
        if not same_shape((image.shape[0], image.shape[1]), self.size_hw):
            return None
        if image.shape[:2] != self.size_hw:  # another resolution of the same view
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
            image = image.reshape(height, width, -1)
        part = image[slice(*self.rows), slice(*self.columns)]
        part = part if part.shape[2] == 3 else np.repeat(part, 3, axis=2)
        part = cv2.resize(
            np.ascontiguousarray(part), self.inside.shape[::-1], interpolation=cv2.INTER_AREA
        )
        return np.asarray(cv2.cvtColor(part.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))


@dataclass(frozen=True, eq=False)
class Change:
    """What differs at a place.

    Attributes:
        before, since: (h, w, 3) in Lab, in the light of ``before``.
        around: (h, w), True around the place.
        where: (h, w), True where it changed.
        share: of the place, that changed.
        outline: strength of edges and contrast along the outline of what changed, since: as a
            share of that and of the same before. 1: a thing came, 0: one went.
        alike: correlation of the brightness at the place before and since, -1 to 1.
    """

    before: Plane
    since: Plane
    around: Mask
    where: Mask
    share: float
    outline: float
    alike: float

    @classmethod
    def between(cls, before: Plane, since: Plane, view: View) -> "Change":
        """Compare two cuttings of one view."""
        inside, around = view.inside, view.around
        since = in_light_of(since, before, around)
        apart = np.sqrt(np.square(since - before).sum(axis=2))
        level = max(LEAST_CHANGE, NOISE_TIMES * float(np.median(apart[around])))
        changed = ((apart > level) & inside).astype(np.uint8)
        changed = cv2.morphologyEx(changed, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        where = changed > 0
        edges, contrasts = (
            [of(picture, changed) for picture in (before, since)] for of in (_edges, _contrast)
        )
        outline = np.mean([_share_of_second(pair) for pair in (edges, contrasts)])
        return cls(
            *(before, since, around, where),
            float(where.sum() / max(1, inside.sum())),
            float(outline),
            _correlation(before[..., 0][inside], since[..., 0][inside]),
        )

    @classmethod
    def of_pictures(
        cls, before: Sequence[Plane], since: Sequence[Plane], view: View
    ) -> "Change | None":
        """Compare what is typical since with those pictures of before in the light most alike.

        Args:
            before: cuttings of one view.
            since: of the same.
            view: of both.

        Returns:
            None: there are no pictures of before, or none since.
        """
        if not before or not since:
            return None
        typical = np.median(since, axis=0).astype(np.float32)
        around = view.around
        apart = [
            float(np.abs(in_light_of(one, typical, around) - typical)[around].mean())
            for one in before
        ]
        order = np.argsort(apart, kind="stable")[:BEFORE]
        nearest = [before[n] for n in order if apart[n] <= LIKE_LIGHT * apart[order[0]]]
        return cls.between(np.median(nearest, axis=0).astype(np.float32), typical, view)

    def shows(self, later: Plane) -> float:
        """Whether a later cutting shows what came (1), or the place as it was before (-1).

        0: it tells nothing, as in the dark.
        """
        dark = float(np.median(later[..., 0][self.around])) < DARKEST
        if dark or not self.where.any():
            return 0.0
        later = in_light_of(later, self.before, self.around)
        was, is_ = (
            float(np.sqrt(np.square(later - one).sum(axis=2))[self.where].mean())
            for one in (self.before, self.since)
        )
        return (was - is_) / max(was + is_, 1e-6)


def rows_before(rows: Rows, time_s: npt.NDArray[np.float64], first_s: float) -> Rows:
    """Pictures just before a time, and those of the same hour on the days before.

    Args:
        rows: of pictures before that time, in order.
        time_s: (n,) of all rows [s].
        first_s: the time [s].
    """
    found = list(rows[-JUST_BEFORE:])
    for day in range(1, DAYS_BEFORE + 1):
        off_s = abs(time_s[rows] - (first_s - 24 * day * HOUR_S))
        near = np.argsort(off_s, kind="stable")[:EACH_DAY]
        found += [row for row, off in zip(rows[near], off_s[near], strict=True) if off <= HOUR_S]
    return np.unique(found).astype(np.int64)


def in_light_of(picture: Plane, other: Plane, around: Mask) -> Plane:
    """A cutting as bright and as tinted around the place as another one."""
    apart = np.median(picture[around], axis=0) - np.median(other[around], axis=0)
    return np.asarray(picture - apart, np.float32)


def _edges(picture: Plane, changed: npt.NDArray[np.uint8]) -> float:
    """Mean gradient along the outline of a region."""
    square = np.zeros((3, 3), np.uint8) + 1
    outline = cv2.dilate(changed, square) - cv2.erode(changed, square)
    across, down = (cv2.Sobel(picture, cv2.CV_32F, 1 - d, d, ksize=3) / 4 for d in (0, 1))
    gradient = np.sqrt((across**2 + down**2).sum(axis=2))
    return float(gradient[outline > 0].mean()) if outline.any() else 0.0


def _contrast(picture: Plane, changed: npt.NDArray[np.uint8]) -> float:
    """How far the mean colour of a region lies from its surroundings, in their spread."""
    reach = np.ones((2 * RING_PX + 1, 2 * RING_PX + 1), np.uint8)
    ring = (cv2.dilate(changed, reach) - cv2.dilate(changed, np.ones((3, 3), np.uint8))) > 0
    if not changed.any() or not ring.any():
        return 0.0
    inside, outside = picture[changed > 0], picture[ring]
    apart = (inside.mean(axis=0) - outside.mean(axis=0)) / (outside.std(axis=0) + 2.0)
    return float(np.sqrt((apart**2).sum()))


def _share_of_second(pair: list[float]) -> float:
    return pair[1] / sum(pair) if sum(pair) > 0 else 0.5


def _correlation(one: Plane, other: Plane) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum() + 1e-6))
