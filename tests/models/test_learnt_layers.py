"""The first layers of the net whose weights a package holds, without torch."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.models.packaged_net import net_in_package
from tlae.errors import UserError
from tlae.image_sets.efficientnet_lite import EfficientNetLite0
from tlae.models.learnt_layers import learnt_layers
from tlae.patches.early_net import BLOCKS, CHANNELS, MEAN, SPREAD, early_maps, layers_of
from tlae.patches.learnt_planes import LEARNT, LearntPlanes, enlarged


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EfficientNetLite0:
    return net_in_package(tmp_path, monkeypatch)


def picture(height: int = 37, width: int = 50) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (height, width, 3), np.uint8)


def test_the_first_layers_are_those_of_the_net(packaged: EfficientNetLite0) -> None:
    seen = picture()
    pixels = (torch.from_numpy(seen).permute(2, 0, 1)[None].float() - MEAN) / SPREAD
    with torch.no_grad():
        maps = F.relu6(packaged.stem(pixels))
        for block in list(packaged.blocks)[: len(BLOCKS)]:
            maps = block(maps)
    found = early_maps(seen, layers_of(learnt_layers("this", "that")))
    assert found.shape == (5, 7, CHANNELS)
    np.testing.assert_allclose(found, maps[0].permute(1, 2, 0), rtol=1e-3, atol=1e-4)


def test_the_planes_have_the_spread_that_was_asked_for(packaged: EfficientNetLite0) -> None:
    pictures = np.random.default_rng(3).integers(0, 256, (4, 48, 64, 3), np.uint8)
    planes = LearntPlanes.fit(learnt_layers("this", "that"), pictures, spread=13.0)
    found = np.stack([planes.of(one) for one in pictures])
    assert found.shape == (4, LEARNT, 6, 8)
    assert found.std(axis=(0, 2, 3)).mean() == pytest.approx(13, rel=0.05)
    assert enlarged(found, (12, 16)).shape == (4, LEARNT, 12, 16)


def test_other_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="weights must be 54048 numbers, got \\[3\\]"):
        layers_of(np.zeros(3, np.float32))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tlae.learnt_package.PACKAGE", "no_such_package_anywhere")
    with pytest.raises(UserError, match=r"model\.pretrained=true needs learnt weights, .*pip inst"):
        learnt_layers("model.pretrained=true", "leave it out")
