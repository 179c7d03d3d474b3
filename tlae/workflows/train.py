"""Train a net on normal footage: from settings and footage to a model file."""

import logging
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.rank_zero import rank_zero_only  # type: ignore[attr-defined]

from tlae.budget import Budget
from tlae.config import TrainConfig
from tlae.errors import refusing_bad_values
from tlae.folder_lock import held_folder
from tlae.footage.datamodule import FootageDataModule
from tlae.footage.dataset import ClipDataset
from tlae.footage.sources import Footage
from tlae.footage.windows import median_interval_s, segments
from tlae.model_file import Model, save_model
from tlae.models.contract import Net
from tlae.models.standardised import Standardised
from tlae.number_words import how_many
from tlae.progress import progress, shows_bars
from tlae.scoring.detector import Detector
from tlae.scoring.rule import ScoringRule
from tlae.training.calibration import Normal, fit_to_normal, shortened
from tlae.training.callbacks import Beside, EpochLines, TerminalBar
from tlae.training.compute import Compute, choose_compute
from tlae.training.do_nothing import DoNothing, FittedBackground, do_nothing_losses, fit_background
from tlae.training.fitting import (
    fit,
    load_weights,
    make_trainer,
    require_trainer_settings,
)
from tlae.training.module import POSITIVE_WEIGHT, Training
from tlae.training.normal_footage import NormalFootage
from tlae.training.options import FitOptions, Planting
from tlae.training.pictures import JudgeCurves, PictureGrid
from tlae.training.recipe import constant_loss
from tlae.training.reference_bank import TrainingFrames
from tlae.training.run_folder import RunFolder
from tlae.training.teachable import require_teachable
from tlae.whole_file import require_plain_name
from tlae.workflows.footage_notes import note_clock, note_days
from tlae.workflows.named_footage import open_named, require_pace_for
from tlae.workflows.training_inputs import built_net, prepared, recipe_of, recorded_settings

FEWEST_FOR_WEIGHTS = 1_000  # frames, for weights that a net can do without
WELL_BELOW = 0.5  # of a constant's loss: a net above it would harm what it is joined with
CONSTANT_WINDOWS = 128  # enough for the share of planted pixels

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingReport:
    """What a training did.

    Attributes:
        model: as it was written.
        source: what was given to learn from.
        footage: what was learnt from, and what was held out.
        baselines: held-out losses of trivial answers, by name.
    """

    model: Model
    source: Footage
    footage: NormalFootage
    baselines: DoNothing


@dataclass(frozen=True)
class _Learnt:
    """How a net was fitted; a net without weights was not."""

    compute: Compute
    device: torch.device
    facts: dict[str, Any]  # epochs, steps, held_out_loss


def train_named(cfg: TrainConfig) -> tuple[RunFolder, TrainingReport | None]:
    """Train on the footage that settings name, into the run folder that they name.

    Returns:
        The run folder, and what ``train`` returns.

    Raises:
        UserError: see ``train``; also where another process holds the folder.
    """
    require_trainer_settings(cfg.trainer)
    source = open_named(cfg.footage)
    require_pace_for(Budget.of(vars(cfg.scoring)), source)
    name = require_plain_name(cfg.name or f"{source.name}-{cfg.model_name}", "name")
    name = require_plain_name(name + cfg.suffix, "name")
    folder = RunFolder(Path(cfg.paths.checkpoints).expanduser() / name)
    if not is_first_process():  # its first process holds the folder
        return folder, train(cfg, source, folder)
    with held_folder(folder.path, "give another name=..."):
        return folder, train(cfg, source, folder)


def is_first_process() -> bool:
    """Whether this is the process that writes, of those that train together."""
    return getattr(rank_zero_only, "rank", 0) == 0


