"""What survives a kill: ledger of files, scores, open events, outbox and the state of the scoring.

One SQLite file in the folder of the watch. What belongs together is written in one transaction: the
frames that were scored, the messages that they led to, and what the next frame goes on from. After
a kill the watch goes on from the last transaction, and reads files after it again: nothing is lost,
nothing happens twice.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tlae.errors import UserError
from tlae.watching.messages import Message
from tlae.watching.settings import KeepConfig

FILE = "watch.sqlite"
FORMAT = 1
FILE_SINK = "file"  # gets quiet messages as well
BUSY_S = 30.0
DAY_S = 86_400.0

_TABLES = """
create table if not exists facts (name text primary key, value text);
create table if not exists live (id integer primary key check (id = 1), state blob);
create table if not exists files (
    name text primary key, frames integer, state text, is_done integer);
create table if not exists scores (
    number integer primary key autoincrement, written_at real, clip text, time text, raw real,
    score real, threshold real, alarm integer, mode text, health text, state text, file text);
create table if not exists messages (
    number integer primary key autoincrement, id text unique, body text, written_at real);
create table if not exists waiting (
    message integer, sink text, primary key (message, sink)) without rowid;
create index if not exists waiting_of_sink on waiting (sink, message);
"""

ScoreRow = tuple[Any, ...]
"""Values of the columns of ``scores`` after ``written_at``."""


@dataclass
class Pending:
    """What was found since the last transaction.

    Attributes:
        scores: rows.
        files: frames that came of a file, its state, and whether it is done with.
        messages: in order.
    """

    scores: list[ScoreRow] = field(default_factory=list)
    files: dict[str, tuple[int, str, bool]] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.scores or self.files or self.messages)


class Store:
    """The database of a watch. Any thread may call its methods.

    Args:
        folder: of the watch; it is there.

    Raises:
        UserError: the file is damaged, of a newer format, or cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._lock, self._path = threading.RLock(), folder / FILE
        try:
            self._base = sqlite3.connect(
                self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._base.execute("pragma journal_mode = wal")
            self._base.execute("pragma synchronous = full")
            self._base.executescript(_TABLES)
            written = int(self.facts().setdefault("format", FORMAT))
        except (sqlite3.Error, ValueError) as error:
            raise UserError(
                f"{self._path} must be a database that tlae watch wrote and may write, got: "
                f"{error}; give another out=..."
            ) from error
        if written > FORMAT:
            raise UserError(
                f"{self._path} has format {written}, this tlae reads up to {FORMAT}; update tlae"
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._base.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._base.execute("begin immediate")
            try:
                yield self._base
            except BaseException:
                self._base.execute("rollback")
                raise
            self._base.execute("commit")

    def facts(self) -> dict[str, Any]:
        """Plain values by name."""
        with self._lock:
            rows = self._base.execute("select name, value from facts").fetchall()
        return {name: json.loads(value) for name, value in rows}

    def live_state(self) -> bytes | None:
        """State of the scoring; None: there is none."""
        with self._lock:
            row = self._base.execute("select state from live").fetchone()
        return None if row is None else row[0]

    def frames_done(self, name: str) -> int | None:
        """Frames of a file that were scored; None: it is done with. 0: it is not known."""
        with self._lock:
            query = "select frames, is_done from files where name = ?"
            row = self._base.execute(query, (_stored(name),)).fetchone()
        if row is None:
            return 0
        return None if row[1] else int(row[0])

    def commit(
        self,
        pending: Pending,
        facts: Mapping[str, Any],
        state: bytes | None,
        sinks: list[str],
    ) -> None:
        """Write what was found, and what the next frame goes on from.

        Args:
            pending: since the last transaction.
            facts: plain values by name; those of other names stay.
            state: of the scoring; None: it begins anew.
            sinks: that are to get the messages; quiet ones go to the file alone.

        Raises:
            sqlite3.Error: nothing was written.
        """
        now_s = time.time()
        with self._transaction() as base:
            columns = (
                "written_at, clip, time, raw, score, threshold, alarm, mode, health, state, file"
            )
            base.executemany(
                f"insert into scores ({columns}) values ({', '.join('?' * 11)})",
                [(now_s, *map(_stored, row)) for row in pending.scores],
            )
            base.executemany(
                "insert or replace into files values (?, ?, ?, ?)",
                [(_stored(name), *row) for name, row in pending.files.items()],
            )
            for name, body, is_quiet in pending.messages:
                query = "insert into messages (id, body, written_at) values (?, ?, ?)"
                number = base.execute(query, (name, body, now_s)).lastrowid
                told = [sink for sink in sinks if sink == FILE_SINK or not is_quiet]
                base.executemany(
                    "insert into waiting values (?, ?)", [(number, sink) for sink in told]
                )
            values = {"format": FORMAT, **facts}
            rows = [(name, json.dumps(value)) for name, value in values.items()]
            base.executemany("insert or replace into facts values (?, ?)", rows)
            base.execute("delete from live")
            if state is not None:
                base.execute("insert into live values (1, ?)", (state,))

    def next_message(self, sink: str) -> tuple[int, str, str] | None:
        """Number, id and JSON of the oldest message that a sink has not got; None: it has all."""
        query = """select number, id, body from messages join waiting on message = number
            where sink = ? order by message limit 1"""
        with self._lock:
            row = self._base.execute(query, (sink,)).fetchone()
        return None if row is None else (int(row[0]), str(row[1]), str(row[2]))

    def delivered(self, number: int, sink: str) -> None:
        """A sink has a message, or never will."""
        with self._transaction() as base:
            base.execute("delete from waiting where message = ? and sink = ?", (number, sink))

    def waiting(self) -> dict[str, int]:
        """How many messages wait for each sink."""
        query = "select sink, count(*) from waiting group by sink"
        with self._lock:
            return {str(sink): int(count) for sink, count in self._base.execute(query)}

    def forget(self, keep: KeepConfig, sinks: list[str]) -> None:
        """Delete scores of frames and sent messages of longer ago, and what waits for other sinks.

        Args:
            keep: for how long.
            sinks: that there are now.
        """
        now_s = time.time()
        with self._transaction() as base:
            marks = ", ".join("?" * len(sinks))
            base.execute(f"delete from waiting where sink not in ({marks})", sinks)
            base.execute(
                "delete from scores where written_at < ?", (now_s - keep.scores_days * DAY_S,)
            )
            base.execute(
                """delete from messages where written_at < ?
                and number not in (select message from waiting)""",
                (now_s - keep.days * DAY_S,),
            )


def _stored(value: Any) -> Any:
    """A value as SQLite takes it: the name of a file that is not UTF-8 as its bytes."""
    if isinstance(value, str) and not value.isascii():
        data = value.encode("utf-8", "surrogateescape")
        return data if any("\udc80" <= letter <= "\udcff" for letter in value) else value
    return value
