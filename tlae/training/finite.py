"""Training that leaves the finite numbers ends at once, and what was learnt before is kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor

from tlae.errors import UserError
from tlae.number_words import how_many
from tlae.training.checkpoints import HELD_OUT

LOOK_EVERY = 20  # batches; a look waits for the GPU


class FiniteNumbers(pl.Callback):
    """Stop where weights or the held-out loss are not finite, before a checkpoint holds them.

    Weights, not single losses: mixed precision skips a batch whose loss is not finite, and after
    any other step the weights are not finite either. Weights are equal in all processes, so all
    of them stop.

    Args:
        checkpoints: folder of what is kept, for the message.
    """

    def __init__(self, checkpoints: Path) -> None:
        self.checkpoints = checkpoints

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """What a resumed run goes on from."""
        self._look(trainer, pl_module)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """After some batches, so that no epoch is wasted."""
        if batch_idx % LOOK_EVERY == 0:
            self._look(trainer, pl_module)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """At the end of an epoch's training."""
        self._look(trainer, pl_module)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The held-out loss, which may overflow before the weights do."""
        loss = trainer.callback_metrics.get(HELD_OUT)
        if loss is not None and not bool(torch.isfinite(loss)):
            raise self._refusal(trainer, f"a held-out loss of {float(loss)}")

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Where training ends within an epoch."""
        self._look(trainer, pl_module)

    def _look(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not all_finite(pl_module.state_dict()):
            raise self._refusal(trainer, "weights that are not finite numbers")

    def _refusal(self, trainer: pl.Trainer, what: str) -> UserError:
        kept = "no epoch was finished before"
        if trainer.current_epoch:
            kept = f"what {how_many(trainer.current_epoch, 'epoch')} before it had learnt is in "
            kept += str(self.checkpoints)
        return UserError(
            f"training must stay within finite numbers, epoch {trainer.current_epoch + 1} gave "
            f"{what}; lower training.learning_rate or give training.compute=float32, with another "
            f"name=... or overwrite=true ({kept})"
        )


def all_finite(state: Mapping[str, Tensor]) -> bool:
    """Whether all numbers of a state are finite."""
    floats = [tensor for tensor in state.values() if tensor.is_floating_point()]
    return all(bool(torch.isfinite(tensor).all()) for tensor in floats)
