"""Messages over MQTT, with what Home Assistant needs to show the camera by itself.

Our outbox is the queue: paho's own is in memory, and drops the newest message when it is full. So
a message counts as received when the broker has acknowledged it, and one that it did not
acknowledge in time goes with its client.
"""

import json
import logging
import math
import re
import ssl
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from tlae import __version__
from tlae.http_client import in_words
from tlae.scoring.events import CAMERA
from tlae.setting_rules import LARGE
from tlae.watching.controls import Controls
from tlae.watching.messages import END, LOST
from tlae.watching.settings import MqttConfig
from tlae.watching.sinks import Undelivered, read_secret

QOS = 1
KEEPALIVE_S = 30
WAIT_S = 10.0  # for the broker
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1, 60  # between tries to reach the broker
ONLINE, OFFLINE = "online", "offline"
ON, OFF = "ON", "OFF"
NO_CONNECTION, NO_ANSWER = "no connection yet", "takes the connection and does not answer"
ALARMS, THRESHOLD = "alarms", "threshold"  # topics of what can be changed
AS_SETTINGS = "auto"  # a threshold as the settings say
LEAST_SHOWN, MOST_TIMES = 1.0, 1_000_000_000  # of a threshold in Home Assistant
MOST_TEXT = 50

_NUMBER = re.compile(r"\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

logger = logging.getLogger(__name__)


class MqttSink:
    """Publish each message, the state of the alarm, and the snapshot.

    Args:
        cfg: where the broker is.
        camera: its name.
        watch_id: unique to this watch.
        folder: of the watch, where snapshots lie.
        opened: ids of the events that go on.
        controls: that its switch and number change.

    Raises:
        UserError: the file of the password cannot be read.
    """

    name = "mqtt"

    def __init__(
        self,
        cfg: MqttConfig,
        camera: str,
        watch_id: str,
        folder: Path,
        opened: set[str],
        controls: Controls,
    ) -> None:
        self._cfg, self._camera, self._folder = cfg, camera, folder
        self._id = f"tlae_{watch_id}"
        self._topic = f"{cfg.topic}/{topic_of(camera)}"
        self._opened, self._is_lost, self._controls = opened, False, controls
        self._password = None
        if cfg.password_file is not None:
            password = read_secret(Path(cfg.password_file), "mqtt.password_file")
            self._password = password.decode()
        self._trouble = NO_CONNECTION
        self._connected = threading.Event()
        self._client = self._begun()
        controls.listen(self._show_controls)

    def send(self, name: str, body: str) -> None:
        """Publish the message last, so that a failure before it repeats nothing."""
        if not self._connected.wait(WAIT_S):
            raise Undelivered(f"{self._cfg.host}: {self._trouble}")
        message = json.loads(body)
        event = message["event"]
        if event["kind"] == CAMERA and event["health"] == LOST:
            self._is_lost = message["type"] != END
        if message["type"] == END:
            self._opened.discard(event["id"])
        else:
            self._opened.add(event["id"])
        try:
            parts = [self._publish(topic, value) for topic, value in self._states().items()]
            if (picture := self._picture(message["snapshot"])) is not None:
                parts.append(self._publish("snapshot", picture))
            parts.append(self._publish("event", body, retain=False))
            for part in parts:
                part.wait_for_publish(WAIT_S)
            is_published = all(part.is_published() for part in parts)
        except (RuntimeError, ValueError) as error:
            raise Undelivered(f"{self._cfg.host}: {error}") from error
        if not is_published:
            self._end()
            self._client = self._begun()
            raise Undelivered(f"{self._cfg.host} did not acknowledge in time")

    def check(self) -> None:
        """Say that there is no connection, though nothing is to be sent: orders do not come."""
        if not self._connected.is_set():
            raise Undelivered(f"{self._cfg.host}: {self._trouble}")

    def close(self) -> None:
        """Say goodbye; a broker that hears nothing says it for us."""
        if self._connected.is_set():
            self._publish("availability", OFFLINE).wait_for_publish(1.0)
        self._end()

    def _begun(self) -> Client:
        cfg = self._cfg
        client = Client(CallbackAPIVersion.VERSION2, client_id=self._id)
        if cfg.user is not None:
            client.username_pw_set(cfg.user, self._password)
        if cfg.tls:
            client.tls_set_context(ssl.create_default_context())
        client.will_set(f"{self._topic}/availability", OFFLINE, QOS, retain=True)
        client.reconnect_delay_set(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        client.on_socket_open = self._on_socket
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_failure
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.connect_async(cfg.host or "", cfg.port, KEEPALIVE_S)
        client.loop_start()
        return client

    def _end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._connected.clear()

    def _on_socket(self, client: Client, data: Any, connection: Any) -> None:
        """The broker took the connection; it has yet to say that we are welcome."""
        if self._trouble == NO_CONNECTION:
            self._trouble = NO_ANSWER

    def _on_connect(
        self,
        client: Client,
        data: Any,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        """Every connection announces the camera anew, for its will said that it is gone."""
        if reason.is_failure:
            self._trouble = f"refuses: {reason}".lower()
            return
        self._trouble = ""
        discovery = f"{self._cfg.discovery}/device/{self._id}/config"
        client.publish(discovery, json.dumps(self._described()), QOS, retain=True)
        client.publish(f"{self._topic}/availability", ONLINE, QOS, retain=True)
        for topic, value in {**self._states(), **self._settings()}.items():
            client.publish(f"{self._topic}/{topic}", value, QOS, retain=True)
        client.subscribe([(f"{self._topic}/{name}/set", QOS) for name in (ALARMS, THRESHOLD)])
        self._connected.set()

    def _on_message(self, client: Client, data: Any, message: MQTTMessage) -> None:
        """A switch or number was changed; what makes no sense is logged.

        An order that the broker retained comes again with each connection, and may be older than
        others: it is no news.
        """
        if message.retain:
            logger.warning(
                "%s holds an order from before, which is passed over; publish orders unretained",
                message.topic,
            )
            return
        name = message.topic.removeprefix(f"{self._topic}/").removesuffix("/set")
        text = message.payload.decode("utf-8", "replace").strip()[:MOST_TEXT]
        if name == ALARMS and text.upper() in (ON, OFF):
            self._controls.switch_alarms(on=text.upper() == ON)
        elif name == THRESHOLD and text.lower() == AS_SETTINGS:
            self._controls.fix_threshold(None)
        elif name == THRESHOLD and (value := _positive(text)) is not None:
            self._controls.fix_threshold(value)
        else:
            rule = f"{ON} or {OFF}" if name == ALARMS else f"a number > 0 or {AS_SETTINGS}"
            logger.warning("%s must be %s, got %r", message.topic, rule, text)
            self._show_controls()

    def _on_failure(self, client: Client, data: Any) -> None:
        error = sys.exception()  # paho calls this where it handles the failure
        self._trouble = "cannot be reached" + (f": {in_words(error)}" if error else "")

    def _on_disconnect(
        self,
        client: Client,
        data: Any,
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._connected.clear()
        self._trouble = self._trouble or f"the connection is gone: {reason}".lower()

    def _states(self) -> dict[str, str]:
        """Last part of a topic, and what is retained there."""
        is_alarm, is_lost = bool(self._opened), self._is_lost
        return {"alarm": ON if is_alarm else OFF, "camera": OFF if is_lost else ON}

    def _settings(self) -> dict[str, str]:
        """As ``_states``, of what can be changed."""
        controls = self._controls
        found = {ALARMS: ON if controls.alarms_on else OFF}
        if math.isfinite(controls.threshold):
            found[THRESHOLD] = f"{controls.threshold:.6g}"
        return found

    def _show_controls(self) -> None:
        """Publish what was changed; each connection does so as well."""
        if self._connected.is_set():
            for topic, value in self._settings().items():
                self._publish(topic, value)

    def _publish(self, topic: str, value: str | bytes, *, retain: bool = True) -> MQTTMessageInfo:
        return self._client.publish(f"{self._topic}/{topic}", value, QOS, retain=retain)

    def _picture(self, snapshot: str | None) -> bytes | None:
        """The snapshot; None where there is none, or it was deleted since."""
        try:
            return None if snapshot is None else (self._folder / snapshot).read_bytes()
        except OSError:
            return None

    def _described(self) -> dict[str, Any]:
        """Device discovery of Home Assistant."""

        def part(key: str, platform: str, name: str, **more: Any) -> dict[str, Any]:
            return {"p": platform, "unique_id": f"{self._id}_{key}", "name": name, **more}

        topic = self._topic
        return {
            "dev": {"ids": [self._id], "name": self._camera, "mf": "tlae", "sw": __version__},
            "o": {"name": "tlae", "sw": __version__},
            "availability": [{"topic": f"{topic}/availability"}],
            "qos": QOS,
            "cmps": {
                "alarm": part(
                    *("alarm", "binary_sensor", "Alarm"),
                    device_class="problem",
                    state_topic=f"{topic}/alarm",
                    json_attributes_topic=f"{topic}/event",
                    json_attributes_template="{{ value_json.event | tojson }}",
                ),
                "camera": part(
                    *("camera", "binary_sensor", "Camera"),
                    device_class="connectivity",
                    entity_category="diagnostic",
                    state_topic=f"{topic}/camera",
                ),
                ALARMS: part(
                    *(ALARMS, "switch", "Alarms"),
                    entity_category="config",
                    state_topic=f"{topic}/{ALARMS}",
                    command_topic=f"{topic}/{ALARMS}/set",
                ),
                THRESHOLD: self._threshold_part(part),
                "snapshot": part(
                    *("snapshot", "image", "Last event"),
                    image_topic=f"{topic}/snapshot",
                    content_type="image/jpeg",
                ),
            },
        }

    def _threshold_part(self, part: Callable[..., dict[str, Any]]) -> dict[str, Any]:
        """Home Assistant takes no steps below 0.001, and raw scores are small: it shows more."""
        threshold, times = self._controls.threshold, 1
        while math.isfinite(threshold) and threshold * times < LEAST_SHOWN and times < MOST_TIMES:
            times *= 1000
        name = "Threshold" if times == 1 else f"Threshold x {times:,}"
        return part(
            *(THRESHOLD, "number", name),
            entity_category="config",
            mode="box",
            min=0.001,
            max=1_000_000,
            step=0.001,
            state_topic=f"{self._topic}/{THRESHOLD}",
            value_template=f"{{{{ value | float * {times} }}}}",
            command_topic=f"{self._topic}/{THRESHOLD}/set",
            command_template=f"{{{{ value / {times} }}}}",
        )


def topic_of(camera: str) -> str:
    """Name of a camera as a level of a topic: letters of any script stay, so that names differ."""
    return re.sub(r"[\x00-\x9f](?<![0-9A-Za-z_-])", "_", camera)


def _positive(text: str) -> float | None:
    """A number above 0; None: it is none. Python alone would read 1_0 as ten."""
    value = float(text) if _NUMBER.fullmatch(text) else 0.0
    return value if 0 < value < LARGE else None
