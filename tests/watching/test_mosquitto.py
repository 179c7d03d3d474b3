"""A real broker that is down for a while: every message arrives, once."""

import getpass
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.small_footage import add_frames, small_model
from tests.watching.running import messages_in, require_whole, running, settings, wait_until
from tlae.model_file import save_model

paho = pytest.importorskip("paho.mqtt.client", reason="needs the extra mqtt")

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
ODD = (*range(6, 10), *range(25, 29), *range(45, 49))  # three events


@contextmanager
def mosquitto(folder: Path, port: int) -> Iterator[None]:
    """A broker that keeps what its subscribers have missed; it stores them when it ends."""
    config = folder / "mosquitto.conf"
    config.write_text(
        f"user {getpass.getuser()}\n"  # else root becomes another, who may not write here
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
        f"persistence_location {folder}/\nautosave_interval 1\nautosave_on_changes true\n",
        encoding="utf-8",
    )
    assert MOSQUITTO is not None
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(port))
        yield
    finally:
        process.terminate()
        process.wait()


def answers(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


class Subscriber:
    """Somebody who wants every event, also those of while he was away."""

    def __init__(self, port: int) -> None:
        self.events: list[dict[str, Any]] = []
        self.is_known = False
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id="subscriber", clean_session=False
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("tlae/+/event", qos=1)
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._received
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()

    def _received(self, _: object, __: object, got: paho.MQTTMessage) -> None:
        event = json.loads(got.payload)
        if got.dup and event in self.events:
            return  # the broker ended before it knew that this one had come
        self.events.append(event)

    def _subscribed(self, *_: object) -> None:
        self.is_known = True

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.mark.skipif(MOSQUITTO is None, reason="needs Debian's mosquitto")
def test_a_broker_that_is_down_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tlae.watching.mqtt.LONGEST_PAUSE_S", 0.5)
    save_model(small_model("convlstm"), tmp_path / "gate.safetensors")
    camera, out, kept = tmp_path / "in", tmp_path / "out", tmp_path / "broker"
    camera.mkdir()
    kept.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    words = ["scoring.threshold=0.46", "events.low=1", "events.merge_s=0.2"]
    words += ["mqtt.host=127.0.0.1", f"mqtt.port={port}", "camera.interval_s=0.1"]
    words = settings(tmp_path / "gate.safetensors", camera, out, *words)
    with closing(Subscriber(port)) as subscriber, running(words) as watch:
        with mosquitto(kept, port):
            wait_until(lambda: subscriber.is_known)
        add_frames(camera, range(20), odd=ODD)  # the first event, while the broker is down
        watch.wait_for(lambda: len(messages_in(out)) == 2)
        assert subscriber.events == []
        with mosquitto(kept, port):
            watch.wait_for(lambda: len(subscriber.events) == 2)
        add_frames(camera, range(20, 42), odd=ODD)  # the second one, while it is down again
        watch.wait_for(lambda: len(messages_in(out)) == 4)
        with mosquitto(kept, port):
            add_frames(camera, range(42, 60), odd=ODD)
            watch.wait_for(lambda: len(messages_in(out)) == 6)
            watch.wait_for(lambda: len(subscriber.events) == 6)
    require_whole(messages_in(out))
    assert [one["id"] for one in subscriber.events] == [one["id"] for one in messages_in(out)]
