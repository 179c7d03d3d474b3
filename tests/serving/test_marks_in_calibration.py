"""Marks that people gave to events on the live page, in the next calibration."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.serving.conftest import BASE, frame_png
from tests.small_footage import frame_image, small_model

pytest.importorskip("fastapi", reason="needs the extra serve")
pytest.importorskip("httpx2", reason="the test client talks through it")

from fastapi.testclient import TestClient

import tlae
from tests.serving.in_process import service_of, session_of
from tlae.budget import Budget
from tlae.cli import main
from tlae.errors import UserError
from tlae.live.live import Live
from tlae.model_file import load_model, save_model

ODD = (20, 21, 22, 23, 40, 41, 42, 43)  # two events
FRAMES = 56
NOON = datetime(2026, 6, 1, 12)


def is_odd(number: int) -> bool:
    return number in ODD


@pytest.fixture
def watched(models: Path, tmp_path: Path) -> Callable[[str, str], Path]:
    """Watches two events, marks them, and gives the file of the marks."""

    def watch(first: str, second: str, *, dated: bool = True) -> Path:
        model = replace(load_model(models / "gate/model.safetensors"), budget=Budget(None, 0.05))
        save_model(model, models / "gate/model.safetensors")
        with service_of(models, tmp_path / "jobs", state=tmp_path / "state") as app:
            client = TestClient(app, base_url=BASE)
            session = session_of(client, name="North", threshold=0.47)
            for number in range(FRAMES):
                when = {"taken_at": (NOON + timedelta(seconds=0.1 * number)).isoformat()}
                body = frame_png(number, odd=is_odd(number))
                asked = when if dated else {"time_s": 0.1 * number}
                place = f"/api/sessions/{session}/frames"
                assert client.post(place, content=body, params=asked).status_code == 200
            events = client.get(f"/api/sessions/{session}/events").json()
            assert len(events) == 2, events
            for event, mark in zip(reversed(events), (first, second), strict=True):
                place = f"/api/sessions/{session}/events/{event['id']}/mark"
                assert client.put(place, json={"mark": mark}).status_code == 200
        return tmp_path / "state/marks.json"

    return watch


def alarms(model_file: Path) -> list[int]:
    live = Live(load_model(model_file), device="cpu")
    seen = [live.push(frame_image(n, odd=is_odd(n)), 0.1 * n) for n in range(FRAMES)]
    return [one.frame for one in seen if one.alarm]


def test_events_marked_normal_do_not_alarm_again(
    models: Path, watched: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marks, before, new = watched("normal", "normal"), models / "gate/model.safetensors", "new.st"
    assert alarms(before)
    capsys.readouterr()
    words = [f"model_file={before}", f"marks={marks}", f"out={tmp_path / new}", "device=cpu"]
    assert main(["calibrate", *words]) == 0
    shown = capsys.readouterr().out
    assert "marks:   2 events marked normal (" in shown
    assert "raise the threshold from 0." in shown
    assert "none of them would alarm again" in shown
    assert not alarms(tmp_path / new)
    old, anew = load_model(before).calibration, load_model(tmp_path / new).calibration
    frames = sum(len(mark["scores"]["instant"]) for mark in json.loads(marks.read_text()))
    assert len(anew.raw) == len(old.raw) + frames
    peaks = [mark["event"]["peak_raw"] for mark in json.loads(marks.read_text())]
    assert anew.floor == {"": max(peaks)}
    assert main(["calibrate", words[0], words[2]]) == 2  # not that the file is there already
    assert "footage=... must be given, or marks=..." in capsys.readouterr().err


def test_a_wanted_event_that_would_pass_is_named(
    models: Path, watched: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = watched("normal", "wanted")
    words = [f"model_file={models}/gate/model.safetensors", f"marks={marks}", "device=cpu"]
    assert main(["calibrate", *words, f"out={tmp_path}/new.st"]) == 0
    shown = capsys.readouterr().out
    first, second = (mark["event"] for mark in json.loads(marks.read_text()))
    passes = second["peak_raw"] <= first["peak_raw"]
    assert ("1 of 1 event marked wanted would pass without an alarm: E0002" in shown) == passes
    assert ("1 event marked wanted would alarm as before" in shown) != passes
    assert main(["calibrate", *words, f"out={tmp_path}/b.st", "scoring.threshold=0.9e6"]) == 0
    assert "would pass without an alarm: E0002 of North" in capsys.readouterr().out
    assert main(["calibrate", *words, f"out={tmp_path}/c.st", "scoring.threshold=1e-6"]) == 0
    assert "so that E0001 of North would alarm again" in capsys.readouterr().out


def test_frames_of_marked_events_are_left_out_of_the_footage(
    models: Path, watched: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those marked normal count by the scores that came with the mark, so not twice."""
    marks, footage = watched("normal", "wanted"), tmp_path / "footage"
    footage.mkdir()
    for number in range(FRAMES):
        name = (NOON + timedelta(seconds=0.1 * number)).strftime("%Y-%m-%d_%H-%M-%S")
        if number % 10 == 0:  # names know whole seconds alone
            image = frame_image(number, odd=is_odd(number))
            cv2.imwrite(str(footage / f"{name}.png"), image[..., ::-1])
    words = [f"model_file={models}/gate/model.safetensors", f"marks={marks}", "device=cpu"]
    words += [f"footage={footage}", f"paths.cache={tmp_path}/cache", f"out={tmp_path}/new.st"]
    words += ["scoring.false_alarm_rate=0.1"]
    assert main(["calibrate", *words]) == 0
    said = "note:    left out: 2 frames of the footage with marked events"
    assert said in capsys.readouterr().out
    normal, _ = json.loads(marks.read_text())
    found = load_model(tmp_path / "new.st").calibration
    assert len(found.raw) == 4 + len(normal["scores"]["instant"])


