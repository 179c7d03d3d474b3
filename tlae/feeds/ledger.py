"""What became of every entry and picture of a feed, in one SQLite file beside the pictures.

A picture is settled in one transaction, after its file is in place. So a kill loses nothing, and
nothing is judged twice.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from tlae.errors import UserError

FILE = "feed.sqlite"
FORMAT = 1
KEPT, LEFT, DUPLICATE, REFUSED, WAITING = "kept", "left", "duplicate", "refused", "waiting"
BUSY_S = 30.0

_TABLES = """
create table if not exists format (version integer);
create table if not exists feeds (url text primary key, etag text, modified text);
create table if not exists entries (id text primary key) without rowid;
create table if not exists pictures (
    url text primary key, state text, reason text, tries integer, seen_at text, title text,
    published text, score real, filter_score real, model text, file text, same_as text,
    sha256 text, fingerprint blob);
create index if not exists pictures_by_content on pictures (sha256);
"""


@dataclass(frozen=True)
class Row:
    """A picture.

    Attributes:
        url: its address.
        state: "kept", "left", "duplicate" (of one that was kept or left), "refused" (it gives no
            picture to judge) or "waiting" (to be tried again).
        reason: why it was refused, or waits.
        tries: that failed so far.
        seen_at: UTC, ISO 8601.
        title, published: of its entry.
        score: of the novelty model; None: it was not judged.
        filter_score: of the second filter; None: it was not asked.
        model: digest of the files that judged it.
        file: name in the folder of its state.
        same_as: address of the picture that it is a duplicate of.
        sha256: of its bytes.
        fingerprint: see ``Fingerprint.to_bytes``; None: it was not judged.
    """

    url: str
    state: str
    reason: str = ""
    tries: int = 0
    seen_at: str = ""
    title: str = ""
    published: str = ""
    score: float | None = None
    filter_score: float | None = None
    model: str = ""
    file: str = ""
    same_as: str = ""
    sha256: str = ""
    fingerprint: bytes | None = None


COLUMNS = tuple(field.name for field in fields(Row))


class Ledger:
    """The database of a folder of pictures.

    Args:
        folder: it is there.

    Raises:
        UserError: the file is damaged, of a newer format, or cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        with self._explained():
            self._base = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
            self._base.execute("pragma journal_mode = wal")
            self._base.executescript(_TABLES)
            row = self._base.execute("select version from format").fetchone()
            if row is None:
                self._base.execute("insert into format values (?)", (FORMAT,))
        if row is not None and row[0] > FORMAT:
            raise UserError(
                f"{self._path} has format {row[0]}, this tlae reads up to {FORMAT}; update tlae"
            )

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def conditions(self, url: str) -> dict[str, str]:
        """Headers by which the server of a feed knows what we have of it."""
        with self._explained():
            query = "select etag, modified from feeds where url = ?"
            row = self._base.execute(query, (url,)).fetchone() or ("", "")
        names = ("If-None-Match", "If-Modified-Since")
        return {name: value for name, value in zip(names, row, strict=True) if value}

    def has_all_of(self, url: str, etag: str, modified: str) -> None:
        """Every entry of a feed as it stands is done with."""
        with self._explained():
            query = "insert or replace into feeds values (?, ?, ?)"
            self._base.execute(query, (url, etag, modified))

    def is_done(self, entry: str) -> bool:
        """Whether all pictures of an entry are settled."""
        with self._explained():
            query = "select 1 from entries where id = ?"
            return self._base.execute(query, (entry,)).fetchone() is not None

    def done(self, entry: str) -> None:
        """All pictures of an entry are settled."""
        with self._explained():
            self._base.execute("insert or ignore into entries values (?)", (entry,))

    def row(self, url: str) -> Row | None:
        """What became of a picture; None: it was not seen yet."""
        return next(self._rows("where url = ?", url), None)

    def same_bytes(self, sha256: str) -> Row | None:
        """The picture with the same content that was judged; None: there is none."""
        return next(self._rows("where sha256 = ? and state in (?, ?)", sha256, KEPT, LEFT), None)

    def judged(self) -> Iterator[Row]:
        """Pictures that were kept or left, in the order in which they were seen."""
        return self._rows("where state in (?, ?) order by rowid", KEPT, LEFT)

    def waiting(self) -> int:
        """How many pictures are to be tried again."""
        return sum(1 for _ in self._rows("where state = ?", WAITING))

    def all(self) -> Iterator[Row]:
        """All pictures, in the order in which they were seen."""
        return self._rows("order by rowid")

    def write(self, row: Row) -> None:
        """Note what became of a picture."""
        marks = ", ".join("?" * len(COLUMNS))
        with self._explained():
            self._base.execute(f"insert or replace into pictures values ({marks})", astuple(row))

    def _rows(self, where: str, *values: str) -> Iterator[Row]:
        with self._explained():
            query = f"select {', '.join(COLUMNS)} from pictures {where}"
            for row in self._base.execute(query, values):
                yield Row(*row)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn a damaged file or a full disk into one line for the user."""
        try:
            yield
        except sqlite3.Error as error:
            raise UserError(
                f"{self._path} must be a ledger that tlae feed wrote and may write, got: {error}; "
                "free disk space or give another out=..."
            ) from error
