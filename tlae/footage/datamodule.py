"""Training and held-out windows of one footage, as Lightning takes them."""

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from tlae.footage.dataset import Batch, ClipDataset, EpochSampler, InOrder, View
from tlae.footage.store import FrameStore
from tlae.footage.windows import Windows


class FootageDataModule(pl.LightningDataModule):
    """Loaders over a frame store.

    Args:
        store: decoded frames.
        train: windows to learn from.
        held_out: windows of the held-out time blocks.
        batch_size: windows in a batch of one process.
        windows_per_epoch: over all processes.
        seed: of the training order.
        workers: loader processes.
        view: what a net makes of frames first, see ``ClipDataset``.
    """

    def __init__(
        self,
        store: FrameStore,
        train: Windows,
        held_out: Windows,
        batch_size: int = 16,
        windows_per_epoch: int = 2500,
        seed: int = 0,
        workers: int = 0,
        view: View | None = None,
    ) -> None:
        super().__init__()
        self.store, self.train_windows, self.held_out_windows = store, train, held_out
        self.batch_size, self.windows_per_epoch = batch_size, windows_per_epoch
        self.seed, self.workers, self.view = seed, workers, view

    def train_dataloader(self) -> DataLoader[Tensor]:
        """Batches uint8 (B, C, T, H, W) in seeded random order; each process takes its share."""
        rank, world = (
            (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)
        )
        sampler = EpochSampler(
            len(self.train_windows),
            self.windows_per_epoch,
            self.batch_size,
            self.seed,
            rank,
            world,
        )
        return self._loader(self.train_windows, sampler)

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Held-out batches in order, at most a fifth of an epoch."""
        at_most = max(self.batch_size, self.windows_per_epoch // 5)
        return self._loader(
            self.held_out_windows, InOrder(len(self.held_out_windows), at_most, self.batch_size)
        )

    def _loader(self, windows: Windows, sampler: Sampler[Batch]) -> DataLoader[Tensor]:
        return DataLoader(
            ClipDataset(self.store, windows, self.view),
            sampler=sampler,
            batch_size=None,  # one item of the dataset is a batch already
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),
        )
