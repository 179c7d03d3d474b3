"""What the scene looks like: without what comes and goes, in every light; and as it was seen."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.cluster.vq import kmeans2
from torch import Generator, Tensor

from tlae.footage.store import FrameStore
from tlae.footage.windows import Rows, median_interval_s
from tlae.training.calibration import shortened
from tlae.training.lens_drops import under_drops
from tlae.training.still_anomalies import StillRecipe

THUMBNAIL = 8  # pixels of the frame become one of its thumbnail, along each side
AT_MOST = 4_000  # frames looked at
PIECE_FRAMES = 64  # read at once
AVERAGED = 15  # frames whose median is one background


def fit_bank(store: FrameStore, runs: list[Rows], count: int) -> Tensor:
    """Group frames that look alike, and take the median of each group.

    Things that stand at one place in less than half of a group's frames are gone in its median.

    Args:
        store: decoded frames.
        runs: rows to learn from.
        count: groups asked for; few frames give fewer.

    Returns:
        (n, C, H, W) in [0, 1], n <= ``count``.
    """
    rows = np.concatenate(runs)
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), AT_MOST)).round().astype(np.int64)]
    small = np.stack([_thumbnail(store.read(np.array([row]))[0]) for row in rows])
    count = max(1, min(count, len(rows) // 3, len(np.unique(small, axis=0))))
    _, group = kmeans2(small, count, seed=0, minit="++", missing="warn")
    backgrounds = []
    for number in np.unique(group):
        inside = rows[group == number]
        spread = np.linspace(0, len(inside) - 1, min(len(inside), AVERAGED)).round().astype(int)
        backgrounds.append(np.median(store.read(inside[spread]), axis=0))
    bank = np.stack(backgrounds).astype(np.float32) / 255
    return torch.from_numpy(bank).permute(0, 3, 1, 2)


def frames_of_all_times(store: FrameStore, runs: list[Rows], count: int) -> Tensor:
    """Frames spread evenly over the footage, in order.

    Returns:
        (``count``, C, H, W) in [0, 1]; of little footage, some twice.
    """
    rows = np.concatenate(runs)
    rows = rows[np.linspace(0, len(rows) - 1, count).round().astype(np.int64)]
    return torch.from_numpy(store.read(rows)).permute(0, 3, 1, 2).float() / 255


@dataclass(frozen=True)
class TrainingFrames:
    """Rows of a frame store that a net learns from; a ``contract.NormalFrames``.

    Attributes:
        store: decoded frames.
        runs: rows to learn from.
        watched: (H, W) bool, False where nothing counts; None: everywhere.
        whole: rows of all runs of the footage without a gap, held-out ones as well; empty: ``runs``
            are whole.
    """

    store: FrameStore
    runs: list[Rows]
    watched: Tensor | None = None
    whole: list[Rows] = field(default_factory=list)

    @property
    def interval_s(self) -> float:
        """Median time from frame to frame [s]."""
        return median_interval_s(self.store.index)

    def every(self) -> Tensor:
        """All frames in order, (N, C, H, W) uint8."""
        return self._frames(np.concatenate(self.runs)).contiguous()

    def lengths(self, most: int) -> list[int]:
        """Number of frames of each stretch that ``stretches`` gives."""
        return [len(run) for run in shortened(self.runs, most)]

    def stretches(self, most: int) -> Iterator[Iterable[Tensor]]:
        """See ``contract.NormalFrames.stretches``."""
        for run in shortened(self.runs, most):
            cuts = np.arange(PIECE_FRAMES, len(run), PIECE_FRAMES)
            yield map(self._frames, np.split(run, cuts))

    def followed(self, most: int) -> Iterator[Iterable[tuple[Tensor, Tensor]]]:
        """See ``contract.NormalFrames.followed``."""
        chosen = shortened(self.runs, most)
        wanted = np.concatenate(chosen)
        for rows in _connected(chosen, self.whole):
            learnt = np.isin(rows, wanted)
            cuts = np.arange(PIECE_FRAMES, len(rows), PIECE_FRAMES)
            pieces = map(self._frames, np.split(rows, cuts))
            yield zip(pieces, map(torch.from_numpy, np.split(learnt, cuts)), strict=True)

    def glances(self, count: int, length: int) -> Iterator[Tensor]:
        """See ``contract.NormalFrames.glances``."""
        parts = [run[start : start + length] for run in self.runs for start in _starts(run, length)]
        some = np.linspace(0, len(parts) - 1, min(count, len(parts))).round().astype(np.int64)
        yield from (self._frames(parts[number]) for number in some)

    def _frames(self, rows: Rows) -> Tensor:
        return torch.from_numpy(self.store.read(rows)).permute(0, 3, 1, 2)

    def backgrounds(self, count: int) -> Tensor:
        """See ``fit_bank``."""
        return fit_bank(self.store, self.runs, count)

    def with_things(self, frames: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """See ``contract.NormalFrames.with_things``."""
        planted = StillRecipe(1, 1).plant(frames[:, :, None], frames.mean(0), generator)
        return under_drops(planted.clip[:, :, 0], planted.mask[:, 0], generator)

    def of_all_times(self, count: int) -> Tensor:
        """See ``frames_of_all_times``."""
        return frames_of_all_times(self.store, self.runs, count)


def _connected(stretches: list[Rows], whole: list[Rows]) -> list[Rows]:
    """Neighbouring stretches of one whole run as one, with what lies between them.

    Stretches that are further apart than the longest of them is long stay apart: following all of
    the footage for a few stretches would cost more than they.
    """
    ends = np.array([run[-1] for run in whole])
    longest = max(len(stretch) for stretch in stretches)
    found: list[Rows] = []
    for stretch in sorted(stretches, key=lambda rows: int(rows[0])):
        if found and len(ends) and stretch[0] - found[-1][-1] <= longest + 1:
            number = np.searchsorted(ends, [found[-1][-1], stretch[-1]])
            if number[0] == number[1]:
                run = whole[number[0]]
                found[-1] = run[(run >= found[-1][0]) & (run <= stretch[-1])]
                continue
        found.append(stretch)
    return found


def _starts(run: Rows, length: int) -> range:
    """Where stretches of so many frames begin; runs that are shorter have none."""
    return range(len(run) - length + 1)


def _thumbnail(frame: np.ndarray) -> np.ndarray:
    """(H, W, C) uint8 -> flat means of squares of ``THUMBNAIL`` pixels, in [0, 1]."""
    height, width = (side // THUMBNAIL * THUMBNAIL for side in frame.shape[:2])
    cut = frame[:height, :width].astype(np.float32) / 255
    cells = cut.reshape(height // THUMBNAIL, THUMBNAIL, width // THUMBNAIL, THUMBNAIL, -1)
    return np.asarray(cells.mean(axis=(1, 3)).ravel())
