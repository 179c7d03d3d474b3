"""A watch that runs in a thread of a test, and what it wrote."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tlae.compose import settings_of_words
from tlae.watching.opened_watch import watch
from tlae.watching.watch import WatchReport

LONGEST_S = 180.0


def settings(model_file: Path, camera: object, out: Path, *words: str) -> list[str]:
    """Words of a watch in which nothing takes long."""
    quick = ["camera.poll_s=0.05", "camera.rest_s=0.1", "camera.retry_s=0.2", "device=cpu"]
    return [f"model_file={model_file}", f"camera={camera}", f"out={out}", *quick, *words]


class Running:
    """A watch in a thread."""

    def __init__(self, words: list[str]) -> None:
        self._cfg = settings_of_words("watch", words)
        self._stop = threading.Event()
        self.report: WatchReport | None = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.report = watch(self._cfg, self._stop, lambda line: None)
        except BaseException as error:
            self.error = error

    def status(self) -> dict[str, Any]:
        """What ``status.json`` says; empty before it is there."""
        path = Path(self._cfg.out) / "status.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    def stop(self) -> WatchReport:
        """End it in order."""
        self._stop.set()
        self._thread.join(LONGEST_S)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
        assert self.report is not None
        return self.report

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        ends_s = time.monotonic() + LONGEST_S
        while not condition():
            assert self.error is None, self.error
            assert time.monotonic() < ends_s, self.status()
            time.sleep(0.02)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    ends_s = time.monotonic() + LONGEST_S
    while not condition():
        assert time.monotonic() < ends_s
        time.sleep(0.02)


@contextmanager
def running(words: list[str]) -> Iterator[Running]:
    """A watch that runs within."""
    one = Running(words)
    try:
        yield one
    finally:
        one.stop()


def messages_in(out: Path) -> list[dict[str, Any]]:
    """All messages of a watch."""
    path = out / "events.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [json.loads(line) for line in lines]


def scores_in(out: Path) -> list[tuple[Any, ...]]:
    """File, raw score, alarm and time of every scored frame."""
    with closing(sqlite3.connect(out / "watch.sqlite")) as base:
        return base.execute("select file, raw, alarm, time from scores order by number").fetchall()


def require_whole(messages: list[dict[str, Any]], *, ended: bool = True) -> None:
    """Every event has one message of its begin and one of its end, in order, and no id twice."""
    ids = [message["id"] for message in messages]
    assert len(ids) == len(set(ids))
    kinds: dict[str, list[str]] = {}
    for message in messages:
        kinds.setdefault(message["event"]["id"], []).append(message["type"])
    for name, of_one in kinds.items():
        assert of_one[0] == "new", name
        assert of_one[1:-1] == ["update"] * (len(of_one) - 2), name
        assert of_one[-1] == "end" or not ended, name
