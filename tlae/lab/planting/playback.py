"""Which frames of the test footage a clip plays, and how fast."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tlae.footage.windows import Rows


def playback(clip_frames: int, first: int, event_frames: int, speed: int) -> Rows:
    """Frame numbers that a clip plays, relative to its first.

    Args:
        clip_frames: length of the clip.
        first: first frame (0-based, at least 1) of the event: the first that was reached at
            another speed.
        event_frames: its length.
        speed: frames forward per frame within the event; negative plays backwards.

    Returns:
        (clip_frames,) int64, beginning with 0; steps of 1 outside of the event.
    """
    steps = np.ones(clip_frames, np.int64)
    steps[0] = 0
    steps[first : first + event_frames] = speed
    return np.cumsum(steps)


def draw_place(
    numbers: Rows, runs: Sequence[tuple[int, int]], rng: np.random.Generator
) -> Rows | None:
    """Put relative frame numbers somewhere into footage, never across a cut.

    Args:
        numbers: relative frame numbers.
        runs: first and last frame (inclusive) of each stretch without a cut.
        rng: source of chance.

    Returns:
        The frame numbers, moved; None where no run is long enough.
    """
    low, high = int(numbers.min()), int(numbers.max())
    rooms = np.array([max(0, last - first + 1 - (high - low)) for first, last in runs])
    if not rooms.sum():
        return None
    chosen = int(rng.integers(rooms.sum()))
    run = int(np.searchsorted(np.cumsum(rooms), chosen, side="right"))
    start = runs[run][0] + chosen - int(rooms[:run].sum())
    return numbers - low + start


def straight_path(
    top_left: npt.NDArray[np.float64], velocity: tuple[float, float], frames: int
) -> npt.NDArray[np.float64]:
    """Places of steadily moving things.

    Args:
        top_left: (..., 2), rows and columns in the first frame.
        velocity: rows and columns per frame.
        frames: length of the path.

    Returns:
        (..., frames, 2).
    """
    steps = np.multiply.outer(np.arange(frames, dtype=np.float64), velocity)  # (frames, 2)
    path: npt.NDArray[np.float64] = top_left[..., None, :] + steps
    return path