def train(cfg: TrainConfig, source: Footage, folder: RunFolder) -> TrainingReport | None:
    """Train into a folder that no other run writes into.

    Args:
        cfg: settings; the footage and the folder are those given here.
        source: normal footage.
        folder: of the run; continued where it was begun.

    Returns:
        The report; None where the folder is trained already, and in further processes.

    Raises:
        UserError: settings do not fit, or the footage teaches nothing.
    """
    started = time.monotonic()
    pl.seed_everything(cfg.seed, workers=True, verbose=False)
    with refusing_bad_values():
        rule = ScoringRule().changed_by(vars(cfg.scoring))
        options = FitOptions(
            **{k: getattr(cfg.training, k) for k in FitOptions.__dataclass_fields__}
        )
        inner = built_net(cfg)
        footage, camera = prepared(cfg, source, inner)
        require_teachable(footage)
    if is_first_process():
        folder.begin(recorded_settings(cfg, footage.store), overwrite=cfg.overwrite)
    _note_idle_settings(cfg, inner, rule)
    if folder.is_done(overwrite=cfg.overwrite):
        if is_first_process():
            logger.info(f"{folder.path} is trained already; other settings need another name=...")
        return None
    note_days(footage.store, [*footage.train, *footage.held_out])
    background = fit_background(footage.store, footage.train)
    net = Standardised(inner, torch.from_numpy(background.mean_frame), background.spread)
    whole = segments(footage.store.index, footage.gap_s)
    net.keep(TrainingFrames(footage.store, footage.train, footage.watched, whole))
    baselines = _baselines(cfg, footage, background, net)
    learnt = _Learnt(Compute("float32"), torch.device("cpu"), {})
    if _is_fitted(net, footage):
        learnt = _learn(cfg, folder, net, options, footage, rule, baselines)
    if not is_first_process():
        return None
    facts = {
        "model": cfg.model_name,
        "name": folder.path.name,
        "frames": footage.train_frames,
        "held_out_frames": footage.held_out_frames,
    }
    model = _calibrated(cfg, net, footage, rule, learnt, baselines)
    facts["seconds"] = round(time.monotonic() - started, 1)
    facts |= {f"{name}_loss": loss for name, loss in baselines.items()}
    facts |= {"compute": str(learnt.compute), "seed": cfg.seed, **learnt.facts}
    facts |= model.training
    model = save_model(replace(model, camera=camera, training=facts), folder.model)
    return TrainingReport(model, source, footage, baselines)


def _is_fitted(net: Standardised, footage: NormalFootage) -> bool:
    """Whether weights are fitted; a net that does without them is not, where footage is short."""
    if not any(weights.requires_grad for weights in net.parameters()):
        return False
    frames = footage.train_frames
    if not net.settles or frames >= FEWEST_FOR_WEIGHTS:
        return True
    all_frames = len(footage.store)
    missing = more_frames_for(FEWEST_FOR_WEIGHTS, learnt=frames, of=all_frames)
    missing_s = missing * median_interval_s(footage.store.index)
    logger.info(
        f"{frames:,} frames are too few to train the segmenter on ({FEWEST_FOR_WEIGHTS:,} are "
        f"needed): the attributes decide alone; {math.ceil(missing_s / 6) / 10:.1f} min more "
        "footage would add it"
    )
    return False


def more_frames_for(wanted: int, *, learnt: int, of: int) -> int:
    """Frames of footage that are missing to learn from ``wanted``: a share is held out of them too.

    Args:
        wanted: frames to learn from.
        learnt: frames that are learnt from now.
        of: frames of the footage.
    """
    return math.ceil(wanted * of / max(1, learnt)) - of


def _note_idle_settings(cfg: TrainConfig, inner: Net, rule: ScoringRule) -> None:
    """A line for each setting that was asked for and has no effect."""
    if not inner.segments and cfg.training.planted != Planting():
        logger.warning(f"note: training.planted has no effect, {cfg.model_name} does not segment")
    if cfg.scoring.causal and (line := rule.idle_setting()):  # the segmenter brings kernel_frames
        logger.warning(line)


def _learn(
    cfg: TrainConfig,
    folder: RunFolder,
    net: Standardised,
    options: FitOptions,
    footage: NormalFootage,
    rule: ScoringRule,
    baselines: DoNothing,
) -> _Learnt:
    """Fit the net in place and load the weights that are kept."""
    data = FootageDataModule(
        footage.store,
        footage.windows,
        footage.held_out_windows,
        cfg.training.batch_size,
        cfg.training.windows_per_epoch,
        cfg.seed,
        cfg.training.workers,
        None if net.net.view_hw is None else net.view,
    )
    compute = _compute(cfg, folder, net, data)
    module = Training(
        net,
        options,
        footage.watched,
        channels_last=compute.channels_last,
        recipe=recipe_of(cfg, net.net) if net.segments else None,
    )
    trainer = _trainer(cfg, folder, compute, baselines, rule)
    if trainer.is_global_zero:
        _introduce(folder.path.name, net, footage, compute, cfg.footage.time_pattern)
    fit(trainer, module, data, folder)
    facts: dict[str, Any] = {"epochs": trainer.current_epoch, "steps": trainer.global_step}
    if trainer.is_global_zero:
        facts["held_out_loss"] = load_weights(module, folder, cfg.training.keep)
    return _Learnt(compute, trainer.strategy.root_device, facts)


