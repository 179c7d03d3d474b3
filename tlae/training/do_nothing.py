"""Losses of trivial baselines, which every net must beat."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tlae.footage.store import FrameStore
from tlae.footage.windows import Rows

BLOCK_FRAMES = 256  # frames in memory at once

FloatFrame = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FittedBackground:
    """What normal footage looks like on average.

    Attributes:
        mean_frame: (C, H, W) in [0, 1].
        spread: standard deviation of all pixels around their own mean, > 0.
    """

    mean_frame: npt.NDArray[np.float32]
    spread: float


DoNothing = dict[str, float]  # losses of trivial baselines, by a key of WORDS
WORDS = {
    "copy_last": "copying the last frame",  # the last the net saw before the one it answers for
    "mean_frame": "the mean frame",
    "constant": "a constant answer",  # of a net that segments: the share of what is planted
}


def fit_background(store: FrameStore, runs: list[Rows], at_most: int = 20_000) -> FittedBackground:
    """Mean frame and spread of the training footage, from evenly spread frames."""
    rows = np.concatenate(runs)
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), at_most)).round().astype(np.int64)]
    total: FloatFrame = np.zeros(store.shape[1:])
    squares: FloatFrame = np.zeros(store.shape[1:])
    for block in _blocks(rows):
        frames = store.read(block) / 255.0
        total += frames.sum(axis=0)
        squares += np.square(frames).sum(axis=0)
    mean = total / len(rows)
    variance = np.clip(squares / len(rows) - mean**2, 0, None).mean()
    one_grey_level = 1 / 255  # footage that hardly changes still gets a unit
    spread = max(float(np.sqrt(variance)), one_grey_level)
    return FittedBackground(mean.transpose(2, 0, 1).astype(np.float32), spread)


def do_nothing_losses(
    store: FrameStore,
    runs: list[Rows],
    background: FittedBackground,
    *,
    lag_frames: int = 1,
    absolute: bool = False,
    watched: npt.NDArray[np.bool_] | None = None,
) -> DoNothing:
    """Losses of copying the last frame and of the mean frame, over held-out runs.

    Args:
        store: decoded frames.
        runs: rows of the held-out runs.
        background: of the training footage.
        lag_frames: how many frames before its own the net saw last.
        absolute: mean absolute instead of mean squared difference.
        watched: (H, W), True where changes count; None: everywhere.
    """
    mean = background.mean_frame.transpose(1, 2, 0)
    weights = np.ones(store.shape[1:3]) if watched is None else watched.astype(np.float64)
    copied: list[FloatFrame] = []
    still: list[FloatFrame] = []
    for run in runs:
        for block in _blocks(run[lag_frames:]):
            now = store.read(block) / 255.0
            before = store.read(run[np.searchsorted(run, block) - lag_frames]) / 255.0
            copied.append(_loss(now - before, weights, absolute=absolute))
            still.append(_loss(now - mean, weights, absolute=absolute))
    if not copied:
        return {"copy_last": float("nan"), "mean_frame": float("nan")}
    return {
        "copy_last": float(np.concatenate(copied).mean()),
        "mean_frame": float(np.concatenate(still).mean()),
    }


def _loss(difference: FloatFrame, weights: FloatFrame, *, absolute: bool) -> FloatFrame:
    """(n, H, W, C) -> (n,)."""
    error = np.abs(difference) if absolute else np.square(difference)
    loss: FloatFrame = (error.mean(axis=3) * weights).sum(axis=(1, 2)) / weights.sum()
    return loss


def _blocks(rows: Rows) -> Iterator[Rows]:
    for start in range(0, len(rows), BLOCK_FRAMES):
        yield rows[start : start + BLOCK_FRAMES]
