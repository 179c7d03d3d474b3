"""Messages over MQTT: acknowledged, announced, kept while the broker is away."""

import json
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.watching.running import settings
from tlae.cli import main
from tlae.watching.mqtt import MqttSink
from tlae.watching.settings import MqttConfig
from tlae.watching.sinks import Undelivered

pytest.importorskip("paho")


@dataclass
class Broker:
    """What a broker got.

    Attributes:
        published: topic, content and whether it is retained, of each message.
        will: topic and content of the last client's will.
        refuses: whether it takes no login.
        deaf: whether it acknowledges nothing.
    """

    published: list[tuple[str, bytes, bool]] = field(default_factory=list)
    will: tuple[str, bytes] = ("", b"")
    refuses: bool = False
    deaf: bool = False

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
                if not broker.deaf:
                    broker.published.append(published)
                    self.wfile.write(b"\x40\x02" + rest[:2])
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


def sink_of(port: int, folder: Path) -> MqttSink:
    return MqttSink(MqttConfig("127.0.0.1", port), "front gate", "ab12", folder, set())


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
    assert names == ["tlae_ab12_alarm", "tlae_ab12_camera", "tlae_ab12_snapshot"]
    assert all(retained for topic, _, retained in broker.published if not topic.endswith("event"))


def test_a_broker_that_is_away_refuses_or_is_deaf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tlae.watching.mqtt.WAIT_S", 0.5)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    sink, broker = sink_of(port, tmp_path), Broker(refuses=True)
    with pytest.raises(Undelivered, match="cannot be reached"):
        sink.send("x-1", message("new"))
    with served(broker, port):
        monkeypatch.setattr("tlae.watching.mqtt.WAIT_S", 4.0)
        with pytest.raises(Undelivered, match="refuses: not authorized"):
            sink.send("x-1", message("new"))
        broker.refuses, broker.deaf = False, True
        with pytest.raises(Undelivered, match="did not acknowledge"):
            sink.send("x-1", message("new"))
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
