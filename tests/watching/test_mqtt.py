"""Messages over MQTT: acknowledged, announced, kept while the broker is away."""

import json
import socket
import socketserver
import sqlite3
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import pytest

from tests.small_footage import frame_image, small_model
from tests.watching.running import (
    LONGEST_S,
    Running,
    messages_in,
    running,
    settings,
    wait_until,
)
from tests.watching.servers import Camera, Received, mjpeg_camera, receiver
from tlae.cli import main
from tlae.model_file import save_model
from tlae.watching.controls import Controls
from tlae.watching.delivery import Deliveries
from tlae.watching.mqtt import MqttSink, topic_of
from tlae.watching.settings import MqttConfig
from tlae.watching.sinks import Undelivered
from tlae.watching.store import Store

pytest.importorskip("paho")


@dataclass
class Broker:
    """What a broker got.

    Attributes:
        published: topic, content and whether it is retained, of each message.
        will: topic and content of the last client's will.
        refuses: whether it takes no login.
        deaf: whether it acknowledges nothing.
        unheard: topics of the messages that it got while it was deaf.
    """

    published: list[tuple[str, bytes, bool]] = field(default_factory=list)
    will: tuple[str, bytes] = ("", b"")
    refuses: bool = False
    deaf: bool = False
    unheard: list[str] = field(default_factory=list)
    subscribed: list[str] = field(default_factory=list)
    clients: list[Any] = field(default_factory=list)

    def tell(self, topic: str, content: bytes, *, retained: bool = False) -> None:
        """Publish to all clients."""
        name = topic.encode()
        body = struct.pack(">H", len(name)) + name + content
        for client in self.clients:
            client.write(bytes([0x31 if retained else 0x30, len(body)]) + body)

    def last(self, topic: str) -> bytes:
        """The last content of a topic."""
        return next(content for name, content, _ in reversed(self.published) if name == topic)


@contextmanager
def served(broker: Broker, port: int = 0) -> Iterator[int]:
    """Port of a broker of MQTT 3.1.1 that takes messages of quality 1."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                while self._take():
                    pass

        def _take(self) -> bool:
            head = self.rfile.read(1)
            if not head:
                return False
            size = shift = 0
            while True:
                byte = self.rfile.read(1)[0]
                size |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            body = self.rfile.read(size)
            kind = head[0] >> 4
            if kind == 1:
                rest = body[10:]
                _, rest = text(rest)
                topic, rest = text(rest)
                content, _ = text(rest)
                broker.will = topic.decode(), content
                self.wfile.write(bytes([0x20, 2, 0, 5 if broker.refuses else 0]))
            elif kind == 3:
                topic, rest = text(body)
                published = topic.decode(), rest[2:], bool(head[0] & 1)
                if broker.deaf:
                    broker.unheard.append(published[0])
                else:
                    broker.published.append(published)
                    self.wfile.write(b"\x40\x02" + rest[:2])
            elif kind == 8:
                rest = body[2:]
                while rest:
                    topic, rest = text(rest)
                    broker.subscribed.append(topic.decode())
                    rest = rest[1:]
                codes = bytes(len(broker.subscribed))
                self.wfile.write(bytes([0x90, 2 + len(codes)]) + body[:2] + codes)
                broker.clients.append(self.wfile)
            elif kind == 12:
                self.wfile.write(b"\xd0\x00")
            return kind != 14

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True

    with Server(("127.0.0.1", port), Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def text(body: bytes) -> tuple[bytes, bytes]:
    """A field with its length before it, and what follows."""
    (size,) = struct.unpack(">H", body[:2])
    return body[2 : 2 + size], body[2 + size :]


def message(kind: str, number: int = 1, health: str = "ok", snapshot: str | None = None) -> str:
    trouble = "camera" if health != "ok" else "scene"
    event = {"id": f"E{number:04d}", "kind": trouble, "health": health}
    return json.dumps({"id": "x", "type": kind, "snapshot": snapshot, "event": event})


def sink_of(port: int, folder: Path, controls: Controls | None = None) -> MqttSink:
    return MqttSink(
        MqttConfig("127.0.0.1", port),
        "front gate",
        "ab12",
        folder,
        set(),
        controls or Controls({}, (), 0.0004),
    )


@contextmanager
def connected(broker: Broker, folder: Path, controls: Controls) -> Iterator[None]:
    """A sink that hears the orders of a broker."""
    with served(broker) as port, closing(sink_of(port, folder, controls)):
        wait_until(lambda: len(broker.subscribed) == 2)
        yield


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


def test_nobody_is_told_of_events_while_alarms_are_off_and_again_when_they_are_on(
    tmp_path: Path,
) -> None:
    """Switched over MQTT, kept over a restart; the webhook keeps to it as well."""
    save_model(small_model("convlstm"), tmp_path / "gate.safetensors")
    broker, received, out, camera = Broker(), Received(), tmp_path / "out", tmp_path / "in"
    camera.mkdir()
    odd = (*range(6, 10), *range(25, 29), *range(45, 49))

    def film(numbers: range) -> None:
        for number in numbers:
            image = frame_image(number, odd=number in odd)
            cv2.imwrite(str(camera / f"{number:03d}.png"), image[..., ::-1])

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
            film(range(20))
            watch.wait_for(lambda: len(messages_in(out)) == 2)
        broker.clients.clear()
        broker.subscribed.clear()
        with running(words) as watch:
            film(range(20, 42))
            watch.wait_for(lambda: len(broker.subscribed) == 2)
            watch.wait_for(lambda: len(messages_in(out)) == 4)
            assert broker.last("tlae/out/alarms") == b"OFF"
            broker.tell("tlae/out/alarms/set", b"ON")
            watch.wait_for(lambda: broker.last("tlae/out/alarms") == b"ON")
            film(range(42, 60))
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
