"""tlae train footage=PATH [name=NAME] [model=...] [trainer.max_epochs=10].

Learns what is normal from normal footage. Writes <paths.checkpoints>/<name>/: model.safetensors
(all that scoring needs), tensorboard/, lightning/ (for resuming). A killed run continues when
started again, with the losses of an unbroken one.
"""

import inspect
import logging
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint, RichProgressBar
from pytorch_lightning.loggers import TensorBoardLogger
from pytorch_lightning.utilities.exceptions import (  # type: ignore[attr-defined]
    MisconfigurationException,
)
from pytorch_lightning.utilities.rank_zero import rank_zero_only  # type: ignore[attr-defined]

from tlae.cli import nearest
from tlae.commands.score import open_named
from tlae.config import TrainConfig
from tlae.errors import UserError
from tlae.footage.datamodule import FootageDataModule
from tlae.footage.frames import OK
from tlae.footage.mask import read_mask
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import Footage
from tlae.footage.store import FrameStore, open_store
from tlae.footage.windows import (
    Rows,
    hold_out_blocks,
    segments,
    usual_interval_s,
    windows_of,
)
from tlae.model_file import Model, build_net, save_model
from tlae.models.standardised import Standardised
from tlae.progress import progress
from tlae.scoring.calibrate import Calibration
from tlae.scoring.rule import ScoringRule
from tlae.training.calibration import calibrate, shortened, typical_error
from tlae.training.callbacks import Beside, EpochLines, Pictures
from tlae.training.compute import Compute, choose_compute
from tlae.training.do_nothing import DoNothing, do_nothing_losses, fit_background
from tlae.training.module import FitOptions, Training
from tlae.training.run_folder import RunFolder

OURS = ("logger", "callbacks", "default_root_dir")  # arguments of the Trainer that we set

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Footage:
    """Normal footage, split and described."""

    store: FrameStore
    train: list[Rows]
    held_out: list[Rows]
    gap_s: float
    watched: torch.Tensor | None


def run(cfg: TrainConfig) -> None:
    """Train a net on normal footage and write its model file."""
    started = time.monotonic()
    _calm_lightning()
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    footage = open_named(cfg.footage)
    rule = ScoringRule().changed_by(dict(cfg.scoring))  # type: ignore[call-overload]
    options = FitOptions(**{k: cfg.training[k] for k in FitOptions.__dataclass_fields__})  # type: ignore[index]
    _check_trainer(cfg.trainer)
    name = (cfg.name or f"{footage.name}-{cfg.model_name}") + cfg.suffix
    folder = RunFolder(Path(cfg.paths.checkpoints).expanduser() / name)
    prepared = _prepare(cfg, footage)
    net_config: dict[str, Any] = OmegaConf.to_container(cfg.model, resolve=True)  # type: ignore[assignment]
    background = fit_background(prepared.store, prepared.train)
    net = Standardised(
        build_net(net_config), torch.from_numpy(background.mean_frame), background.spread
    )
    data = _datamodule(cfg, prepared)
    if getattr(rank_zero_only, "rank", 0) == 0:
        folder.begin(_settings(cfg, prepared.store), overwrite=cfg.overwrite)
    if folder.model.is_file():
        print(f"{folder.path} is trained already; other settings need another name=...")
        return
    compute = _compute(cfg, folder, net, data)
    module = Training(net, options, prepared.watched, channels_last=compute.channels_last)
    nothing = do_nothing_losses(
        prepared.store,
        shortened(prepared.held_out, cfg.training.windows_per_epoch),
        background,
        lag_frames=max(1, int(net_config.get("ahead", 1))) * cfg.footage.strides[0],
        absolute=options.loss == "absolute",
        watched=None if prepared.watched is None else prepared.watched.numpy(),
    )
    trainer = _trainer(cfg, folder, compute, nothing, rule)
    if trainer.is_global_zero:
        _introduce(name, net, prepared, compute)
    fit(trainer, module, data, folder)
    if not trainer.is_global_zero:
        return
    held_out_loss = _load_best(module, folder)
    model = Model(
        net=module.net.cpu().eval(),
        net_config=net_config,
        preprocessing=prepared.store.preprocessing,
        window_frames=cfg.footage.window_frames,
        stride=cfg.footage.strides[0],
        gap_s=prepared.gap_s,
        rule=rule,
        alarm={
            key: cfg.scoring[key]  # type: ignore[index]
            for key in ("threshold", "false_alarm_rate", "alarms_per_day")
        },
        precision=compute.precision,
        calibration=Calibration(np.zeros(1), np.zeros(1, np.int64), 0.0, ""),  # made below
        typical_error=torch.ones(prepared.store.shape[1:3]),
        watched=prepared.watched,
    )
    _calibrate(model, prepared, rule, trainer)
    model.training = {
        "model": cfg.model_name,
        "name": name,
        "frames": sum(len(r) for r in prepared.train),
        "held_out_frames": sum(len(r) for r in prepared.held_out),
        "epochs": trainer.current_epoch,
        "steps": trainer.global_step,
        "seconds": round(time.monotonic() - started, 1),
        "held_out_loss": held_out_loss,
        "copy_last_loss": nothing.copy_last,
        "mean_frame_loss": nothing.mean_frame,
        "compute": str(compute),
        "seed": cfg.seed,
    }
    save_model(model, folder.model)
    _tell(model, nothing, folder, data)


