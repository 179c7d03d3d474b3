"""What a training starts from: the net, the footage as it sees it, and what a run is known by."""

import json
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tlae.camera.camera import Camera
from tlae.camera.canonical_store import canonical_store, without_ill
from tlae.camera.fit import fit_camera
from tlae.config import TrainConfig
from tlae.errors import UserError
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import Footage
from tlae.footage.store import FrameStore, open_store
from tlae.footage.timestamps import ASSUMED_INTERVAL_S
from tlae.footage.zones import read_mask
from tlae.model_file import build_net
from tlae.models.contract import Net
from tlae.models.standardised import Standardised
from tlae.training.moving_anomalies import MovingRecipe
from tlae.training.normal_footage import NormalFootage, split_footage
from tlae.training.recipe import Recipe
from tlae.training.still_anomalies import StillRecipe
from tlae.workflows.footage_notes import fitted_levels


def built_net(cfg: TrainConfig) -> Net:
    """The net, which answered for one empty clip: before footage is decoded for it.

    Raises:
        UserError: its settings fit neither each other nor those of the footage.
    """
    clip = torch.zeros(1, cfg.footage.channels, cfg.footage.window_frames, *cfg.footage.size_hw)
    try:
        inner = build_net(cfg.model)
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
    inner.train()
    return inner


def prepared(cfg: TrainConfig, source: Footage, net: Net) -> tuple[NormalFootage, Camera | None]:
    """The footage as the net sees it, and the camera that makes it so."""
    size_hw = (int(cfg.footage.size_hw[0]), int(cfg.footage.size_hw[1]))
    preprocessing = Preprocessing(size_hw, cfg.footage.channels, fitted_levels(source))
    watched = None
    if cfg.footage.mask:
        watched = torch.from_numpy(read_mask(Path(cfg.footage.mask).expanduser(), size_hw))
    window_frames, strides = cfg.footage.window_frames, list(cfg.footage.strides)
    if net.segments:  # what is planted may play faster: longer spans
        window_frames, strides = recipe_of(cfg, net).span_frames, [1]
    store = open_store(source, preprocessing, Path(cfg.paths.cache))
    split = partial(
        split_footage,
        window_frames=window_frames,
        strides=strides,
        holdout=cfg.footage.holdout,
        gap_factor=cfg.footage.gap_factor,
        watched=watched,
    )
    if not cfg.camera.is_any:
        return split(store), None
    camera = fit_camera(store, np.concatenate(split(store).train), cfg.camera)
    return split(without_ill(canonical_store(camera, store))), camera


def recipe_of(cfg: TrainConfig, net: Net) -> Recipe:
    """Of the pseudo-anomalies that a net which segments is taught by."""
    window, stride = cfg.footage.window_frames, cfg.footage.strides[0]
    if net.planted == "still":
        return StillRecipe(window, stride)
    return MovingRecipe(window, stride, net.fastest, cfg.training.planted)


def recorded_settings(cfg: TrainConfig, store: FrameStore) -> dict[str, Any]:
    """All that a run's numbers depend on."""
    settings: dict[str, Any] = json.loads(json.dumps(asdict(cfg)))  # tuples become lists
    for key in ("paths", "overwrite", "name", "suffix"):
        settings.pop(key)
    settings["store"] = store.key
    settings["footage"]["interval_s"] = cfg.footage.interval_s or ASSUMED_INTERVAL_S
    if cfg.footage.mask:
        mask = Path(cfg.footage.mask).expanduser()
        settings["mask_content"] = sha256(mask.read_bytes()).hexdigest()[:16]
    return settings
