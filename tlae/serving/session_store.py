"""Sessions that outlive the server: one SQLite file, and the marks that people gave to events.

A session is written at most once a second, so a kill loses the frames of the last moment; the count
of frames in a session tells a client where to go on.
"""

import json
import logging
import sqlite3
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tlae.errors import UserError
from tlae.scoring.events import Event
from tlae.serving.seen_frames import EndedEvent
from tlae.serving.session_list import Sessions
from tlae.serving.sessions import Session
from tlae.serving.shelf import ModelShelf
from tlae.whole_file import explain_os_errors, write_json

FILE, MARKS = "sessions.sqlite", "marks.json"
EVERY_S = 1.0
BYTES_S = 2e7  # of state written in a second, at most

_TABLES = """
create table if not exists sessions (id text primary key, facts text, live blob);
create table if not exists events (
    session text, id text, body text, snapshot blob, primary key (session, id));
"""

logger = logging.getLogger(__name__)


class SessionStore:
    """The sessions of a server on disk. Any thread may call its methods.

    Args:
        folder: it is made; one server at a time uses it.

    Raises:
        UserError: it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, threading.RLock()
        self._due_s: dict[str, float] = {}
        self._drawn: dict[str, dict[str, int]] = {}  # worst frames of open events, as written
        with explain_os_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            self._base = sqlite3.connect(
                folder / FILE, isolation_level=None, check_same_thread=False
            )
            self._base.execute("pragma journal_mode = wal")
            self._base.executescript(_TABLES)
        except sqlite3.Error as error:
            raise UserError(
                f"{folder / FILE} must be a file that tlae serve wrote and may write, got: "
                f"{error}; give another state=..."
            ) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._base.close()

    def keep(self, session: Session, ended: list[Event], *, at_once: bool = False) -> None:
        """Write a session, unless that was done a moment ago; a full disk is logged.

        Args:
            session: as it is.
            ended: events that ended since the last call.
            at_once: write it in any case.
        """
        if not ended and not at_once and time.monotonic() < self._due_s.get(session.id, 0.0):
            return
        going_on, drawn = session.going_on, self._drawn.get(session.id, {})
        worst = {event.id: event.peak_frame for event in going_on}
        for event in going_on:
            if at_once or drawn.get(event.id) != event.peak_frame:
                ended = [*ended, event]  # its picture; it is replaced when the event is over
        rows = [_row(session.id, session.found(event.id)) for event in ended]
        with self._lock:  # what is read last is written last
            if session.is_closed:
                return
            facts, live = session.state()
            try:
                self._base.execute("begin immediate")
                self._base.executemany("insert or replace into events values (?, ?, ?, ?)", rows)
                self._base.execute(
                    "insert or replace into sessions values (?, ?, ?)",
                    (session.id, json.dumps(facts), live),
                )
                self._base.execute("commit")
                self._drawn[session.id] = worst
            except sqlite3.Error as error:
                logger.warning("session %s cannot be written: %s", session.id, error)
                if self._base.in_transaction:
                    self._base.execute("rollback")
            pause_s = max(EVERY_S, len(live) / BYTES_S)
            self._due_s[session.id] = time.monotonic() + pause_s

    def forget(self, session: str) -> None:
        """A session was closed."""
        self._due_s.pop(session, None)
        self._drawn.pop(session, None)
        with self._lock:
            self._base.execute("delete from sessions where id = ?", (session,))
            self._base.execute("delete from events where session = ?", (session,))

    def restore(self, shelf: ModelShelf, sessions: Sessions, device: str) -> int:
        """Take up all sessions of an earlier run; returns how many."""
        with self._lock:
            rows = self._base.execute("select id, facts, live from sessions").fetchall()
        count = 0
        for name, text, live in rows:
            facts = json.loads(text)
            try:
                session = Session.of_state(
                    facts, live, self._ended(name), shelf.get(facts["model"]), device
                )
                sessions.add(session)
            except UserError as error:
                logger.warning("session %s cannot go on: %s", name, error)
            else:
                count += 1
        return count

    def write_marks(self, sessions: Sessions) -> None:
        """Keep what people said of events; those of closed sessions stay.

        Raises:
            UserError: the file cannot be written.
        """
        path, known = self._folder / MARKS, sessions.all()
        with self._lock, explain_os_errors(path):
            marks: dict[str, Any] = {}
            if path.is_file():
                marks = {one["key"]: one for one in json.loads(path.read_text(encoding="utf-8"))}
            for session in known:
                for one in session.marked():
                    marks[one.key] = one.as_json()
            write_json(path, [one for one in marks.values() if one["mark"]])

    def _ended(self, session: str) -> list[tuple[dict[str, Any], bytes | None]]:
        with self._lock:
            query = "select body, snapshot from events where session = ? order by id"
            rows = self._base.execute(query, (session,)).fetchall()
        found = [(json.loads(body), snapshot) for body, snapshot in rows]
        return [one for one in found if "event" in one[0]]  # not those of older versions


def _row(session: str, found: EndedEvent) -> tuple[str, str, str, bytes | None]:
    """A row of the table of events."""
    body = {
        "event": found.event.as_json(),
        "model": found.model,
        "digest": found.digest,
        "scores": asdict(found.scores),
        "size_hw": found.size_hw,
    }
    return session, found.event.id, json.dumps(body), found.snapshot
