"""Carry messages from the outbox to a sink, in order, again and again until each has arrived."""

import logging
import sqlite3
import threading
import time
from collections.abc import Sequence
from typing import Any

from tlae.watching.pacing import pause_s
from tlae.watching.sinks import Refused, Sink, Undelivered
from tlae.watching.store import Store

LONGEST_PAUSE_S = 300.0
DRAIN_S = 15.0  # for messages to leave at the end
LOOK_EVERY_S = 30.0  # at the outbox, where nobody said that there is something new

logger = logging.getLogger(__name__)


class Delivery:
    """A thread for one sink, so that a slow one holds up no other.

    Args:
        store: with the outbox.
        sink: gets the messages.
    """

    def __init__(self, store: Store, sink: Sink) -> None:
        self._store, self._sink = store, sink
        self._news, self._stop = threading.Event(), threading.Event()
        self._failed = ""  # why the last try failed; empty where it did not
        self._sent = self._refused = 0
        self._thread = threading.Thread(target=self._run, name=sink.name, daemon=True)
        self._thread.start()

    def as_json(self) -> dict[str, Any]:
        """What became of messages since the start."""
        return {"sent": self._sent, "refused": self._refused, "trouble": self._failed}

    def wake(self) -> None:
        """There is a new message."""
        self._news.set()

    def close(self, wait_s: float) -> None:
        """End after one more try for each message that waits."""
        self._stop.set()
        self._news.set()
        self._thread.join(wait_s)

    def _run(self) -> None:
        try:
            self._deliver()
        finally:
            self._sink.close()

    def _deliver(self) -> None:
        tries = 0
        while True:
            self._news.clear()
            try:
                arrived = self._send_all()
            except sqlite3.Error as error:
                self._fail(f"the outbox cannot be read: {error}")
                arrived = False
            tries = 0 if arrived else tries + 1
            if self._stop.is_set():
                return
            if arrived:
                if not self._news.wait(LOOK_EVERY_S):
                    self._look_at_sink()
            else:
                self._stop.wait(pause_s(tries, LONGEST_PAUSE_S))

    def _send_all(self) -> bool:
        """Send what waits; False where one did not arrive."""
        while (message := self._store.next_message(self._sink.name)) is not None:
            number, name, body = message
            try:
                self._sink.send(name, body)
                self._sent += 1
            except Undelivered as problem:
                self._fail(str(problem))
                return False
            except Refused as problem:
                self._refused += 1
                logger.warning("%s refuses message %s: %s", self._sink.name, name, problem)
            self._store.delivered(number, self._sink.name)
            self._is_well()
        return True

    def _look_at_sink(self) -> None:
        """Say in time that the next message would not arrive."""
        try:
            self._sink.check()
        except Undelivered as problem:
            self._fail(str(problem))
        else:
            self._is_well()

    def _is_well(self) -> None:
        if self._failed:
            logger.warning("%s takes messages again", self._sink.name)
            self._failed = ""

    def _fail(self, reason: str) -> None:
        if reason != self._failed:
            logger.warning("%s: %s; trying again", self._sink.name, reason)
        self._failed = reason


class Deliveries:
    """All sinks of a watch; within its block messages leave.

    Args:
        store: with the outbox.
        sinks: that get the messages.
    """

    def __init__(self, store: Store, sinks: Sequence[Sink]) -> None:
        self._store, self._sinks = store, sinks
        self._running: list[Delivery] = []

    @property
    def names(self) -> list[str]:
        """Of the sinks."""
        return [sink.name for sink in self._sinks]

    def wake(self) -> None:
        """There may be a new message."""
        for delivery in self._running:
            delivery.wake()

    def as_json(self) -> dict[str, dict[str, Any]]:
        """What became of messages, and how many wait, by sink."""
        waiting = self._store.waiting()
        pairs = zip(self.names, self._running, strict=True)
        return {name: {"waiting": waiting.get(name, 0), **one.as_json()} for name, one in pairs}

    def __enter__(self) -> None:
        self._running = [Delivery(self._store, sink) for sink in self._sinks]

    def __exit__(self, *_: object) -> None:
        ends_s = time.monotonic() + DRAIN_S
        for delivery in self._running:
            delivery.close(max(0.0, ends_s - time.monotonic()))
