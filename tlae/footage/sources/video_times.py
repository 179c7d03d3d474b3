"""Times of a video's frames in the order shown, and what its damage has cost."""

import heapq
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf

import av
import numpy as np

from tlae.footage.sources.whole_frames import REORDERED_FRAMES, Shown
from tlae.number_words import how_many

STEADY_SHARE = 0.8  # of all steps near the median one: a constant frame rate, by which jumps show
NEAR = 0.25  # of the median step
JUMP_STEPS = 1.6  # a longer step has lost frames; cameras skip no half frames

Timed = tuple[float, av.VideoFrame | None]
"""Time of a frame in seconds, and the frame; None: it is damaged."""


@dataclass
class Losses:
    """What is missing from a video.

    Attributes:
        packets: that could not be read or decoded, and stand for no frame.
        damaged: frames that have a row of their own, without a picture.
        misplaced: frames whose time ran backwards.
        missing: frames that the header promises beyond those that were read, of a cut file.
        times: of the frames that were read, in seconds.
    """

    packets: int = 0
    damaged: int = 0
    misplaced: int = 0
    missing: int = 0
    times: "array[float]" = field(default_factory=lambda: array("d"))

    def __str__(self) -> str:
        """What has no row of its own, in a few words; empty where nothing was lost."""
        jumps, skipped = skipped_frames(self.times)
        parts = [
            (self.missing, "about {:,} missing at the end"),
            (skipped, f"{{:,}} missing where times jump (at {how_many(jumps, 'place')})"),
            (self.packets, how_many(self.packets, "damaged packet")),
            (self.misplaced, "{:,} with times that ran backwards"),
        ]
        shown = [text.format(count) for count, text in parts if count]
        return f"frames lost: {', '.join(shown)}" if shown else ""

    def summary(self, frames: int) -> str:
        """All of it, of a video of so many frames."""
        damaged = f", {self.damaged:,} of them damaged" if self.damaged else ""
        return "; ".join(filter(None, (f"{how_many(frames, 'frame')} read{damaged}", str(self))))


def skipped_frames(times_s: "Sequence[float] | array[float]") -> tuple[int, int]:
    """Count frames that a constant frame rate lacks.

    Args:
        times_s: of the frames, not falling.

    Returns:
        How many steps are too long, and how many frames fit into them; zeros for a variable rate,
        where a long step is nothing odd.
    """
    steps = np.diff(np.asarray(times_s))
    if len(steps) < 3 or (median_s := float(np.median(steps))) <= 0:
        return 0, 0
    if (np.abs(steps / median_s - 1) <= NEAR).mean() < STEADY_SHARE:
        return 0, 0
    jumps = steps[steps > JUMP_STEPS * median_s] / median_s
    lacking = round(steps.sum() / median_s) - len(steps)  # early frames make up for late ones
    skipped = min(int((np.round(jumps) - 1).sum()), lacking)
    return (len(jumps), skipped) if skipped > 0 else (0, 0)


def timed(frames: Iterable[Shown], step_s: float) -> Iterator[Timed]:
    """Presentation times; a frame without one follows the frame before by the median step."""
    last_s = -step_s
    for frame in frames:
        last_s = last_s + step_s if frame.time_s is None else frame.time_s
        yield last_s, frame.picture


def in_order(frames: Iterable[Timed]) -> Iterator[Timed]:
    """Give the times of neighbouring frames to them in rising order."""
    times: list[float] = []
    waiting: list[av.VideoFrame | None] = []
    for time_s, frame in frames:
        heapq.heappush(times, time_s)
        waiting.append(frame)
        if len(waiting) > REORDERED_FRAMES:
            yield heapq.heappop(times), waiting.pop(0)
    while waiting:
        yield heapq.heappop(times), waiting.pop(0)


def not_falling(frames: Iterable[Timed], step_s: float, losses: Losses) -> Iterator[Timed]:
    """Count a frame on from the one before it where the times of a damaged file run backwards.

    Of two times of which the later is the smaller one, the later is replaced; the earlier, if the
    later still fits behind the frame before both: one leap ahead shall not move all that follows.

    Args:
        frames: with their times as written.
        step_s: by which is counted on.
        losses: counts the replaced times.
    """
    last_s = -inf
    held: Timed | None = None
    for time_s, frame in frames:
        if held is not None:
            if held[0] < last_s or -inf < last_s < time_s < held[0]:
                losses.misplaced += 1
                counted_s = last_s + step_s
                held = (min(counted_s, time_s) if time_s > last_s else counted_s), held[1]
            last_s = held[0]
            yield held
        held = time_s, frame
    if held is not None:
        if held[0] < last_s:
            losses.misplaced += 1
            held = last_s + step_s, held[1]
        yield held
