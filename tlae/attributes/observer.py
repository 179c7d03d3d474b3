"""Frame after frame: from pictures to cells, with what has to be remembered in between."""

import functools
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from tlae.attributes.background import (
    Aligned,
    Background,
    Image,
    Plane,
    Tones,
    foreground_of,
    grey_of,
    moved_back,
)
from tlae.attributes.cells import (
    STANDS_COVER,
    Cells,
    Planes,
    cells_of,
    grid_shape,
)
from tlae.attributes.kinds import Scale

ALIGN_FRAMES = 25  # the shift of the camera is measured anew after so many
DEAD_ZONE_PX = 0.3  # smaller shifts are left: they may be noise of one frame
SAMPLES = 25  # frames of the last minutes that make the renewed background
LEAST_SAMPLES = 5  # fewer do not say how much the scene varies
STANDS_PACE = 0.18  # of the median speed: slower is standing, in pixels
LINGERS_PACE = 0.14  # and in body lengths
NOTHING = 128  # grey level of the background, where motion is measured
FINEST_SCALE = 1  # motion is measured down to halves of the picture
SLACK = 3.0  # grey levels by which a calm frame stays below what is foreground


@dataclass(frozen=True)
class Renewal:
    """When a frame of a run is kept as a sample of the scene as it is now.

    The first frame is one, so that what stands there when the run begins is background at once.
    Early samples lie close together, so that what moves is soon no part of it; later ones lie ever
    further apart, up to the spacing.

    Attributes:
        start: frames of the first ``LEAST_SAMPLES`` samples, >= 1.
        spacing: frames between later samples, >= 1; 0: no samples, the background stays as it is.
    """

    start: int = 1
    spacing: int = 0

    def is_due(self, count: int) -> bool:
        """Whether the frame with this number, 0-based, is a sample."""
        if not self.spacing:
            return False
        if count >= self.spacing:
            return count % self.spacing == 0
        if count <= self.start:
            return count % max(1, self.start // (LEAST_SAMPLES - 1)) == 0
        times, rest = divmod(count, self.start)
        return not rest and times & (times - 1) == 0  # twice as far each time


@dataclass(frozen=True, eq=False)
class ObserverState:
    """What the frames of a run leave behind.

    Attributes:
        count: frames seen.
        front: (k, H, W) uint8, what stood in front in the last frames, as many as motion looks
            back; see ``_in_front``.
        stands, lingers: (h, w), see ``Cells``.
        shift: to the right and down, of the camera [px].
        samples: (k, H, W, C) uint8, frames of the last minutes.
        renewed: background of these; None: there are none.
        tones: (k, 256, 1, C), of the last frame that was looked at, for each background; k = 0:
            it was not empty, or the background was renewed since.
    """

    count: int
    front: Image
    stands: Plane
    lingers: Plane
    shift: tuple[float, float]
    samples: Image
    renewed: Background | None
    tones: Tones

    @staticmethod
    def none(shape: tuple[int, int, int]) -> "ObserverState":
        """Before the first frame of shape (H, W, C)."""
        nothing = np.zeros(grid_shape((shape[0], shape[1])), np.float32)
        return ObserverState(
            0,
            np.zeros((0, *shape[:2]), np.uint8),
            nothing,
            nothing,
            (0.0, 0.0),
            np.zeros((0, *shape), np.uint8),
            None,
            np.zeros((0, 256, 1, shape[2]), np.uint8),
        )


@dataclass(frozen=True, eq=False)
class Observation:
    """One frame.

    Attributes:
        planes: foreground and motion.
        cells: that are not empty; none in the first frame of a run, which shows no motion.
        skipped: whether it was seen to be empty under the light of a frame before.
    """

    planes: Planes
    cells: Cells
    skipped: bool = False


class Observer:
    """Turn frames of one camera into cells.

    Args:
        background: of the training footage.
        apart: frames between the two pictures that show motion, >= 1.
        renewal: when the second background is renewed.
        scale: of the scene; None: nothing is known to stand yet.
        watched: (H, W) bool, False where nothing counts; None: everywhere.
    """

    def __init__(
        self,
        background: Background,
        apart: int,
        renewal: Renewal,
        scale: Scale | None,
        watched: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        self.background, self.apart = background, apart
        self.renewal, self.scale, self.watched = renewal, scale, watched
        self._aligned = Aligned(background.frame)

    def see(
        self, frame: Image, past: ObserverState, *, skip_calm: bool = False
    ) -> tuple[Observation, ObserverState]:
        """One more frame.

        Args:
            frame: (H, W, C) uint8.
            past: what the frames before left.
            skip_calm: take a frame for empty that is so by ``SLACK`` under the light of the last
                one that was looked at.
        """
        shift = past.shift
        if past.count % ALIGN_FRAMES == 0:
            shift = self._aligned.shift_of(frame)
        frame = moved_back(frame, shift, DEAD_ZONE_PX)
        past = self._renewed(frame, replace(past, shift=shift))
        backgrounds = [one for one in (self.background, past.renewed) if one is not None]
        if (
            skip_calm
            and len(past.tones)
            and self._excess(frame, backgrounds, past.tones).max() < -SLACK
        ):
            seen, front = self._nothing, np.full(frame.shape[:2], NOTHING, np.uint8)
        else:
            tones = np.stack([one.tones(frame) for one in backgrounds])
            excess = self._excess(frame, backgrounds, tones)
            is_empty = excess.max() < -SLACK  # else the next frame will hardly be, and is not tried
            past = replace(past, tones=tones if is_empty else tones[:0])
            foreground = foreground_of(excess)
            front = _in_front(frame, foreground)
            planes = Planes(foreground, _flow(front, past.front))
            seen = Observation(planes, cells_of(planes, past.count))
        cells = seen.cells
        if not past.count:  # no motion is known
            cells = cells[np.zeros(len(cells), bool)]
        cells, stands, lingers = self._timed(cells, past)
        line = np.concatenate([past.front, front[None]])[-self.apart :]
        after = replace(past, count=past.count + 1, front=line, stands=stands, lingers=lingers)
        return replace(seen, cells=cells), after

    @functools.cached_property
    def _nothing(self) -> Observation:
        """What a frame shows in which nothing stands in front."""
        shape = self.background.noise.shape
        planes = Planes(np.zeros(shape, np.float32), np.zeros((*shape, 2), np.float32))
        return Observation(planes, cells_of(planes, 0), skipped=True)

    def _excess(self, frame: Image, backgrounds: list[Background], tones: Tones) -> Plane:
        """By how much each pixel (H, W) differs from the nearer background more than it may."""
        both = zip(backgrounds, tones, strict=True)
        excess = functools.reduce(np.minimum, (one.excess(frame, its) for one, its in both))
        if self.watched is not None:
            excess = np.where(self.watched, excess, -np.float32(np.inf))
        return excess

    def _timed(self, cells: Cells, past: ObserverState) -> tuple[Cells, Plane, Plane]:
        """The cells with the times that they have stood, and the grids of these."""
        if self.scale is None:
            return cells, past.stands, past.lingers
        held = cells.cover > STANDS_COVER
        relative = cells.speed / self.scale.height_at(cells.foot)
        slow = held & (cells.speed < STANDS_PACE * self.scale.pace)
        calm = held & (relative < LINGERS_PACE * self.scale.stride)
        stands = _longer(past.stands, cells, slow)
        lingers = _longer(past.lingers, cells, calm)
        at = cells.row, cells.column
        return replace(cells, stands=stands[at], lingers=lingers[at]), stands, lingers

    def _renewed(self, frame: Image, past: ObserverState) -> ObserverState:
        """The past with a fresh background, where it is time for one."""
        if not self.renewal.is_due(past.count):
            return past
        samples = np.concatenate([past.samples, frame[None]])[-SAMPLES:]
        if len(samples) >= LEAST_SAMPLES:
            renewed = Background.of(samples)
        else:  # too few to say how much they vary
            median = np.median(samples, axis=0).astype(np.uint8)
            renewed = Background(median, self.background.noise)
        return replace(past, samples=samples, renewed=renewed, tones=past.tones[:0])


def _in_front(frame: Image, foreground: Plane) -> Image:
    """Grey levels (H, W) of what stands in front of the background, on an even ``NOTHING``.

    The still background would hold fast what is small: in the whole picture, motion of things of
    ten pixels came out at a tenth of what it was.
    """
    levels = grey_of(frame).astype(np.float32) - NOTHING
    return np.asarray(np.rint(levels * foreground + NOTHING), np.uint8)


def _flow(front: Image, before: Image) -> Plane:
    """Motion (H, W, 2) of what is now where [px per frame].

    Args:
        front: (H, W), see ``_in_front``.
        before: (k, H, W) of the last frames, the oldest first.
    """
    if not len(before):
        return np.zeros((*front.shape, 2), np.float32)
    # Made anew: one that two threads share gives wrong motion and corrupts memory.
    motion = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    motion.setFinestScale(FINEST_SCALE)
    back = motion.calc(front, before[0], None)
    return np.asarray(-back / np.float32(len(before)), np.float32)


def _longer(times: Plane, cells: Cells, still: npt.NDArray[np.bool_]) -> Plane:
    """Times (h, w) after one more frame: one longer where it is still, soon over elsewhere."""
    at = cells.row[still], cells.column[still]
    after = np.maximum(0, times * 0.5 - 1)
    after[at] = times[at] + 1
    return np.asarray(after, np.float32)
