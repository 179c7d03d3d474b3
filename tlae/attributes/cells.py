"""Cells of a frame in which something is: how it moves, how large it is, how long it has stood."""

from dataclasses import dataclass, fields
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tlae.attributes.background import Plane

CELL_PX = 8  # side of a cell
BLOCK_PX = 4  # pixels are averaged over such blocks first
LEAST_COVER = 0.15  # foreground share of a cell's window, for the cell to count
STANDS_COVER = 0.2  # and to count as standing
SMALLEST_BLOB_PX = 6  # pixels; smaller specks are no things


@dataclass(frozen=True, eq=False)
class Cells:
    """n cells, over any number of frames.

    Attributes:
        frame: (n,) number of the frame, 0-based.
        row, column: (n,) of the cell in the grid.
        cover: (n,) foreground share of a window of about H/16.
        vx, vy, speed: (n,) mean motion of the foreground in the window [px per frame].
        height, width: (n,) of the thing [px].
        radius: (n,) of the largest circle inside the thing [px].
        foot: (n,) row of the thing's lowest pixel.
        upper, lower: (n,) speed at which the thing's upper and lower half go on [px per frame].
        stands, lingers: (n,) frames for which the cell has held something slow: slow in pixels,
            and slow in body lengths.
    """

    frame: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    column: npt.NDArray[np.int64]
    cover: Plane
    vx: Plane
    vy: Plane
    speed: Plane
    height: Plane
    width: Plane
    radius: Plane
    foot: Plane
    upper: Plane
    lower: Plane
    stands: Plane
    lingers: Plane

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> "Cells":
        return Cells(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})

    @staticmethod
    def joined(parts: list["Cells"]) -> "Cells":
        """All cells of the parts, in order; none of no parts."""
        if not parts:
            nothing: Any = np.zeros(0, np.float32)
            return Cells(**{f.name: nothing for f in fields(Cells)})
        return Cells(
            **{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Cells)}
        )

    @property
    def y(self) -> Plane:
        """Row of the cell's centre [px]."""
        return np.asarray((self.row + 0.5) * CELL_PX, np.float32)

    @property
    def x(self) -> Plane:
        """Column of the cell's centre [px]."""
        return np.asarray((self.column + 0.5) * CELL_PX, np.float32)


@dataclass(frozen=True, eq=False)
class Planes:
    """One frame as the cells see it.

    Attributes:
        foreground: (H, W), 0..1.
        flow: (H, W, 2), motion to the right and down [px per frame].
    """

    foreground: Plane
    flow: Plane