def _introduce(
    name: str,
    net: Standardised,
    footage: NormalFootage,
    compute: Compute,
    time_pattern: str | None,
) -> None:
    """Log what will be learnt, from how much footage."""
    weights = sum(p.numel() for p in net.parameters())
    logger.info(f"{name}: {how_many(weights, 'weight')}, {compute} arithmetic")
    logger.info(
        f"{how_many(footage.train_frames, 'frame')} to learn from, "
        f"{footage.held_out_frames:,} held out in {how_many(len(footage.held_out), 'time block')}"
    )
    note_clock(footage.store, footage.gap_s, time_pattern)


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

    if is_first_process():
        return folder.remember(choose)
    return folder.recall()


def _baselines(
    cfg: TrainConfig, footage: NormalFootage, background: FittedBackground, net: Standardised
) -> DoNothing:
    """Held-out losses that the net must beat; one that measures is not fitted by a loss."""
    if net.segments:
        return {"constant": _constant_loss(cfg, footage, net)}
    if net.measures:
        return {}
    return do_nothing_losses(
        footage.store,
        shortened(footage.held_out, cfg.training.windows_per_epoch),
        background,
        lag_frames=max(1, net.net.ahead) * cfg.footage.strides[0],
        absolute=cfg.training.loss == "absolute",
        watched=None if footage.watched is None else footage.watched.numpy(),
    )


def _constant_loss(cfg: TrainConfig, footage: NormalFootage, net: Standardised) -> float:
    """Loss of always answering the share of what is planted, over some held-out windows."""
    windows = footage.held_out_windows
    chosen = np.linspace(0, len(windows) - 1, CONSTANT_WINDOWS).round().astype(np.int64)
    span = ClipDataset(footage.store, windows, net.view)[chosen].float() / 255
    generator = torch.Generator().manual_seed(cfg.seed)
    planted = recipe_of(cfg, net.net).plant(span, net.viewed_mean, generator)
    share = float(planted.mask.mean())
    return constant_loss(share, POSITIVE_WEIGHT)


def _trainer(
    cfg: TrainConfig, folder: RunFolder, compute: Compute, baselines: DoNothing, rule: ScoringRule
) -> pl.Trainer:
    beside = Beside(baselines, cfg.training.windows_per_epoch)
    with_bar = shows_bars()
    return make_trainer(
        folder,
        compute,
        [
            beside,
            PictureGrid(rule, cfg.training.pictures),
            JudgeCurves(),
            TerminalBar() if with_bar else EpochLines(beside),
        ],
        cfg.trainer,
        progress_bar=with_bar,
        patience=cfg.training.patience,
    )


def _has_learnt(learnt: _Learnt, baselines: DoNothing) -> bool:
    """Whether a net's held-out loss is well below that of a constant answer."""
    loss = float(learnt.facts.get("held_out_loss", math.nan))
    return loss < WELL_BELOW * baselines.get("constant", math.nan)


def _calibrated(
    cfg: TrainConfig,
    net: Standardised,
    footage: NormalFootage,
    rule: ScoringRule,
    learnt: _Learnt,
    baselines: DoNothing,
) -> Model:
    """The model with its typical errors and its calibration."""
    detector = Detector(
        net=net.eval(),
        net_config=dict(cfg.model),
        preprocessing=footage.store.preprocessing,
        window_frames=cfg.footage.window_frames,
        stride=cfg.footage.strides[0],
        gap_s=footage.gap_s,
        precision=learnt.compute.precision,
        typical_error=torch.ones(footage.store.shape[1:3]),
        watched=footage.watched,
    )
    held_out = Normal(footage.store, footage.held_out, rule, learnt.device)
    with progress("calibrating", footage.held_out_frames) as advance:
        fitted = fit_to_normal(
            detector, held_out, advance, learnt=_has_learnt(learnt, baselines), train=footage.train
        )
    return Model(
        replace(detector, typical_error=fitted.typical_error),
        rule,
        Budget.of(vars(cfg.scoring)),
        fitted.calibration,
        training={"highest": fitted.highest},
        source_hw=footage.store.source_hw,
    )
