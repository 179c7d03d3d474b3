"""A kill at the n-th change of the file system, for tests."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

STEPS = (
    *((Path, name) for name in ("replace", "unlink", "rmdir", "mkdir")),
    *((shutil, "rmtree"), (os, "fsync")),
)


class Killed(BaseException):
    """The process is gone: nothing is cleaned up either."""


@contextmanager
def killed_before(step: int) -> Iterator[list[str]]:
    """Let so many changes of the file system happen, and no further one.

    Yields:
        Names of the changes that happened; one fewer than ``step`` if the kill came.
    """
    happened: list[str] = []

    def stand_in(change: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*args: Any, **kwargs: Any) -> Any:
            if len(happened) >= step:
                raise Killed
            happened.append(change.__name__)
            return change(*args, **kwargs)

        return changed

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in STEPS:
            patch.setattr(owner, name, stand_in(getattr(owner, name)))
        yield happened
