"""One video over all clips and days: steady in footage time, slower near events, gaps announced.

A card tells how much time a gap takes; between clips without wall-clock times it tells the name of
the clip that begins.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.footage.frames import Frame
from tlae.progress import Advance, quiet
from tlae.rendering.clip_video import ClipScores, moments
from tlae.rendering.footage_time import duration_text
from tlae.rendering.layouts import Look, ShownMoment, compose, plan_layout
from tlae.rendering.timeline import draw_timeline
from tlae.rendering.video_file import VideoFile
from tlae.table import Table

ROUNDING = 1e-6  # frames of the video

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pace:
    """How footage time becomes video time.

    Attributes:
        fps: frames a second of the video.
        footage_s: footage time that passes in a second of the video [s], away from events.
        slow: so many times slower near events, >= 1.
        event_s: an event takes no less video time than this [s].
        card_s: how long the video tells of a gap [s].
    """

    fps: float
    footage_s: float
    slow: float = 4.0
    event_s: float = 1.0
    card_s: float = 0.7

    def __post_init__(self) -> None:
        if not self.footage_s > 0:
            raise UserError(f"hours_per_s must be > 0, got {self.footage_s / 3600:g}")
        if not self.slow >= 1:
            raise UserError(f"slow must be >= 1 (times slower near events), got {self.slow:g}")


@dataclass(frozen=True)
class Shot:
    """One frame of the footage in the video.

    Attributes:
        row: of the score table.
        frames: of the video that show it, >= 1.
        gap_s: time just before it that has no footage, or is not shown; 0: none.
    """

    row: int
    frames: int
    gap_s: float = 0.0


def plan_shots(
    at_s: Floats,
    near: npt.NDArray[np.bool_],
    chosen: npt.NDArray[np.bool_],
    pace: Pace,
    interval_s: float,
    gap_s: float,
) -> list[Shot]:
    """Which frames of the footage to show, and for how long.

    A frame stands until the next one; before a gap it stands for the median interval. Where the
    footage has more frames than the video, some are passed over.

    Args:
        at_s: (n,), moments on the axis of the footage, rising.
        near: (n,), whether near an event.
        chosen: (n,), whether to be shown at all; what is left out counts as a gap if it is long.
        pace: from footage time to video time.
        interval_s: median time between frames.
        gap_s: a pause at least this long is a gap.

    Returns:
        At least one, if one is chosen.
    """
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return []
    steps_s = np.diff(at_s[rows]).clip(min=0)
    gaps_s = np.concatenate([[0.0], np.where(steps_s >= gap_s, steps_s, 0.0)])
    held_s = np.append(np.where(steps_s >= gap_s, interval_s, steps_s), interval_s)
    video_s = _video_seconds(held_s, near[rows], pace)
    ends = np.ceil(np.concatenate([[0.0], video_s.cumsum()]) * pace.fps - ROUNDING)
    frames = np.diff(ends).astype(np.int64)
    shots, pending_s = [], 0.0
    for row, count, gap in zip(rows, frames, gaps_s, strict=True):
        pending_s = max(pending_s, float(gap))
        if count:
            shots.append(Shot(int(row), int(count), pending_s))
            pending_s = 0.0
    return shots or [Shot(int(rows[0]), 1)]


def _video_seconds(held_s: Floats, near: npt.NDArray[np.bool_], pace: Pace) -> Floats:
    """Video time of each frame; a stretch near an event is long enough to be seen."""
    video_s = held_s / pace.footage_s
    begins = np.flatnonzero(np.diff(near, prepend=not near[0]))
    lengths = np.diff(np.append(begins, len(near)))
    whole_s = np.maximum(np.add.reduceat(video_s, begins), 1e-12)
    factor = np.where(near[begins], np.maximum(pace.slow, pace.event_s / whole_s), 1.0)
    return np.asarray(video_s * np.repeat(factor, lengths), np.float64)


def render_timelapse(
    table: Table,
    shots: Sequence[Shot],
    open_clip: Callable[[str], tuple[Iterable[Frame], ClipScores]],
    look: Look,
    events: Sequence[tuple[int, int]],
    pace: Pace,
    path: Path,
    advance: Advance = quiet,
) -> None:
    """Write the video.

    Args:
        table: score table in the order of the video, rows numbered from 0; its ``time_s`` is the
            time on the axis of the whole footage.
        shots: from ``plan_shots``.
        open_clip: frames of a clip, forward, and its scores; asked for one clip after the other.
        look: scale, threshold and mask.
        events: first and last row of each event, inclusive.
        pace: of the video.
        path: .mp4 file to write or replace.
        advance: called for each frame written.

    Raises:
        UserError: the file cannot be written.
        FootageError: the footage is shorter than its scores.
    """
    if not shots:
        raise UserError(f"{path.name} must show at least one frame, got none; widen the selection")
    clips = table["clip"]
    plan, timeline = plan_layout(look.layout, _source_size(table)), None
    card_frames = max(1, round(pace.card_s * pace.fps))
    with VideoFile(path, pace.fps, plan.size_hw) as video:
        for name, group in groupby(shots, key=lambda shot: clips[shot.row]):
            frames, scores = open_clip(str(name))
            timeline = timeline or draw_timeline(table, scores.axis, plan.strip_hw, events)
            for shot, moment in _shown(list(group), table, frames, scores):
                strip = timeline.at(shot.row)
                if shot.gap_s:
                    card = _card(moment, shot, table)
                    video.write(compose(plan, look, card, strip), card_frames)
                video.write(compose(plan, look, moment, strip), shot.frames)
                advance(shot.frames)


def _shown(
    shots: list[Shot], table: Table, frames: Iterable[Frame], scores: ClipScores
) -> Iterator[tuple[Shot, ShownMoment]]:
    """Shots of one clip with their pictures."""
    shot_of = {int(table["frame"][shot.row]): shot for shot in shots}
    for moment, number in moments(iter(frames), scores, set(shot_of)):
        yield shot_of[number], moment


def _card(following: ShownMoment, shot: Shot, table: Table) -> ShownMoment:
    """How much later it goes on, or the clip that begins where no clock tells that."""
    line = table.row(shot.row)
    begins = shot.row > 0 and table["clip"][shot.row - 1] != line["clip"]
    untimed = begins and line["taken_at"] is None
    message = line["clip"] if untimed else f"{duration_text(shot.gap_s)} later"
    return replace(following, smoothed=None, alarm=False, message=message)


def _source_size(table: Table) -> tuple[int, int]:
    """Size of the camera's pictures."""
    read = np.flatnonzero(table["source_h"] > 0)
    if not len(read):
        raise UserError("a time-lapse must show at least one frame that could be read, got none")
    return int(table["source_h"][read[0]]), int(table["source_w"][read[0]])
