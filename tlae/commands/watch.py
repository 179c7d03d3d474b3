"""tlae watch model_file=PATH camera=ADDRESS out=FOLDER [webhook.url=URL] [command.run=[a,b]].

Watches a camera as its frames arrive, and says at once what is unusual. camera is rtsp://, http://
or https:// (a stream, or a picture that is asked for again and again), the number of a USB camera,
a folder that fills, or a video file. Writes <out>/: events.jsonl (one message a line: an event is
new, goes on, is over), snapshots/ (each event at its worst), status.json (frames, latency, age of
the last frame, outbox), watch.sqlite (what a restart goes on from). Messages go to a webhook or a
program as well; one that is down gets them later. Ctrl+C or SIGTERM ends it, the same command
continues.
"""

import json
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from tlae.watching.settings import WatchConfig
from tlae.watching.watch import watch


def run(cfg: WatchConfig) -> None:
    """Watch until a signal comes or a file ends."""
    stop, caught = threading.Event(), list[int]()
    with _signals(stop, caught), _json_log(cfg.log == "json"):
        report = watch(cfg, stop, _show if cfg.log == "plain" and sys.stderr.isatty() else _hide)
    if signal.SIGINT in caught:
        raise KeyboardInterrupt
    if cfg.log == "plain":
        print(f"done: {report.scored:,} frames scored, {report.events:,} events: {report.folder}")
        if report.waiting:
            print(f"{report.waiting:,} messages wait to be sent; the same command sends them")


def _show(line: str) -> None:
    print(f"\x1b[K{line}", end="\r", file=sys.stderr, flush=True)


def _hide(line: str) -> None:
    """Nothing is shown where no terminal is."""


@contextmanager
def _signals(stop: threading.Event, caught: list[int]) -> Iterator[None]:
    """Ctrl+C and SIGTERM end the watch in order; a second Ctrl+C at once."""

    def end(number: int, frame: object) -> None:
        if number in caught and number == signal.SIGINT:
            raise KeyboardInterrupt
        caught.append(number)
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One JSON object a line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        level, where = record.levelname.lower(), record.name
        return json.dumps({"at": at, "level": level, "from": where, "text": record.getMessage()})


@contextmanager
def _json_log(wanted: bool) -> Iterator[None]:
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
