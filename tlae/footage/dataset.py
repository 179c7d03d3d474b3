"""Windows of a frame store as batches for a net, in an order that a resumed run repeats."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from tlae.footage.frames import Image
from tlae.footage.store import FrameStore
from tlae.footage.windows import Windows

View = Callable[[Image], Image]
Batch = npt.NDArray[np.int64]  # numbers of the windows in one batch


class ClipDataset(Dataset[Tensor]):
    """One item is a whole batch of windows: uint8 (B, C, T, H, W).

    Args:
        store: decoded frames.
        windows: of them.
        view: what a net makes of frames (n, H, W, C) first; None: nothing.
    """

    def __init__(self, store: FrameStore, windows: Windows, view: View | None = None) -> None:
        self.store, self.windows, self.view = store, windows, view
        self.frames = store.frames()

    def __getitem__(self, batch: Batch) -> Tensor:
        clips = np.asarray(self.frames[self.windows.rows(batch)])  # (B, T, H, W, C)
        if self.view is not None:
            seen = self.view(clips.reshape(-1, *clips.shape[2:]))
            clips = seen.reshape(*clips.shape[:2], *seen.shape[1:])
        return torch.from_numpy(clips).permute(0, 4, 1, 2, 3)

    def __len__(self) -> int:
        return len(self.windows)


class RowDataset(Dataset[Tensor]):
    """One item is the row numbers of a whole batch of windows: int64 (B, T)."""

    def __init__(self, windows: Windows) -> None:
        self.windows = windows

    def __getitem__(self, batch: Batch) -> Tensor:
        return torch.from_numpy(self.windows.rows(batch))

    def __len__(self) -> int:
        return len(self.windows)


class EpochSampler(Sampler[Batch]):
    """Batches of a fixed number of windows per epoch, whatever the length of the footage.

    All windows are passed in a random order, then again in another one; epoch e takes the e-th
    slice of that endless sequence. The order depends on seed and epoch alone, so a run that resumes
    at an epoch's start sees what an unbroken one would have seen.

    Args:
        windows: number of windows there are.
        per_epoch: number of windows an epoch takes, over all processes.
        batch_size: windows in a batch of one process.
        seed: of the order.
        rank: this process, in 0..world - 1.
        world: number of processes.
    """

    def __init__(
        self,
        windows: int,
        per_epoch: int,
        batch_size: int,
        seed: int,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.windows, self.seed, self.epoch = windows, seed, 0
        self.batch_size, self.rank, self.world = batch_size, rank, world
        self.batches = max(1, per_epoch // (batch_size * world))
        self._orders: dict[int, Batch] = {}

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[Batch]:
        size = self.batch_size * self.world
        first = self.epoch * self.batches * size
        for start in range(first, first + self.batches * size, size):
            positions = np.arange(start + self.rank, start + size, self.world)
            yield self._at(positions)

    def _at(self, positions: Batch) -> Batch:
        passes, places = np.divmod(positions, self.windows)
        chosen = np.empty_like(positions)
        for number in np.unique(passes):
            inside = passes == number
            chosen[inside] = self._order(int(number))[places[inside]]
        return chosen

    def _order(self, number: int) -> Batch:
        """Order of the windows in the given pass; the last two are kept."""
        if number not in self._orders:
            if len(self._orders) == 2:
                del self._orders[min(self._orders)]
            self._orders[number] = np.random.default_rng([self.seed, number]).permutation(
                self.windows
            )
        return self._orders[number]


class InOrder(Sampler[Batch]):
    """Every n-th window once, in order, in batches; for validation.

    Args:
        windows: number of windows there are.
        at_most: windows taken, evenly spread.
        batch_size: windows in a batch.
    """

    def __init__(self, windows: int, at_most: int, batch_size: int) -> None:
        count = min(windows, at_most)
        self.chosen = np.linspace(0, windows - 1, count).round().astype(np.int64)
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.chosen) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for start in range(0, len(self.chosen), self.batch_size):
            yield self.chosen[start : start + self.batch_size]
