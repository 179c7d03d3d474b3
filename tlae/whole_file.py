"""Files and folders that appear under their name only when they are whole."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from tlae.errors import UserError


def part_path(path: Path) -> Path:
    """Temporary name in the same folder, so that renaming needs no copying."""
    return path.with_name(f"{path.name}.part")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A temporary name to write to; the file takes its own name when the block ends well."""
    temporary = part_path(path)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A temporary folder to fill; it takes its own name when the block ends well.

    An empty folder of that name is replaced; the temporary name is unique, so processes do not
    meet.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.partial")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if path.is_dir():
            path.rmdir()  # empty: some systems refuse to replace even that
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def explain_os_errors(path: Path) -> Iterator[None]:
    """Turn a full disk or a missing folder into one line for the user.

    Raises:
        UserError: in place of an ``OSError``.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"{path} must be writable, got: {reason}; free disk space or choose another folder"
        ) from error


@contextmanager
def replace_folder(path: Path, mark: str) -> Iterator[Path]:
    """A temporary folder to fill, which then takes the place of an earlier result.

    Args:
        path: missing, empty, or a folder that holds a file called ``mark``.
        mark: the file by which such results are known.

    Raises:
        UserError: something else is there.
    """
    if path.exists() and not (path / mark).is_file() and not _is_empty_folder(path):
        raise UserError(f"{path} exists and is not a result of this command; give another out=...")
    with whole_folder(path) as temporary:
        yield temporary
        shutil.rmtree(path, ignore_errors=True)


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())
