import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from tests.small_footage import frame_image, small_model
from tlae.errors import UserError
from tlae.image_sets.descriptor_settings import TORCHVISION, DescriptorSettings
from tlae.image_sets.descriptors import build_descriptor
from tlae.image_sets.model_descriptors import ModelDescriptor, error_statistics
from tlae.model_file import save_model

SMALL = DescriptorSettings("resnet18", image_size=32)


def resnet(weights: Path) -> DescriptorSettings:
    return DescriptorSettings("resnet18", weights=str(weights), image_size=32)


def test_a_net_describes_as_torchvision_does_without_its_last_layer(tmp_path: Path) -> None:
    torch.manual_seed(1)
    net = torchvision.models.resnet18().eval()
    save_file(net.state_dict(), tmp_path / "w.safetensors")
    descriptor = build_descriptor(resnet(tmp_path / "w.safetensors"))
    image = frame_image(3)
    found = descriptor.describe([descriptor.prepare(image)])
    net.fc = nn.Identity()
    mean, spread = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    standardised = torch.from_numpy(((image / 255 - mean) / spread).transpose(2, 0, 1)[None])
    with torch.inference_mode():
        expected = net(standardised.float()).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_random_weights_are_the_same_for_the_same_seed() -> None:
    image = frame_image(0)
    rows = []
    for settings in (SMALL, SMALL, DescriptorSettings("resnet18", image_size=32, seed=1)):
        state = torch.random.get_rng_state()
        descriptor = build_descriptor(settings)
        assert torch.equal(state, torch.random.get_rng_state())  # the caller's draw is its own
        rows.append(descriptor.describe([descriptor.prepare(image)]))
    np.testing.assert_array_equal(rows[0], rows[1])
    assert np.abs(rows[0] - rows[2]).max() > 0.01
    assert build_descriptor(SMALL).facts["weights"] == "random (seed 0)"


def test_batches_do_not_change_a_row() -> None:
    descriptor = build_descriptor(SMALL)
    prepared = [descriptor.prepare(frame_image(n)) for n in range(3)]
    alone = np.concatenate([descriptor.describe([one]) for one in prepared])
    np.testing.assert_allclose(descriptor.describe(prepared), alone, rtol=1e-3, atol=1e-5)


def test_crop_shows_the_centre_and_stretch_the_whole() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, 90:110] = 255
    cropped = DescriptorSettings("resnet18", image_size=32, fit="crop")
    shares = [build_descriptor(s).prepare(image).mean() / 255 for s in (SMALL, cropped)]
    assert shares == pytest.approx([20 / 200, 20 / 88], abs=0.02)  # 224 of 256 of the height


@pytest.mark.parametrize("form", ["plain", "wrapped", "other classes"])
def test_a_state_dict_loads(tmp_path: Path, form: str) -> None:
    net = torchvision.models.resnet18(num_classes=3 if form == "other classes" else 1000)
    weights = net.state_dict()
    if form == "wrapped":
        weights = {"state_dict": {f"module.{k}": v for k, v in weights.items()}, "epoch": 3}
    torch.save(weights, tmp_path / "w.pth")
    facts = build_descriptor(resnet(tmp_path / "w.pth")).facts
    assert str(facts["weights"]).startswith("w.pth sha256:")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda net: {k: v for k, v in net.state_dict().items() if "layer1.0" not in k}, "lack"),
        (lambda net: net.state_dict() | {"more": torch.zeros(1)}, "also have 1"),
        (lambda net: torchvision.models.resnet50().state_dict(), "resnet18 from"),
        (lambda net: net, "a state_dict saved by torch"),
        (lambda net: {"epoch": 3}, "names to tensors"),
    ],
)
def test_weights_of_another_net_are_refused(tmp_path: Path, make: object, words: str) -> None:
    torch.save(make(torchvision.models.resnet18()), tmp_path / "w.pth")  # type: ignore[operator]
    with pytest.raises(UserError, match=words):
        build_descriptor(resnet(tmp_path / "w.pth"))


def test_nothing_is_downloaded_unless_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UserError, match="nothing is downloaded unless asked"):
        build_descriptor(DescriptorSettings("resnet18", weights="DEFAULT"))
    with pytest.raises(UserError, match="did you mean DEFAULT"):
        build_descriptor(DescriptorSettings("resnet18", weights="DEFALT"))
    with pytest.raises(UserError, match="must be an existing file"):
        build_descriptor(DescriptorSettings("resnet18", weights="absent.pth"))


