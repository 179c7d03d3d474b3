"""A server in this process, with small models."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.small_footage import frame_image, small_model
from tlae.budget import Budget
from tlae.model_file import save_model

BASE = "http://127.0.0.1:8000"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with models `gate` (one frame), `clip` (a window of four) and `broken`."""
    folder = tmp_path / "models"
    for name, net in (("gate", "cae"), ("clip", "stae")):
        (folder / name).mkdir(parents=True)
        model = replace(small_model(net), budget=Budget(threshold=0.3))
        save_model(model, folder / name / "model.safetensors")
    (folder / "broken.safetensors").write_bytes(b"no model")
    return folder


@pytest.fixture
def make_client(models: Path, tmp_path: Path) -> Iterator[Any]:
    """Makes clients of a server with the limits that are given."""
    pytest.importorskip("fastapi", reason="needs the extra serve")
    pytest.importorskip("prometheus_client", reason="needs the extra serve")
    pytest.importorskip("python_multipart", reason="needs the extra serve")
    pytest.importorskip("httpx2", reason="the test client talks through it")
    from contextlib import ExitStack

    from fastapi.testclient import TestClient

    from tests.serving.in_process import service_of

    with ExitStack() as stack:

        def make(**settings: Any) -> TestClient:
            app = stack.enter_context(service_of(models, tmp_path / "jobs", **settings))
            return TestClient(app, base_url=BASE, raise_server_exceptions=True)

        yield make


@pytest.fixture
def client(make_client: Any) -> Any:
    """A client of a server with its default limits."""
    return make_client()


@contextmanager
def server(models: Path, *more: str) -> Iterator[str]:
    """Address of `tlae serve` in a process of its own; without a slash at the end."""
    pytest.importorskip("uvicorn", reason="needs the extra serve")
    words = [f"models={models}", "port=0", "device=cpu", *more]
    with subprocess.Popen(
        [sys.executable, "-m", "tlae", "serve", *words], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        found = None
        while found is None and (line := process.stdout.readline()):
            found = re.match(r"page: (http://\S+)/ ", line)
        threading.Thread(
            target=process.stdout.read, daemon=True
        ).start()  # a full pipe would halt it
        assert found is not None
        try:
            yield found[1]
        finally:
            process.terminate()
            assert process.wait(timeout=60) == 0


@pytest.fixture
def url(models: Path) -> Iterator[str]:
    """Address of a server with room for many sessions."""
    with server(models, "most_sessions=1000", "most_jobs=50") as address:
        yield address


def png(image: np.ndarray) -> bytes:
    """A picture as a PNG file."""
    return bytes(cv2.imencode(".png", image[..., ::-1])[1].tobytes())


def frame_png(number: int, *, odd: bool = False) -> bytes:
    """A frame of ``tests.small_footage`` as a PNG file."""
    return png(frame_image(number, odd=odd))
