"""tlae train footage=PATH [name=NAME] [model=...] [trainer.max_epochs=10].

Learns what is normal from normal footage. Writes <paths.checkpoints>/<name>/: model.safetensors
(all that scoring needs), tensorboard/, lightning/ (for resuming). A killed run continues when
started again, with the losses of an unbroken one.
"""

import sys
import time
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.utilities.rank_zero import rank_zero_only  # type: ignore[attr-defined]
from torch import nn

from tlae.camera.camera import Camera, CameraOptions
from tlae.camera.canonical_store import canonical_store, without_ill
from tlae.camera.fit import fit_camera
from tlae.commands.footage_lines import fitted_levels
from tlae.commands.named_footage import open_named, require_pace_for
from tlae.commands.score import ALARM_KEYS
from tlae.commands.train_lines import introduce, tell_end
from tlae.config import TrainConfig
from tlae.errors import UserError, refusing_bad_values
from tlae.folder_lock import held_folder
from tlae.footage.datamodule import FootageDataModule
from tlae.footage.dataset import ClipDataset
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import Footage
from tlae.footage.store import FrameStore, open_store
from tlae.footage.timestamps import ASSUMED_INTERVAL_S
from tlae.footage.zones import read_mask
from tlae.model_file import Model, build_net, save_model
from tlae.models.most_alike import MostAlike
from tlae.models.standardised import Standardised
from tlae.models.still_segmenter import StillSegmenter
from tlae.progress import progress
from tlae.scoring.calibrate import Calibration
from tlae.scoring.rule import ScoringRule
from tlae.training.calibration import Normal, fit_to_normal, shortened
from tlae.training.callbacks import Beside, EpochLines, Pictures, TerminalBar
from tlae.training.compute import Compute, choose_compute
from tlae.training.do_nothing import (
    Background,
    DoNothing,
    do_nothing_losses,
    fit_background,
)
from tlae.training.fitting import (
    calm_lightning,
    fit,
    load_weights,
    make_trainer,
    require_trainer_settings,
)
from tlae.training.module import POSITIVE_WEIGHT, FitOptions, Training
from tlae.training.moving_anomalies import MovingRecipe, Planting
from tlae.training.normal_footage import NormalFootage, split_footage
from tlae.training.recipe import Recipe, constant_loss
from tlae.training.reference_bank import fit_bank, frames_of_all_times
from tlae.training.run_folder import RunFolder
from tlae.training.still_anomalies import StillRecipe
from tlae.training.teachable import require_teachable
from tlae.whole_file import require_plain_name

CONSTANT_WINDOWS = 128  # enough for the share of planted pixels


def run(cfg: TrainConfig) -> None:
    """Train a net on normal footage and write its model file."""
    require_trainer_settings(OmegaConf.to_container(cfg.trainer, resolve=True))  # type: ignore[arg-type]
    source = open_named(cfg.footage)
    require_pace_for(dict(cfg.scoring), source)  # type: ignore[call-overload]
    name = require_plain_name(cfg.name or f"{source.name}-{cfg.model_name}", "name")
    name = require_plain_name(name + cfg.suffix, "name")
    folder = RunFolder(Path(cfg.paths.checkpoints).expanduser() / name)
    if not _is_first_process():  # its first process holds the folder
        _train(cfg, source, folder)
        return
    with held_folder(folder.path, "give another name=..."):
        _train(cfg, source, folder)


def _train(cfg: TrainConfig, source: Footage, folder: RunFolder) -> None:
    """Train into a folder that no other run writes into."""
    started = time.monotonic()
    calm_lightning()
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    net_config: dict[str, Any] = OmegaConf.to_container(cfg.model, resolve=True)  # type: ignore[assignment]
    with refusing_bad_values():
        rule = ScoringRule().changed_by(dict(cfg.scoring))  # type: ignore[call-overload]
        options = FitOptions(**{k: cfg.training[k] for k in FitOptions.__dataclass_fields__})  # type: ignore[index]
        inner = _build(cfg, net_config)
        footage, camera = _prepare(cfg, source, inner)
        require_teachable(footage)
    if _is_first_process():
        folder.begin(_settings(cfg, footage.store), overwrite=cfg.overwrite)
    if folder.is_done(overwrite=cfg.overwrite):
        print(f"{folder.path} is trained already; other settings need another name=...")
        return
    background = fit_background(footage.store, footage.train)
    net = Standardised(inner, torch.from_numpy(background.mean_frame), background.spread)
    if isinstance(inner, StillSegmenter):
        backgrounds = fit_bank(footage.store, footage.train, inner.bank_frames)
        seen = frames_of_all_times(footage.store, footage.train, inner.seen_frames)
        inner.remember(backgrounds, seen, net)
    if isinstance(inner, MostAlike):
        frames = torch.from_numpy(footage.store.read(np.concatenate(footage.train)))
        inner.remember(frames.permute(0, 3, 1, 2).contiguous(), net.mean_frame, background.spread)
    nothing = _do_nothing(cfg, footage, background, net)
    learnt = Learnt(Compute("float32"), torch.device("cpu"), {})
    if any(weights.requires_grad for weights in net.parameters()):
        learnt = _learn(cfg, folder, net, options, footage, rule, nothing)
    if not _is_first_process():
        return
    model = _finish(cfg, net_config, net, footage, rule, learnt)
    model.camera = camera
    model.training = {
        "model": cfg.model_name,
        "name": folder.path.name,
        "frames": footage.train_frames,
        "held_out_frames": footage.held_out_frames,
        "seconds": round(time.monotonic() - started, 1),
        **{f"{name}_loss": loss for name, loss in nothing.items()},
        "compute": str(learnt.compute),
        "seed": cfg.seed,
        **learnt.facts,
    }
    save_model(model, folder.model)
    tell_end(model, nothing, folder, footage, source)


