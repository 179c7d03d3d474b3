"""Training that leaves the finite numbers: one line, no model, and earlier epochs are kept."""

from pathlib import Path

import pytest
import torch

from tests.small_footage import write_clips
from tlae.cli import main
from tlae.training.finite import all_finite
from tlae.training.module import Training


def words(tmp_path: Path, *more: str) -> list[str]:
    normal = tmp_path / "normal"
    if not normal.is_dir():
        write_clips(normal, (20, 20))
    return [
        "train",
        f"footage={normal}",
        "name=run",
        "model=cae_small",
        "model.widths=[4,4]",
        "footage.size_hw=[32,32]",
        "training.windows_per_epoch=32",
        "training.batch_size=8",
        "training.compute=float32",
        "trainer.max_epochs=3",
        "trainer.accelerator=cpu",
        f"paths.checkpoints={tmp_path}/checkpoints",
        f"paths.cache={tmp_path}/cache",
        *more,
    ]


@pytest.fixture
def breaks_in_epoch_2(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Training.loss

    def loss(self: Training, clip: torch.Tensor, number: int = 0) -> torch.Tensor:
        broken = self.training and self.current_epoch == 1
        return whole(self, clip, number) * (float("nan") if broken else 1.0)

    monkeypatch.setattr(Training, "loss", loss)


@pytest.mark.usefixtures("breaks_in_epoch_2")
def test_a_loss_of_nan_ends_training_and_the_last_finite_state_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "checkpoints/run"
    for _ in range(2):  # the same command again resumes, and ends as it did
        assert main(words(tmp_path)) == 2
        said = capsys.readouterr().err
        assert "finite numbers, epoch 2 gave weights" in said
        assert "lower training.learning_rate or give training.compute=float32" in said
        assert "Traceback" not in said
        assert not (run / "model.safetensors").exists()
        state = torch.load(run / "lightning/last.ckpt", weights_only=True)
        assert state["epoch"] == 0
        assert all_finite(state["state_dict"])


def test_a_learning_rate_that_blows_up_writes_no_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rate = ("training.learning_rate=1e30", "training.warmup=0", "trainer.gradient_clip_val=null")
    assert main(words(tmp_path, *rate)) == 2
    assert "training must stay within finite numbers, epoch 1 gave" in capsys.readouterr().err
    assert not (tmp_path / "checkpoints/run/model.safetensors").exists()


def test_weights_that_an_earlier_version_kept_are_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(tmp_path)) == 0
    run = tmp_path / "checkpoints/run"
    (run / "model.safetensors").unlink()
    for name in ("best.ckpt", "last.ckpt"):
        state = torch.load(run / "lightning" / name, weights_only=True)
        next(iter(state["state_dict"].values())).fill_(float("nan"))
        torch.save(state, run / "lightning" / name)
    capsys.readouterr()
    assert main(words(tmp_path)) == 2
    assert "finite numbers" in capsys.readouterr().err
    assert not (run / "model.safetensors").exists()
