"""Progress of long work: a bar in a terminal and in Jupyter; elsewhere plain lines, or nothing."""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from tlae.number_words import per_second

if TYPE_CHECKING:
    from rich.progress import Progress

LINE_EVERY_S = 10.0
AUTO, LINES, OFF = "auto", "lines", "off"

_mode: ContextVar[str] = ContextVar("progress", default=AUTO)
_listener: ContextVar["Listener | None"] = ContextVar("listener", default=None)


class Advance(Protocol):
    """Report progress: call it with the number of items finished since the last call."""

    def __call__(self, done: int = 1) -> None:
        """Advance by ``done`` items."""
        ...


class Listener(Protocol):
    """Is told how far work is, in place of anything shown; what it raises ends the work."""

    def __call__(self, label: str, done: int, total: int | None) -> None:
        """Take what is being done, items done, and items in all (None: not known)."""
        ...


def quiet(done: int = 1) -> None:
    """No progress shown."""


@contextmanager
def progress_as(mode: str) -> Iterator[None]:
    """Choose how progress is shown within.

    Args:
        mode: ``auto`` (a bar in a terminal and in Jupyter, else nothing), ``lines`` (plain lines
            where no bar can be shown) or ``off``.
    """
    before = _mode.set(mode)
    try:
        yield
    finally:
        _mode.reset(before)


def progress_shown(shown: bool) -> AbstractContextManager[None]:
    """Show a bar within, where one can be shown, or nothing."""
    return progress_as(AUTO if shown else OFF)


@contextmanager
def progress_heard(listener: Listener) -> Iterator[None]:
    """Report progress to a listener within, in this thread."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


def shows_bars() -> bool:
    """Whether progress is shown as a bar."""
    return _mode.get() != OFF and (sys.stderr.isatty() or "ipykernel" in sys.modules)


@contextmanager
def progress(label: str, total: int | None, unit: str = "frames") -> Iterator[Advance]:
    """Show how far ``label`` is, how fast, and how long it will still take.

    Args:
        label: what is being done, e.g. "reading Test".
        total: number of items, None if not known.
        unit: what is counted.
    """
    if (listener := _listener.get()) is not None:
        yield _heard(listener, label, total)
        return
    if shows_bars():
        with _bar(label, unit) as bar:
            task = bar.add_task(label, total=total, rate="")
            started = time.monotonic()

            def advance(done: int = 1) -> None:
                bar.advance(task, done)
                rate = bar.tasks[task].completed / max(time.monotonic() - started, 1e-6)
                bar.update(task, rate=f"{per_second(rate)} {unit}/s")

            yield advance
        return
    if _mode.get() != LINES:
        yield quiet
        return
    lines = _Lines(label, total, unit)
    yield lines.advance
    lines.close()


def _heard(listener: Listener, label: str, total: int | None) -> Advance:
    finished = 0

    def advance(done: int = 1) -> None:
        nonlocal finished
        finished += done
        listener(label, finished, total)

    return advance


def _bar(label: str, unit: str) -> "Progress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


class _Lines:
    """Plain lines for logs: one every ten seconds, one at the end if it took that long."""

    def __init__(self, label: str, total: int | None, unit: str) -> None:
        self.label, self.total, self.unit = label, total, unit
        self.done, self.started = 0, time.monotonic()
        self.shown = self.started

    def advance(self, done: int = 1) -> None:
        self.done += done
        now = time.monotonic()
        if now - self.shown >= LINE_EVERY_S:
            self.shown = now
            self._show(now)

    def close(self) -> None:
        if self.shown > self.started:
            self._show(time.monotonic())

    def _show(self, now: float) -> None:
        rate = self.done / max(now - self.started, 1e-6)
        line = f"{self.label}: {self.done:,}"
        if self.total:
            line += f" of {self.total:,}"
        line += f" {self.unit}, {per_second(rate)}/s"
        if self.total and self.done:
            line += f", {max(self.total - self.done, 0) / rate:,.0f} s left"
        print(line, file=sys.stderr, flush=True)  # noqa: T201  showing is what this file is for
