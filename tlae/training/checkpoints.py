"""Checkpoints of a run: the state after every epoch, and a copy of the best one."""

import math
import shutil
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from tlae.whole_file import part_path, whole_file

HELD_OUT = "loss/held_out"


class Checkpoints(Checkpoint):
    """Save the state at the end of every epoch, whether it is the best one or not.

    Lightning's ``ModelCheckpoint(monitor=..., save_last=True)`` writes its last checkpoint only
    when it writes a best one, so a killed run would lose the epochs since.

    Args:
        last: file of the state after the last finished epoch.
        best: file of the state with the lowest held-out loss.
    """

    def __init__(self, last: Path, best: Path) -> None:
        self.last, self.best = last, best
        self.lowest = math.inf  # held-out loss so far
        self.measured = math.nan  # held-out loss of the epoch that ends; NaN: not validated

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget the loss of the epoch before."""
        self.measured = math.nan

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note the held-out loss."""
        loss = trainer.callback_metrics.get(HELD_OUT)
        self.measured = math.nan if loss is None else float(loss)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save; each file appears under its name only when it is whole."""
        is_best = self.measured < self.lowest
        if is_best:
            self.lowest = self.measured
        temporary = part_path(self.last)
        trainer.save_checkpoint(temporary)  # by all processes, of which the first one writes
        if not trainer.is_global_zero:
            return
        if is_best:
            with whole_file(self.best) as copy:
                shutil.copy(temporary, copy)
        temporary.replace(self.last)

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run goes on from."""
        return {"lowest": self.lowest, "measured": self.measured}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from ``state_dict``."""
        self.lowest = float(state_dict["lowest"])


def held_out_loss_of(state: dict[str, Any]) -> float:
    """Held-out loss of a saved state; NaN if none was measured.

    Args:
        state: of a checkpoint, as ``torch.load`` returns it.
    """
    stored = state["callbacks"].get(Checkpoints.__qualname__, {})
    return float(stored.get("measured", math.nan))
