"""Lightning's part of a run: the Trainer with our callbacks, the fit, the weights to keep."""

import inspect
import logging
import math
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities.exceptions import (  # type: ignore[attr-defined]
    MisconfigurationException,
)

from tlae.errors import UserError, nearest
from tlae.footage.datamodule import FootageDataModule
from tlae.signals import handled
from tlae.training.checkpoints import Checkpoints, held_out_loss_of
from tlae.training.compute import Compute
from tlae.training.finite import FiniteNumbers, all_finite
from tlae.training.interruption import Interruption
from tlae.training.module import Training
from tlae.training.run_folder import RunFolder

NOT_ZERO = ("val_check_interval", "limit_train_batches", "limit_val_batches")
OURS = ("logger", "callbacks", "default_root_dir")  # arguments of the Trainer that we set


def trainer_settings() -> list[str]:
    """Names of the Trainer's arguments that a user may give."""
    known = inspect.signature(pl.Trainer.__init__).parameters
    return [name for name in known if name not in ("self", *OURS)]


def require_trainer_settings(settings: dict[str, Any]) -> None:
    """Refuse arguments that the Trainer does not know, or of a type that it does not take.

    Raises:
        UserError: with the nearest name, or the types.
    """
    calm_lightning()
    known = trainer_settings()
    kinds = get_type_hints(pl.Trainer.__init__)
    for key, value in settings.items():
        if key not in known:
            raise UserError(f"trainer has no setting {key!r}; {nearest(key, known)}")
        if not _takes(kinds[key], value):
            words = str(kinds[key]).replace("typing.", "").replace("<class '", "").rstrip("'>")
            raise UserError(f"trainer.{key} must be of type {words}, got {value!r}")
        if key in ("max_epochs", "max_steps") and value is not None and (value < -1 or value == 0):
            raise UserError(f"trainer.{key} must be >= 1, or -1 for no limit, got {value}")
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(f"trainer.{key} must be a finite number, got {value}")
        if key in NOT_ZERO and value == 0:
            raise UserError(f"trainer.{key} must be > 0, got 0")
    quiet = {"logger": False, "enable_checkpointing": False, "enable_model_summary": False}
    with explaining_trainer():  # devices and such, before any footage is read
        pl.Trainer(**{**settings, **quiet, "enable_progress_bar": False})


def _takes(kind: Any, value: Any) -> bool:
    """Whether a plain value is of a type; ``bool`` is no ``int`` here."""
    if get_origin(kind) in (Union, UnionType):
        return any(_takes(part, value) for part in get_args(kind))
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    plain = get_origin(kind) or kind
    if plain is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if plain is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(plain, type) and isinstance(value, plain)


def make_trainer(
    folder: RunFolder,
    compute: Compute,
    callbacks: list[pl.Callback],
    settings: dict[str, Any],
    *,
    progress_bar: bool,
    patience: int = 0,
) -> pl.Trainer:
    """A Trainer that logs to the run folder and keeps the last and the best checkpoint.

    Args:
        folder: of the run.
        compute: precision of the arithmetic.
        callbacks: further ones.
        settings: the user's arguments of the Trainer; they win.
        progress_bar: whether ``callbacks`` hold one.
        patience: epochs without a better held-out loss before stopping; 0: never.

    Raises:
        UserError: the Trainer refuses its arguments.
    """
    stopping = [EarlyStopping("loss/held_out", patience=patience)] if patience else []
    arguments: dict[str, Any] = {
        "precision": compute.lightning_precision,
        "enable_model_summary": False,
        "enable_progress_bar": progress_bar,
        "num_sanity_val_steps": 0,
        "use_distributed_sampler": False,  # EpochSampler knows its process
        "log_every_n_steps": 10,
        **settings,
    }
    with explaining_trainer():
        return pl.Trainer(
            **arguments,
            logger=TensorBoardLogger(folder.path, name="", version="tensorboard"),
            callbacks=[
                FiniteNumbers(folder.checkpoints),
                *callbacks,
                *stopping,
                Checkpoints(folder.last, folder.best),
            ],
            default_root_dir=folder.path,
        )


@contextmanager
def explaining_trainer() -> Iterator[None]:
    """Show what the Trainer says of its arguments as one line."""
    try:
        yield
    except (TypeError, ValueError, RuntimeError, MisconfigurationException) as error:
        raise UserError(f"trainer: {' '.join(str(error).split())}") from error


def fit(trainer: pl.Trainer, module: Training, data: FootageDataModule, folder: RunFolder) -> None:
    """Fit, going on from the last finished epoch where there is one.

    Raises:
        KeyboardInterrupt: the user stopped it; finished epochs are kept.
        UserError: the disk is full, or numbers are not finite any more; finished epochs are kept.
    """
    resume = str(folder.last) if folder.last.is_file() else None
    interruption = Interruption()
    trainer.callbacks.append(interruption)  # type: ignore[attr-defined]
    try:
        with handled(interruption.note, signal.SIGINT):
            trainer.fit(module, datamodule=data, ckpt_path=resume, weights_only=True)
        if trainer.interrupted:
            raise KeyboardInterrupt
        if not folder.last.is_file():  # max_steps ended within the first epoch
            trainer.save_checkpoint(folder.last)
    except SystemExit as error:  # Lightning's answer to Ctrl-C
        raise KeyboardInterrupt from error
    except RuntimeError as error:  # torch's answer to Ctrl-C while it writes a file
        if not _was_interrupted(error):
            raise
        raise KeyboardInterrupt from error
    except OSError as error:
        raise UserError(
            f"{folder.path} could not be written: {error.strerror or error}; free some space or "
            "set paths.checkpoints to another disk; the same command continues"
        ) from error


def _was_interrupted(error: BaseException) -> bool:
    """Whether an error came up while an interruption was handled."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KeyboardInterrupt):
            return True
        cause = cause.__context__
    return False


def load_weights(module: Training, folder: RunFolder, keep: str = "best") -> float:
    """Load the weights that a run keeps.

    Args:
        module: where to load them.
        folder: of the finished run.
        keep: "best" (lowest held-out loss) or "last" (end of the last epoch).

    Returns:
        Their held-out loss; NaN if none was measured.

    Raises:
        UserError: they are not finite, as earlier versions may have kept.
    """
    is_best = keep == "best" and folder.best.is_file()
    file = folder.best if is_best else folder.last
    state = torch.load(file, map_location="cpu", weights_only=True)
    if not all_finite(state["state_dict"]):
        raise UserError(
            f"weights must be finite numbers, those of {file} are not; train again with a lower "
            "training.learning_rate and overwrite=true"
        )
    module.cpu().load_state_dict(state["state_dict"])
    return held_out_loss_of(state)


def calm_lightning() -> None:
    """Silence Lightning's hints for cases that are settled here."""
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for hint in (
        ".*does not have many workers.*",
        ".*exists and is not empty.*",
        ".*The number of training batches.*",
        ".*LeafSpec.*",
    ):
        warnings.filterwarnings("ignore", hint)
