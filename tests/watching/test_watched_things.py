"""Things of stills while a folder is watched: their kinds, and the user's answers."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from torch import nn

from tests.small_footage import frame_image, small_model
from tests.watching.running import Running, messages_in, settings
from tests.watching.servers import Received, receiver
from tlae.cli import main
from tlae.model_file import save_model
from tlae.scoring.answers import read_answers
from tlae.scoring.current_answers import give_answer, take_back_answer
from tlae.scoring.events import Event
from tlae.scoring.results import read_results

GATE, YARD = (slice(2, 8), slice(2, 8)), (slice(20, 30), slice(16, 28))
STARTED = datetime(2026, 6, 13)
STILLS = ("camera.interval_s=3600", "scoring.threshold=0.5", "camera.stop_idle_s=2")


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    model = small_model()
    for parameter in model.detector.net.net.parameters():
        nn.init.zeros_(parameter)  # it expects the mean frame
    (tmp_path / "run").mkdir()
    save_model(model, tmp_path / "run/model.safetensors")
    return tmp_path / "run/model.safetensors"


def add(folder: Path, hours: range, things: dict[int, Any], after: int = 0) -> None:
    """A picture an hour, with something bright in some."""
    folder.mkdir(exist_ok=True)
    for hour in hours:
        picture = frame_image(0)
        for place in things.get(hour, ()):
            picture[place] = 255
        when = STARTED + timedelta(hours=hour, days=after)
        cv2.imwrite(str(folder / f"{when:%Y-%m-%dT%H_%M_%S}.png"), picture)


def watched(model_file: Path, folder: Path, out: Path, *words: str) -> list[dict[str, Any]]:
    assert main(["watch", *settings(model_file, folder, out, *STILLS, *words)]) == 0
    return messages_in(out)


def told(messages: list[dict[str, Any]]) -> list[tuple[str, str, bool]]:
    return [(one["event"]["id"], one["type"], one["quiet"]) for one in messages]


def test_kinds_are_told_at_once_and_corrected_as_pictures_come(
    model_file: Path, tmp_path: Path
) -> None:
    stays = {hour: [YARD] for hour in range(10, 13)}
    add(tmp_path / "f", range(18), stays | {15: [GATE]})
    out = tmp_path / "out"
    messages = watched(model_file, tmp_path / "f", out, "update_s=86400")
    yard = [one["event"] for one in messages if one["event"]["first_frame"] == 10]
    assert (yard[0]["what"], yard[0]["still_so"]) == ("new object", True)
    assert yard[0]["ended_at"] == "2026-06-13T10:00:00"
    left = yard[-1]
    assert (left["what"], left["still_so"]) == ("new object", False)
    assert left["over_at"] == "2026-06-13T13:00:00"
    assert left["ended_at"] == "2026-06-13T12:00:00"  # when it was last seen
    gate = [one["event"] for one in messages if one["event"]["first_frame"] == 15]
    assert [one["what"] for one in gate] == ["new object", "passing"]
    status = json.loads((out / "status.json").read_text(encoding="utf-8"))["events"]
    assert (status["open"], status["hidden"], len(status["going_on"])) == (2, 0, 2)
    assert status["going_on"][1]["over_at"] == "2026-06-13T13:00:00"


def test_the_state_says_when_a_thing_was_last_seen_without_a_message(
    model_file: Path, tmp_path: Path
) -> None:
    add(tmp_path / "f", range(16), {hour: [YARD] for hour in range(10, 14)})
    out = tmp_path / "out"
    (message,) = watched(model_file, tmp_path / "f", out, "update_s=null")
    assert message["event"]["ended_at"] == "2026-06-13T10:00:00"
    status = json.loads((out / "status.json").read_text(encoding="utf-8"))["events"]
    (thing,) = status["going_on"]
    assert (thing["id"], thing["ended_at"]) == ("E0001", "2026-06-13T13:00:00")
    assert thing["over_at"] == "2026-06-13T14:00:00"


def test_what_is_called_normal_is_counted_and_nobody_is_told(
    model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(tmp_path / "june", range(14), {10: [GATE], 11: [GATE]})
    june = watched(model_file, tmp_path / "june", tmp_path / "one")
    event = Event.of_json(june[-1]["event"], 1)
    give_answer(model_file, event, (32, 32), ("gate", "m", "0"))
    add(tmp_path / "july", range(20), {10: [GATE], 17: [YARD]}, after=30)
    received, out = Received(), tmp_path / "two"
    with receiver(received) as url:
        capsys.readouterr()
        messages = watched(model_file, tmp_path / "july", out, f"webhook.url={url}")
    hidden = [one for one in messages if one["event"]["hidden_by"]]
    assert {one["event"]["hidden_by"] for one in hidden} == {"A0001"}
    assert all(one["quiet"] for one in hidden)
    assert {one["event"]["first_frame"] for one in hidden} == {10}
    assert {one["event"]["first_frame"] for one in received.messages} == {17}
    assert "hidden by your answers: 1 of 2 events" in capsys.readouterr().out
    words = [f"model_file={model_file}", f"footage={tmp_path}/july", "keep_rebuilt=false"]
    words += [f"paths.scores={tmp_path}/scores", f"paths.cache={tmp_path}/cache", "name=july"]
    assert main(["score", *words, "scoring.threshold=0.5", "scoring.causal=true"]) == 0
    offline = read_results(tmp_path / "scores/july")
    assert [(one.first_frame, one.hidden_by) for one in offline.hidden] == [(10, "A0001")]
    assert [one.first_frame for one in offline.events] == [17]
    all_told = watched(model_file, tmp_path / "july", tmp_path / "three", "answers=false")
    assert not any(one["quiet"] or one["event"]["hidden_by"] for one in all_told)


def test_an_answer_given_meanwhile_ends_the_alarm_and_taken_back_begins_it_anew(
    model_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, out = tmp_path / "f", tmp_path / "out"
    add(folder, range(12), {10: [YARD], 11: [YARD]})
    watch = Running(settings(model_file, folder, out, *STILLS[:2], "update_s=null"))
    watch.wait_for(lambda: bool(messages_in(out)))
    watch.wait_for(lambda: watch.status().get("frames", {}).get("scored") == 12)
    event = Event.of_json(messages_in(out)[0]["event"], 1)
    give_answer(model_file, event, (32, 32), ("gate", "m", "0"))
    watch.wait_for(lambda: len(messages_in(out)) == 2)  # without a new picture
    watch.wait_for(lambda: watch.status()["events"]["hidden"] == 1)
    add(folder, range(12, 20), {hour: [YARD] for hour in range(12, 20)})  # hidden to its end
    watch.wait_for(lambda: watch.status()["frames"]["scored"] == 20)
    assert told(messages_in(out)) == [("E0001", "new", False), ("E0001", "end", False)]
    assert messages_in(out)[1]["event"]["hidden_by"] == "A0001"
    path = model_file.with_name("answers.json")
    whole = path.read_bytes()
    path.write_text("{")  # damaged: those before count on
    watch.wait_for(lambda: "those before count on" in caplog.text)
    path.write_bytes(whole)
    take_back_answer(model_file, event, (32, 32))
    assert read_answers(model_file).marks == ()
    watch.wait_for(lambda: len(messages_in(out)) == 3)
    watch.stop()
    assert told(messages_in(out))[2] == ("E0001", "new", False)


def test_a_restart_goes_on_with_kinds_and_answers(model_file: Path, tmp_path: Path) -> None:
    stays = {hour: [YARD] for hour in range(10, 13)}
    add(tmp_path / "whole", range(18), stays)
    whole = watched(model_file, tmp_path / "whole", tmp_path / "a")
    for end in (11, 14, 18):
        add(tmp_path / "parts", range(end), stays)
        parts = watched(model_file, tmp_path / "parts", tmp_path / "b")
    events = [[one["event"] | {"clip": ""} for one in found] for found in (whole, parts)]
    assert events[0] == events[1]
    assert len(events[0]) >= 3


def test_answers_about_pictures_of_another_shape_hide_nothing(
    model_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add(tmp_path / "f", range(14), {10: [GATE]})
    messages = watched(model_file, tmp_path / "f", tmp_path / "one")
    event = Event.of_json(messages[0]["event"], 1)
    give_answer(model_file, event, (32, 64), ("gate", "m", "0"))
    again = watched(model_file, tmp_path / "f", tmp_path / "two")
    assert not any(one["event"]["hidden_by"] for one in again)
    assert "1 answer of pictures of another shape than 32x32" in caplog.text
    model_file.with_name("answers.json").write_text("[]")
    words = settings(model_file, tmp_path / "f", tmp_path / "three", *STILLS)
    assert main(["watch", *words]) == 2


def test_a_clock_a_year_ahead_is_said_and_counted(
    model_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add(tmp_path / "f", range(3), {})
    add(tmp_path / "f", range(3), {}, after=365)
    watch = Running(settings(model_file, tmp_path / "f", tmp_path / "out", *STILLS))
    watch.wait_for(lambda: watch.report is not None)
    assert "clock leaps ahead: by 364.9 d, at 2027-06-13 00:00:00" in caplog.text
    assert watch.status()["clock"] == {"clock leaps ahead": 1}


def test_pictures_of_before_are_few_in_any_pace() -> None:
    from tlae.scoring.recent_pictures import RecentPictures

    recent = RecentPictures()
    for minute in range(0, 4 * 1440, 5):
        recent.add(np.full((8, 8, 3), minute % 250, np.uint8), 60.0 * minute, "day")
    state = recent.state()
    assert len(state) <= 2 * 49 + 1 + 8
    before = recent.before(60.0 * 4 * 1440, "day")
    assert len(before) == 8 + 3 + 3  # just before, and at that hour of two days
    assert recent.before(60.0 * 4 * 1440, "night") == []
