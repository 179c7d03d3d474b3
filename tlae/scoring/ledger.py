"""The ledger of a job: what became of every input file."""

from collections.abc import Sequence

import numpy as np

from tlae.footage.frames import OK
from tlae.table import Table, changes

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
    paths, states = table["path"], table["state"]
    begins = np.flatnonzero(changes(paths))
    _, firsts, kinds = np.unique(paths[begins], return_index=True, return_inverse=True)
    files = paths[begins[np.sort(firsts)]]  # in the order of the footage
    codes = np.argsort(np.argsort(firsts))[kinds]
    file = np.repeat(codes, np.diff(np.append(begins, len(table))))
    bad_rows = np.flatnonzero(states != OK)[::-1]  # of several reasons, the first is kept
    reasons = np.full(len(files), "", object)
    reasons[file[bad_rows]] = states[bad_rows]
    frames = np.bincount(file, minlength=len(files))
    bad = np.bincount(file[bad_rows], minlength=len(files))
    outcomes = np.array([DONE, PARTLY, SKIPPED], object)[(bad > 0) * 1 + (bad == frames)]
    return Table(
        {
            "path": np.append(files, np.array(waiting, object)),
            "outcome": np.append(outcomes, np.full(len(waiting), WAITING, object)),
            "frames": np.append(frames, np.zeros(len(waiting), np.int64)),
            "reason": np.append(reasons, np.full(len(waiting), reason, object)),
        }
    )
