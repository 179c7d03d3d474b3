"""The net whose learnt weights come with a package."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.small_footage import frame_image
from tlae.errors import UserError
from tlae.image_sets import efficientnet_lite
from tlae.image_sets.descriptor_settings import LITE0, DescriptorSettings
from tlae.image_sets.descriptors import build_descriptor
from tlae.image_sets.efficientnet_lite import DIMENSIONS, EfficientNetLite0, SamePadded
from tlae.learnt_package import LITE0_FILE, PACKAGE

installed = pytest.mark.skipif(
    importlib.util.find_spec(PACKAGE) is None, reason="the extra `learnt` is not installed"
)


@pytest.fixture
def converted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cache" / "lite0.safetensors"
    monkeypatch.setattr(efficientnet_lite, "CONVERTED", path)
    return path


@pytest.mark.parametrize(("length", "stride", "first"), [(8, 2, 0), (7, 2, 1), (8, 1, 1)])
def test_padding_is_that_of_tensorflow(length: int, stride: int, first: int) -> None:
    layer = SamePadded(1, 1, 3, stride, bias=False)
    torch.nn.init.ones_(layer.weight)
    ramp = torch.arange(1.0, length + 1).expand(1, 1, length, length)
    found = layer(ramp)[0, 0, 1] / 3  # not at an edge from top to bottom
    padded = np.pad(np.arange(1.0, length + 1), (first, 2))
    expected = [padded[at : at + 3].sum() for at in range(0, length, stride)]
    np.testing.assert_allclose(found.detach(), expected)


def test_the_net_has_the_published_number_of_weights() -> None:
    weights = sum(weight.numel() for weight in EfficientNetLite0().parameters())
    assert weights + 1280 * 1000 + 1000 == 4_652_008  # with the class answers, 4.7 million


@installed
def test_learnt_weights_are_converted_once_and_then_read_from_there(converted: Path) -> None:
    image = frame_image(2)
    rows = []
    for _ in range(2):
        descriptor = build_descriptor(DescriptorSettings(LITE0, image_size=64))
        rows.append(descriptor.describe([descriptor.prepare(image)]))
        assert str(descriptor.facts["weights"]).startswith(LITE0_FILE)
    assert set(load_file(converted)) > {"stem.0.weight", "blocks.15.project.1.bias"}
    np.testing.assert_array_equal(*rows)
    converted.write_bytes(b"damaged")
    build_descriptor(DescriptorSettings(LITE0, image_size=64))
    assert len(load_file(converted)) == 296
    assert rows[0].shape == (1, DIMENSIONS)


@installed
def test_a_file_of_the_package_may_be_given(converted: Path) -> None:
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    path = Path(spec.submodule_search_locations[0]) / "models" / LITE0_FILE
    given = build_descriptor(DescriptorSettings(LITE0, weights=str(path), image_size=32))
    usual = build_descriptor(DescriptorSettings(LITE0, image_size=32))
    image = given.prepare(frame_image(1))
    np.testing.assert_array_equal(given.describe([image]), usual.describe([image]))


def test_without_the_package_the_cure_is_said(
    converted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'tlae\[learnt\]'"):
        build_descriptor(DescriptorSettings(LITE0))
    random = build_descriptor(DescriptorSettings(LITE0, weights="random", image_size=32))
    assert random.facts["weights"] == "random (seed 0)"


def test_weights_of_another_content_are_refused(
    converted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / PACKAGE / "models"
    models.mkdir(parents=True)
    (models / LITE0_FILE).write_bytes(b"other")
    (models.parent / "__init__.py").write_text("raise RuntimeError('it was run')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match="must have the sha256 579344248a93e230"):
        build_descriptor(DescriptorSettings(LITE0))