def fit(trainer: pl.Trainer, module: Training, data: FootageDataModule, folder: RunFolder) -> None:
    """Fit, going on from the last finished epoch where there is one.

    Raises:
        KeyboardInterrupt: the user stopped it; finished epochs are kept.
        UserError: the disk is full.
    """
    resume = str(folder.last) if folder.last.is_file() else None
    try:
        trainer.fit(module, datamodule=data, ckpt_path=resume, weights_only=True)
        if trainer.interrupted:
            raise KeyboardInterrupt
        if not folder.last.is_file():  # max_steps ended within the first epoch
            trainer.save_checkpoint(folder.last)
    except SystemExit as error:  # Lightning's answer to Ctrl-C
        raise KeyboardInterrupt from error
    except OSError as error:
        raise UserError(
            f"{folder.path} could not be written: {error.strerror or error}; free some space or "
            f"set "
            "paths.checkpoints to another disk; the same command continues"
        ) from error


def _prepare(cfg: TrainConfig, footage: Footage) -> _Footage:
    size_hw = (int(cfg.footage.size_hw[0]), int(cfg.footage.size_hw[1]))
    watched = None
    if cfg.footage.mask:
        watched = torch.from_numpy(read_mask(Path(cfg.footage.mask).expanduser(), size_hw))
    store = open_store(footage, Preprocessing(size_hw, cfg.footage.channels), Path(cfg.paths.cache))
    gap_s = cfg.footage.gap_factor * usual_interval_s(store.index)
    runs = segments(store.index, gap_s)
    shortest = (cfg.footage.window_frames - 1) * min(cfg.footage.strides) + 1
    train, held_out = hold_out_blocks(runs, cfg.footage.holdout, shortest)
    return _Footage(store, train, held_out, gap_s, watched)


def _datamodule(cfg: TrainConfig, prepared: _Footage) -> FootageDataModule:
    window, strides = cfg.footage.window_frames, list(cfg.footage.strides)
    return FootageDataModule(
        prepared.store,
        windows_of(prepared.train, window, strides),
        windows_of(prepared.held_out, window, strides[:1]),
        cfg.training.batch_size,
        cfg.training.windows_per_epoch,
        cfg.seed,
        cfg.training.workers,
    )


def _settings(cfg: TrainConfig, store: FrameStore) -> dict[str, Any]:
    """All that a run's numbers depend on."""
    assert isinstance(cfg, DictConfig)
    settings: dict[str, Any] = OmegaConf.to_container(cfg, resolve=True)  # type: ignore[assignment]
    for key in ("paths", "overwrite", "name", "suffix"):
        settings.pop(key)
    settings["store"] = store.folder.name
    return settings


def _compute(
    cfg: TrainConfig, folder: RunFolder, net: Standardised, data: FootageDataModule
) -> Compute:
    """Chosen once per run: by the first process, and kept for resuming."""
    if getattr(rank_zero_only, "rank", 0) != 0:
        return choose_compute(folder.recall("compute"), net, torch.zeros(0), torch.device("cpu"))

    def choose() -> Compute:
        if "precision" in cfg.trainer:
            bfloat16 = "bf16" in str(cfg.trainer["precision"])
            return Compute("bfloat16" if bfloat16 else "float32")
        clip = next(iter(data.train_dataloader())).float() / 255
        on_gpu = cfg.trainer.get("accelerator") in ("auto", "gpu", "cuda") and (
            torch.cuda.is_available()
        )
        device = torch.device("cuda" if on_gpu else "cpu")
        return choose_compute(cfg.training.compute, net, clip, device)

    return choose_compute(
        folder.remember("compute", choose), net, torch.zeros(0), torch.device("cpu")
    )


