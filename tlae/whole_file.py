"""Files that appear under their name only when they are whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
