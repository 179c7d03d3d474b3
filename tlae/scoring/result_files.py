"""Files of a results folder as they are read back: whatever is wrong with them is one line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from tlae.errors import UserError
from tlae.scoring.event_rule import Flags


class StoredArray:
    """An array of a results folder, one item per row of the table; damage is one line.

    Args:
        folder: of the results.
        name: of the array in it.
        written: (n,) of the table's rows, True where an item cannot be 0 all over.

    Raises:
        UserError: it is missing, damaged, or of another table; when opened or when read.
    """

    def __init__(self, folder: Path, name: str, written: Flags) -> None:
        self._folder, self._name = folder, name
        with reporting_damage(folder, name):
            self._array: Any = zarr.open_array(folder / name, mode="r")
            self.shape: tuple[int, ...] = self._array.shape
            if self.shape[0] != len(written):
                raise ValueError(f"{self.shape[0]:,} items for {len(written):,} frames")
            self._require_parts(written)

    def _require_parts(self, written: Flags) -> None:
        """A part that is missing reads as 0, and is rightly missing only where all of it is 0."""
        frames = (self._array.shards or self._array.chunks)[0]
        for number, first in enumerate(range(0, len(written), frames)):
            part = self._folder / self._name / "c" / str(number)
            if written[first : first + frames].any() and not any(part.glob("*/*")):
                raise ValueError(f"the part of rows {first:,} and after is missing")

    def __getitem__(self, rows: int | slice) -> npt.NDArray[Any]:
        with reporting_damage(self._folder, self._name):
            return np.asarray(self._array[rows])


def read_json(folder: Path, name: str, kind: type) -> Any:
    """Content of a JSON file: an object (dict), or a list of objects (list)."""
    with reporting_damage(folder, name):
        content = json.loads((folder / name).read_text(encoding="utf-8"))
        items = content if isinstance(content, list) else []
        if not isinstance(content, kind) or not all(isinstance(item, dict) for item in items):
            raise ValueError("it holds something else than `tlae score` writes")
        return content


@contextmanager
def reporting_damage(folder: Path, name: str) -> Iterator[None]:
    """Show whatever goes wrong in reading a file of a results folder as one line."""
    try:
        yield
    except (UserError, UnicodeEncodeError, PermissionError, MemoryError):  # not of the content
        raise
    except Exception as error:  # each library has errors of its own; all mean the same to the user
        reason = "it is missing" if not (folder / name).exists() else _first_line(error)
        raise UserError(
            f"{folder / name} is damaged or incomplete ({reason}); move {folder} away and run "
            "`tlae score` again"
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