def test_events_without_a_time_are_said_not_to_be_found(
    models: Path, watched: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    marks, footage = watched("normal", "wanted", dated=False), tmp_path / "footage"
    footage.mkdir()
    for number in range(30):
        cv2.imwrite(str(footage / f"{number}.png"), frame_image(number)[..., ::-1])
    words = [f"model_file={models}/gate/model.safetensors", f"marks={marks}", "device=cpu"]
    words += [f"footage={footage}", f"paths.cache={tmp_path}/cache", f"out={tmp_path}/new.st"]
    assert main(["calibrate", *words]) == 0
    assert "2 marked events cannot be found in the footage" in capsys.readouterr().out


def test_the_python_api_reads_marks_too(models: Path, watched: Any, tmp_path: Path) -> None:
    marks, file = watched("normal", "normal"), models / "gate/model.safetensors"
    anew = tlae.calibrate(file, marks=marks, out=tmp_path / "new.st")
    assert anew.file == tmp_path / "new.st"
    assert not alarms(tmp_path / "new.st")
    assert tlae.calibrate(file, marks=marks).calibration.floor == anew.calibration.floor
    with pytest.raises(UserError, match=r"footage=... must be given, or marks=..."):
        tlae.calibrate(file)
    (tmp_path / "other.st").write_text("no model")
    with pytest.raises(UserError, match="is not a model file of tlae"):
        tlae.calibrate(file, marks=marks, out=tmp_path / "other.st")


def test_marks_stay_those_of_the_model_that_found_the_event(
    models: Path, watched: Any, tmp_path: Path
) -> None:
    """Another file of the model takes the session over, and another event is marked."""
    marks = watched("normal", "normal")
    before = json.loads(marks.read_text())
    other = replace(small_model("cae"), budget=Budget(threshold=0.2))
    save_model(other, models / "gate/model.safetensors")
    with service_of(models, tmp_path / "jobs", state=tmp_path / "state") as app:
        client = TestClient(app, base_url=BASE)
        (session,) = client.get("/api/sessions").json()
        assert session["digest"] != before[0]["digest"]
        place = f"/api/sessions/{session['id']}/events/{before[0]['event']['id']}/mark"
        client.put(place, json={"mark": "wanted"})
    after = json.loads(marks.read_text())
    assert after == [{**before[0], "mark": "wanted"}, before[1]]


def test_an_event_that_is_marked_while_it_goes_on_is_kept_whole(
    models: Path, tmp_path: Path
) -> None:
    with service_of(models, tmp_path / "jobs", state=tmp_path / "state") as app:
        client = TestClient(app, base_url=BASE)
        session = session_of(client, threshold=0.47)
        for number in range(FRAMES):
            body, place = frame_png(number, odd=is_odd(number)), f"/api/sessions/{session}"
            seen = client.post(f"{place}/frames", content=body, params={"time_s": 0.1 * number})
            if number == 21:
                (event,) = client.get(f"{place}/events").json()
                client.put(f"{place}/events/{event['id']}/mark", json={"mark": "normal"})
            if seen.json()["ended"]:
                break
    (mark,) = json.loads((tmp_path / "state/marks.json").read_text())
    assert mark["event"] == seen.json()["ended"][0]
    event, scores = mark["event"], mark["scores"]
    frames = event["last_frame"] - event["first_frame"] + 1
    assert len(scores["instant"]) - scores["lead"] == frames > 2


DAMAGED = {
    "no file": (None, "marks must be a readable file"),
    "no json": (lambda marks: "{", "it is no JSON"),
    "no list": (lambda marks: "{}", "it is no list"),
    "no marks": (lambda marks: "[]", "marks must hold events"),
    "a number": (lambda marks: "[3]", "a mark must be an object"),
    "no scores": (
        lambda marks: json.dumps([{**marks[0], "scores": None}]),
        "a mark must hold its scores",
    ),
    "a word": (
        lambda marks: json.dumps([{**marks[0], "mark": "dull"}]),
        "a mark must be one of normal, wanted",
    ),
    "infinite": (
        lambda marks: json.dumps(
            [{**marks[0], "scores": {**marks[0]["scores"], "instant": [1e999], "lead": 0}}]
        ),
        "scores must have one mean",
    ),
    "of another": (
        lambda marks: json.dumps([{**mark, "digest": "0" * 64} for mark in marks]),
        "marks must be of events of the scene that this model (",
    ),
    "of the camera": (
        lambda marks: json.dumps(
            [{**mark, "event": {**mark["event"], "kind": "camera"}} for mark in marks]
        ),
        "marks must be of events of the scene that this model (",
    ),
}


def test_bad_marks_are_refused_in_one_line(
    models: Path, watched: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = json.loads(watched("normal", "wanted").read_text())
    for name, (content, shown) in DAMAGED.items():
        path = tmp_path / f"{name}.json"
        if content is not None:
            path.write_text(content(good))
        capsys.readouterr()
        words = [f"model_file={models}/gate/model.safetensors", f"marks={path}"]
        assert main(["calibrate", *words, f"out={tmp_path}/new.st"]) == 2, name
        said = capsys.readouterr().err
        assert shown in said, (name, said)
        assert said.count("\n") == 1
        assert not (tmp_path / "new.st").exists()
