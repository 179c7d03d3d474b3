"""Only files that tlae wrote may be replaced."""

from collections.abc import Callable
from pathlib import Path

from tlae.errors import UserError

# By which pages are known: the second by reports that were written before there was the first.
PAGE_MARKS = (
    b'<meta name="generator" content="tlae">',
    b":root { color-scheme: light dark;",
)
LOOKED_AT_BYTES = 20_000


def require_own(path: Path, read: Callable[[Path], object], thing: str, setting: str) -> None:
    """Refuse to replace a file that is not of the kind that a command writes.

    Args:
        path: to be written; nothing may be there yet.
        read: opens a file of that kind, and raises ``UserError`` for any other.
        thing: name of the kind, for the message.
        setting: by which another place can be chosen.

    Raises:
        UserError: something else is there.
    """
    if not path.exists():
        return
    try:
        read(path)
    except UserError as error:
        raise UserError(
            f"{path} is not {thing}, so it is not replaced; give another {setting}=..."
        ) from error


def read_page(path: Path) -> None:
    """Look whether a file is a page that tlae wrote.

    Raises:
        UserError: it is none.
    """
    if path.is_file():
        with path.open("rb") as file:
            begin = file.read(LOOKED_AT_BYTES)
        if any(mark in begin for mark in PAGE_MARKS):
            return
    raise UserError(f"{path} is no page of tlae")
