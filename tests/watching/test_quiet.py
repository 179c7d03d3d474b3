"""Events of which nobody is told: quiet hours, alarms that are off, another threshold."""

import json
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.small_footage import small_model, write_clips
from tests.watching.running import Running, messages_in, settings
from tests.watching.servers import Received, receiver
from tlae.cli import main
from tlae.footage.hours import in_hours, parse_hours
from tlae.model_file import save_model
from tlae.scoring.events import Event
from tlae.watching.controls import Controls

NIGHT = parse_hours("22-6", "quiet_hours")
ODD = (*range(6, 10), *range(25, 33))
TIMED = ("scoring.threshold=0.46", "events.low=1", "events.merge_s=0.2", "camera.interval_s=0.1")


def event(at: str | None, kind: str = "scene") -> Event:
    plain = {"kind": kind, "clip": "0", "first_frame": 1, "last_frame": 1, "start_s": 0.0}
    plain |= {"end_s": 0.0, "started_at": at, "ended_at": at, "peak_frame": 1, "id": ""}
    rest = ("zone", "peak_raw", "peak_score", "threshold", "mode")
    return Event(**plain, **dict.fromkeys(rest), box=(0, 0, 1, 1), health="ok")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("at", "expected"),
    [("21:59:59", False), ("22:00:00", True), ("05:59:59", True), ("06:00:00", False)],
)
def test_quiet_hours_go_over_midnight(at: str, expected: bool) -> None:
    when = f"2026-05-04T{at}"
    assert in_hours(datetime.fromisoformat(when), NIGHT) is expected
    assert Controls({}, NIGHT).is_quiet(event(when)) is expected
    assert not Controls({}, NIGHT).is_quiet(event(when, "camera"))  # told at any hour


def test_what_was_changed_is_kept_and_told() -> None:
    controls, told = Controls({}, (), 0.5), threading.Event()
    controls.listen(told.set)
    assert controls.take_change() == (False, None)
    controls.switch_alarms(on=False)
    assert told.is_set()
    controls.fix_threshold(0.7)
    again = Controls(json.loads(json.dumps(controls.state())), (), 0.5)
    assert (again.alarms_on, again.threshold) == (False, 0.7)
    assert again.take_change() == (True, 0.7)  # to be applied after a restart
    assert again.is_quiet(event("2026-05-04T12:00:00"))
    again.fix_threshold(None)
    again.see(0.5)
    assert (again.threshold, again.state()["threshold"]) == (0.5, None)


def test_quiet_events_are_written_and_nobody_is_told(tmp_path: Path) -> None:
    save_model(small_model("convlstm"), tmp_path / "gate.safetensors")
    write_clips(tmp_path / "stills", (50,), odd=tuple((0, n) for n in ODD))
    received, out = Received(), tmp_path / "out"
    camera = tmp_path / "stills" / "c0"
    with receiver(received) as url:
        words = [f"webhook.url={url}", "quiet_hours=0-12,12-24", "camera.stop_idle_s=2"]
        watch = Running(settings(tmp_path / "gate.safetensors", camera, out, *TIMED, *words))
        watch.wait_for(lambda: watch.report is not None)
        watch.stop()
    messages = messages_in(out)
    assert len(messages) == 4
    assert all(message["quiet"] for message in messages)
    assert received.tries == 0


def test_an_event_is_quiet_by_the_hour_in_which_it_begins(tmp_path: Path) -> None:
    """By the clock of the camera: one begins two seconds before the quiet hours, one within."""
    save_model(small_model("convlstm"), tmp_path / "gate.safetensors")
    write_clips(tmp_path / "stills", (50,), odd=tuple((0, n) for n in ODD))
    begin, camera = datetime(2026, 5, 4, 21, 59, 57, 600_000), tmp_path / "stills" / "c0"
    for number, path in enumerate(sorted(camera.iterdir())):
        when = begin + timedelta(seconds=0.1 * number)
        path.rename(path.with_name(f"{when:%Y%m%d-%H%M%S-%f}.png"))
    received, out = Received(), tmp_path / "out"
    with receiver(received) as url:
        words = [f"webhook.url={url}", "quiet_hours=22-6", "camera.stop_idle_s=2"]
        words += ["camera.time_pattern=%Y%m%d-%H%M%S-%f"]
        watch = Running(settings(tmp_path / "gate.safetensors", camera, out, *TIMED, *words))
        watch.wait_for(lambda: watch.report is not None)
        watch.stop()
    messages = messages_in(out)
    assert [message["quiet"] for message in messages] == [False, False, True, True]
    began = [message["event"]["started_at"] for message in messages]
    assert began[0] < "2026-05-04T22" <= began[2]
    told = [message["event"]["id"] for message in received.messages]
    assert told == [messages[0]["event"]["id"]] * 2


def test_hours_that_are_none_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = settings(tmp_path / "m", tmp_path, tmp_path / "out", "quiet_hours=25-3")
    assert main(["watch", *words]) == 2
    assert "quiet_hours must be ranges" in capsys.readouterr().err
