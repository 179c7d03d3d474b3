"""Errors that reach the user as one line, without a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(ValueError):
    """Something the user can mend; the message names thing, rule, value and cure."""


class FootageError(UserError):
    """Footage that cannot be opened or read."""


class ModelFileError(UserError):
    """A model file that is missing, foreign, damaged or of a newer format."""


@contextmanager
def refusing_bad_values() -> Iterator[None]:
    """Show a ``ValueError`` raised within as one line: there it can only mean a user's setting."""
    try:
        yield
    except UserError:
        raise
    except ValueError as error:
        raise UserError(str(error)) from error
