"""The video of one clip: frames and their scores in, a whole file out."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tlae.errors import FootageError, UserError
from tlae.footage.frames import OK, READ, Frame, Image
from tlae.progress import Advance, quiet
from tlae.rendering.heatmap import TRAIL_FRAMES, TRAIL_S, FloatMap, without_trail
from tlae.rendering.layouts import Look, ShownMoment, compose, plan_layout
from tlae.rendering.marks import Caption, reason_of_alarm
from tlae.rendering.strength import times_threshold
from tlae.rendering.text import clock_text
from tlae.rendering.timeline import ScoreAxis, draw_timeline
from tlae.rendering.video_file import VideoFile
from tlae.table import Table

NOTHING_READ_HW = (480, 640)  # size where no frame of the clip has a picture

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ClipScores:
    """What scoring said of one clip. Rows are numbered from 0 at the clip's first frame.

    Attributes:
        table: the clip's rows of the score table, every frame in order.
        map_of: smoothed map (h, w) of a row, in raw units; asked for readable frames only.
        axis: score axis of the whole footage.
        expected_of: what the net expected of a row, (h, w, C) uint8, if it was kept.
        events: first and last row of each event, inclusive.
    """

    table: Table
    map_of: Callable[[int], FloatMap]
    axis: ScoreAxis
    expected_of: Callable[[int], Image] | None = None
    events: Sequence[tuple[int, int]] = ()

    def shown_map(self, row: int) -> FloatMap:
        """The map of a row as it is drawn, the trail of movers faint, see ``without_trail``."""
        rows = np.arange(max(0, row - TRAIL_FRAMES), row)
        time_s, state = self.table["time_s"], self.table["state"]
        near = (state[rows] == OK) & (np.abs(time_s[row] - time_s[rows]) <= TRAIL_S)
        return without_trail(self.map_of(row), [self.map_of(int(one)) for one in rows[near]])


def select_rows(
    table: Table,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    every: int = 1,
    only_events: bool = False,
    padding_s: float = 0.0,
    events: Sequence[tuple[int, int]] = (),
) -> Ints:
    """Rows of a clip to show.

    Args:
        table: the clip's rows of the score table.
        start_s: earliest clip time shown [s]; None: from the start.
        end_s: latest clip time shown [s], inclusive; None: to the end.
        every: show every n-th row of each stretch, beginning with its first: a speed-up.
        only_events: leave out what is not near an event.
        padding_s: time shown before and after each event [s].
        events: first and last row of each event, inclusive.

    Returns:
        (n,) row numbers, rising; may be empty.
    """
    if every < 1:
        raise UserError(f"every must be >= 1 (each n-th frame is shown), got {every}")
    if padding_s < 0:
        raise UserError(f"padding_s must be >= 0 seconds, got {padding_s:g}")
    if start_s is not None and end_s is not None and start_s > end_s:
        raise UserError(f"start_s must be <= end_s, got {start_s:g} and {end_s:g}")
    time_s = table["time_s"]
    kept = near_events(time_s, events, padding_s) if only_events else np.full(len(time_s), True)
    if start_s is not None:
        kept &= time_s >= start_s
    if end_s is not None:
        kept &= time_s <= end_s
    return _every_nth(np.flatnonzero(kept), every)


def near_events(
    time_s: npt.NDArray[np.float64], events: Sequence[tuple[int, int]], padding_s: float
) -> npt.NDArray[np.bool_]:
    """Whether each row lies in an event or no further from one than ``padding_s``.

    Args:
        time_s: (n,).
        events: first and last row of each, inclusive.
        padding_s: >= 0.
    """
    ends = np.asarray(events, np.int64).reshape(-1, 2)
    rising = np.maximum.accumulate(time_s)  # a camera's clock may be set back
    starts = np.searchsorted(rising, time_s[ends[:, 0]] - padding_s, side="left")
    stops = np.searchsorted(rising, time_s[ends[:, 1]] + padding_s, side="right")
    depth = np.zeros(len(time_s) + 1, np.int64)
    np.add.at(depth, np.minimum(starts, ends[:, 0]), 1)
    np.add.at(depth, np.maximum(stops, ends[:, 1] + 1), -1)
    return np.asarray(depth.cumsum()[:-1] > 0)


def _every_nth(rows: Ints, every: int) -> Ints:
    """Every n-th of each unbroken stretch of rows, so that no stretch vanishes."""
    position = np.arange(len(rows))
    begins = np.diff(rows, prepend=-2) != 1
    since_begin = position - np.maximum.accumulate(np.where(begins, position, 0))
    return np.asarray(rows[since_begin % every == 0], np.int64)


def render_clip(
    frames: Iterable[Frame],
    scores: ClipScores,
    look: Look,
    shown: Sequence[int] | Ints,
    path: Path,
    fps: float,
    advance: Advance = quiet,
) -> None:
    """Write the video of a clip. A frame without a picture is the last good one with the reason.

    Args:
        frames: of the clip, forward, in full size; read only as far as needed.
        scores: of the same clip.
        look: scale, threshold, layout and mask.
        shown: rows to show, rising, see ``select_rows``.
        path: .mp4 file to write or replace.
        fps: frames a second of the video.
        advance: called for each frame written.

    Raises:
        UserError: nothing to show, or the file cannot be written.
        FootageError: the footage is shorter than its scores.
    """
    wanted = {int(row) for row in shown}
    if not wanted:
        raise UserError(f"{path.name} must show at least one frame, got none; widen the selection")
    source_hw, stream = _first_size(iter(frames))
    plan = plan_layout(look.layout, source_hw, rebuilt=scores.expected_of is not None)
    if "rebuilt" not in plan.panels:
        scores = replace(scores, expected_of=None)
    timeline = draw_timeline(scores.table, scores.axis, plan.strip_hw, scores.events)
    with VideoFile(path, fps, plan.size_hw) as video:
        for moment, row in moments(stream, scores, wanted):
            video.write(compose(plan, look, moment, timeline.at(row)))
            advance(1)


def moments(
    frames: Iterator[Frame], scores: ClipScores, wanted: set[int]
) -> Iterator[tuple[ShownMoment, int]]:
    """What to show of each wanted row, and its number; reads no further than the last of them.

    Args:
        frames: of the clip, forward.
        scores: of the same clip.
        wanted: row numbers in the clip.

    Raises:
        FootageError: the footage is shorter than its scores.
    """
    missing = set(wanted)
    last_image: Image | None = None
    for frame in frames:
        last_image = last_image if frame.image is None else frame.image
        if frame.frame in missing:
            missing.remove(frame.frame)
            yield _moment(frame, scores, last_image), frame.frame
        if not missing:
            return
    raise FootageError(
        f"footage of clip {scores.table['clip'][0]} must have the frames that were scored, "
        f"{len(missing)} of them from #{min(missing)} on are missing; score it again"
    )


def _first_size(frames: Iterator[Frame]) -> tuple[tuple[int, int], Iterator[Frame]]:
    """Size of the first picture, and all the frames again."""
    passed = []
    for frame in frames:
        passed.append(frame)
        if frame.image is not None:
            size_hw = (frame.image.shape[0], frame.image.shape[1])
            return size_hw, itertools.chain(passed, frames)
    return NOTHING_READ_HW, iter(passed)


def _moment(frame: Frame, scores: ClipScores, last_image: Image | None) -> ShownMoment:
    row = scores.table.row(frame.frame)
    clock = clock_text(row["time_s"], row["taken_at"])
    words = reason_of_alarm(row["alarm"], row.get("reason"))
    caption = Caption(clock, f"{frame.clip}  #{frame.frame}", words)
    reason = frame.state if row["state"] in READ else row["state"]
    if frame.image is None or reason != OK:
        return ShownMoment(last_image, None, caption, message=f"not readable: {reason}")
    return ShownMoment(
        frame.image,
        scores.shown_map(frame.frame),
        caption,
        alarm=row["alarm"],
        threshold=row.get("threshold"),
        strength=times_threshold(row["raw"], row.get("threshold")),
        rebuilt=scores.expected_of(frame.frame) if scores.expected_of else None,
    )
