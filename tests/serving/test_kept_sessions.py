"""Sessions, thresholds and marks of events that outlive the server."""

import json
import shutil
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.serving.conftest import BASE, frame_png
from tests.small_footage import small_model
from tlae.model_file import save_model

pytest.importorskip("fastapi", reason="needs the extra serve")
pytest.importorskip("httpx2", reason="the test client talks through it")

from fastapi.testclient import TestClient

from tests.serving.in_process import service_of, session_of
from tlae.budget import Budget
from tlae.errors import UserError

ODD = (5, 6, 7, 8, 9, 15, 16, 17)
FRAMES = 24


class Server:
    """A server with a folder for its state, which can be started again."""

    def __init__(self, models: Path, home: Path) -> None:
        self._models, self._home, self._stack = models, home, ExitStack()

    def start(self) -> TestClient:
        state = self._home / "state"
        app = self._stack.enter_context(service_of(self._models, self._home / "j", state=state))
        return TestClient(app, base_url=BASE)

    def stop(self) -> None:
        self._stack.close()

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def push(client: Any, session: str, numbers: range) -> list[dict[str, Any]]:
    found = []
    for number in numbers:
        body, asked = frame_png(number, odd=number in ODD), {"time_s": number * 0.1}
        answer = client.post(f"/api/sessions/{session}/frames", content=body, params=asked)
        assert answer.status_code == 200, answer.text
        found.append({**answer.json(), "received_at": None})
    return found


@pytest.mark.parametrize("cut", [3, 7, 12])
@pytest.mark.parametrize("model", ["gate", "clip"])
def test_a_session_goes_on_as_if_nothing_had_happened(
    models: Path, tmp_path: Path, model: str, cut: int
) -> None:
    with Server(models, tmp_path / "one") as server:
        (tmp_path / "one").mkdir()
        client = server.start()
        session = session_of(client, model, interval_s=0.1, threshold=0.3)
        whole = push(client, session, range(FRAMES))
        events = client.get(f"/api/sessions/{session}/events").json()
    with Server(models, tmp_path / "two") as server:
        (tmp_path / "two").mkdir()
        client = server.start()
        session = session_of(client, model, interval_s=0.1, threshold=0.3)
        parts = push(client, session, range(cut))
        server.stop()
        client = server.start()
        facts = client.get(f"/api/sessions/{session}").json()
        assert (facts["frames"], facts["budget"]) == (cut, {"threshold": 0.3})
        parts += push(client, session, range(cut, FRAMES))
        again = client.get(f"/api/sessions/{session}/events").json()
        points = client.get(f"/api/sessions/{session}/points").json()["points"]
    assert parts == whole
    assert again == events
    assert [point["frame"] for point in points] == list(range(FRAMES))


def test_a_kill_loses_no_picture_of_the_event_that_goes_on(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("EVERY_S", 0.0), ("BYTES_S", 1e15)):  # each frame is written
        monkeypatch.setattr(f"tlae.serving.session_store.{name}", value)
    for name in ("running", "killed"):
        (tmp_path / name).mkdir()
    with Server(models, tmp_path / "running") as server:
        client = server.start()
        session = session_of(client, interval_s=0.1, threshold=0.3)
        push(client, session, range(8))
        place = f"/api/sessions/{session}/events"
        (event,) = client.get(place).json()
        assert event["goes_on"]
        picture = client.get(f"{place}/{event['id']}/snapshot").content
        shutil.copytree(
            tmp_path / "running/state", tmp_path / "killed/state"
        )  # as a kill leaves it
    with Server(models, tmp_path / "killed") as server:
        client = server.start()
        assert client.get(place).json() == [event]
        assert client.get(f"{place}/{event['id']}/snapshot").content == picture


def test_marks_of_events_are_kept_in_a_file(models: Path, tmp_path: Path) -> None:
    with Server(models, tmp_path) as server:
        client = server.start()
        session = session_of(client, name="North", interval_s=0.1, threshold=0.3)
        push(client, session, range(FRAMES))
        place = f"/api/sessions/{session}/events"
        first = client.get(place).json()[-1]["id"]
        answer = client.put(f"{place}/{first}/mark", json={"mark": "normal"})
        assert [one["mark"] for one in answer.json() if one["id"] == first] == ["normal"]
        assert client.put(f"{place}/E9999/mark", json={"mark": "normal"}).status_code == 404
        assert client.put(f"{place}/{first}/mark", json={"mark": "dull"}).status_code == 422
        server.stop()
        (mark,) = json.loads((tmp_path / "state/marks.json").read_text(encoding="utf-8"))
        assert (mark["mark"], mark["session"], mark["model"]) == ("normal", "North", "gate")
        assert mark["event"]["id"] == first
        client = server.start()
        assert client.get(place).json()[-1]["mark"] == "normal"
        assert client.get(f"{place}/{first}/snapshot").status_code == 200
        client.put(f"{place}/{first}/mark", json={"mark": None})
        assert json.loads((tmp_path / "state/marks.json").read_text(encoding="utf-8")) == []
        client.delete(f"/api/sessions/{session}")
        server.stop()
        assert server.start().get("/api/sessions").json() == []


def test_another_model_begins_anew_and_keeps_the_events(models: Path, tmp_path: Path) -> None:
    with Server(models, tmp_path) as server:
        client = server.start()
        session = session_of(client, interval_s=0.1, threshold=0.3)
        push(client, session, range(12))
        ended = client.get(f"/api/sessions/{session}/events").json()
        server.stop()
        other = replace(small_model("cae"), budget=Budget(threshold=0.2))
        save_model(other, models / "gate/model.safetensors")
        client = server.start()
        push(client, session, range(12, FRAMES))
        known = {one["id"] for one in client.get(f"/api/sessions/{session}/events").json()}
        assert {one["id"] for one in ended if not one["goes_on"]} <= known


def test_a_state_of_another_version_begins_anew_and_keeps_the_events(
    models: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Server(models, tmp_path) as server:
        client = server.start()
        session = session_of(client, "gate", interval_s=0.1, threshold=0.3)
        push(client, session, range(8))  # an event goes on
        server.stop()
        with closing(sqlite3.connect(tmp_path / "state/sessions.sqlite")) as base, base:
            base.execute("update sessions set live = ?", (b"of another version",))
        client = server.start()
        (facts,) = client.get("/api/sessions").json()
        assert (facts["id"], facts["frames"], facts["budget"]) == (session, 8, {"threshold": 0.3})
        assert "begins anew" in caplog.text
        push(client, session, range(8, 18))
        events = client.get(f"/api/sessions/{session}/events").json()
        assert sorted({event["id"] for event in events}) == sorted(e["id"] for e in events)
        assert "E0001" in {event["id"] for event in events}
        assert len(events) >= 2


def test_two_servers_never_share_a_state(models: Path, tmp_path: Path) -> None:
    with Server(models, tmp_path) as server:
        server.start()
        with pytest.raises(UserError, match="give another state="):
            server.start()
