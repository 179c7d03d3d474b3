"""Signals of the operating system, handled for as long as something runs."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def handled(handle: Callable[[int], object], *numbers: int) -> Iterator[None]:
    """Handle signals within; outside the main thread, where Python allows none, nothing changes.

    Args:
        handle: called with the number of the signal.
        numbers: of signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda came, _: handle(came)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
