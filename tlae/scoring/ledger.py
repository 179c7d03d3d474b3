"""The ledger of a job: what became of every input file."""

from collections.abc import Sequence

import numpy as np

from tlae.footage.frames import OK
from tlae.table import Table, groups

DONE, PARTLY, SKIPPED, WAITING = "done", "partly", "skipped", "waiting"


def ledger(table: Table, waiting: Sequence[str], reason: str) -> Table:
    """One row per input file, in the order of the footage.

    Args:
        table: score table; its ``path`` and ``state`` say which frames came from which file.
        waiting: files that were left for the next time.
        reason: why they were.

    Returns:
        path, outcome (done, partly, skipped, waiting), frames (rows of the table), reason (of the
        first frame without a score, else empty).
    """
    files = [_of_file(path, table["state"][rows]) for path, rows in groups(table["path"]).items()]
    files += [(path, WAITING, 0, reason) for path in waiting]
    names = ("path", "outcome", "frames", "reason")
    return Table({name: [file[at] for file in files] for at, name in enumerate(names)})


def _of_file(path: str, states: np.ndarray) -> tuple[str, str, int, str]:
    bad = np.flatnonzero(states != OK)
    if not len(bad):
        return path, DONE, len(states), ""
    return path, PARTLY if len(bad) < len(states) else SKIPPED, len(states), str(states[bad[0]])
