"""The sinks that the settings name."""

import logging
from pathlib import Path

from tlae.watching.controls import Controls
from tlae.watching.settings import WatchConfig
from tlae.watching.sinks import CommandSink, FileSink, Sink, WebhookSink

EVENTS = "events.jsonl"

logger = logging.getLogger(__name__)


class DrySink:
    """Say what a sink would get.

    Args:
        name: of that sink.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def send(self, name: str, body: str) -> None:
        """Log the message."""
        logger.warning("dry run, %s would get: %s", self.name, body)

    def check(self) -> None:
        """All is well."""

    def close(self) -> None:
        """Nothing is open."""


def sinks_of(
    cfg: WatchConfig, folder: Path, watch_id: str, opened: set[str], controls: Controls
) -> list[Sink]:
    """The sinks that settings name, a file first.

    Args:
        cfg: settings.
        folder: of the watch.
        watch_id: unique to it.
        opened: ids of the events that go on.
        controls: that a broker may change.

    Raises:
        UserError: one of them cannot work.
    """
    sinks: list[Sink] = [FileSink(folder / EVENTS)]
    named = {
        WebhookSink.name: cfg.webhook.url is not None,
        CommandSink.name: bool(cfg.command.run),
        "mqtt": cfg.mqtt.host is not None,
    }
    if cfg.dry_run:
        return sinks + [DrySink(name) for name, is_given in named.items() if is_given]
    if named[WebhookSink.name]:
        sinks.append(WebhookSink(cfg.webhook))
    if named[CommandSink.name]:
        sinks.append(CommandSink(cfg.command))
    if named["mqtt"]:
        from tlae.watching.mqtt import MqttSink  # brings a library of an extra

        camera = cfg.name or folder.resolve().name
        sinks.append(MqttSink(cfg.mqtt, camera, watch_id, folder, opened, controls))
    return sinks
