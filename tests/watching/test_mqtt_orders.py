"""Orders over MQTT: alarms on and off, another threshold, kept over a restart."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.small_footage import add_frames, small_model
from tests.watching.running import (
    LONGEST_S,
    Running,
    messages_in,
    running,
    settings,
    wait_until,
)
from tests.watching.servers import Camera, Received, mjpeg_camera, receiver
from tlae.model_file import save_model
from tlae.watching.controls import Controls

pytest.importorskip("paho")

from tests.watching.mqtt_broker import Broker, served, sink_of


@contextmanager
def connected(broker: Broker, folder: Path, controls: Controls) -> Iterator[None]:
    """A sink that hears the orders of a broker."""
    with served(broker) as port, closing(sink_of(port, folder, controls)):
        wait_until(lambda: len(broker.subscribed) == 2)
        yield


def test_alarms_and_threshold_are_changed_from_outside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker, place, controls = Broker(), "tlae/front_gate", Controls({}, (), 0.0004)
    with connected(broker, tmp_path, controls):
        assert broker.last(f"{place}/alarms") == b"ON"
        assert broker.last(f"{place}/threshold") == b"0.0004"
        broker.tell(f"{place}/alarms/set", b"off")
        wait_until(lambda: broker.last(f"{place}/alarms") == b"OFF")
        broker.tell(f"{place}/threshold/set", b"0.25")
        wait_until(lambda: broker.last(f"{place}/threshold") == b"0.25")
        assert controls.take_change() == (True, 0.25)
        assert controls.take_change() == (False, 0.25)
        odd_ones = (b"nan", b"-1", b"", b"much", b"\xff" * 20, b"inf", b"1_0", "\u0661".encode())
        for odd in odd_ones:
            broker.tell(f"{place}/threshold/set", odd)
        broker.tell(f"{place}/alarms/set", b"perhaps")
        wait_until(lambda: "must be ON or OFF, got 'perhaps'" in caplog.text)
        assert controls.state() == {"alarms_on": False, "threshold": 0.25}
        broker.tell(f"{place}/threshold/set", b"auto")
        wait_until(lambda: controls.state() == {"alarms_on": False, "threshold": None})


@pytest.mark.parametrize("text", ["0.5", "5e-1", ".5", "+0.5", " 0.50 "])
def test_a_threshold_may_be_written_in_all_common_ways(tmp_path: Path, text: str) -> None:
    broker, controls = Broker(), Controls({}, (), 0.0004)
    with connected(broker, tmp_path, controls):
        broker.tell("tlae/front_gate/threshold/set", text.encode())
        wait_until(lambda: controls.threshold == 0.5)


def test_an_order_that_the_broker_retained_is_not_obeyed_at_each_connection(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker, place, controls = Broker(), "tlae/front_gate", Controls({}, (), 0.0004)
    with connected(broker, tmp_path, controls):
        broker.tell(f"{place}/alarms/set", b"OFF", retained=True)
        broker.tell(f"{place}/threshold/set", b"0.25")
        wait_until(lambda: controls.threshold == 0.25)
        assert controls.alarms_on
    assert "alarms/set holds an order from before" in caplog.text


def test_nobody_is_told_of_events_while_alarms_are_off_and_again_when_they_are_on(
    tmp_path: Path,
) -> None:
    """Switched over MQTT, kept over a restart; the webhook keeps to it as well."""
    save_model(small_model("convlstm"), tmp_path / "gate.safetensors")
    broker, received, out, camera = Broker(), Received(), tmp_path / "out", tmp_path / "in"
    camera.mkdir()
    odd = (*range(6, 10), *range(25, 29), *range(45, 49))

    def told() -> list[str]:
        return [str(message["event"]["id"]) for message in received.messages]

    with served(broker) as port, receiver(received) as url:
        words = ["scoring.threshold=0.46", "events.low=1", "events.merge_s=0.2"]
        words += [f"mqtt.port={port}", "mqtt.host=127.0.0.1", "camera.interval_s=0.1"]
        words += [f"webhook.url={url}"]
        words = settings(tmp_path / "gate.safetensors", camera, out, *words)
        with running(words) as watch:
            watch.wait_for(lambda: len(broker.subscribed) == 2)
            broker.tell("tlae/out/alarms/set", b"OFF")
            watch.wait_for(lambda: broker.last("tlae/out/alarms") == b"OFF")
            add_frames(camera, range(20), odd=odd)
            watch.wait_for(lambda: len(messages_in(out)) == 2)
        broker.clients.clear()
        broker.subscribed.clear()
        with running(words) as watch:
            add_frames(camera, range(20, 42), odd=odd)
            watch.wait_for(lambda: len(broker.subscribed) == 2)
            watch.wait_for(lambda: len(messages_in(out)) == 4)
            assert broker.last("tlae/out/alarms") == b"OFF"
            broker.tell("tlae/out/alarms/set", b"ON")
            watch.wait_for(lambda: broker.last("tlae/out/alarms") == b"ON")
            add_frames(camera, range(42, 60), odd=odd)
            watch.wait_for(lambda: len(messages_in(out)) == 6)
            watch.wait_for(lambda: len(told()) == 2)
    messages = messages_in(out)
    assert [message["quiet"] for message in messages] == [True] * 4 + [False] * 2
    assert told() == [messages[-1]["event"]["id"]] * 2
    published = [json.loads(one) for topic, one, _ in broker.published if topic.endswith("/event")]
    assert [message["id"] for message in published] == [message["id"] for message in messages[4:]]


def test_a_threshold_from_outside_counts_at_once_and_after_a_restart(tmp_path: Path) -> None:
    save_model(small_model("cae"), tmp_path / "gate.safetensors")
    broker, camera, out = Broker(), Camera(), tmp_path / "out"

    def is_fixed(watch: Running) -> bool:
        return bool((watch.status().get("score") or {}).get("threshold") == 0.25)

    with served(broker) as port, mjpeg_camera(camera) as url:
        broker_words = ["mqtt.host=127.0.0.1", f"mqtt.port={port}"]
        words = settings(tmp_path / "gate.safetensors", f"{url}/stream", out, *broker_words)
        with running(words) as watch:
            watch.wait_for(lambda: bool(watch.status().get("score") and broker.subscribed))
            assert not is_fixed(watch)
            broker.tell("tlae/out/threshold/set", b"0.25")
            watch.wait_for(lambda: is_fixed(watch))
        with running(words) as watch:
            watch.wait_for(lambda: is_fixed(watch))
            assert broker.last("tlae/out/threshold") == b"0.25"
        with running([*words, "scoring.threshold=0.5"]) as watch:  # settings that changed win
            watch.wait_for(lambda: bool(watch.status().get("frames", {}).get("scored")))
            watch.wait_for(lambda: watch.status()["score"]["threshold"] == 0.5)


def test_an_order_is_written_down_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill follows: nothing else leads to a transaction."""
    monkeypatch.setattr("tlae.watching.watch.COMMIT_EVERY_S", LONGEST_S)
    monkeypatch.setattr("tlae.watching.watch.STATE_BYTES_S", 1e-6)
    save_model(small_model("cae"), tmp_path / "gate.safetensors")
    broker, camera, out = Broker(), Camera(), tmp_path / "out"

    def kept() -> object:
        with closing(sqlite3.connect(out / "watch.sqlite")) as base:
            row = base.execute("select value from facts where name = 'controls'").fetchone()
        return "nothing yet" if row is None else json.loads(row[0])["threshold"]

    with served(broker) as port, mjpeg_camera(camera) as url:
        broker_words = ["mqtt.host=127.0.0.1", f"mqtt.port={port}"]
        words = settings(tmp_path / "gate.safetensors", f"{url}/stream", out, *broker_words)
        with running(words) as watch:
            watch.wait_for(lambda: bool(watch.status().get("score") and broker.subscribed))
            watch.wait_for(lambda: kept() is None)
            broker.tell("tlae/out/threshold/set", b"0.25")
            watch.wait_for(lambda: kept() == 0.25)
