"""A server that holds up who asks it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silent_server(accepted: threading.Event) -> Iterator[str]:
    """Takes a connection, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            with server.accept()[0]:
                accepted.set()
                ended.wait()

        ended, thread = threading.Event(), threading.Thread(target=take)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            ended.set()
            thread.join()
