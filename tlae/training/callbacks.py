"""What a training run shows: baseline losses, pace, plain lines without a terminal."""

import logging
import time

import pytorch_lightning as pl
from pytorch_lightning.callbacks import RichProgressBar

from tlae.training.do_nothing import WORDS, DoNothing

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
