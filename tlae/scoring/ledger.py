"""The ledger of a job: what became of every input file."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from tlae.footage.frames import OK
from tlae.parquet_file import spooled
from tlae.table import Column, Table, changes

DONE, PARTLY, SKIPPED, WAITING = "done", "partly", "skipped", "waiting"


def ledger(table: Table, waiting: Sequence[str], reason: str, folder: Path) -> Table:
    """One row per input file, in the order of the footage.

    Args:
        table: score table; its ``path`` and ``state`` say which frames came from which file.
            Frames of a file stand one after the other.
        waiting: files that were left for the next time.
        reason: why they were.
        folder: on the disk that takes the ledger.

    Returns:
        path, outcome (done, partly, skipped, waiting), frames (rows of the table), reason (of the
        first frame without a score, else empty).
    """
    paths, states = table.column("path"), table.column("state")
    begins = np.flatnonzero(changes(paths))
    is_bad = table.marked(["state"], lambda piece: piece["state"] != OK)
    bad_rows = np.flatnonzero(is_bad)
    files = Table(
        {
            "begin": begins,
            "frames": np.diff(begins, append=len(table)),
            "bad": np.add.reduceat(is_bad, begins, dtype=np.int64),
            "first_bad": np.append(bad_rows, 0)[np.searchsorted(bad_rows, begins)],
        }
    )

    def entries(files: Table) -> Table:
        reasons = np.where(files["bad"] > 0, states[files["first_bad"]], "")
        return Table(
            {
                "path": paths[files["begin"]],
                "outcome": _outcomes(files),
                "frames": files["frames"],
                "reason": reasons,
            }
        )

    left = {"path": np.array(waiting, object), "outcome": np.array(WAITING, object)}
    left |= {"frames": np.array(0), "reason": np.array(reason, object)}
    return spooled(chain(map(entries, files.pieces()), [Table(left)]), folder)


def _outcomes(files: Table) -> Column:
    """What became of some files."""
    every, some = files["bad"] == files["frames"], files["bad"] > 0
    return np.where(every, SKIPPED, np.where(some, PARTLY, DONE))
