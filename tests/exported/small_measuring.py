"""Small models that measure, learnt from a drawn street or a drawn site."""

from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from tests.attributes.drawn_street import Walker, as_tensor, drawn, frames_of, normal_street
from tests.patches import drawn_site
from tests.small_footage import small_model
from tlae.footage.preprocess import Preprocessing
from tlae.model_file import Model, build_net
from tlae.models.contract import Net
from tlae.models.joint import Joint
from tlae.models.standardised import Standardised
from tlae.scoring.rule import ScoringRule

RULE = ScoringRule(smooth_frames=2.0, kernel_px=3)
STREET = {"exemplars": 500, "memory_s": 60.0, "view_hw": [32, 48], "widths": [4, 4]}
RUNNER = [Walker(-20, 64, 1.5), Walker(-60, 70, 6.0)]


def model_with(net: Net, config: dict[str, Any], mean: torch.Tensor, interval_s: float) -> Model:
    small, size_hw = small_model("cae", rule=RULE), (mean.shape[1], mean.shape[2])
    detector = replace(
        small.detector,
        net=Standardised(net, mean, 0.1).eval(),
        net_config=config,
        preprocessing=Preprocessing(size_hw, 3),
        window_frames=1,
        gap_s=5 * interval_s,
        typical_error=torch.full(size_hw, 0.01),
    )
    calibration = replace(small.calibration, interval_s=interval_s)
    return replace(small, detector=detector, calibration=calibration)


@cache
def learnt_street() -> tuple[Joint, torch.Tensor]:
    """A net that has learnt, and the mean frame."""
    torch.manual_seed(0)
    net, street = Joint(**STREET), normal_street(140)
    mean = as_tensor(street[::8]).float().mean(dim=0) / 255
    net.keep(frames_of(street), mean, 0.1)
    return net, mean


def street_model(name: str) -> Model:
    joint, mean = deepcopy(learnt_street())
    if name == "attributes":
        config = {key: STREET[key] for key in ("exemplars", "memory_s")}
        target = "tlae.models.attributes.Attributes"
        return model_with(joint.attributes, config | {"_target_": target}, mean, 0.1)
    values = torch.randn(400, generator=torch.Generator().manual_seed(0)) - 1
    joint.settle(values if name == "joint" else values[:0], learnt=True)
    return model_with(joint, STREET | {"_target_": "tlae.models.joint.Joint"}, mean, 0.1)


def site_model() -> Model:
    torch.manual_seed(0)
    config = {"_target_": "tlae.models.patch_memory.PatchMemory", "memory_frames": 24}
    net, stills = build_net(config), drawn_site.drawn(48, seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tlae.models.patch_memory.MOST_ROUNDS", 1)
        patch.setattr("tlae.patches.judge.EPOCHS", 1)
        net.keep(drawn_site.footage_of(stills), torch.zeros(0), 1.0)
    mean = drawn_site.as_frames(stills[::8]).mean(dim=0)
    return model_with(net, config, mean, drawn_site.INTERVAL_S)


def film_for(model: Model) -> np.ndarray:
    """Nothing for a while, then something unusual, then nothing; (n, H, W, 3)."""
    if model.calibration.interval_s > 1:
        return drawn_site.drawn(40, seed=7, things={30: (24, 40)})
    quiet = drawn([], 1)
    return np.concatenate([np.repeat(quiet, 14, axis=0), drawn(RUNNER, 16, seed=2), quiet])
