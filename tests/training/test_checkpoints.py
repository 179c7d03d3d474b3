"""What is kept of a run: the state of the last epoch, and that of the best one."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from tlae.training.checkpoints import Checkpoints, held_out_loss_of
from tlae.training.fitting import calm_lightning
from tlae.training.module import Training

HELD_OUT = (3.0, 1.0, 2.0, 4.0)  # losses of the epochs: the second one is best


class Scripted(pl.LightningModule):
    """A weight that counts epochs, and held-out losses as written above."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs = nn.Parameter(torch.zeros(1))

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        return self.epochs.sum()

    def on_train_epoch_start(self) -> None:
        with torch.no_grad():
            self.epochs += 1

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.log("loss/held_out", torch.tensor(HELD_OUT[self.current_epoch]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.0)


def fit(folder: Path, epochs: int) -> None:
    calm_lightning()
    last, best = folder / "last.ckpt", folder / "best.ckpt"
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        callbacks=[Checkpoints(last, best)],
        default_root_dir=folder,
    )
    data = DataLoader(torch.zeros(1, 1))
    resume = last if last.is_file() else None
    trainer.fit(Scripted(), data, data, ckpt_path=resume, weights_only=True)


def kept(path: Path) -> tuple[int, float]:
    """Epochs that a checkpoint has seen, and its held-out loss."""
    state = torch.load(path, weights_only=True)
    return int(state["state_dict"]["epochs"]), held_out_loss_of(state)


def test_last_is_the_last_epoch_though_an_earlier_one_was_best(tmp_path: Path) -> None:
    fit(tmp_path, epochs=4)
    assert kept(tmp_path / "last.ckpt") == (4, 4.0)
    assert kept(tmp_path / "best.ckpt") == (2, 1.0)
    assert {file.name for file in tmp_path.iterdir()} == {"last.ckpt", "best.ckpt"}


def test_a_resumed_run_repeats_no_epoch_and_remembers_the_best_one(tmp_path: Path) -> None:
    fit(tmp_path, epochs=3)  # the third one is worse than the second
    fit(tmp_path, epochs=4)
    assert kept(tmp_path / "last.ckpt") == (4, 4.0)
    assert kept(tmp_path / "best.ckpt") == (2, 1.0)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_every_batch_of_every_process_plants_something_else(accumulate: int) -> None:
    """Accumulated batches share the global step, and processes share it too."""
    seeds = []
    for rank in range(2):
        module = Training.__new__(Training)
        pl.LightningModule.__init__(module)
        module.loss = lambda clip, number: seeds.append(number) or clip.sum()  # type: ignore[method-assign,func-returns-value]
        module.log = lambda *_, **__: None  # type: ignore[method-assign]
        for epoch in range(2):
            for batch in range(4):
                module._trainer = SimpleNamespace(  # type: ignore[assignment]
                    world_size=2,
                    global_rank=rank,
                    current_epoch=epoch,
                    num_training_batches=4,
                    global_step=(epoch * 4 + batch) // accumulate,
                    barebones=False,
                    strategy=SimpleNamespace(model=None),
                )
                module.training_step(torch.zeros(2), batch)
    assert len(set(seeds)) == 2 * 2 * 4
