"""Models over HTTP: listed, asked, swapped while others ask."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving.conftest import frame_png
from tests.small_footage import frame_image, small_model
from tlae.live.live import Live
from tlae.model_file import load_model, save_model

pytest.importorskip("fastapi", reason="needs the extra serve")

CLIENTS = 8


def score(client: Any, model: str, *numbers: int) -> Any:
    files = [("images", (f"{n}.png", frame_png(n, odd=n % 5 == 4))) for n in numbers]
    return client.post(f"/api/models/{model}/score", files=files)


def expected(file: Path, *numbers: int) -> list[float]:
    live = Live(load_model(file), device="cpu")
    return [live.push(frame_image(n, odd=n % 5 == 4)).raw for n in numbers]


def test_models_are_listed_and_loaded(client: Any) -> None:
    assert client.get("/ready").status_code == 503
    assert client.get("/api/models").json() == [
        {"id": name, "loaded": False} for name in ("broken", "clip", "gate")
    ]
    facts = client.get("/api/models/clip").json()
    assert (facts["kind"], facts["net"], facts["size_hw"]) == (
        "camera",
        "StackedAutoencoder",
        [32, 32],
    )
    assert client.get("/ready").json() == {"ready": True, "models": 1}
    assert [one["loaded"] for one in client.get("/api/models").json()] == [False, True, False]


def test_a_batch_is_a_clip(client: Any, models: Path) -> None:
    answer = score(client, "clip", *range(8)).json()
    raw = [one["raw"] for one in answer["results"]]
    np.testing.assert_allclose(raw, expected(models / "clip/model.safetensors", *range(8)))
    assert answer["results"][4]["threshold"] == 0.3


def test_the_map_of_a_picture(client: Any, models: Path) -> None:
    place = "/api/models/gate/map?form="
    array = np.load(io.BytesIO(client.post(f"{place}npy", content=frame_png(3)).content))
    live = Live(load_model(models / "gate/model.safetensors"), device="cpu")
    np.testing.assert_allclose(array, live.push(frame_image(3)).map)
    assert client.post(f"{place}png", content=frame_png(3)).content.startswith(b"\x89PNG")


def test_many_clients_get_their_own_answers(client: Any, models: Path) -> None:
    right = {n: expected(models / "gate/model.safetensors", n)[0] for n in range(CLIENTS)}

    def ask(number: int) -> list[float]:
        answers = [score(client, "gate", number) for _ in range(6)]
        assert {answer.status_code for answer in answers} == {200}
        return [answer.json()["results"][0]["raw"] for answer in answers]

    with ThreadPoolExecutor(CLIENTS) as pool:
        for number, raw in enumerate(pool.map(ask, range(CLIENTS))):
            assert raw == pytest.approx([right[number]] * 6)


def test_a_model_is_swapped_under_load(client: Any, models: Path) -> None:
    file = models / "gate/model.safetensors"
    calm = load_model(file)
    other = replace(small_model("stae"), budget=calm.budget)
    first = client.get("/api/models/gate").json()["digest"]
    right = {first: expected(file, 4)[0]}
    done, wrong = threading.Event(), []

    def ask() -> int:
        count = 0
        while not done.is_set() or not count:
            answer = score(client, "gate", 4)
            if answer.status_code != 200:
                wrong.append(answer.text)
                continue
            body = answer.json()
            if body["results"][0]["raw"] != pytest.approx(right[body["digest"]]):
                wrong.append(body)
            count += 1
        return count

    with ThreadPoolExecutor(CLIENTS) as pool:
        counts = [pool.submit(ask) for _ in range(CLIENTS)]
        try:
            for model in (other, calm, other):
                newest = save_model(model, file).digest()
                right[newest] = expected(file, 4)[0]
                loaded = client.post("/api/models/gate/load")
                assert loaded.json()["digest"] == newest
            file.write_bytes(b"torn")
            assert client.post("/api/models/gate/load").status_code == 422
            assert score(client, "gate", 4).json()["digest"] == newest
        finally:
            done.set()
    assert sum(count.result() for count in counts) >= CLIENTS
    assert wrong == []
    assert len(set(right.values())) == 2
    text = client.get("/metrics").text
    assert "tlae_model_swaps 3.0" in text
    assert (
        'tlae_requests_total{method="POST",route="/api/models/{model}/score",status="200"}' in text
    )


def test_few_models_stay_in_memory(models: Path) -> None:
    from tlae.serving.shelf import ModelShelf

    for name in ("a", "b", "c"):
        save_model(small_model("cae"), models / f"{name}.safetensors")
    shelf = ModelShelf(models, most=2)
    held = shelf.get("a")
    for name in ("b", "a", "c"):
        shelf.get(name)
    assert list(shelf.loaded()) == ["a", "c"]
    assert shelf.get("a") is held
