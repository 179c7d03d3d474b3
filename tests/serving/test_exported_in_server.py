"""Exported models behind HTTP, and in the Python API."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving.conftest import BASE, frame_png
from tests.small_footage import frame_image

pytest.importorskip("fastapi", reason="needs the extra serve")
pytest.importorskip("httpx2", reason="the test client talks through it")
pytest.importorskip("onnx", reason="needs the extra export")
pytest.importorskip("onnxruntime", reason="needs the extra export")

from fastapi.testclient import TestClient

import tlae
from tests.serving.in_process import service_of, session_of
from tlae.cli import main
from tlae.errors import UserError
from tlae.exporting.export import exported
from tlae.model_file import load_model

FRAMES = 12


@pytest.fixture
def onnx(models: Path) -> Path:
    """The model `clip`, exported beside it as `light`."""
    file = models / "light.onnx"
    file.write_bytes(exported(load_model(models / "clip/model.safetensors"), "onnxruntime")[0])
    return file


def raws(client: Any, model: str) -> list[float]:
    session = session_of(client, model, interval_s=0.1)
    place = f"/api/sessions/{session}/frames"
    seen = [
        client.post(
            place, content=frame_png(number, odd=number > 8), params={"time_s": 0.1 * number}
        )
        for number in range(FRAMES)
    ]
    assert {one.status_code for one in seen} == {200}
    return [np.nan if (raw := one.json()["raw"]) is None else raw for one in seen]


def test_an_exported_model_is_served_like_a_trained_one(
    models: Path, onnx: Path, tmp_path: Path
) -> None:
    with service_of(models, tmp_path / "jobs", state=tmp_path / "state") as app:
        client = TestClient(app, base_url=BASE)
        light, trained = (client.get(f"/api/models/{name}").json() for name in ("light", "clip"))
        assert (light["exported"], trained["exported"]) == (True, False)
        same = ("kind", "net", "size_hw", "window_frames", "budget")
        assert [light[name] for name in same] == [trained[name] for name in same]
        np.testing.assert_allclose(raws(client, "light"), raws(client, "clip"), atol=1e-4)
        scored = client.post("/api/models/light/score", files=[("images", frame_png(0))])
        assert scored.json()["digest"] == light["digest"]
        mapped = client.post("/api/models/light/map?form=npy", content=frame_png(0))
        assert mapped.status_code == 200
    with service_of(models, tmp_path / "jobs", state=tmp_path / "state") as app:
        sessions = TestClient(app, base_url=BASE).get("/api/sessions").json()
        assert [one["frames"] for one in sessions] == [FRAMES, FRAMES]


def test_a_damaged_export_is_refused_in_one_sentence(
    models: Path, onnx: Path, tmp_path: Path
) -> None:
    onnx.write_bytes(onnx.read_bytes()[:-100])
    with service_of(models, tmp_path / "jobs") as app:
        answer = TestClient(app, base_url=BASE).get("/api/models/light")
    assert answer.status_code == 422
    assert "light" in answer.json()["error"]
    assert str(tmp_path) not in answer.json()["error"]


def test_the_python_api_takes_one(models: Path, onnx: Path, tmp_path: Path) -> None:
    model = tlae.load(onnx)
    frames = np.stack([frame_image(number)[..., 0] for number in range(FRAMES)])
    scores = [
        tlae.score(one, frames, budget=tlae.Budget(threshold=0.3), progress=False)
        for one in (model, onnx, models / "clip/model.safetensors")
    ]
    first, second, trained = (one.table["raw"].to_numpy() for one in scores)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, trained, atol=1e-4)
    with pytest.raises(UserError, match=r"light\.onnx"):
        tlae.calibrate(onnx, frames)
    with pytest.raises(UserError, match="model_file must be a path"):
        tlae.score(3, frames)  # type: ignore[arg-type]


def test_calibrating_an_export_is_refused_in_one_line(
    models: Path, onnx: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", f"model_file={onnx}", "marks=x.json"]) == 2
    shown = capsys.readouterr().err
    assert "export" in shown
    assert shown.count("\n") == 1
