"""Smoothing of scores over time."""

import math

import numpy as np
import numpy.typing as npt

from tlae.footage.windows import Rows
from tlae.lazy_column import Values, pieces_of

Series = npt.NDArray[np.float64]

TRUNCATED = 4.0  # standard deviations of the Gaussian; further scores do not count
UNSETTLED = 2.0  # in units of the smoothing: then what one end weighs too much is a fiftieth


def smooth_in_time(values: Series, frames: float, *, causal: bool) -> Series:
    """Smooth the scores of one run of frames.

    Args:
        values: (n,), without NaN.
        frames: time constant of an exponential average (causal) or sigma of a Gaussian (not); 0:
            none.
        causal: the score of a frame depends on that frame and those before it only.

    Returns:
        (n,), same unit.
    """
    if frames == 0 or len(values) == 0:
        return values
    if causal:
        return CausalSmoothing(frames).push_all(values)
    from scipy.ndimage import gaussian_filter1d  # live scoring needs no SciPy

    return np.asarray(gaussian_filter1d(values, frames, mode="nearest", truncate=TRUNCATED))


class CausalSmoothing:
    """``smooth_in_time`` of one run, causal, score by score.

    Args:
        frames: time constant; 0: none.

    Attributes:
        carried: what the scores so far leave behind; None: the next one begins a run.
    """

    def __init__(self, frames: float) -> None:
        self._keep = math.exp(-1 / frames) if frames else 0.0
        self.reset()

    def reset(self) -> None:
        """The next score begins a run."""
        self.carried: float | None = None

    def push(self, value: float) -> float:
        """Smooth the next score: an exponential average that begins with the first one."""
        before = self._keep * value if self.carried is None else self.carried
        smoothed = (1 - self._keep) * value + before
        self.carried = self._keep * smoothed
        return smoothed

    def push_all(self, values: Series) -> Series:
        """Smooth the next scores."""
        return np.array([self.push(value) for value in values.tolist()])


def is_settled(count: int, frames: float, *, causal: bool) -> npt.NDArray[np.bool_]:
    """Which scores of a run are smoothed over as many others as those of a long run.

    The first smoothed score is an unsmoothed one, so it varies more, and so do some after it.

    Args:
        count: frames of the run.
        frames: see ``smooth_in_time``.
        causal: see ``smooth_in_time``; else the end is as the beginning.

    Returns:
        (count,).
    """
    place = np.arange(count)
    unsettled = math.ceil(UNSETTLED * frames)
    settled = place >= unsettled
    return settled if causal else settled & (place < count - unsettled)


def smooth_runs(values: Values, runs: list[Rows], frames: float, *, causal: bool) -> Series:
    """Smooth the scores of a footage run by run; rows of no run keep theirs.

    Long runs are smoothed piece by piece, as if they were smoothed whole.
    """
    smoothed = np.empty(len(values))
    for rows in pieces_of(len(values)):
        smoothed[rows] = values[rows]
    reach = math.ceil(TRUNCATED * frames)
    for run in runs if frames else []:
        average = CausalSmoothing(frames)
        for part in pieces_of(len(run)):
            some, first = run[part], max(0, part.start - reach)
            if causal:
                smoothed[some] = average.push_all(values[some])
            else:
                near = values[run[first : part.stop + reach]]
                near = smooth_in_time(near, frames, causal=False)
                smoothed[some] = near[part.start - first :][: len(some)]
    return smoothed
