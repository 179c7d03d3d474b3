"""Errors that reach the user as one line, without a traceback."""

import difflib
from collections.abc import Iterable, Iterator
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
    except (UserError, UnicodeEncodeError):  # the latter: a file name, reported by the command line
        raise
    except ValueError as error:
        raise UserError(str(error)) from error


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Ask for the nearest of ``names``; empty where none is near."""
    close = difflib.get_close_matches(word, list(names), n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else ""


def nearest(word: str, names: Iterable[str]) -> str:
    """Say the nearest of ``names`` and list them all, for error messages."""
    known = sorted(names)
    return f"{did_you_mean(word, known)} known: {', '.join(known)}".lstrip()


def require_known(name: str, names: Iterable[str], thing: str) -> None:
    """Refuse a name that is none of ``names``.

    Raises:
        UserError: says the nearest, and all of them.
    """
    known = list(names)
    if name not in known:
        raise UserError(f"no {thing} is called {name!r}; {nearest(name, known)}")
