"""What a process that runs for long needs: an end in order, a log for machines, few threads."""

import json
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tlae.signals import handled


@contextmanager
def signals_caught(stop: threading.Event) -> Iterator[list[int]]:
    """Set ``stop`` at Ctrl+C and SIGTERM; a second Ctrl+C interrupts at once.

    Yields:
        The signals that came so far.
    """
    caught: list[int] = []

    def end(number: int) -> None:
        if number in caught and number == signal.SIGINT:
            raise KeyboardInterrupt
        caught.append(number)
        stop.set()

    with handled(end, signal.SIGINT, signal.SIGTERM):
        yield caught


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One JSON object a line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        level, where = record.levelname.lower(), record.name
        return json.dumps({"at": at, "level": level, "from": where, "text": record.getMessage()})


@contextmanager
def json_log(wanted: bool) -> Iterator[None]:
    """Let the log be lines of JSON."""
    handlers = logging.getLogger("tlae").handlers if wanted else []
    before = [(handler, handler.formatter) for handler in handlers]
    for handler in handlers:
        handler.setFormatter(_JsonLine())
    try:
        yield
    finally:
        for handler, formatter in before:
            handler.setFormatter(formatter)


def limit_threads(count: int) -> None:
    """Let torch use so many threads, where a model brought it.

    On a machine that has other things to do, further threads wait for each other at every step of a
    net: a frame then takes many times as long.
    """
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(count)
