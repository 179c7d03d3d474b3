"""The ledger of a job: what became of every input file."""

from collections.abc import Sequence

import pandas as pd

from tlae.footage.frames import OK

DONE, PARTLY, SKIPPED, WAITING = "done", "partly", "skipped", "waiting"


def ledger(table: pd.DataFrame, waiting: Sequence[str], reason: str) -> pd.DataFrame:
    """One row per input file, in the order of the footage.

    Args:
        table: score table; its ``path`` and ``state`` say which frames came from which file.
        waiting: files that were left for the next time.
        reason: why they were.

    Returns:
        path, outcome (done, partly, skipped, waiting), frames (rows of the table), reason (of the
        first frame without a score, else empty).
    """
    bad = table["state"] != OK
    files = pd.DataFrame({"path": table["path"], "bad": bad})
    files = files.groupby("path", sort=False).agg(frames=("bad", "size"), bad=("bad", "sum"))
    files = files.reset_index()
    files["reason"] = files["path"].map(
        table[bad].drop_duplicates("path").set_index("path")["state"]
    )
    files["reason"] = files["reason"].astype("str").where(files["bad"] > 0, "")
    files["outcome"] = DONE
    files.loc[files["bad"] > 0, "outcome"] = PARTLY
    files.loc[files["bad"] == files["frames"], "outcome"] = SKIPPED
    later = pd.DataFrame({"path": waiting, "outcome": WAITING, "frames": 0, "reason": reason})
    columns = ["path", "outcome", "frames", "reason"]
    return (
        pd.concat([files[columns], later[columns]], ignore_index=True)
        if waiting
        else files[columns]
    )
