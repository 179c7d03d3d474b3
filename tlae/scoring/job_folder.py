"""Where a scoring job goes on: in its finished folder, in what a killed one left, or anew."""

import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tlae.chunk_log import JOB_FILE, ChunkLog
from tlae.errors import UserError
from tlae.footage.contents import as_json, from_json, goes_on_from
from tlae.footage.frames import OK
from tlae.footage.sources import Footage
from tlae.footage.store import FrameStore
from tlae.number_words import how_many
from tlae.parquet_file import open_parquet
from tlae.scoring.job import ARRAYS, CHUNK_FRAMES, RESULT_FILES, ScoringJob
from tlae.scoring.results import MEASURED, read_results
from tlae.table import Table, counted
from tlae.whole_file import (
    explain_os_errors,
    is_empty_folder,
    part_path,
    read_facts,
    remove_ours,
    settle,
    take_place,
    whole_folder,
)

logger = logging.getLogger(__name__)

GROWING = ("contents", "rows")  # of the facts of a job, those that further footage changes
PEAK = ("peak_x", "peak_y")
CURE = "give another name=... or overwrite=true"


@dataclass(frozen=True)
class JobPlace:
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
) -> JobPlace:
    """Say where the job goes on, and make its part folder where a finished job is to grow.

    Args:
        folder: of the finished job.
        facts: of this job; ``footage_facts`` among them.
        footage: that is scored.
        store: of it.
        overwrite: replace what is finished, of this job as well; a killed job goes on.

    Raises:
        UserError: the folder holds something else.
    """
    settle(folder, RESULT_FILES)
    part = part_path(folder)
    finished = _facts_in(folder)
    damage = _damage(folder, finished)
    if finished == facts and not damage and not overwrite:
        return JobPlace(folder, fresh=False)
    grows = _grows(finished, facts, footage)
    if not finished and folder.exists() and not is_empty_folder(folder):
        raise UserError(f"{folder} holds other files than scores of tlae; give another name=...")
    if finished and not (grows or overwrite or finished == facts):
        raise UserError(_refusal(folder, finished, facts))
    if damage:
        logger.warning("%s is scored anew: %s", folder, damage)
    begun = _facts_in(part)
    if begun == facts:
        return JobPlace(part, fresh=True)
    if _grows(begun, facts, footage):
        return JobPlace(part, fresh=True, rows_before=begun["rows"])
    if grows and not damage and not overwrite:
        _reopen(folder, part, store.preprocessing.size_hw)
        return JobPlace(part, fresh=True, rows_before=finished["rows"])
    return JobPlace(part, fresh=True)


def finish(job: ScoringJob, folder: Path) -> None:
    """Give a finished part folder its name; the user's own files in an earlier one stay.

    Raises:
        UserError: the folder cannot be replaced; the same command tries again.
    """
    with explain_os_errors(folder):
        take_place(job.folder, folder, RESULT_FILES)
        job.clean(folder)


def _facts_in(folder: Path) -> dict[str, Any]:
    """What a job was begun with; empty where no job is, or its note is torn."""
    facts = read_facts(folder / JOB_FILE)
    return facts if {*GROWING, "model", "rule"} <= facts.keys() else {}


def _damage(folder: Path, finished: dict[str, Any]) -> str:
    """What a finished folder lacks of what its note says; empty: nothing."""
    if not finished:
        return ""
    try:
        results = read_results(folder)
        rows_of_maps = results.stored_maps.shape[0]
    except (UserError, OSError, ValueError) as error:
        return str(error)
    table, rows = results.stored, finished["rows"]
    if len(table) != rows or rows_of_maps != rows:
        counted_rows, maps = how_many(len(table), "row"), how_many(rows_of_maps, "map")
        return f"it has {counted_rows} and {maps} of {how_many(rows, 'frame')}"
    measured = int(table.marked(["instant"], lambda piece: ~np.isnan(piece["instant"])).sum())
    readable = counted(table.column("state")).get(OK, 0)
    expected = results.summary.get("measured", readable)
    return "" if measured == expected else f"{measured} of {expected} frames have a score"


def _grows(before: dict[str, Any], facts: dict[str, Any], footage: Footage) -> bool:
    """Whether a job differs from an earlier one by further footage alone."""
    same = all(before.get(key) == facts[key] for key in facts if key not in GROWING)
    return bool(before) and same and goes_on_from(footage, from_json(before["contents"]))


def _refusal(folder: Path, before: dict[str, Any], facts: dict[str, Any]) -> str:
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
    table = open_parquet(finished / "scores.parquet")
    remove_ours(part, RESULT_FILES)
    with whole_folder(part) as folder:
        for file in (*finished.glob("state-*"), finished / JOB_FILE):
            shutil.copy(file, folder)
        for array in ARRAYS:
            if (finished / array).is_dir():
                shutil.copytree(finished / array, folder / array, copy_function=_link)
        log = ChunkLog(folder / "parts")
        log.folder.mkdir()
        for number, first in enumerate(range(0, len(table), CHUNK_FRAMES)):
            rows = table.take(slice(first, first + CHUNK_FRAMES))
            log.append(number, _told(rows, size_hw))


def _told(rows: Table, size_hw: tuple[int, int]) -> Table:
    """What the net told of some rows of the score table, as the job kept it."""
    told = rows.only([name for name in MEASURED if name in rows and name not in PEAK])
    for name, size, source, peak in (
        ("peak_row", size_hw[0], "source_h", "peak_y"),
        ("peak_column", size_hw[1], "source_w", "peak_x"),
    ):
        place = rows[peak] * size / np.where(rows[source] > 0, rows[source], np.nan) - 0.5
        told = told.assign(**{name: np.nan_to_num(place.round(), nan=-1).astype(np.int64)})
    return told


def _link(source: str, target: str) -> None:
    """A second name for a file that is never written again in place; a copy where that fails."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
