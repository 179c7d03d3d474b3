"""Where a scoring job goes on: in its finished folder, in what a killed one left, or anew."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tlae.errors import UserError
from tlae.footage.contents import as_json, from_json, goes_on_from
from tlae.footage.sources import Footage
from tlae.footage.store import FrameStore
from tlae.scoring.job import ARRAYS, CHUNK_FRAMES, JOB_FILE
from tlae.scoring.results import MEASURED
from tlae.whole_file import whole_folder

GROWING = ("contents", "rows")  # of the facts of a job, those that further footage changes
CURE = "give another name=... or overwrite=true"


@dataclass(frozen=True)
class Place:
    """Where to work.

    Attributes:
        folder: to work in; the part folder, or the finished one where no frame is to be scored.
        fresh: whether frames are to be scored.
        rows_before: see ``ScoringJob``.
    """

    folder: Path
    fresh: bool
    rows_before: int | None = None


def footage_facts(store: FrameStore) -> dict[str, Any]:
    """What the numbers depend on of the footage, for ``ScoringJob.facts``."""
    return {"store": store.origin, "contents": as_json(store.contents), "rows": len(store)}


def find_place(
    folder: Path, facts: dict[str, Any], footage: Footage, store: FrameStore, *, overwrite: bool
) -> Place:
    """Say where the job goes on, and make its part folder where a finished job is to grow.

    Args:
        folder: of the finished job.
        facts: of this job; ``footage_facts`` among them.
        footage: that is scored.
        store: of it.
        overwrite: replace what belongs to another job.

    Raises:
        UserError: the folder holds something else.
    """
    part = folder.with_name(folder.name + ".part")
    finished = _facts_in(folder)
    if finished == facts:
        return Place(folder, fresh=False)
    grows = _grows(finished, facts, footage)
    if not (grows or overwrite) and folder.exists() and any(folder.iterdir()):
        raise UserError(_refusal(folder, finished, facts))
    begun = _facts_in(part)
    if begun == facts:
        return Place(part, fresh=True)
    if _grows(begun, facts, footage):
        return Place(part, fresh=True, rows_before=begun["rows"])
    if grows:
        _reopen(folder, part, store.preprocessing.size_hw)
        return Place(part, fresh=True, rows_before=finished["rows"])
    return Place(part, fresh=True)


def _facts_in(folder: Path) -> dict[str, Any]:
    told = folder / JOB_FILE
    facts: dict[str, Any] = json.loads(told.read_text(encoding="utf-8")) if told.is_file() else {}
    return facts


def _grows(before: dict[str, Any], facts: dict[str, Any], footage: Footage) -> bool:
    """Whether a job differs from an earlier one by further footage alone."""
    same = all(before.get(key) == facts[key] for key in facts if key not in GROWING)
    return same and goes_on_from(footage, from_json(before["contents"]))


def _refusal(folder: Path, before: dict[str, Any], facts: dict[str, Any]) -> str:
    if not before:
        return f"{folder} is not empty and not ours; {CURE}"
    changed = [key for key in facts if key not in GROWING and before.get(key) != facts[key]]
    if not changed:
        return (
            f"{folder} holds scores of footage that must only grow, but files that were scored "
            f"have changed, gone, or have new ones before them; {CURE}"
        )
    return f"{folder} holds scores of another job (other {', '.join(changed)}); {CURE}"


def _reopen(finished: Path, part: Path, size_hw: tuple[int, int]) -> None:
    """Make the part folder of a finished job again, without copying its arrays.

    Args:
        finished: folder of the job; it stays as it is.
        part: folder to make; what is there is replaced.
        size_hw: of the maps.
    """
    table = pd.read_parquet(
        finished / "scores.parquet", columns=[*MEASURED, "source_h", "source_w"]
    )
    shutil.rmtree(part, ignore_errors=True)
    with whole_folder(part) as folder:
        for file in (*finished.glob("state-*"), finished / JOB_FILE):
            shutil.copy(file, folder)
        for array in ARRAYS:
            if (finished / array).is_dir():
                shutil.copytree(finished / array, folder / array, copy_function=_link)
        (folder / "parts").mkdir()
        chunk = table[["instant", "frame_mean"]].copy()
        for name, size, source, peak in (
            ("peak_row", size_hw[0], "source_h", "peak_y"),
            ("peak_column", size_hw[1], "source_w", "peak_x"),
        ):
            place = table[peak] * size / table[source].where(table[source] > 0) - 0.5
            chunk[name] = place.round().fillna(-1).astype(np.int64)
        for first in range(0, len(chunk), CHUNK_FRAMES):
            part_file = folder / "parts" / f"{first // CHUNK_FRAMES:08d}.parquet"
            chunk.iloc[first : first + CHUNK_FRAMES].to_parquet(part_file, index=False)


def _link(source: str, target: str) -> None:
    """A second name for a file that is never written again in place; a copy where that fails."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
