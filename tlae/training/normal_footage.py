"""Normal footage made ready: decoded, cut at gaps, split into time to learn from and held out."""

from dataclasses import dataclass

import torch

from tlae.footage.store import FrameStore
from tlae.footage.windows import (
    Rows,
    Windows,
    hold_out_blocks,
    hold_out_days,
    median_interval_s,
    segments,
    windows_of,
)


@dataclass(frozen=True, eq=False)
class NormalFootage:
    """What a net learns from.

    Attributes:
        store: decoded frames.
        train: rows of each run to learn from.
        held_out: rows of each held-out run.
        windows: of the runs to learn from, at every stride.
        held_out_windows: of the held-out runs, at the first stride, as scoring will form them.
        gap_s: an interval longer than this ends a run.
        watched: (H, W) bool, False where ignored; None: everywhere.
    """

    store: FrameStore
    train: list[Rows]
    held_out: list[Rows]
    windows: Windows
    held_out_windows: Windows
    gap_s: float
    watched: torch.Tensor | None

    @property
    def train_frames(self) -> int:
        """Frames to learn from."""
        return sum(len(run) for run in self.train)

    @property
    def held_out_frames(self) -> int:
        """Frames held out."""
        return sum(len(run) for run in self.held_out)


def split_footage(
    store: FrameStore,
    *,
    window_frames: int,
    strides: list[int],
    holdout: float,
    gap_factor: float,
    watched: torch.Tensor | None = None,
) -> NormalFootage:
    """Cut at clips and gaps, hold out days or blocks of time, form windows.

    The settings are those of ``config.TrainFootageConfig``.

    Raises:
        ValueError: a setting is out of its range.
        FootageError: too little footage for the window.
    """
    gap_s = gap_factor * median_interval_s(store.index)
    shortest = (window_frames - 1) * min(strides, default=1) + 1
    runs = segments(store.index, gap_s)
    by_days = hold_out_days(store.index, runs, holdout, shortest)
    train, held_out = by_days or hold_out_blocks(runs, holdout, shortest)
    return NormalFootage(
        store,
        train,
        held_out,
        windows_of(train, window_frames, strides),
        windows_of(held_out, window_frames, strides[:1]),
        gap_s,
        watched,
    )
