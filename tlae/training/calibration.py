"""After the fit: how large are errors here, and how do scores of normal footage spread?"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import torch

from tlae.footage.store import FrameStore
from tlae.footage.windows import Rows, usual_interval_s
from tlae.model_file import Model
from tlae.progress import Advance
from tlae.scoring.calibrate import Calibration
from tlae.scoring.rule import ScoringRule
from tlae.scoring.scorer import FrameScorer, Scored

BATCH_FRAMES = 16
CALIBRATION_FRAMES = 20_000  # more would only cost time and file size
TYPICAL_FRAMES = 1_000


def typical_error(
    model: Model, store: FrameStore, runs: list[Rows], rule: ScoringRule, device: torch.device
) -> torch.Tensor:
    """Mean error (H, W) of normal frames, in the unit of the rule."""
    plain = replace(rule, background=False, kernel="box_mean", kernel_px=1, kernel_frames=1)
    total: npt.NDArray[np.float64] = np.zeros(store.shape[1:3])
    count = 0
    for _, scored in _score(model, store, shortened(runs, TYPICAL_FRAMES), plain, device):
        total += scored.maps.sum(axis=0)
        count += len(scored.maps)
    return torch.from_numpy(total / max(count, 1)).float()


def calibrate(
    model: Model,
    store: FrameStore,
    runs: list[Rows],
    rule: ScoringRule,
    device: torch.device,
    advance: Advance,
) -> Calibration:
    """Score held-out normal footage as new footage will be scored.

    Args:
        model: net with its preprocessing; its own calibration is not used.
        store: decoded frames.
        runs: rows of the held-out runs, in order.
        rule: scoring rule to calibrate for.
        device: where the net runs.
        advance: told the number of frames done.
    """
    runs = shortened(runs, CALIBRATION_FRAMES)
    values: list[npt.NDArray[np.float64]] = []
    means: list[npt.NDArray[np.float64]] = []
    numbers: list[npt.NDArray[np.int64]] = []
    for number, scored in _score(model, store, runs, rule, device):
        values.append(scored.instant)
        means.append(scored.frame_mean)
        numbers.append(np.full(len(scored.instant), number))
        advance(len(scored.instant))
    has_modes = "mode" in store.index
    return Calibration(
        np.concatenate(values),
        np.concatenate(numbers),
        usual_interval_s(store.index),
        datetime.now(UTC).isoformat(timespec="seconds"),
        store.index["mode"].to_numpy(dtype=object)[np.concatenate(runs)] if has_modes else None,
        np.concatenate(means),
    )


def shortened(runs: list[Rows], at_most: int) -> list[Rows]:
    """The head of every run, so that no more than about ``at_most`` rows remain."""
    total = sum(len(run) for run in runs)
    if total <= at_most:
        return runs
    return [run[: max(1, len(run) * at_most // total)] for run in runs]


def _score(
    model: Model, store: FrameStore, runs: list[Rows], rule: ScoringRule, device: torch.device
) -> Iterator[tuple[int, Scored]]:
    """Number of the run, and results of its next frames."""
    scorer = FrameScorer(model, rule, device, model.precision)
    for number, run in enumerate(runs):
        for start in range(0, len(run), BATCH_FRAMES):
            yield number, scorer.push(store.read(run[start : start + BATCH_FRAMES]))
        yield number, scorer.finish()
