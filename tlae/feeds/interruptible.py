"""Wait for a server no longer than until the end is asked for."""

import threading
from collections.abc import Callable
from typing import TypeVar

LOOK_S = 0.1  # between two looks at whether to stop

Answered = TypeVar("Answered")


class Stopped(Exception):
    """The end was asked for while a server was waited for."""


def unless_stopped(ask: Callable[[], Answered], stop: threading.Event) -> Answered:
    """Ask in a thread of its own, which is left alone where the end comes first.

    Args:
        ask: may wait; what it raises is raised here.
        stop: ends the waiting.

    Raises:
        Stopped: the end was asked for.
    """
    answers, failures = list[Answered](), list[BaseException]()
    is_there, is_left = threading.Event(), threading.Event()

    def run() -> None:
        try:
            answers.append(ask())
        except BaseException as error:
            if not is_left.is_set():
                failures.append(error)
        is_there.set()

    threading.Thread(target=run, name="request", daemon=True).start()
    while not is_there.wait(LOOK_S):
        if stop.is_set():
            is_left.set()
            raise Stopped
    if failures:
        raise failures.pop()  # a failure that stayed in the list would hold its connection open
    return answers[0]
