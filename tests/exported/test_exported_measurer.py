"""Arrays of a measurer that do not fit are refused when the file is read, in one line."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load

from tests.exported.small_measuring import street_model
from tests.exported.test_exported_model import refused
from tlae.attributes.windows import FOUND_BY_NET, SIZES
from tlae.errors import ModelFileError
from tlae.exported.measuring import measurer_of
from tlae.exported.model import ARRAYS_KEY, MEASURER, exported_bytes, model_of
from tlae.exported.onnx_bytes import split
from tlae.exporting.export import exported

pytest.importorskip("onnxruntime")

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def street() -> bytes:
    return exported(street_model("joint"))[0]


def arrays_of_stills() -> Arrays:
    """Of a measurer of stills of 48 x 64 px that has seen nothing."""
    return {
        "remembered": np.zeros((5, 8, 12, 16), np.int8),
        "looks": np.zeros((5, 577), np.float32),
        "medians": np.ones(3, np.float32),
        "places": np.zeros((7, 12, 16), np.float32),
        "reach": np.array([48.0, 900.0]),
    }


def arrays_of(content: bytes) -> Arrays:
    return load(base64.b64decode(split(content)[1][ARRAYS_KEY]))


def with_array(content: bytes, name: str, array: np.ndarray, **facts: Any) -> bytes:
    """The file with another array of its measurer, or other facts, and a digest that fits."""
    graph, metadata = split(content)
    arrays = arrays_of(content) | {MEASURER + name: array}
    return exported_bytes(json.loads(metadata["tlae"]) | facts, arrays, graph)


@pytest.mark.parametrize("kind", ["joint", "patches"])
def test_a_measurer_with_an_array_that_does_not_fit(
    kind: str, request: pytest.FixtureRequest
) -> None:
    arrays, shape = arrays_of_stills(), (48, 64, 3)
    if kind == "joint":
        measurer = model_of(request.getfixturevalue("street")).measurer
        assert measurer is not None
        arrays, shape = measurer.arrays(), (96, 144, 3)
    measurer_of(kind, arrays, shape)
    for key, array in arrays.items():
        if key != SIZES:  # without windows, the net does not count
            with pytest.raises((KeyError, ModelFileError), match=f"{key}|an earlier version"):
                measurer_of(kind, {k: v for k, v in arrays.items() if k != key}, shape)
        narrow = array[..., :-1] if key != "pictures" else array[:-1]
        typed = array.astype(np.float16) if key != SIZES else array[:0]
        for other in (array.reshape(-1)[:-1], narrow, array[None], typed):
            with pytest.raises((ValueError, TypeError)):
                measurer_of(kind, arrays | {key: other}, shape)


def test_the_line_names_the_array_and_what_it_must_be(street: bytes, tmp_path: Path) -> None:
    noise = arrays_of(street)[MEASURER + "noise"]
    shown = refused(with_array(street, "noise", noise[:-1].copy()), tmp_path)
    assert "noise must be float32 of shape (96, 144), got float32 of shape (95, 144)" in shown
    sizes = np.array([5, 2, 0, 48])
    assert "windows must be whole numbers >= 1" in refused(
        with_array(street, "windows", sizes), tmp_path
    )


def test_a_measurer_of_frames_of_another_size(street: bytes, tmp_path: Path) -> None:
    other = json.loads(split(street)[1]["tlae"])["preprocessing"] | {"size_hw": [64, 96]}
    noise = arrays_of(street)[MEASURER + "noise"]
    shown = refused(with_array(street, "noise", noise, preprocessing=other), tmp_path)
    assert "measurer joint is not made for frames of shape (64, 96, 3)" in shown
    with pytest.raises(ValueError, match=r"patches is not made for frames of shape \(48, 48, 3\)"):
        measurer_of("patches", arrays_of_stills(), (48, 48, 3))


def test_a_net_that_does_not_count_has_found_nothing() -> None:
    for name, words in (("joint", FOUND_BY_NET), ("joint alone", "")):
        measurer = street_model(name).detector.net.measurer()
        assert measurer is not None
        seen, _ = measurer.see(np.zeros((1, 96, 144, 3), np.uint8), ())
        nothing = np.zeros_like(seen.evidence[0])
        assert measurer.reason(nothing, (0.5, 0.5)).words == words
