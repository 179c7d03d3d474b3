"""Nets in 8 bits: other scores, so a calibration of their own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="needs the extra export")

import tlae
from tests.exported.light import run
from tests.exported.small_measuring import street_model
from tests.exported.test_exported_model import refused, with_facts
from tests.exported.test_light_imports import BLOCKED
from tests.small_footage import small_model, write_clips
from tlae.cli import main
from tlae.errors import UserError
from tlae.exported.model import ExportedModel, load_exported
from tlae.exported.onnx_bytes import joined, split
from tlae.exporting import int8
from tlae.model_file import Model, load_model, save_model

CLIP_FRAMES = 30


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Normal footage, a model of each kind, and two of them in 8 bits."""
    root = tmp_path_factory.mktemp("int8")
    write_clips(root / "normal", (CLIP_FRAMES, CLIP_FRAMES))
    for name in ("segmenter", "convlstm"):
        model = small_model(name)
        for weights in model.detector.net.parameters():
            weights.data *= 3 if name == "convlstm" else 1  # small ones say the same of all frames
        calibration = replace(model.calibration, floor={"": 0.123})
        save_model(replace(model, calibration=calibration), root / f"{name}.safetensors")
    save_model(street_model("joint"), root / "joint.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(int8, "LEAST_GAIN", 0.0)  # so small a net gains nothing
        for name in ("segmenter", "convlstm"):
            assert main(words(root, name)) == 0
    return root


def words(world: Path, name: str, *more: str) -> list[str]:
    return [
        *("export", f"model_file={world / name}.safetensors", "precision=int8", *more),
        *(f"footage={world / 'normal'}", f"paths.cache={world / 'cache'}"),
    ]


def instants(model: Model | ExportedModel, world: Path, out: Path) -> np.ndarray:
    """Scores of the normal footage before smoothing in time."""
    settings = {"paths.cache": str(world / "cache"), "skip_calm": False}
    instant = tlae.score(model, world / "normal", settings=settings, out=out).columns["instant"]
    return instant[~np.isnan(instant)]


@pytest.mark.parametrize("name", ["segmenter", "convlstm"])
def test_its_calibration_is_of_its_own_scores(name: str, world: Path, tmp_path: Path) -> None:
    gate, trained = (
        load_exported(world / f"{name}-int8.onnx"),
        load_model(world / f"{name}.safetensors"),
    )
    assert gate.precision == "int8"
    assert b"QuantizeLinear" in gate.graph
    assert gate.calibration.floor == trained.calibration.floor
    eight, full = (instants(one, world, tmp_path / one.precision) for one in (gate, trained))
    assert 0 < np.abs(eight - full).max() < 0.1 * full.max()
    assert len(gate.calibration.raw) > CLIP_FRAMES
    assert np.isin(gate.calibration.raw, eight).all()
    assert not np.isin(gate.calibration.raw, full).all()
    check = gate.facts.checks["int8"]
    assert (check["frames"], check["gain"] > 0) == (2 * CLIP_FRAMES, True)
    assert check["difference"] == pytest.approx(np.abs(eight - full).max(), rel=1e-3)


def test_a_light_install_scores_it(world: Path, tmp_path: Path) -> None:
    (tmp_path / "gate.onnx").write_bytes((world / "segmenter-int8.onnx").read_bytes())
    command = f"score model_file=gate.onnx footage={world}/normal name=s paths.scores=. "
    assert "54 of 60 frames have a score" in run(BLOCKED, command + "paths.cache=c", tmp_path)


def test_files_in_8_bits_that_do_not_fit(world: Path, tmp_path: Path) -> None:
    content = (world / "segmenter-int8.onnx").read_bytes()
    assert "precision must be float32 or int8, got 'int4'" in refused(
        with_facts(content, precision="int4"), tmp_path
    )
    graph, metadata = split(content)
    full, _ = split((world / "convlstm-int8.onnx").read_bytes())
    assert "it was changed after it had been written" in refused(joined(full, metadata), tmp_path)
    gate = load_exported(world / "segmenter-int8.onnx")
    with pytest.raises(UserError, match="precision must be calibrated or int8 for this exported"):
        gate.scorer(gate.rule, precision="float32")
    assert graph == gate.graph


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (["engine=openvino"], "engine must be onnxruntime with precision=int8, got 'openvino'"),
        (["precision=int4"], "precision must be"),
        (["precision=float32"], "footage is for precision=int8 alone, got"),
        (["footage=nowhere"], "nowhere"),
    ],
)
def test_what_is_asked_for_in_vain(
    given: list[str], shown: str, world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {word.partition("=")[0]: word for word in [*words(world, "segmenter")[1:], *given]}
    assert main(["export", *asked.values(), f"out={world / 'new.onnx'}"]) == 2
    said = capsys.readouterr().err
    assert shown in said
    assert len(said.strip().splitlines()) == 1
    assert not (world / "new.onnx").exists()
    assert main(["export", f"model_file={world}/segmenter.safetensors", "precision=int8"]) == 2
    assert "footage must be given with precision=int8, which is calib" in capsys.readouterr().err


def test_nets_for_which_8_bits_do_not_pay(
    world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = f"out={world / 'new.onnx'}"
    assert main(words(world, "joint", out)) == 2
    assert "precision must be float32 for a net that measures, got int8" in capsys.readouterr().err
    monkeypatch.setattr(int8, "LEAST_GAIN", 1e6)
    assert main(words(world, "segmenter", out)) == 2
    assert "precision=int8 must be at least 1e+06 times as fast" in capsys.readouterr().err
    assert not (world / "new.onnx").exists()
