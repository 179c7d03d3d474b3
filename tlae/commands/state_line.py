"""One line about the state of a command that runs for long, written over the one before."""

import sys
from collections.abc import Callable


def state_line(*, is_shown: bool) -> Callable[[str], None]:
    """What shows a line: on a terminal, where one is there and the log is for people."""
    return _show if is_shown and sys.stderr.isatty() else _hide


def _show(line: str) -> None:
    print(f"\x1b[K{line}", end="\r", file=sys.stderr, flush=True)


def _hide(line: str) -> None:
    """Nothing is shown where no terminal is."""
