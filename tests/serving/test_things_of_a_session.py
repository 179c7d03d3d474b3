"""Things of stills in a session: several at once, their kinds, and what is called normal."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import pytest
from torch import nn

from tests.serving.conftest import BASE
from tests.small_footage import frame_image, small_model
from tlae.budget import Budget
from tlae.model_file import save_model
from tlae.scoring.answers import read_answers

GATE, YARD = (slice(2, 8), slice(2, 8)), (slice(20, 30), slice(16, 28))
STARTED = datetime(2026, 6, 13)


@pytest.fixture
def model_file(models: Path) -> Path:
    model = replace(small_model(), budget=Budget(threshold=0.5))
    for parameter in model.detector.net.net.parameters():
        nn.init.zeros_(parameter)  # it expects the mean frame
    (models / "yard").mkdir()
    save_model(model, models / "yard/model.safetensors")
    return models / "yard/model.safetensors"


def push(client: Any, session: str, hours: range, things: dict[int, list[Any]]) -> dict[str, Any]:
    """A picture an hour; the last answer."""
    for hour in hours:
        picture = frame_image(0)
        for place in things.get(hour, []):
            picture[place] = 255
        _, data = cv2.imencode(".png", picture)
        taken_at = (STARTED + timedelta(hours=hour)).isoformat()
        place = f"/api/sessions/{session}/frames?taken_at={taken_at}"
        answer = client.post(place, content=data.tobytes())
        assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def begun(client: Any) -> tuple[str, str]:
    asked = {"model": "yard", "interval_s": 3600, "name": "Yard"}
    session = client.post("/api/sessions", json=asked).json()["id"]
    return session, f"/api/sessions/{session}/events"


def test_things_that_go_on_are_all_shown_with_their_kinds(model_file: Path, client: Any) -> None:
    session, place = begun(client)
    things = {10: [YARD], 11: [YARD, GATE], 12: [GATE]}
    push(client, session, range(12), things)
    gate, yard = client.get(place).json()
    assert [one["first_frame"] for one in (gate, yard)] == [11, 10]
    assert all(one["seen_now"] and one["has_snapshot"] for one in (gate, yard))
    assert (yard["what"], yard["until"]) == ("new object", "still there")
    pictures = [client.get(f"{place}/{one['id']}/snapshot").content for one in (gate, yard)]
    assert pictures[0] != pictures[1]
    push(client, session, range(12, 16), things)
    gate, yard = client.get(place).json()
    assert all(one["goes_on"] and not one["seen_now"] for one in (gate, yard))
    assert yard["ended_at"] == "2026-06-13T11:00:00"  # not seen since
    assert yard["until"] == "left by 2026-06-13T12:00:00"


def test_normal_on_the_page_is_an_answer_beside_the_model(model_file: Path, client: Any) -> None:
    session, place = begun(client)
    stays = {hour: [YARD] for hour in range(10, 18)}
    push(client, session, range(11), stays)
    (thing,) = client.get(place).json()
    marked = client.put(f"{place}/{thing['id']}/mark", json={"mark": "normal"}).json()
    assert (marked[0]["mark"], marked[0]["hidden_by"]) == ("normal", "A0001")
    (answer,) = read_answers(model_file).marks
    assert (answer.session, answer.model, answer.size_hw) == ("Yard", "yard", (32, 32))
    assert push(client, session, range(11, 18), stays)["event"] is None  # hidden to its end
    (thing,) = client.get(place).json()
    assert (thing["hidden_by"], thing["goes_on"]) == ("A0001", True)
    assert client.get(f"/api/sessions/{session}").json()["hidden"] == 1
    client.put(f"{place}/{thing['id']}/mark", json={"mark": "wanted"})
    assert read_answers(model_file).marks == ()
    (thing,) = client.get(place).json()
    assert (thing["mark"], thing["hidden_by"]) == ("wanted", "")

    client.put(f"{place}/{thing['id']}/mark", json={"mark": "normal"})
    client.put(f"/api/sessions/{session}/model", json={"model": "yard"})  # the thing ends
    (answer,) = read_answers(model_file).marks
    assert answer.event.last_frame == 17  # what was answered counts as a whole


def test_an_answer_that_cannot_be_kept_is_refused_and_marks_nothing(
    model_file: Path, client: Any
) -> None:
    session, place = begun(client)
    push(client, session, range(12), {10: [YARD]})
    (thing,) = client.get(place).json()
    model_file.with_name("answers.json").write_text("{")
    answer = client.put(f"{place}/{thing['id']}/mark", json={"mark": "normal"})
    assert answer.status_code == 422
    assert "answers must be a file" in answer.json()["error"]
    assert client.get(place).json()[0]["mark"] is None


def test_things_outlive_the_server(model_file: Path, models: Path, tmp_path: Path) -> None:
    pytest.importorskip("fastapi", reason="needs the extra serve")
    from fastapi.testclient import TestClient

    from tests.serving.in_process import service_of

    things = {10: [YARD], 11: [YARD, GATE], 12: [GATE]}
    (tmp_path / "jobs").mkdir()
    with service_of(models, tmp_path / "jobs", state=tmp_path / "state") as app:
        client = TestClient(app, base_url=BASE)
        session, place = begun(client)
        push(client, session, range(14), things)
        client.put(f"{place}/E0001/mark", json={"mark": "normal"})
        before = client.get(place).json()
    with service_of(models, tmp_path / "jobs", state=tmp_path / "state") as app:
        client = TestClient(app, base_url=BASE)
        assert client.get(place).json() == before
        push(client, session, range(14, 16), things)
        assert [one["hidden_by"] for one in client.get(place).json()] == ["", "A0001"]
    assert json.loads((tmp_path / "state/marks.json").read_text())[0]["mark"] == "normal"
