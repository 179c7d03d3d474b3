import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.camera.small_camera import ALL_ON, store_of
from tests.small_footage import NETS, SIZE_HW, frame_image, small_model
from tlae.camera.fit import fit_camera
from tlae.errors import ModelFileError
from tlae.model_file import FORMAT, build_net, load_model, save_model
from tlae.scoring.rule import ScoringRule
from tlae.tensor_file import METADATA_KEY


@pytest.mark.parametrize("name", NETS)
def test_what_is_saved_comes_back_bit_by_bit(name: str, tmp_path: Path) -> None:
    watched = torch.rand(32, 32) > 0.2
    model = small_model(name, rule=ScoringRule(kernel_px=5, causal=False), watched=watched)
    model = replace(model, training={"name": "x", "held_out_loss": 0.5})
    save_model(model, tmp_path / "m.safetensors")
    back = load_model(tmp_path / "m.safetensors")
    clip = torch.rand(1, 1, 4, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(
            back.detector.net(clip), model.detector.net(clip), rtol=0, atol=0
        )
    for key in ("rule", "budget", "training"):
        assert getattr(back, key) == getattr(model, key)
    for key in ("preprocessing", "window_frames", "stride", "gap_s", "precision"):
        assert getattr(back.detector, key) == getattr(model.detector, key)
    np.testing.assert_array_equal(back.calibration.raw, model.calibration.raw)
    np.testing.assert_array_equal(back.calibration.run, model.calibration.run)
    assert back.detector.watched is not None
    assert torch.equal(back.detector.watched, watched)
    assert not (tmp_path / "m.safetensors.part").exists()


def test_a_model_is_one_line_when_printed(tmp_path: Path) -> None:
    model = replace(small_model(), training={"model": "cae_small"})
    assert repr(model) == "Model(in memory: cae_small, 32x32 px)"
    save_model(model, tmp_path / "m.safetensors")
    back = load_model(tmp_path / "m.safetensors")
    assert repr(back) == f"Model('{tmp_path}/m.safetensors': cae_small, 32x32 px)"


def test_a_camera_comes_back_and_older_files_have_none(tmp_path: Path) -> None:
    model = small_model()
    frames = np.stack([frame_image(number)[..., :1] for number in range(12)])
    camera = fit_camera(
        store_of(tmp_path / "store", frames, size_hw=SIZE_HW), np.arange(12), ALL_ON
    )
    save_model(replace(model, camera=camera), tmp_path / "m.safetensors")
    back = load_model(tmp_path / "m.safetensors").camera
    assert back is not None
    assert back.options == camera.options
    seen = camera.see(frames, [0] * 12)
    for one, other in zip(back.see(frames, [0] * 12), seen, strict=True):
        np.testing.assert_array_equal(one.picture, other.picture)
    older = written(tmp_path / "older.safetensors", camera=None)
    assert load_model(older).camera is None


def written(path: Path, **changed: object) -> Path:
    save_model(small_model(), path)
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        facts = json.loads(file.metadata()[METADATA_KEY])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(tensors, path, {METADATA_KEY: json.dumps(facts | changed)})
    return path


def refused(path: Path, words: str) -> None:
    with pytest.raises(ModelFileError, match=words) as error:
        load_model(path)
    assert "\n" not in str(error.value)


def test_missing_file(tmp_path: Path) -> None:
    refused(tmp_path / "none.safetensors", "must be an existing file, got .*`tlae train` writes")


def test_run_folder_instead_of_file(tmp_path: Path) -> None:
    save_model(small_model(), tmp_path / "model.safetensors")
    refused(tmp_path, r"did you mean .*model\.safetensors\?")


@pytest.mark.parametrize("content", [b"", b"no tensors here", b"\x00" * 100])
def test_foreign_bytes(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    refused(tmp_path / "m.safetensors", r"must be a \.safetensors file written by `tlae train`")


def test_somebody_elses_safetensors(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "m.safetensors")
    refused(tmp_path / "m.safetensors", "was not written by tlae")


def test_half_a_file(tmp_path: Path) -> None:
    path = written(tmp_path / "m.safetensors")
    path.write_bytes(path.read_bytes()[:2000])
    refused(
        path, r"must be a \.safetensors file written by `tlae train`, this is not one or is damaged"
    )


def test_newer_format(tmp_path: Path) -> None:
    refused(written(tmp_path / "m.safetensors", format=FORMAT + 1), "reads up to 1; update tlae")


def test_net_of_another_shape(tmp_path: Path) -> None:
    net = {**NETS["cae"], "code_channels": 9}
    refused(written(tmp_path / "m.safetensors", net=net), "is damaged .*train it again")


def test_only_our_own_classes_are_built() -> None:
    for target in ("os.system", "tlae.cli.main", "torch.nn.Linear", ""):
        with pytest.raises(ModelFileError, match=r"class must be in tlae\.models"):
            build_net({"_target_": target})
    with pytest.raises(ModelFileError, match="cannot be built by tlae"):
        build_net({"_target_": "tlae.models.nothing.Net"})


def test_rule_is_stored_in_plain_values(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_model(small_model(), path)
    header = path.read_bytes()[8:20_000].decode(errors="ignore")
    for key in asdict(ScoringRule()):
        assert key in header


def test_a_rule_from_before_the_light_was_matched_matches_none(tmp_path: Path) -> None:
    rule = asdict(ScoringRule(kernel_px=5))
    del rule["match_light"]
    older = load_model(written(tmp_path / "m.safetensors", rule=rule))
    assert older.rule == ScoringRule(kernel_px=5, match_light=False)
