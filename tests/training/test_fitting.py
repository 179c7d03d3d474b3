"""What ends a fit: an interruption is one, whatever wraps it."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tlae.training.fitting import fit
from tlae.training.run_folder import RunFolder


def interrupted_while_writing() -> None:
    try:
        raise KeyboardInterrupt
    finally:
        raise RuntimeError("unexpected pos 64 vs 0")


def trainer_that(ends: Callable[[], None]) -> SimpleNamespace:
    return SimpleNamespace(fit=lambda *_, **__: ends(), interrupted=False, callbacks=[])


def test_an_interrupted_write_is_an_interruption(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit(trainer_that(interrupted_while_writing), None, None, RunFolder(tmp_path))  # type: ignore[arg-type]


def test_another_error_stays_what_it_is(tmp_path: Path) -> None:
    def broken() -> None:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        fit(trainer_that(broken), None, None, RunFolder(tmp_path))  # type: ignore[arg-type]
