"""All sessions of a server; those that nobody asks for are closed."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tlae.serving.refusals import Refused, not_found
from tlae.serving.sessions import Session


class Sessions:
    """All sessions of a server.

    Args:
        most: at the same time.
        idle_s: one without a request for so long is closed [s].
        closed: takes the id of each that is closed.
    """

    def __init__(
        self, most: int, idle_s: float, closed: Callable[[str], None] = lambda session: None
    ) -> None:
        self._most, self._idle_s, self._closed = most, idle_s, closed
        self._known: dict[str, Session] = {}
        self._lock = threading.Lock()

    def add(self, session: Session) -> Session:
        """Take one in.

        Raises:
            Refused: 429, there are as many as may be.
        """
        with self._changed() as known:
            if len(known) >= self._most:
                raise Refused(
                    429, f"there may be at most {self._most} sessions; close one, or wait"
                )
            known[session.id] = session
        return session

    def get(self, key: str) -> Session:
        """A session, which counts as used now.

        Raises:
            Refused: 404, there is none of that id.
        """
        with self._changed() as known:
            if key not in known:
                raise not_found("session", key)
            known[key].used_s = time.monotonic()
            return known[key]

    def all(self) -> list[Session]:
        """In the order in which they were created."""
        with self._changed() as known:
            return list(known.values())

    def remove(self, key: str) -> Session:
        """Take one out; see ``get``."""
        session = self.get(key)
        with self._changed() as known:
            known.pop(key, None)
        self._closed(key)
        return session

    @contextmanager
    def _changed(self) -> Iterator[dict[str, Session]]:
        with self._lock:
            limit = time.monotonic() - self._idle_s
            for key in [key for key, one in self._known.items() if one.used_s < limit]:
                del self._known[key]
                self._closed(key)
            yield self._known