@dataclass(frozen=True)
class Learnt:
    """How a net was fitted; a net without weights was not."""

    compute: Compute
    device: torch.device
    facts: dict[str, Any]  # epochs, steps, held_out_loss


def _learn(
    cfg: TrainConfig,
    folder: RunFolder,
    net: Standardised,
    options: FitOptions,
    footage: NormalFootage,
    rule: ScoringRule,
    nothing: DoNothing,
) -> Learnt:
    """Fit the net in place and load the weights that are kept."""
    data = FootageDataModule(
        footage.store,
        footage.windows,
        footage.held_out_windows,
        cfg.training.batch_size,
        cfg.training.windows_per_epoch,
        cfg.seed,
        cfg.training.workers,
    )
    compute = _compute(cfg, folder, net, data)
    module = Training(
        net,
        options,
        footage.watched,
        channels_last=compute.channels_last,
        recipe=_recipe(cfg, net.net) if net.judges else None,
    )
    trainer = _trainer(cfg, folder, compute, nothing, rule)
    if trainer.is_global_zero:
        introduce(folder.path.name, net, footage, compute, cfg.footage.time_pattern)
    fit(trainer, module, data, folder)
    facts: dict[str, Any] = {"epochs": trainer.current_epoch, "steps": trainer.global_step}
    if trainer.is_global_zero:
        facts["held_out_loss"] = load_weights(module, folder, cfg.training.keep)
    return Learnt(compute, trainer.strategy.root_device, facts)


def _is_first_process() -> bool:
    return getattr(rank_zero_only, "rank", 0) == 0


def _build(cfg: TrainConfig, net_config: dict[str, Any]) -> nn.Module:
    """The net, which answered for one empty clip: before footage is decoded for it.

    Raises:
        UserError: its settings fit neither each other nor those of the footage.
    """
    clip = torch.zeros(1, cfg.footage.channels, cfg.footage.window_frames, *cfg.footage.size_hw)
    try:
        inner = build_net(net_config)
        net = Standardised(inner, torch.zeros(clip.shape[1], *clip.shape[3:]), 1.0).eval()
        with torch.inference_mode():
            answer, target = net(clip), net.target(clip)
    except (RuntimeError, ZeroDivisionError, IndexError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"model.* must fit each other and footage.*, got: {reason}") from error
    if answer.shape != target.shape or not answer.numel():
        raise UserError(
            f"model.* must fit footage.*: for a clip of shape {tuple(clip.shape)} the net answers "
            f"{tuple(answer.shape)}, {tuple(target.shape)} expected"
        )
    return inner.train()


def _prepare(
    cfg: TrainConfig, source: Footage, net: nn.Module
) -> tuple[NormalFootage, Camera | None]:
    """The footage as the net sees it, and the camera that makes it so."""
    size_hw = (int(cfg.footage.size_hw[0]), int(cfg.footage.size_hw[1]))
    preprocessing = Preprocessing(size_hw, cfg.footage.channels, fitted_levels(source))
    watched = None
    if cfg.footage.mask:
        watched = torch.from_numpy(read_mask(Path(cfg.footage.mask).expanduser(), size_hw))
    window_frames, strides = cfg.footage.window_frames, list(cfg.footage.strides)
    if getattr(net, "judges", False):  # what is planted may play faster: longer spans
        window_frames, strides = _recipe(cfg, net).span_frames, [1]
    store = open_store(source, preprocessing, Path(cfg.paths.cache))
    split = partial(
        split_footage,
        window_frames=window_frames,
        strides=strides,
        holdout=cfg.footage.holdout,
        gap_factor=cfg.footage.gap_factor,
        watched=watched,
    )
    options = CameraOptions(**cfg.camera)  # type: ignore[arg-type]
    if not options.is_any:
        return split(store), None
    camera = fit_camera(store, np.concatenate(split(store).train), options)
    return split(without_ill(canonical_store(camera, store))), camera


