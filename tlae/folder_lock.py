"""One writer at a time in a run or result folder; the second learns who holds it.

The lock is one of the operating system, so it goes with its process however that ends. Its file
``.<name>.lock`` lies beside the folder, because the folder itself may be swapped;
``.<name>.holder`` says who holds it.
"""

import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from tlae.errors import UserError
from tlae.whole_file import (
    explain_os_errors,
    read_facts,
    require_folder_of_its_own,
    write_json,
)

logger = logging.getLogger(__name__)


@contextmanager
def held_folder(folder: Path, cure: str | None) -> Iterator[None]:
    """Be the only process that writes into a folder.

    Args:
        folder: need not be there yet; the folder around it is made.
        cure: what the user may do instead, such as "give another name=..."; None: wait for the
            other process, and say so, instead of refusing.

    Raises:
        UserError: another process holds it, or it is the root of a file system.
    """
    require_folder_of_its_own(folder)
    folder = folder.resolve()
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    note = folder.with_name(f".{folder.name}.holder")
    is_new = not folder.parent.exists()
    with explain_os_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            if cure is not None:
                raise UserError(
                    f"{folder} is being written by another process ({_holder(note)}); wait for it, "
                    f"or {cure}"
                ) from error
            logger.warning("waiting for another process (%s) to leave %s", _holder(note), folder)
            lock.acquire()
    try:
        with explain_os_errors(folder):
            write_json(note, _myself())
        yield
    finally:
        note.unlink(missing_ok=True)
        with suppress(OSError):  # some systems remove no file that is open
            Path(lock.lock_file).unlink()  # who waits for it takes a new one
        lock.release()
        if is_new:
            with suppress(OSError):  # something was written into it
                folder.parent.rmdir()


def _myself() -> dict[str, str | int]:
    """Who writes; of the command line its first word alone, an address may hold a password."""
    return {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]]),
        "since": f"{datetime.now():%Y-%m-%d %H:%M:%S}",
    }


def _holder(note: Path) -> str:
    facts = read_facts(note)  # empty in the moment between the lock and the note
    if not facts:
        return "it has just begun"
    return (
        f"process {facts.get('process')} on {facts.get('host')} since {facts.get('since')}: "
        f"{facts.get('command')}"
    )