def _trainer(
    cfg: TrainConfig, folder: RunFolder, compute: Compute, nothing: DoNothing, rule: ScoringRule
) -> pl.Trainer:
    beside = Beside(nothing, cfg.training.windows_per_epoch)
    bar = RichProgressBar() if _in_terminal() else None
    callbacks: list[pl.Callback] = [
        beside,
        Pictures(rule, cfg.training.pictures),
        bar or EpochLines(beside),
        ModelCheckpoint(
            folder.checkpoints,
            filename="best",
            monitor="loss/held_out",
            save_last=True,
            enable_version_counter=False,
        ),
    ]
    if cfg.training.patience:
        callbacks.append(EarlyStopping("loss/held_out", patience=cfg.training.patience))
    arguments: dict[str, Any] = {
        "precision": compute.lightning_precision,
        "enable_model_summary": False,
        "enable_progress_bar": bar is not None,
        "num_sanity_val_steps": 0,
        "use_distributed_sampler": False,  # EpochSampler knows its process
        "log_every_n_steps": 10,
    }
    arguments |= OmegaConf.to_container(cfg.trainer, resolve=True)  # type: ignore[arg-type]
    board = TensorBoardLogger(folder.path, name="", version="tensorboard")
    try:
        return pl.Trainer(
            **arguments, logger=board, callbacks=callbacks, default_root_dir=folder.path
        )
    except (
        TypeError,
        ValueError,
        RuntimeError,
        MisconfigurationException,
    ) as error:
        raise UserError(f"trainer: {' '.join(str(error).split())}") from error


def _check_trainer(settings: dict[str, Any]) -> None:
    known = [name for name in inspect.signature(pl.Trainer.__init__).parameters if name != "self"]
    for key in settings:
        if key in OURS:
            raise UserError(f"trainer.{key} is set by tlae and cannot be given")
        if key not in known:
            raise UserError(f"trainer has no setting {key!r}; {nearest(key, known)}")


def _load_best(module: Training, folder: RunFolder) -> float:
    """Weights with the lowest held-out loss; returns that loss, NaN if none was taken."""
    source = folder.best if folder.best.is_file() else folder.last
    state = torch.load(source, map_location="cpu", weights_only=True)
    module.cpu().load_state_dict(state["state_dict"])
    for callback in state["callbacks"].values():
        if isinstance(callback, dict) and callback.get("best_model_score") is not None:
            return float(callback["best_model_score"])
    return float("nan")


def _calibrate(model: Model, prepared: _Footage, rule: ScoringRule, trainer: pl.Trainer) -> None:
    device = trainer.strategy.root_device
    model.typical_error = typical_error(model, prepared.store, prepared.held_out, rule, device)
    frames = sum(len(run) for run in prepared.held_out)
    with progress("calibrating", frames) as advance:
        model.calibration = calibrate(
            model, prepared.store, prepared.held_out, rule, device, advance
        )


def _introduce(name: str, net: Standardised, prepared: _Footage, compute: Compute) -> None:
    weights = sum(p.numel() for p in net.parameters())
    rows = prepared.store.index
    learnt, held = (sum(len(r) for r in runs) for runs in (prepared.train, prepared.held_out))
    print(f"{name}: {weights:,} weights, {compute} arithmetic", flush=True)
    print(
        f"{learnt:,} frames to learn from, {held:,} held out in "
        f"{len(prepared.held_out)} time blocks",
        flush=True,
    )
    for state, count in rows.loc[rows["state"] != OK, "state"].value_counts().items():
        print(f"  left out: {count:,} x {state}", flush=True)


def _tell(model: Model, nothing: DoNothing, folder: RunFolder, data: FootageDataModule) -> None:
    facts = model.training
    loss = facts["held_out_loss"]
    print(
        f"trained {facts['epochs']} epochs, {facts['steps']:,} steps in {facts['seconds']:.0f} s; "
        f"calibrated on {len(model.calibration.raw):,} held-out frames"
    )
    print(
        f"held-out loss {loss:.6f}; copying the last frame {nothing.copy_last:.6f}, "
        f"the mean frame {nothing.mean_frame:.6f}"
    )
    worse = [
        f"{what} ({value:.6f})"
        for what, value in (
            ("copying the last frame", nothing.copy_last),
            ("the mean frame", nothing.mean_frame),
        )
        if not loss < value
    ]
    if worse:
        print(f"WARNING: the net does not beat {' or '.join(worse)}: it has learned nothing of use")
    size_mb = folder.model.stat().st_size / 1e6
    print(f"model: {folder.model} ({size_mb:.1f} MB)")
    print(f"next:  tlae score model_file={folder.model} footage=...")


def _in_terminal() -> bool:
    return sys.stdout.isatty()


def _calm_lightning() -> None:
    """Lightning's hints for cases that are settled here."""
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for hint in (
        ".*does not have many workers.*",
        ".*exists and is not empty.*",
        ".*The number of training batches.*",
        ".*LeafSpec.*",
    ):
        warnings.filterwarnings("ignore", hint)