def _recipe(cfg: TrainConfig, net: nn.Module) -> Recipe:
    """Of the pseudo-anomalies that a net which judges is taught by."""
    window, stride = cfg.footage.window_frames, cfg.footage.strides[0]
    if isinstance(net, StillSegmenter):
        return StillRecipe(window, stride)
    planting = Planting(**cfg.training.planted)  # type: ignore[arg-type]
    return MovingRecipe(window, stride, int(net.fastest), planting)  # type: ignore[arg-type]


def _settings(cfg: TrainConfig, store: FrameStore) -> dict[str, Any]:
    """All that a run's numbers depend on."""
    assert isinstance(cfg, DictConfig)
    settings: dict[str, Any] = OmegaConf.to_container(cfg, resolve=True)  # type: ignore[assignment]
    for key in ("paths", "overwrite", "name", "suffix"):
        settings.pop(key)
    settings["store"] = store.key
    settings["footage"]["interval_s"] = cfg.footage.interval_s or ASSUMED_INTERVAL_S
    if cfg.footage.mask:
        mask = Path(cfg.footage.mask).expanduser()
        settings["mask_content"] = sha256(mask.read_bytes()).hexdigest()[:16]
    return settings


def _compute(
    cfg: TrainConfig, folder: RunFolder, net: Standardised, data: FootageDataModule
) -> Compute:
    """Chosen once per run: by the first process, and kept for resuming."""

    def choose() -> Compute:
        if "precision" in cfg.trainer:
            bfloat16 = "bf16" in str(cfg.trainer["precision"])
            return Compute("bfloat16" if bfloat16 else "float32")
        clip = next(iter(data.train_dataloader())).float() / 255
        clip = clip[:, :, -cfg.footage.window_frames :]
        wants_gpu = cfg.trainer.get("accelerator") in ("auto", "gpu", "cuda")
        device = torch.device("cuda" if wants_gpu and torch.cuda.is_available() else "cpu")
        return choose_compute(cfg.training.compute, net, clip, device)

    if _is_first_process():
        return folder.remember(choose)
    return folder.recall()


def _do_nothing(
    cfg: TrainConfig, footage: NormalFootage, background: Background, net: Standardised
) -> DoNothing:
    if net.judges:
        return {"constant": _constant_loss(cfg, footage, net)}
    ahead = int(cfg.model.get("ahead", 0))
    return do_nothing_losses(
        footage.store,
        shortened(footage.held_out, cfg.training.windows_per_epoch),
        background,
        lag_frames=max(1, ahead) * cfg.footage.strides[0],
        absolute=cfg.training.loss == "absolute",
        watched=None if footage.watched is None else footage.watched.numpy(),
    )


def _constant_loss(cfg: TrainConfig, footage: NormalFootage, net: Standardised) -> float:
    """Loss of always answering the share of what is planted, over some held-out windows."""
    windows = footage.held_out_windows
    chosen = np.linspace(0, len(windows) - 1, CONSTANT_WINDOWS).round().astype(np.int64)
    span = ClipDataset(footage.store, windows)[chosen].float() / 255
    generator = torch.Generator().manual_seed(cfg.seed)
    planted = _recipe(cfg, net.net).plant(span, net.mean_frame, generator)
    share = float(planted.mask.mean())
    return constant_loss(share, POSITIVE_WEIGHT)


def _trainer(
    cfg: TrainConfig, folder: RunFolder, compute: Compute, nothing: DoNothing, rule: ScoringRule
) -> pl.Trainer:
    beside = Beside(nothing, cfg.training.windows_per_epoch)
    in_terminal = sys.stdout.isatty()
    return make_trainer(
        folder,
        compute,
        [
            beside,
            Pictures(rule, cfg.training.pictures),
            TerminalBar() if in_terminal else EpochLines(beside),
        ],
        OmegaConf.to_container(cfg.trainer, resolve=True),  # type: ignore[arg-type]
        progress_bar=in_terminal,
        patience=cfg.training.patience,
    )


def _finish(
    cfg: TrainConfig,
    net_config: dict[str, Any],
    net: Standardised,
    footage: NormalFootage,
    rule: ScoringRule,
    learnt: Learnt,
) -> Model:
    """The model with its usual errors and its calibration."""
    model = Model(
        net=net.eval(),
        net_config=net_config,
        preprocessing=footage.store.preprocessing,
        window_frames=cfg.footage.window_frames,
        stride=cfg.footage.strides[0],
        gap_s=footage.gap_s,
        rule=rule,
        alarm={key: cfg.scoring[key] for key in ALARM_KEYS},  # type: ignore[index]
        precision=learnt.compute.precision,
        calibration=Calibration(np.zeros(1), np.zeros(1, np.int64), 0.0, ""),  # made below
        typical_error=torch.ones(footage.store.shape[1:3]),
        watched=footage.watched,
        source_hw=footage.store.source_hw,
    )
    held_out = Normal(footage.store, footage.held_out, rule, learnt.device)
    with progress("calibrating", footage.held_out_frames) as advance:
        model.typical_error, model.calibration = fit_to_normal(model, held_out, advance)
    return model
