"""Ctrl-C during a fit: at the end of a batch, not in the middle of something."""

import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tlae.training.fitting import fit
from tlae.training.interruption import Interruption


class FakeTrainer:
    """Gets Ctrl-C within a batch, in which nothing may be left half done."""

    def __init__(self, presses: int) -> None:
        self.callbacks: list[Interruption] = []
        self.interrupted, self.presses, self.whole = False, presses, False

    def fit(self, *_: Any, **__: Any) -> None:
        for _press in range(self.presses):
            os.kill(os.getpid(), signal.SIGINT)
        self.whole = True
        for callback in self.callbacks:
            callback.on_train_batch_end()


def interrupted(presses: int, folder: Path) -> FakeTrainer:
    trainer, before = FakeTrainer(presses), signal.getsignal(signal.SIGINT)
    run = SimpleNamespace(last=folder / "last.ckpt", path=folder)
    with pytest.raises(KeyboardInterrupt):
        fit(trainer, None, None, run)  # type: ignore[arg-type]
    assert signal.getsignal(signal.SIGINT) is before
    return trainer


def test_the_batch_is_finished_first(tmp_path: Path) -> None:
    assert interrupted(1, tmp_path).whole


def test_a_second_one_does_not_wait(tmp_path: Path) -> None:
    assert not interrupted(2, tmp_path).whole


def test_a_fit_that_is_left_alone_goes_on() -> None:
    callback = Interruption()
    callback.on_train_batch_end()
    callback.on_validation_batch_end()
