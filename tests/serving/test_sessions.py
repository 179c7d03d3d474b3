"""Cameras that are watched over HTTP."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

import tlae
from tests.serving.conftest import frame_png
from tests.small_footage import NETS, frame_image, small_model, write_clips
from tlae.budget import Budget
from tlae.cli import main
from tlae.live.live import Live
from tlae.scoring.results import read_results

pytest.importorskip("fastapi", reason="needs the extra serve")

from tests.serving.in_process import session_of

ODD = (5, 6, 7, 8, 9, 15, 16, 17)


def push(client: Any, session: str, number: int, **asked: Any) -> dict[str, Any]:
    body = frame_png(number, odd=number in ODD)
    answer = client.post(f"/api/sessions/{session}/frames", content=body, params=asked)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("model", ["gate", "clip"])
def test_frames_of_a_clip_score_as_the_command_scores_them(
    client: Any, models: Path, tmp_path: Path, model: str
) -> None:
    footage = write_clips(tmp_path / "footage", (30,), odd=tuple((0, n) for n in ODD))
    file = models / model / "model.safetensors"
    places = [f"paths.scores={tmp_path}/scores", f"paths.cache={tmp_path}/cache", "device=cpu"]
    words = [f"model_file={file}", f"footage={footage}", "footage.interval_s=0.1", "name=s"]
    assert main(["score", *words, *places, "scoring.threshold=0.3"]) == 0
    offline = read_results(tmp_path / "scores/s")
    session = session_of(client, model, interval_s=0.1)
    seen = [push(client, session, number, time_s=round(0.1 * number, 6)) for number in range(30)]
    raw = [np.nan if one["raw"] is None else one["raw"] for one in seen]
    np.testing.assert_allclose(raw, offline.table["raw"], rtol=1e-5, atol=1e-5)
    assert [one["alarm"] for one in seen] == offline.table["alarm"].tolist()
    closed = client.delete(f"/api/sessions/{session}").json()["ended"]
    events = [event for one in seen for event in one["ended"]] + closed
    names = ("first_frame", "last_frame", "peak_frame", "start_s", "end_s", "box")
    expected = [{name: event[name] for name in names} for event in offline.event_records]
    assert len(expected) >= 1
    assert [{name: event[name] for name in names} for event in events] == expected


def test_large_jpegs_score_as_the_command_scores_them_and_are_shown_whole(
    client: Any, models: Path, tmp_path: Path
) -> None:
    (tmp_path / "footage").mkdir()
    rng = np.random.default_rng(0)
    for number in range(3):  # fine structure: an eighth, decoded so, is not a mean
        picture = rng.integers(0, 256, (640, 640, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"footage/{number}.jpg"), picture)
    files = sorted((tmp_path / "footage").iterdir())
    scores = tlae.score(tlae.load(models / "gate/model.safetensors"), tmp_path / "footage")
    session = session_of(client)
    place = f"/api/sessions/{session}"
    seen = [client.post(f"{place}/frames", content=file.read_bytes()).json() for file in files]
    assert [one["raw"] for one in seen] == pytest.approx(scores.table["raw"].tolist())
    assert jpeg_size(client.get(f"{place}/picture?heat=false").content) == (640, 640)
    sent = [("images", (file.name, file.read_bytes())) for file in files]
    results = client.post("/api/models/gate/score", files=sent).json()["results"]
    assert [one["raw"] for one in results] == pytest.approx(scores.table["raw"].tolist())
    answer = client.post("/api/models/gate/map?form=npy", content=files[0].read_bytes())
    np.testing.assert_allclose(np.load(io.BytesIO(answer.content)), scores.map_of(0), rtol=1e-3)


def jpeg_size(content: bytes) -> tuple[int, ...]:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR).shape[:2]


def test_what_a_page_shows_of_a_session(client: Any) -> None:
    session = session_of(client, name="Gate, north")
    place = f"/api/sessions/{session}"
    assert client.get(f"{place}/picture").status_code == 404
    for number in range(12):
        push(client, session, number)
    points = client.get(f"{place}/points", params={"after": 3}).json()
    assert [one["frame"] for one in points["points"]] == list(range(4, 12))
    assert points["name"] == "Gate, north"
    events = client.get(f"{place}/events").json()
    assert events[0]["has_snapshot"]
    for address in ("picture", "picture?heat=false", f"events/{events[0]['id']}/snapshot"):
        answer = client.get(f"{place}/{address}")
        assert answer.headers["content-type"] == "image/jpeg"
        assert cv2.imdecode(np.frombuffer(answer.content, np.uint8), 1).shape == (384, 384, 3)
    array = np.load(io.BytesIO(client.get(f"{place}/map?form=npy").content))
    assert array.shape == (32, 32)
    drawn = cv2.imdecode(np.frombuffer(client.get(f"{place}/map").content, np.uint8), 1)
    assert drawn.shape == (32, 32, 3)


def test_another_threshold_counts_at_once_and_is_remembered(client: Any) -> None:
    session = session_of(client, threshold=1e6)
    assert not push(client, session, 5)["alarm"]
    changed = client.patch(f"/api/sessions/{session}", json={"threshold": 1e-6})
    assert changed.json()["budget"] == {"threshold": 1e-6}
    seen = push(client, session, 6)
    assert seen["alarm"]
    assert seen["threshold"] == 1e-6
    assert client.get(f"/api/sessions/{session}").json()["budget"] == {"threshold": 1e-6}
    back = client.patch(f"/api/sessions/{session}", json={})
    assert back.json()["budget"] == {}
    assert push(client, session, 7)["threshold"] == 0.3


def test_another_model_ends_the_event_and_counts_on(client: Any) -> None:
    session = session_of(client)
    for number in (0, 5, 6):
        push(client, session, number)
    answer = client.put(f"/api/sessions/{session}/model", json={"model": "clip"})
    assert answer.json()["model"] == "clip"
    seen = push(client, session, 7)
    assert seen["frame"] == 3
    for number in (8, 9, 15, 16, 17):
        push(client, session, number)
    events = client.get(f"/api/sessions/{session}/events").json()
    assert len({event["id"] for event in events}) == len(events) >= 1
    assert all(event["has_snapshot"] for event in events)
    assert events[-1]["first_frame"] < 3
    assert all(event["first_frame"] >= 3 for event in events[:-1])


def test_arrays_are_frames_too(client: Any) -> None:
    session, other = session_of(client), session_of(client)
    for number in range(3):
        stream = io.BytesIO()
        np.save(stream, frame_image(number))
        mine = client.post(f"/api/sessions/{session}/frames", content=stream.getvalue()).json()
        assert mine["raw"] == push(client, other, number)["raw"]


def test_sessions_are_few_and_idle_ones_end(make_client: Any) -> None:
    client = make_client(most_sessions=2, idle_s=600)
    kept = [session_of(client), session_of(client)]
    full = client.post("/api/sessions", json={"model": "gate"})
    assert full.status_code == 429
    assert "at most 2 sessions" in full.json()["error"]
    assert client.delete(f"/api/sessions/{kept[0]}").status_code == 200
    assert client.get(f"/api/sessions/{kept[0]}").status_code == 404
    session_of(client)
    hasty = make_client(idle_s=1e-9)
    gone = session_of(hasty)
    assert hasty.get(f"/api/sessions/{gone}").status_code == 404
    assert json.loads(hasty.get("/api/sessions").text) == []


@pytest.mark.parametrize("name", NETS)
def test_cameras_of_one_model_do_not_disturb_each_other(name: str) -> None:
    model = small_model(name)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def raw(first: int) -> list[float]:
        live = Live(model, Budget(threshold=1.0), device="cpu")
        frames = range(first, first + 20)
        return [live.push(frame_image(n, odd=n % 4 == 0), 0.1 * n).raw for n in frames]

    alone = [raw(first) for first in range(6)]
    with ThreadPoolExecutor(6) as pool:
        np.testing.assert_array_equal(list(pool.map(raw, range(6))), alone)
    torch.set_num_threads(threads)


def test_pictures_of_another_shape_are_refused_and_an_unlike_pace_is_noted(client: Any) -> None:
    session, wide = session_of(client, "gate"), io.BytesIO()
    np.save(wide, np.full((32, 64, 3), 90, np.uint8))
    push(client, session, 0, time_s=0.0)
    answer = client.post(f"/api/sessions/{session}/frames", content=wide.getvalue())
    assert answer.status_code == 422
    assert "must have one shape, got 64x32 pixels after 32x32" in answer.json()["error"]
    for number in range(1, 17):
        push(client, session, number, time_s=float(number))
    facts = client.get(f"/api/sessions/{session}").json()
    assert facts["frames"] == 17
    assert [note[:22] for note in facts["notes"]] == ["frames are 1 s apart, "]
    answer = client.put(f"/api/sessions/{session}/events/E77/mark", json={"mark": None})
    assert answer.json()["error"].endswith(f"list them at /api/sessions/{session}/events")
