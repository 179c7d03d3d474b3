"""What a training run shows: baseline losses, pace, pictures, plain lines without a terminal."""

import logging
import time
from typing import Any

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from pytorch_lightning.callbacks import RichProgressBar
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor

from tlae.scoring.error_map import error_map
from tlae.scoring.rule import ScoringRule
from tlae.scoring.smooth import smooth_map
from tlae.training.do_nothing import WORDS, DoNothing
from tlae.training.module import Training

GRID_PX = 2  # white lines between pictures

logger = logging.getLogger(__name__)


class Beside(pl.Callback):
    """Log the losses of trivial baselines beside the net's, and how fast it learns.

    Args:
        losses: of trivial baselines, on the held-out footage.
        windows_per_epoch: over all processes.
    """

    def __init__(self, losses: DoNothing, windows_per_epoch: int) -> None:
        self.losses, self.windows_per_epoch = losses, windows_per_epoch
        self.started = time.monotonic()
        self.seconds = 0.0  # of the last epoch's training

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self.started = time.monotonic()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the clock before the held-out windows."""
        self.seconds = time.monotonic() - self.started

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log them all."""
        for name, loss in self.losses.items():
            pl_module.log(f"loss/{name}", loss, rank_zero_only=True)
        pl_module.log("rate/windows_per_s", self.pace(trainer), rank_zero_only=True)
        rate = trainer.optimizers[0].param_groups[0]["lr"] if trainer.optimizers else 0.0
        pl_module.log("rate/learning_rate", rate, rank_zero_only=True)

    def pace(self, trainer: pl.Trainer) -> float:
        """Windows learnt from per second in this epoch, over all processes."""
        done = min(self.windows_per_epoch, int(trainer.num_training_batches) * self._batch(trainer))
        return done / max(self.seconds, 1e-6)

    @staticmethod
    def _batch(trainer: pl.Trainer) -> int:
        size = getattr(trainer.datamodule, "batch_size", 1)  # type: ignore[attr-defined]
        return int(size) * trainer.world_size


class TerminalBar(RichProgressBar):
    """Lightning's bar without its version number, which is the logger's folder here."""

    def get_metrics(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        """What stands behind the bar: the losses."""
        metrics = super().get_metrics(trainer, pl_module)
        metrics.pop("v_num", None)
        return metrics


class EpochLines(pl.Callback):
    """One plain line per epoch, for logs and pipes."""

    def __init__(self, beside: Beside) -> None:
        self.beside = beside
        self.started = time.monotonic()
        self.first_epoch = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self.started, self.first_epoch = time.monotonic(), trainer.current_epoch

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Tell the losses, the pace and the time left."""
        if not trainer.is_global_zero:
            return
        metrics = trainer.callback_metrics
        epochs, done = trainer.max_epochs or 0, trainer.current_epoch + 1
        line = f"epoch {done}" + (f"/{epochs}" if epochs > 0 else "")
        line += f": loss {float(metrics['loss/train']):.6f}"
        if "loss/held_out" in metrics:
            line += f", held-out {float(metrics['loss/held_out']):.6f}"
            name, nothing = next(iter(self.beside.losses.items()))
            line += f" ({WORDS[name]} {nothing:.6f})"
            line += f", {self.beside.pace(trainer):.0f} windows/s"
        if epochs > 0:
            each = (time.monotonic() - self.started) / (done - self.first_epoch)
            line += f", {each * (epochs - done):.0f} s left"
        logger.info(line)


class PictureGrid(pl.Callback):
    """A grid in TensorBoard after each epoch: input, rebuilt, error, smoothed map.

    Args:
        rule: scoring rule, for error and map.
        count: frames shown, evenly spread over the first held-out batch.
    """

    def __init__(self, rule: ScoringRule, count: int) -> None:
        self.rule, self.count = rule, count

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Tensor,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Draw the first batch."""
        board = trainer.logger
        if batch_idx or not self.count or not isinstance(board, TensorBoardLogger):
            return
        assert isinstance(pl_module, Training)
        spread = torch.linspace(0, len(batch) - 1, min(self.count, len(batch))).round().long()
        clip = pl_module.normal(batch[spread.to(batch.device)].float() / 255)
        with torch.no_grad():
            net = pl_module.net
            answer = (net.shares(clip) if net.segments else net(clip))[:, :, -1].float()
            target = net.target(clip)[:, :, -1]  # (n, C, H, W), the last frame
        frame = clip[:, :, -1] if net.segments else target
        grid = picture_grid(frame, answer, target, self.rule, pl_module.watched)
        board.experiment.add_image(
            "input | rebuilt | error | map", grid.cpu(), trainer.current_epoch
        )


def picture_grid(
    frame: Tensor,
    answer: Tensor,
    target: Tensor,
    rule: ScoringRule,
    watched: Tensor | None = None,
) -> Tensor:
    """One row for each frame: input, rebuilt, error, smoothed map; errors four times as bright.

    Args:
        frame: (n, C, H, W) in [0, 1], what the net saw.
        answer: same shape.
        target: same shape; the frame itself, unless the net segments.
        rule: for error and map.
        watched: (H, W), True where changes count.

    Returns:
        (3, n rows, 4 columns of pixels), in [0, 1].
    """
    error = error_map(answer, target, rule.error)
    kernel = "box_mean" if rule.kernel == "box_sum" else rule.kernel
    smoothed = smooth_map(error, kernel, rule.kernel_size_px(target.shape[-2]), watched)
    grey = [4 * error[:, None], 4 * smoothed[:, None]]
    columns = [part.expand(-1, 3, -1, -1).clamp(0, 1) for part in (frame, answer, *grey)]
    rows = torch.stack(columns, dim=1).flatten(0, 1)  # (n * 4, 3, H, W)
    wide = 256 / rows.shape[-1]
    if wide < 1:
        rows = F.interpolate(rows, scale_factor=wide, mode="area")
    framed = F.pad(rows, (GRID_PX, 0, GRID_PX, 0), value=1.0)
    framed = framed.reshape(-1, len(columns), *framed.shape[1:])
    grid = framed.permute(2, 0, 3, 1, 4).flatten(3, 4).flatten(1, 2)
    return F.pad(grid, (0, GRID_PX, 0, GRID_PX), value=1.0)