@pytest.mark.slow
@pytest.mark.parametrize("name", TORCHVISION)
def test_every_net_of_torchvision_describes(name: str) -> None:
    descriptor = build_descriptor(DescriptorSettings(name, image_size=64))
    row = descriptor.describe([descriptor.prepare(frame_image(0))])
    assert row.shape == (1, descriptor.dimensions)
    assert np.isfinite(row).all()
    assert descriptor.dimensions < 5000  # the layer before the answers, not the answers' 1000
    assert descriptor.dimensions != 1000


@pytest.mark.parametrize("name", ["cae", "stae", "convlstm"])
@pytest.mark.parametrize("kind", ["model", "error"])
def test_the_cameras_own_net_describes(tmp_path: Path, name: str, kind: str) -> None:
    save_model(small_model(name), tmp_path / "m.safetensors")
    descriptor = ModelDescriptor(tmp_path / "m.safetensors", kind, pool=2)
    images = [frame_image(0), frame_image(8), frame_image(8, odd=True)]
    rows = descriptor.describe([descriptor.prepare(image) for image in images])
    assert rows.shape == (3, descriptor.dimensions)
    assert np.isfinite(rows).all()
    assert len(np.unique(rows, axis=0)) == 3


def test_the_code_is_the_encoders_output(tmp_path: Path) -> None:
    model = small_model("cae")
    save_model(model, tmp_path / "m.safetensors")
    descriptor = ModelDescriptor(tmp_path / "m.safetensors", "model", pool=16)  # of 16 x 16 places
    image = frame_image(5)
    grey = torch.from_numpy(image[None, None, ..., 0]).float() / 255
    with torch.inference_mode():
        net = model.detector.net
        code = net.net.encoder((grey - net.mean_frame) / net.spread)
    found = descriptor.describe([descriptor.prepare(image)])
    np.testing.assert_allclose(found, code.flatten(1).numpy(), rtol=1e-4, atol=1e-5)


def test_error_statistics_find_the_place() -> None:
    error = torch.zeros(1, 4, 4)
    error[0, 3, 0] = 1.0
    found = error_statistics(error, 2)[0]
    assert found[0] == 1 / 16
    assert found[5:9].tolist() == [0, 0, 0.25, 0]  # means of the places
    assert found[9:].tolist() == [0, 0, 1, 0]  # their maxima


def test_a_net_without_a_code_is_refused(tmp_path: Path) -> None:
    save_model(small_model("predictor"), tmp_path / "m.safetensors")
    with pytest.raises(UserError, match=r"m.safetensors holds FramePredictor"):
        ModelDescriptor(tmp_path / "m.safetensors", "model")


def test_settings_are_checked() -> None:
    for settings, words in (
        ({"fit": "squash"}, "stretch, crop"),
        ({"precision": "float8"}, "float32, bfloat16"),
        ({"image_size": 3}, r"in \[16, 2048\]"),
        ({"pool": 0}, r"in \[1, 64\]"),
        ({"bins": (0, 1, 1)}, r"bins must be in \[1, 256\]"),
        ({"bins": (1, 1)}, "bins must be three"),
    ):
        with pytest.raises(ValueError, match=words):
            DescriptorSettings(**settings)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="did you mean vgg16"):
        build_descriptor(DescriptorSettings("vgg61"))
    with pytest.raises(UserError, match="needs model_file"):
        build_descriptor(DescriptorSettings("model"))


def test_clip_without_its_library_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'tlae\[clip\]'"):
        build_descriptor(DescriptorSettings("clip"))


class _FakeClip(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.visual = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 4))


def test_clip_describes_by_its_picture_half(monkeypatch: pytest.MonkeyPatch) -> None:
    library = ModuleType("open_clip")
    library.__spec__ = SimpleNamespace()  # type: ignore[assignment]
    library.__version__ = "0"  # type: ignore[attr-defined]
    library.list_models = lambda: ["ViT-B-32"]  # type: ignore[attr-defined]
    library.list_pretrained_tags_by_model = lambda name: ["tag"]  # type: ignore[attr-defined]
    library.create_model = lambda name, pretrained: _FakeClip()  # type: ignore[attr-defined]
    library.get_model_preprocess_cfg = lambda clip: {  # type: ignore[attr-defined]
        "size": (32, 32),
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
    }
    monkeypatch.setitem(sys.modules, "open_clip", library)
    descriptor = build_descriptor(DescriptorSettings("clip"))
    assert descriptor.describe([descriptor.prepare(frame_image(0))]).shape == (1, 4)
    with pytest.raises(UserError, match="nothing is downloaded unless asked"):
        build_descriptor(DescriptorSettings("clip", weights="tag"))
    with pytest.raises(UserError, match="did you mean tag"):
        build_descriptor(DescriptorSettings("clip", weights="tga"))
    with pytest.raises(UserError, match="no model 'ViT-B-23'; did you mean ViT-B-32"):
        build_descriptor(DescriptorSettings("clip", clip_model="ViT-B-23"))
