"""Training and held-out windows of one footage, as Lightning takes them.

A GPU that has room for them holds all frames: a batch is then gathered there from row numbers, and
nothing is copied from step to step.
"""

from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from tlae.footage.dataset import Batch, ClipDataset, EpochSampler, InOrder, RowDataset, View
from tlae.footage.store import FrameStore
from tlae.footage.windows import Windows

ROOM = 0.5  # share of a GPU's free memory that the frames may take
PIECE_FRAMES = 256  # copied to the GPU at once


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
        self.resident: Tensor | None = None  # (N, H, W, C) uint8, all frames on the GPU

    def setup(self, stage: str) -> None:
        """Move the frames to where the net runs, if there is room."""
        assert self.trainer is not None
        device = self.trainer.strategy.root_device
        if self.resident is None and has_room(device, self.store):
            self.resident = frames_on(device, self.store, self.view)

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """A batch uint8 (B, C, T, H, W) on the device, of rows where the frames are there."""
        moved = super().transfer_batch_to_device(batch, device, dataloader_idx)
        return moved if self.resident is None else self.resident[moved].permute(0, 4, 1, 2, 3)

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
        on_host = self.resident is None
        return DataLoader(
            ClipDataset(self.store, windows, self.view) if on_host else RowDataset(windows),
            sampler=sampler,
            batch_size=None,  # one item of the dataset is a batch already
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            pin_memory=torch.cuda.is_available(),
        )


def has_room(device: torch.device, store: FrameStore) -> bool:
    """Whether the device is a GPU with room for all frames."""
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return int(np.prod(store.shape)) < ROOM * free


def frames_on(device: torch.device, store: FrameStore, view: View | None) -> Tensor:
    """All frames, as ``view`` makes them, on a device: uint8 (N, H, W, C)."""
    frames = store.frames()
    pieces = []
    for start in range(0, len(frames), PIECE_FRAMES):
        piece = np.array(frames[start : start + PIECE_FRAMES])
        pieces.append(torch.from_numpy(piece if view is None else view(piece)).to(device))
    return torch.cat(pieces)
