"""What the library logs, as plain lines of a command's output."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

ONCE = {"once": True}
"""``extra`` of a record that a command says once, however often it is logged: a server asks a
calibration for each request, a comparison for each day."""

MOST_SAID = 1000  # sentences that are remembered; a server may be asked for ever other budgets


class LogLines(logging.Handler):
    """Prints log records; those of ``ONCE`` are not repeated."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Print one."""
        if getattr(record, "once", False) and self._was_said(record.getMessage()):
            return
        print(self.format(record), flush=True)

    def _was_said(self, sentence: str) -> bool:
        if sentence in self._said:
            return True
        if len(self._said) >= MOST_SAID:
            self._said.clear()
        self._said.add(sentence)
        return False


@contextmanager
def printed_log() -> Iterator[None]:
    """Let what the library logs be part of the command's output."""
    log, handler = logging.getLogger("tlae"), LogLines()
    before = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
