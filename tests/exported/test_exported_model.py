"""Files of exported models: what is wrong with them is said in one line."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.exported.small_exported import export_of, small_export
from tests.small_footage import small_model, write_clips
from tlae.budget import Budget
from tlae.cli import main
from tlae.config import CalibrateConfig
from tlae.config_parts import PathsConfig
from tlae.errors import ModelFileError, UserError
from tlae.exported import engines, model
from tlae.exported.model import DIGEST_KEY, load_exported
from tlae.exported.onnx_bytes import joined, split
from tlae.exporting.export import exported
from tlae.footage.sources import open_footage
from tlae.model_file import load_model, save_model
from tlae.scorable import load_scorable
from tlae.scoring.rule import ScoringRule
from tlae.workflows.calibrate import recalibrate

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def content() -> bytes:
    return exported(small_model("cae"))[0]


def refused(data: bytes, folder: Path) -> str:
    path = folder / "gate.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelFileError) as caught:
        load_scorable(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def with_facts(content: bytes, **changed: Any) -> bytes:
    """The file with other facts, and a digest that fits them."""
    graph, metadata = split(content)
    text = json.dumps(json.loads(metadata["tlae"]) | changed)
    digest = model._digest(graph, text, metadata["tlae.arrays"])
    return joined(graph, metadata | {"tlae": text, DIGEST_KEY: digest})


def test_a_file_of_a_newer_version(content: bytes, tmp_path: Path) -> None:
    assert "it has format 99, this tlae" in refused(with_facts(content, format=99), tmp_path)


def test_a_graph_that_was_changed(content: bytes, tmp_path: Path) -> None:
    graph, metadata = split(content)
    middle = len(graph) // 2
    other = graph[:middle] + bytes([graph[middle] ^ 1]) + graph[middle + 1 :]
    shown = refused(joined(other, metadata), tmp_path)
    assert "it was changed after it had been written; export it again" in shown
    arrays = metadata | {"tlae.arrays": metadata["tlae.arrays"][:-4] + "AAAA"}
    assert "it was changed" in refused(joined(graph, arrays), tmp_path)


def test_files_of_others_and_damaged_ones(content: bytes, tmp_path: Path) -> None:
    assert "it was not written by `tlae export`" in refused(split(content)[0], tmp_path)
    for data in (b"", b"no model"):
        assert "not" in refused(data, tmp_path)
    assert "is damaged (it ends early)" in refused(content[:-9], tmp_path)
    assert "engine must be one of" in refused(with_facts(content, engine="gpu"), tmp_path)
    assert "is damaged" in refused(with_facts(content, preprocessing={}), tmp_path)
    assert "measurer must be one of" in refused(with_facts(content, measurer="sonar"), tmp_path)
    assert "is damaged" in refused(with_facts(content, measurer="joint"), tmp_path)
    with pytest.raises(ModelFileError, match=r"must be an existing file, got .*none.onnx"):
        load_scorable(tmp_path / "none.onnx")


def test_facts_that_do_not_fit_the_graph(content: bytes, tmp_path: Path) -> None:
    step = json.loads(split(content)[1]["tlae"])["step"]
    for changed in ({"stride": 0}, {"window_frames": 0}, {"blind_frames": -1}):
        assert "must be >=" in refused(with_facts(content, step=step | changed), tmp_path)
    gate = model.model_of(with_facts(content, step=step | {"window_frames": 9}))
    frames = np.zeros((1, *gate.preprocessing.size_hw, gate.preprocessing.channels), np.uint8)
    with pytest.raises(ModelFileError, match="engine onnxruntime cannot run this net"):
        gate.scorer(gate.rule, "cpu").push(frames)


def test_commands_that_need_the_trained_model(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "gate.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"got the exported model .*gate.onnx; give the file"):
        load_model(path)


def test_a_model_of_another_precision_is_calibrated_again(tmp_path: Path) -> None:
    small = small_model("cae")
    half = replace(small, detector=replace(small.detector, precision="bfloat16"))
    with pytest.raises(UserError, match="tlae calibrate precision=float32"):
        exported(half)
    footage = open_footage(str(write_clips(tmp_path / "normal", (60,))))
    budget = Budget(false_alarm_rate=0.1)
    cfg = CalibrateConfig(paths=PathsConfig(cache=str(tmp_path / "cache")), scoring=budget)
    kept = recalibrate(cfg, half, footage).model
    assert kept.precision == "bfloat16"
    new = recalibrate(replace(cfg, precision="float32"), half, footage).model
    assert export_of(new).calibration.raw.shape == new.calibration.raw.shape
    with pytest.raises(ValueError, match="precision must be calibrated with add=true"):
        replace(cfg, precision="float32", add=True)


def test_an_engine_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = export_of(small_model("cae"))
    monkeypatch.setitem(engines.LIBRARIES, "onnxruntime", ("no_such_engine", "pip install it"))
    with pytest.raises(UserError, match="needs no_such_engine, which is not installed; pip"):
        gate.scorer(gate.rule, "cpu")


def test_what_cannot_be_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    centred = ScoringRule(causal=False, kernel_frames=3)
    with pytest.raises(UserError, match="calibrated with another kernel_frames, answers; train"):
        exported(small_model("stae", rule=centred))
    monkeypatch.setattr("tlae.exporting.export.MOST_DIFFERENCE", -1.0)
    with pytest.raises(UserError, match="differ from torch by at most -1: onnxruntime diff"):
        exported(small_model("cae"))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained = save_model(small_model("segmenter"), tmp_path / "gate.safetensors")
    words = ["export", f"model_file={trained.file}"]
    assert main(words) == 0
    assert "to be run by onnxruntime" in capsys.readouterr().out
    gate = load_exported(tmp_path / "gate.onnx")
    assert gate.facts.made_of == trained.digest()
    np.testing.assert_array_equal(gate.calibration.raw, trained.calibration.raw)
    for more, shown in (
        ([], "out must be a new file"),
        (["out=gate.bin"], "out must end in .onnx, got gate.bin"),
        ([f"out={tmp_path}/mine.onnx"], "mine.onnx is not an exported model of tlae"),
        (["engine=tensorrt"], "engine must be"),
    ):
        (tmp_path / "mine.onnx").write_bytes(b"mine")
        assert main([*words, *more]) == 2
        assert shown in capsys.readouterr().err
    assert (tmp_path / "mine.onnx").read_bytes() == b"mine"
    assert main([*words, "engine=fastest", "overwrite=true"]) == 0


def test_an_exported_model_is_one_line_when_printed() -> None:
    assert repr(small_export()[1]) == (
        "ExportedModel(in memory: tlae.models.cae.ConvAutoencoder, 32x32 px)"
    )
