"""Work written chunk by chunk: killed at any moment, it goes on behind its last whole chunk.

Each chunk has a table, in a file named by the chunk's number, and may add bytes to an array. The
table's file is also the note that the chunk is done: it appears whole, and only when the bytes are
on the disk. What an array holds beyond its noted chunks is of a killed process.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tlae.errors import UserError
from tlae.parquet_file import read_parquet, write_pieces
from tlae.table import Table
from tlae.whole_file import remove_ours, whole_file, write_text

JOB_FILE = "job.json"  # the facts that unfinished work was begun with


@dataclass(frozen=True)
class ChunkLog:
    """The tables of the chunks that are done.

    Args:
        folder: where they lie.
        digits: of the numbers in their names. Numbers grow, not always by one: who counts rows
            names a chunk by its first row.
    """

    folder: Path
    digits: int = 8

    def path(self, number: int) -> Path:
        """File of a chunk's table."""
        return self.folder / f"{number:0{self.digits}d}.parquet"

    def numbers(self, first: int = 0) -> list[int]:
        """Chunks that are done, from a number on, in order."""
        found = sorted(int(path.stem) for path in self.folder.glob("[0-9]*.parquet"))
        return [number for number in found if number >= first]

    def tables(self, first: int = 0) -> Iterator[Table]:
        """Tables of these chunks."""
        return (read_parquet(self.path(number)) for number in self.numbers(first))

    def append(
        self,
        number: int,
        table: Table,
        array: Path | None = None,
        data: bytes = b"",
        at: int = 0,
    ) -> None:
        """Add a chunk.

        Args:
            number: of the chunk.
            table: of the chunk.
            array: existing file to which the chunk adds bytes; None: the chunk is its table alone,
                and what else belongs to it is written already.
            data: these bytes.
            at: their place in the file, behind the chunks before.
        """
        if array is not None:
            with array.open("r+b") as file:
                file.seek(at)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        write_table(table.pieces(), self.path(number))


def write_table(pieces: Iterable[Table], path: Path) -> None:
    """Write tables behind each other as one, all or nothing even if the power fails."""
    with whole_file(path, synced=True) as temporary:
        write_pieces(pieces, temporary)


def open_array(array: Path, size: int) -> None:
    """Make an array's file where there is none, and cut off what a killed process left.

    Args:
        array: the file.
        size: bytes of the chunks that are done.
    """
    with array.open("ab") as file:
        file.truncate(size)


def is_begun(folder: Path, facts: dict[str, Any]) -> bool:
    """Whether a folder holds unfinished work that was begun with these facts."""
    note = folder / JOB_FILE
    return note.is_file() and note.read_text(encoding="utf-8") == _told(facts)


def note_facts(folder: Path, facts: dict[str, Any]) -> None:
    """Note what the work in a folder depends on."""
    write_text(folder / JOB_FILE, _told(facts))


def begin_anew(folder: Path, ours: Sequence[str], thing: str) -> None:
    """Make an empty folder for unfinished work, in place of work begun with other facts.

    Args:
        folder: of the work.
        ours: patterns of the files that such work consists of, see ``remove_ours``.
        thing: what is unfinished, for the message.

    Raises:
        UserError: the folder holds other files.
    """
    if foreign := remove_ours(folder, ours):
        raise UserError(
            f"{folder} is needed for {thing}, but holds {foreign[0]}, which tlae did not write; "
            "move that away or give another name=..."
        )
    folder.mkdir(parents=True)


def _told(facts: dict[str, Any]) -> str:
    return json.dumps(facts, indent=1, sort_keys=True, default=str)
