"""Model files that were made by hand, cut, or meant to do harm: one line, or a model that works."""

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from tests.camera.small_camera import ALL_ON, store_of
from tests.small_footage import NETS, SIZE_HW, frame_image, small_model
from tlae.camera.fit import fit_camera
from tlae.errors import ModelFileError
from tlae.model_file import build_net, load_model, save_model
from tlae.scoring.rule import ScoringRule
from tlae.scoring.scorer import FrameScorer
from tlae.tensor_file import METADATA_KEY

ODD_VALUES = (None, True, -1, 0, 10**12, 1e30, math.nan, math.inf, "x", [], {}, [[1]], {"a": 1})
FRAMES = np.stack([frame_image(number)[..., :1] for number in range(12)])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metadata and tensors of a model with a camera, with all that a file can hold."""
    folder = tmp_path_factory.mktemp("whole")
    model = small_model(watched=torch.ones(SIZE_HW, dtype=torch.bool))
    store = store_of(folder / "store", FRAMES, size_hw=SIZE_HW)
    camera = fit_camera(store, np.arange(12), ALL_ON)
    save_model(replace(model, camera=camera), folder / "m.safetensors")
    with safe_open(folder / "m.safetensors", "pt") as file:
        facts = json.loads(file.metadata()[METADATA_KEY])
        return facts, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def places(facts: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value of nested objects and lists."""
    items = facts.items() if isinstance(facts, dict) else enumerate(facts)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def loads_and_scores_or_says_why(path: Path) -> bool:
    said = ""
    try:
        model = load_model(path)
    except ModelFileError as error:
        said = str(error)
    if said:
        assert "\n" not in said
        assert str(path) in said
        return False
    scorer = FrameScorer(model.detector, model.rule, torch.device("cpu"), model.detector.precision)
    assert np.isfinite(scorer.push(FRAMES[:3]).instant).all()
    model.calibration.smoothed(model.rule.smooth_frames, causal=True).calibrated(np.ones(1))
    return True


def test_any_value_of_the_metadata_may_be_another_one(whole: Any, tmp_path: Path) -> None:
    facts, tensors = whole
    rng = np.random.default_rng(0)
    refused = 0
    for way in places({key: facts[key] for key in facts if key not in ("versions", "training")}):
        for value in [ODD_VALUES[i] for i in rng.choice(len(ODD_VALUES), 2, replace=False)]:
            changed = json.loads(json.dumps(facts))
            inner = changed
            for key in way[:-1]:
                inner = inner[key]
            inner[way[-1]] = value
            save_file(tensors, tmp_path / "m", {METADATA_KEY: json.dumps(changed)})
            refused += not loads_and_scores_or_says_why(tmp_path / "m")
    assert refused > 70


def test_any_key_of_the_metadata_may_be_missing(whole: Any, tmp_path: Path) -> None:
    facts, tensors = whole
    for way in places(facts):
        changed = json.loads(json.dumps(facts))
        inner = changed
        for key in way[:-1]:
            inner = inner[key]
        del inner[way[-1]]
        save_file(tensors, tmp_path / "m", {METADATA_KEY: json.dumps(changed)})
        loads_and_scores_or_says_why(tmp_path / "m")


@pytest.mark.parametrize("text", ["[]", "3", '"x"', "{", "{}", "[" * 100_000])
def test_metadata_that_is_no_object(text: str, whole: Any, tmp_path: Path) -> None:
    save_file(whole[1], tmp_path / "m", {METADATA_KEY: text})
    assert not loads_and_scores_or_says_why(tmp_path / "m")


def test_any_tensor_may_be_missing_or_of_another_shape_or_kind(whole: Any, tmp_path: Path) -> None:
    facts, tensors = whole
    for name, tensor in tensors.items():
        others = [None, tensor[..., None], tensor.flatten()[:0], torch.zeros(3, dtype=torch.int64)]
        others += [tensor.to(torch.float16), tensor.double() * math.nan]
        for other in others:
            changed = {**tensors, name: other}
            if other is None:
                del changed[name]
            save_file(changed, tmp_path / "m", {METADATA_KEY: json.dumps(facts)})
            loads_and_scores_or_says_why(tmp_path / "m")


def test_weights_that_are_not_finite_are_refused(whole: Any, tmp_path: Path) -> None:
    facts, tensors = whole
    for name in ("net.encoder.0.weight", "mean_frame", "calibration.raw", "camera.looks"):
        bad = tensors[name].clone()
        bad.view(-1)[0] = math.inf
        save_file({**tensors, name: bad}, tmp_path / "m", {METADATA_KEY: json.dumps(facts)})
        with pytest.raises(ModelFileError, match=f"finite, those of {name} are not"):
            load_model(tmp_path / "m")


def test_nothing_that_is_not_finite_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    model = small_model()
    model.detector.net.net.encoder[0].weight.data[0] = math.nan
    with pytest.raises(ModelFileError, match=r"net\.encoder\.0\.weight.*learning_rate"):
        save_model(model, path)
    rule = ScoringRule()
    object.__setattr__(rule, "smooth_frames", math.nan)
    model = small_model(rule=rule)
    with pytest.raises(ModelFileError, match=r"smooth_frames must be a finite number, got nan"):
        save_model(model, path)
    assert not list(tmp_path.iterdir())


def test_a_net_of_a_size_that_the_file_does_not_hold_takes_no_memory(
    whole: Any, tmp_path: Path
) -> None:
    facts, tensors = whole
    huge = {**facts, "net": {**NETS["cae"], "widths": [10**6, 10**6]}}
    save_file(tensors, tmp_path / "m", {METADATA_KEY: json.dumps(huge)})
    assert not loads_and_scores_or_says_why(tmp_path / "m")


@pytest.mark.parametrize(
    "target",
    [
        "tlae.models.blocks.pad_to",
        "tlae.models.contract.Net",
        "tlae.models.cae.nn",
        "tlae.models..os.system",
        "tlae.models.blocks.Tensor",
        "tlae.models.",
    ],
)
def test_only_nets_are_built(target: str) -> None:
    with pytest.raises(ModelFileError, match="cannot be built by tlae"):
        build_net({"_target_": target})
