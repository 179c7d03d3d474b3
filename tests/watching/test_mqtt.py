"""Messages over MQTT: acknowledged, announced, kept while the broker is away."""

import json
import socket
from contextlib import closing
from pathlib import Path

import pytest

from tests.watching.running import LONGEST_S, settings, wait_until
from tlae.cli import main
from tlae.watching.controls import Controls
from tlae.watching.delivery import Deliveries
from tlae.watching.settings import MqttConfig
from tlae.watching.sinks import Undelivered
from tlae.watching.store import Store

pytest.importorskip("paho")

from tests.watching.mqtt_broker import Broker, served, sink_of
from tlae.watching.mqtt import MqttSink, topic_of


def message(kind: str, number: int = 1, health: str = "ok", snapshot: str | None = None) -> str:
    trouble = "camera" if health != "ok" else "scene"
    event = {"id": f"E{number:04d}", "kind": trouble, "health": health}
    return json.dumps({"id": "x", "type": kind, "snapshot": snapshot, "event": event})


def test_alarm_camera_snapshot_and_event_are_published(tmp_path: Path) -> None:
    broker, place = Broker(), "tlae/front_gate"
    (tmp_path / "one.jpg").write_bytes(b"picture")
    with served(broker) as port:
        sink = sink_of(port, tmp_path)
        sink.send("x-1", message("new", snapshot="one.jpg"))
        assert broker.last(f"{place}/alarm") == b"ON"
        assert broker.last(f"{place}/snapshot") == b"picture"
        assert broker.published[-1] == (
            f"{place}/event",
            message("new", 1, "ok", "one.jpg").encode(),
            False,
        )
        sink.send("x-2", message("new", 2, "lost"))
        assert broker.last(f"{place}/camera") == b"OFF"
        sink.send("x-3", message("end", 2, "lost"))
        assert (broker.last(f"{place}/camera"), broker.last(f"{place}/alarm")) == (b"ON", b"ON")
        sink.send("x-4", message("end"))
        assert broker.last(f"{place}/alarm") == b"OFF"
        assert broker.last(f"{place}/availability") == b"online"
        sink.close()
        assert broker.last(f"{place}/availability") == b"offline"
    assert broker.will == (f"{place}/availability", b"offline")
    described = json.loads(broker.last("homeassistant/device/tlae_ab12/config"))
    assert described["dev"]["ids"] == ["tlae_ab12"]
    assert described["o"]["name"] == "tlae"
    names = [part["unique_id"] for part in described["cmps"].values()]
    keys = ("alarm", "camera", "alarms", "threshold", "snapshot")
    assert names == [f"tlae_ab12_{key}" for key in keys]
    number = described["cmps"]["threshold"]
    assert number["value_template"] == "{{ value | float * 1000000 }}"  # a step is 0.001
    assert number["command_template"] == "{{ value / 1000000 }}"
    assert all(retained for topic, _, retained in broker.published if not topic.endswith("event"))


@pytest.mark.parametrize(
    ("camera", "topic"),
    [
        ("front gate", "front_gate"),
        ("Gate#1/+$", "Gate_1___"),
        ("Außentür", "Außentür"),
        ("门", "门"),
        ("窗", "窗"),
    ],
)
def test_cameras_with_names_in_any_script_have_topics_of_their_own(camera: str, topic: str) -> None:
    assert topic_of(camera) == topic


def test_a_broker_that_refuses_is_reported_though_nothing_is_to_be_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tlae.watching.delivery.LOOK_EVERY_S", 0.1)
    monkeypatch.setattr("tlae.watching.mqtt.FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr("tlae.watching.mqtt.LONGEST_PAUSE_S", 0.05)
    broker = Broker(refuses=True)
    with served(broker) as port, closing(Store(tmp_path)) as store:
        deliveries = Deliveries(store, [sink_of(port, tmp_path)])
        with deliveries:
            wait_until(lambda: "not authorized" in deliveries.as_json()["mqtt"]["trouble"])
            broker.refuses = False
            wait_until(lambda: not deliveries.as_json()["mqtt"]["trouble"])
    assert "mqtt: 127.0.0.1: refuses: not authorized; trying again" in caplog.text
    assert "mqtt takes messages again" in caplog.text


def test_why_a_broker_cannot_be_reached_is_said(tmp_path: Path) -> None:
    cfg = MqttConfig("no-such-host.invalid")
    sink = MqttSink(cfg, "gate", "ab12", tmp_path, set(), Controls({}, (), 0.1))
    wait_until(lambda: "cannot be reached: " in check_of(sink))
    sink.close()


def test_a_broker_that_takes_the_connection_and_says_nothing_is_told_of(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sink = sink_of(silent.getsockname()[1], tmp_path)
        wait_until(lambda: "takes the connection and does not answer" in check_of(sink))
        sink.close()


def check_of(sink: MqttSink) -> str:
    """What is known against the next message; empty: nothing."""
    try:
        sink.check()
    except Undelivered as error:
        return str(error)
    return ""


def trouble_of(sink: MqttSink) -> str:
    """Why the sink cannot deliver a message now; empty when it does."""
    try:
        sink.send("x-1", message("new"))
    except Undelivered as error:
        return str(error)
    return ""


def test_a_broker_that_is_away_refuses_or_is_deaf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tlae.watching.mqtt.WAIT_S", 0.5)
    monkeypatch.setattr("tlae.watching.mqtt.FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr("tlae.watching.mqtt.LONGEST_PAUSE_S", 0.05)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    sink, broker = sink_of(port, tmp_path), Broker(refuses=True)
    wait_until(lambda: "cannot be reached" in trouble_of(sink))
    with served(broker, port):
        wait_until(lambda: "refuses: not authorized" in trouble_of(sink))
        broker.deaf = True
        broker.refuses = False
        wait_until(lambda: "did not acknowledge" in trouble_of(sink))
        wait_until(lambda: any(topic.endswith("/event") for topic in broker.unheard))
        monkeypatch.setattr("tlae.watching.mqtt.WAIT_S", LONGEST_S)
        broker.deaf = False
        sink.send("x-1", message("new"))
        sink.close()
    events = [topic for topic, _, _ in broker.published if topic.endswith("/event")]
    assert len(events) == 1


def test_a_topic_with_a_wildcard_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = settings(tmp_path / "m", tmp_path, tmp_path / "out", "mqtt.topic=a/#")
    assert main(["watch", *words]) == 2
    assert "mqtt.topic must not hold" in capsys.readouterr().err
