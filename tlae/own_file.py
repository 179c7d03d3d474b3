"""Only files that tlae wrote may be replaced, and only its folders gone on with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.whole_file import explain_os_errors, is_empty_folder

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


@contextmanager
def held_own_folder(folder: Path, mark: str, command: str) -> Iterator[None]:
    """Hold a folder that a command fills and goes on with; it is made if there is none.

    Args:
        folder: to be new, empty, or
        mark: to hold a file of this name.
        command: that writes such folders, for the message.

    Raises:
        UserError: it holds something else, is held by another process, or cannot be made.
    """
    with held_folder(folder, "give another out=..."):
        if folder.exists() and not (folder / mark).is_file() and not is_empty_folder(folder):
            raise UserError(
                f"out must be a new folder or one of {command}, {folder} holds something else; "
                "give another out=..."
            )
        with explain_os_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        yield


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