def grid_shape(size_hw: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of cells."""
    return -(-size_hw[0] // CELL_PX), -(-size_hw[1] // CELL_PX)


def cells_of(planes: Planes, number: int) -> Cells:
    """Cells of one frame in which something is; none has stood yet.

    Args:
        planes: of the frame.
        number: of the frame.
    """
    cover, motion = _window_means(planes)
    rows, columns = np.nonzero(cover > LEAST_COVER)
    blobs = _Blobs.of(planes)
    seen = blobs.seen_from(rows, columns)
    vx, vy, speed = motion[:, rows, columns] / (cover[rows, columns] + 1e-3)
    height, width, radius, foot, upper, lower = blobs.measures[:, seen]
    nothing = np.zeros(len(rows), np.float32)
    return Cells(
        frame=np.full(len(rows), number),
        row=rows,
        column=columns,
        cover=cover[rows, columns],
        vx=vx,
        vy=vy,
        speed=speed,
        height=height,
        width=width,
        radius=radius,
        foot=foot,
        upper=upper,
        lower=lower,
        stands=nothing,
        lingers=nothing,
    )


def _window_means(planes: Planes) -> tuple[Plane, Plane]:
    """Foreground share of each cell's window (h, w), and motion there (3, h, w)."""
    foreground, flow = planes.foreground, planes.flow
    # Not cv2.magnitude, whose last bits depend on where its result lies in memory.
    speed = np.sqrt(np.square(flow[..., 0]) + np.square(flow[..., 1]))
    parts = [foreground, foreground * flow[..., 0], foreground * flow[..., 1], foreground * speed]
    side = max(3, round(foreground.shape[0] / 16 / BLOCK_PX)) | 1
    means = np.stack([_sampled(_blocks(part), side) for part in parts])
    return means[0], means[1:]


def _blocks(plane: Plane) -> Plane:
    """Means of blocks; the picture is continued by its last row and column."""
    height, width = plane.shape
    down, across = -height % CELL_PX, -width % CELL_PX
    if down or across:
        plane = cv2.copyMakeBorder(plane, 0, down, 0, across, cv2.BORDER_REPLICATE)
    size = (plane.shape[1] // BLOCK_PX, plane.shape[0] // BLOCK_PX)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _sampled(blocks: Plane, side: int) -> Plane:
    """Means over windows of so many blocks around each cell's centre; outside is nothing."""
    means = cv2.blur(blocks, (side, side), borderType=cv2.BORDER_CONSTANT)
    step = CELL_PX // BLOCK_PX
    return np.asarray(means[step // 2 :: step, step // 2 :: step], np.float32)


@dataclass(frozen=True, eq=False)
class _Blobs:
    """Connected things of a frame; number 0 is the background.

    Attributes:
        labels: (H, W) number of the thing.
        measures: (6, n): height, width, radius, foot, upper, lower; see ``Cells``.
    """

    labels: npt.NDArray[np.int32]
    measures: Plane

    @staticmethod
    def of(planes: Planes) -> "_Blobs":
        foreground = planes.foreground
        mask = (foreground > 0.5).astype(np.uint8)
        mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)))
        count, labels, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
        where, radius = np.flatnonzero(mask), np.zeros(count, np.float32)
        np.maximum.at(radius, labels.ravel()[where], inside.ravel()[where])
        height, foot = boxes[:, cv2.CC_STAT_HEIGHT], boxes[:, cv2.CC_STAT_TOP]
        foot = foot + height - 1
        halves = _speeds_of_halves(planes, labels, foot - height / 2)
        measures = [height, boxes[:, cv2.CC_STAT_WIDTH], radius, foot, *halves]
        table = np.stack(measures).astype(np.float32)
        is_thing = boxes[:, cv2.CC_STAT_AREA] >= SMALLEST_BLOB_PX
        is_thing[0] = False  # the background
        labels = np.where(is_thing, np.arange(count), 0).astype(np.int32)[labels]
        return _Blobs(labels, table * is_thing)

    def seen_from(
        self, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Number of the thing at each cell's centre, else of one in the cell's window."""
        height, width = self.labels.shape
        y = np.minimum(rows * CELL_PX + CELL_PX // 2, height - 1)
        x = np.minimum(columns * CELL_PX + CELL_PX // 2, width - 1)
        at = self.labels[y, x]
        side = max(9, height // 16) | 1
        reach = side // 2
        for place in np.flatnonzero(at == 0):
            top, left = max(0, y[place] - reach), max(0, x[place] - reach)
            near = self.labels[top : y[place] + reach + 1, left : x[place] + reach + 1]
            at[place] = near.max()
        return np.asarray(at, np.int64)


def _speeds_of_halves(
    planes: Planes, labels: npt.NDArray[np.int32], middle: npt.NDArray[np.float64]
) -> Plane:
    """Speed of the mean motion in the upper and in the lower half of each thing (2, n).

    Args:
        planes: of the frame.
        labels: (H, W) number of the thing.
        middle: (n,) last row of each upper half.
    """
    rows, columns = np.nonzero(labels)
    thing = labels[rows, columns]
    half = 2 * thing + (rows > middle[thing])
    weight = planes.foreground[rows, columns]
    count = 2 * len(middle)
    cover = np.bincount(half, weight, count) + 1e-3
    motion = planes.flow[rows, columns]
    vx, vy = (np.bincount(half, weight * motion[:, axis], count) / cover for axis in (0, 1))
    return np.asarray(np.hypot(vx, vy).reshape(-1, 2).T, np.float32)
