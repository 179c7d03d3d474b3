"""A small MQTT broker on this machine, and what publishes to it."""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tlae.watching.controls import Controls
from tlae.watching.mqtt import MqttSink
from tlae.watching.settings import MqttConfig


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


def sink_of(port: int, folder: Path, controls: Controls | None = None) -> MqttSink:
    return MqttSink(
        MqttConfig("127.0.0.1", port),
        "front gate",
        "ab12",
        folder,
        set(),
        controls or Controls({}, (), 0.0004),
    )
