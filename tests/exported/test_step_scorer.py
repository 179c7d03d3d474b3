"""An exported model says what the trained one says, frame by frame."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from tests.camera.small_camera import ALL_ON, store_of
from tests.exported.small_exported import export_of, small_export
from tests.small_footage import SIZE_HW, frame_image, small_model
from tlae.budget import Budget
from tlae.camera.fit import fit_camera
from tlae.errors import UserError
from tlae.live.live import Live
from tlae.live.score import LiveScore
from tlae.model_file import Model
from tlae.scorable import Scorable
from tlae.scoring.rule import ScoringRule

pytest.importorskip("onnxruntime")

BUDGET = Budget(threshold=0.1)
RULE = ScoringRule(smooth_frames=2.0)
EVERY_RULE = ScoringRule(
    error="squared", background=True, kernel="gaussian", unit=255, reduction="mean", smooth_frames=0
)


def pushed(model: Scorable, count: int = 24) -> list[LiveScore]:
    """Verdicts of frames with a thing in some, a gap, and a restart from a state."""
    live = Live(model, BUDGET, device="cpu")
    verdicts = []
    for number in range(count):
        if number == 10:
            state, live = live.state(), Live(model, BUDGET, device="cpu")
            live.restore(state)
        when = 0.1 * number + (5.0 if number >= 15 else 0.0)  # a gap ends the run
        verdicts.append(live.push(frame_image(number, odd=number in (8, 9, 18)), when))
    return verdicts


def require_alike(trained: Model, other: Scorable) -> None:
    for mine, theirs in zip(pushed(other), pushed(trained), strict=True):
        scale = max(1.0, float(theirs.map.max()))
        np.testing.assert_allclose(mine.map, theirs.map, atol=1e-4 * scale)
        np.testing.assert_allclose(mine.raw, theirs.raw, atol=1e-4 * scale)
        assert (mine.alarm, mine.state, mine.mode) == (theirs.alarm, theirs.state, theirs.mode)
        assert [event.last_frame for event in mine.ended] == [e.last_frame for e in theirs.ended]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(
    "name",
    [
        *("cae", "stae", "predictor", "segmenter", "still_segmenter", "copy_last"),
        *("running_median", "convlstm", "predicting convlstm"),
    ],
)
def test_every_kind_of_net_is_scored_alike(name: str, stride: int) -> None:
    require_alike(*small_export(name, stride=stride, rule=RULE))


def test_rule_mask_and_camera_come_along() -> None:
    watched = torch.ones(SIZE_HW, dtype=torch.bool)
    watched[:, :10] = False
    model = small_model("cae", rule=EVERY_RULE, watched=watched)
    typical = torch.rand(SIZE_HW, generator=torch.Generator().manual_seed(1))
    model = replace(model, detector=replace(model.detector, typical_error=typical))
    exported = export_of(model)
    assert exported.watched_places is not None
    np.testing.assert_array_equal(exported.watched_places, watched.numpy())
    require_alike(model, exported)


def test_the_camera_comes_along(tmp_path: Any) -> None:
    grey = np.stack([frame_image(number)[..., :1] for number in range(40)])
    camera = fit_camera(store_of(tmp_path, grey, size_hw=SIZE_HW), np.arange(40), ALL_ON)
    model = replace(small_model("cae", rule=RULE), camera=camera)
    require_alike(model, export_of(model))


@pytest.mark.parametrize("engine", ["opencv", "openvino"])
def test_other_engines_say_the_same(engine: str) -> None:
    pytest.importorskip({"opencv": "cv2", "openvino": "openvino"}[engine])
    model = small_model("segmenter", rule=RULE)
    exported = export_of(model, engine)
    assert exported.facts.engine == engine
    require_alike(model, exported)


def test_the_rule_is_built_in_but_for_the_smoothing_in_time() -> None:
    _, exported = small_export("cae", rule=RULE)
    Live(exported, BUDGET, settings={"smooth_frames": 9.0})
    with pytest.raises(UserError, match="built into an exported model"):
        Live(exported, BUDGET, settings={"kernel_px": 3})
    with pytest.raises(UserError, match="device must be auto or cpu for an exported model, got"):
        Live(exported, BUDGET, device="cuda")
