"""Scores that need no learning; a net that does not beat them is worth nothing."""

import numpy as np
import numpy.typing as npt
import torch

from tlae.footage.store import FrameStore
from tlae.footage.windows import Rows
from tlae.scoring.error_map import error_map
from tlae.scoring.reduce import reduce_map
from tlae.scoring.rule import ScoringRule
from tlae.scoring.smooth import smooth_in_time, smooth_map

BLOCK_FRAMES = 256


def frame_difference(
    store: FrameStore, runs: list[Rows], rule: ScoringRule
) -> npt.NDArray[np.float64]:
    """Difference to the frame before, scored by the same rule as a net's error.

    Returns:
        (frames of the store,); the first frame of a run gets 0, an unreadable one NaN.
    """
    size_px = rule.kernel_size_px(store.shape[1])
    scores = np.full(len(store), np.nan)
    for run in runs:
        values = [np.zeros(1)]
        for start in range(1, len(run), BLOCK_FRAMES):
            rows = run[start - 1 : start + BLOCK_FRAMES]  # one before, then the block
            frames = torch.from_numpy(store.read(rows)).permute(0, 3, 1, 2).float() / 255
            maps = error_map(frames[1:], frames[:-1], rule.error, rule.unit)
            smoothed = smooth_map(maps, rule.kernel, size_px)
            values.append(reduce_map(smoothed, rule.reduction)[0].double().numpy())
        series = np.concatenate(values)
        scores[run] = smooth_in_time(series, rule.smooth_frames, causal=rule.causal)
    return scores
