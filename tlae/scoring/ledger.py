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
    code_of: dict[str, int] = {}  # of each file, in the order of the footage
    begins = np.flatnonzero(changes(paths))
    codes = [code_of.setdefault(path, len(code_of)) for path in paths[begins].tolist()]
    file = np.repeat(np.array(codes, np.int64), np.diff(np.append(begins, len(table))))
    bad_rows = np.flatnonzero(states != OK)[::-1]  # of several reasons, the first is kept
    reasons = np.full(len(code_of), "", object)
    reasons[file[bad_rows]] = states[bad_rows]
    frames = np.bincount(file, minlength=len(code_of))
    bad = np.bincount(file[bad_rows], minlength=len(code_of))
    outcomes = np.array([DONE, PARTLY, SKIPPED], object)[(bad > 0) * 1 + (bad == frames)]
    return Table(
        {
            "path": [*code_of, *waiting],
            "outcome": np.append(outcomes, np.full(len(waiting), WAITING, object)),
            "frames": np.append(frames, np.zeros(len(waiting), np.int64)),
            "reason": np.append(reasons, np.full(len(waiting), reason, object)),
        }
    )
