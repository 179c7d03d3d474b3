"""Strip with the score of a whole clip; drawn once, only the cursor moves."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import cv2
import numpy as np
import numpy.typing as npt

from tlae.footage.frames import OK, READ, Image
from tlae.palette import ALARM, AMBER, DARK, FAINT, INK, Colour
from tlae.rendering.text import Rect, draw_text, text_width
from tlae.rendering.time_ticks import time_ticks
from tlae.table import Table, is_any

HEADROOM = 1.15  # of the axis over the highest score
LOWEST_TOP, HIGHEST_TOP = (
    1.6,
    6.0,
)  # of the axis, in thresholds: one wild frame must not flatten all
HOLE_FACTOR = 10.0  # a pause this many times the median interval interrupts the curve

UNREAD: Colour = (58, 61, 68)
ALARM_SHARE = 0.38

_SUBPIXEL_BITS = 3

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ScoreAxis:
    """One score axis for the whole footage.

    Attributes:
        top: raw score at the upper end; the lower is 0.
        threshold: alarm threshold in raw units; infinite: none.
    """

    top: float
    threshold: float

    @classmethod
    def from_scores(cls, raw: Floats, threshold: float) -> "ScoreAxis":
        """Axis for all scores of the footage, NaN where unreadable."""
        known = raw[np.isfinite(raw)]
        top = HEADROOM * float(known.max()) if len(known) else 0.0
        if math.isfinite(threshold) and threshold > 0:
            top = min(max(top, LOWEST_TOP * threshold), HIGHEST_TOP * threshold)
        return cls(top if top > 0 else 1.0, threshold)


@dataclass(frozen=True, eq=False)
class Timeline:
    """A drawn strip.

    Attributes:
        image: RGB (h, W, 3), without cursor.
        plot: place of the curve in it.
        x: (n,), column of each row of the table.
        y: (n,), height of its score in the strip, -1 where there is none.
    """

    image: Image
    plot: Rect
    x: Ints
    y: Ints

    def at(self, row: int) -> Image:
        """The strip with the cursor at a row; a new picture."""
        strip = self.image.copy()
        x, y = int(self.x[row]), int(self.y[row])
        cv2.line(strip, (x, self.plot.top - 2), (x, self.plot.bottom), INK, 1)
        if y >= 0:
            radius = max(3, self.plot.height // 18)
            cv2.circle(strip, (x, y), radius, INK, -1, cv2.LINE_AA)
        return strip


def strip_height(width_px: int) -> int:
    """Height of a strip that suits its width, even."""
    return 2 * round(min(max(0.115 * width_px, 72), 132) / 2)


def draw_timeline(
    table: Table,
    axis: ScoreAxis,
    size_hw: tuple[int, int],
    events: Sequence[tuple[int, int]] = (),
) -> Timeline:
    """Draw the strip of a clip, of any number of frames.

    Args:
        table: score table of the clip: time_s, taken_at, state, raw, alarm.
        axis: score axis of the whole footage.
        size_hw: size of the strip in pixels.
        events: first and last row of each event, inclusive.
    """
    strip = np.full((*size_hw, 3), DARK, np.uint8)
    line_px = min(max(15, size_hw[0] // 6), 20)
    label = "alarm" if math.isfinite(axis.threshold) else "score"
    left = text_width(label, line_px) + line_px
    top = max(6, line_px // 2)
    plot = Rect(left, top, max(2, size_hw[1] - left - line_px), size_hw[0] - top - line_px - 5)
    time_s = table["time_s"]
    raw = np.where(table["state"] == OK, table["raw"], np.nan)
    x = _columns(time_s, plot)
    heights = plot.bottom - 1 - np.clip(raw / axis.top, 0, 1) * (plot.height - 1)

    _shade(strip, plot, x, table["alarm"])
    unread = ~is_any(table["state"], READ)
    _mark_unread(strip, plot, x, unread)
    _draw_ticks(strip, plot, table, line_px)
    _draw_threshold(strip, plot, axis, label, line_px)
    _draw_curve(strip, x, heights, time_s)
    _mark_events(strip, plot, x, events)
    return Timeline(strip, plot, x, np.nan_to_num(heights, nan=-1).round().astype(np.int64))


def _columns(time_s: Floats, plot: Rect) -> Ints:
    """Column of each moment."""
    since = time_s - time_s.min()
    share = since / max(float(since.max()), 1e-9)
    column = plot.left + share * (plot.width - 1)
    return np.asarray(column.round(), np.int64)


def _covered(x: Ints, chosen: npt.NDArray[np.bool_], width: int) -> npt.NDArray[np.bool_]:
    """Columns covered by runs of chosen rows, each at least one wide."""
    edges = np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8))
    starts, ends = x[np.flatnonzero(edges == 1)], x[np.flatnonzero(edges == -1) - 1]
    depth = np.zeros(width + 1, np.int64)
    np.add.at(depth, np.minimum(starts, ends), 1)  # a clock set back runs to the left
    np.add.at(depth, np.maximum(starts, ends) + 1, -1)
    return depth.cumsum()[:width] > 0


def _shade(strip: Image, plot: Rect, x: Ints, alarm: npt.NDArray[np.bool_]) -> None:
    """Red behind the stretches of alarm, at least three columns each."""
    alone = _covered(x, alarm, strip.shape[1])
    wide = alone | np.roll(alone, 1) | np.roll(alone, -1)
    part = strip[plot.top : plot.bottom]
    ground = (1 - ALARM_SHARE) * np.asarray(DARK) + ALARM_SHARE * np.asarray(ALARM)
    part[:, wide] = ground.round()


def _mark_unread(strip: Image, plot: Rect, x: Ints, unread: npt.NDArray[np.bool_]) -> None:
    """Grey where frames could not be read, unless others in the same column could."""
    columns = _covered(x, unread, strip.shape[1])
    columns[x[~unread]] = False
    strip[plot.top : plot.bottom, columns] = UNREAD


def _draw_curve(strip: Image, x: Ints, heights: Floats, time_s: Floats) -> None:
    """Lowest and highest score of each column, joined; interrupted where frames are missing."""
    rows = np.flatnonzero(~np.isnan(heights))
    if not len(rows):
        return
    rows = rows[np.argsort(x[rows], kind="stable")]
    first = np.flatnonzero(np.diff(x[rows], prepend=-1))  # of each column
    last = np.append(first[1:], len(rows)) - 1
    lowest = np.maximum.reduceat(heights[rows], first)  # y points down
    highest = np.minimum.reduceat(heights[rows], first)
    missing = rows[first[1:]] - rows[last[:-1]] != 1
    steps = np.diff(time_s)
    median_s = float(np.median(steps)) if len(steps) else 0.0
    pause_s = time_s[rows[first[1:]]] - time_s[rows[last[:-1]]]
    gap = np.diff(x[rows[first]]) > 1
    broken = np.flatnonzero(gap & (missing | (pause_s > HOLE_FACTOR * median_s))) + 1
    points = np.stack([np.repeat(x[rows[first]], 2), np.stack([lowest, highest], 1).ravel()], 1)
    for run in np.split((points * 2**_SUBPIXEL_BITS).round().astype(np.int32), 2 * broken):
        cv2.polylines(strip, [run], False, INK, 1, cv2.LINE_AA, _SUBPIXEL_BITS)


def _draw_threshold(strip: Image, plot: Rect, axis: ScoreAxis, label: str, line_px: int) -> None:
    """Dashed line and its name in the margin; without a threshold the name of the curve."""
    share, colour = 0.5, FAINT
    if math.isfinite(axis.threshold):
        share, colour = min(max(axis.threshold / axis.top, 0), 1), AMBER
        y = round(plot.bottom - 1 - share * (plot.height - 1))
        dashes = np.arange(plot.width) % 8 < 5
        strip[y, plot.left : plot.right][dashes] = colour
    y = round(plot.bottom - 1 - share * (plot.height - 1))
    top = min(max(0, y - line_px // 2), plot.bottom - line_px)
    draw_text(strip, label, (line_px // 2, top), line_px, colour)


def _draw_ticks(strip: Image, plot: Rect, table: Table, line_px: int) -> None:
    """Ground line, round moments and their labels."""
    strip[plot.bottom, plot.left : plot.right] = UNREAD
    time_s = table["time_s"]
    start_s, span_s = float(time_s.min()), float(time_s.max() - time_s.min())
    known = np.flatnonzero(~np.isnat(table["taken_at"]))
    began = None
    if len(known):
        first = table.row(int(known[0]))
        began = first["taken_at"] - timedelta(seconds=first["time_s"] - start_s)
    most = plot.width // round(1.8 * text_width("00:00:00", line_px))
    for moment_s, label in time_ticks(span_s, began, most):
        x = plot.left + round(moment_s / max(span_s, 1e-9) * (plot.width - 1))
        strip[plot.bottom : plot.bottom + 4, x] = FAINT
        width = text_width(label, line_px)
        start = min(max(0, x - width // 2), strip.shape[1] - width)
        draw_text(strip, label, (start, plot.bottom + 4), line_px, FAINT)


def _mark_events(strip: Image, plot: Rect, x: Ints, events: Sequence[tuple[int, int]]) -> None:
    """A bar over each event, at least five columns wide."""
    for first, last in events:
        middle = (int(x[first]) + int(x[last])) // 2
        left, right = min(int(x[first]), middle - 2), max(int(x[last]), middle + 2)
        strip[1 : plot.top - 2, max(0, left) : right + 1] = ALARM
