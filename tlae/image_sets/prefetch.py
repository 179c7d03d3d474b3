"""Work ahead in another thread: pictures are decoded while the net describes those before."""

import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import TypeVar

T = TypeVar("T")
PATIENCE_S = 0.1  # how often a waiting side looks whether the other is still there

_END = object()


def prefetch(items: Iterator[T], ahead: int) -> Generator[T, None, None]:
    """Yield ``items`` in their order, drawn in another thread up to ``ahead`` of them early.

    An error of ``items`` is raised here; when this iterator is closed, the thread ends.
    """
    waiting: Queue[object] = Queue(ahead)
    stop = threading.Event()
    failed: list[BaseException] = []

    def put(item: object) -> None:
        while not stop.is_set():
            with suppress(Full):
                waiting.put(item, timeout=PATIENCE_S)
                break

    def draw() -> None:
        try:
            for item in items:
                put(item)
                if stop.is_set():
                    break
        except BaseException as error:  # raised again where the items are used
            failed.append(error)
        finally:
            put(_END)

    thread = threading.Thread(target=draw, daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not _END:
            yield item  # type: ignore[misc]
        if failed:
            raise failed[0]
    finally:
        stop.set()
        while thread.is_alive():
            with suppress(Empty):
                waiting.get(timeout=PATIENCE_S)
        thread.join()
