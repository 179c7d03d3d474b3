"""A results folder: one row per frame, maps, events, a summary; written whole, read back here."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tlae.camera.watch import UNOBSERVED
from tlae.chunk_log import JOB_FILE
from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.footage.contents import Contents, from_json
from tlae.footage.frames import OK, WARM_UP, Image
from tlae.footage.sources import Footage
from tlae.footage.store import FrameStore
from tlae.footage.windows import Rows
from tlae.footage.zones import Mask, Zones, read_zones
from tlae.number_words import how_many
from tlae.parquet_file import open_parquet, spooled, write_parquet
from tlae.scoring.calibrate import Calibration, PerMode
from tlae.scoring.events import Event, flat_events, in_alarm, seen_runs
from tlae.scoring.job import CLIP_FILES
from tlae.scoring.result_checks import require_whole
from tlae.scoring.result_files import StoredArray, read_json, reporting_damage
from tlae.scoring.rule import ScoringRule, completed
from tlae.scoring.smooth_time import smooth_runs
from tlae.scoring.stored_maps import read_maps
from tlae.table import Column, Flags, Table, compact
from tlae.whole_file import (
    explain_os_errors,
    is_empty_folder,
    part_path,
    remove_ours,
    require_path,
    whole_file,
    whole_folder,
    write_json,
    write_text,
)

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "clip",
    "frame",  # 0-based in its clip
    "path",
    "time_s",
    "taken_at",
    "state",  # "ok", or why the frame has no score; see ``WARM_UP``
    "instant",  # score before smoothing in time
    "frame_mean",  # mean of the whole map, in the unit of raw
    "raw",  # higher: more anomalous
    "score",  # share of normal footage that is calmer, in [0, 1]
    "threshold",  # alarm above, in the unit of raw: of the frame's camera mode
    "alarm",
    "peak_x",  # worst place, source pixels
    "peak_y",
    "reason",  # why that place is unusual, in words; empty where the model does not say
    "example",  # number of the most similar normal thing in ``EXAMPLES``; none: empty
    "skipped",  # 1: the net was spared because nothing happened, else 0
    "source_h",
    "source_w",
    *UNOBSERVED,  # what the camera itself did
]
# By the net; others follow from them.
MEASURED = ("instant", "frame_mean", "peak_x", "peak_y", "reason", "example", "skipped")
EXAMPLES = "examples.npy"  # in a results folder: pictures of normal things, (n, h, w, C) uint8
ZONES, ZONE_SCORES = "zones.yaml", "zones.parquet"  # in a results folder
SMALLEST = 1e-3  # score above which 16 bits hold more than 0 in its map
CLIPS, COCO = "events", "events.coco.json"
MEASURES = "measures.json"  # in the folder of an evaluation
HIDDEN = "hidden_by"  # key of an event that an answer hides
OF_ANSWERS = (HIDDEN, "rank")  # what answers change of an event


@dataclass(frozen=True, eq=False)
class Zoned:
    """Zones that a footage was watched by.

    Attributes:
        text: the zones file, kept as ``ZONES``.
        scores: one row per frame: <zone>.raw, <zone>.threshold, <zone>.alarm of each zone; kept as
            ``ZONE_SCORES``.
    """

    text: str
    scores: Table


@dataclass(frozen=True)
class Scores:
    """One scored footage, in a folder.

    Example:
        With the ``scores`` of the example of ``tlae.score``:

        >>> scores.table[["frame", "raw", "alarm"]].shape
        (60, 3)
        >>> scores.map_of(42).dtype
        dtype('float32')

    Attributes:
        folder: where it lies.
        stored: table with one row per frame, see ``COLUMNS``; read where it is asked for.
        summary: counts, threshold, rule, footage, versions.
        event_records: as in ``events.json``; ``events`` are the same as objects.
        hidden_records: those that the user's answers hide; ``hidden`` are the same as objects.
        footage: with the pictures, where it is in memory; None: where the summary says.
    """

    folder: Path
    stored: Table
    summary: dict[str, Any]
    event_records: list[dict[str, Any]]
    footage: Footage | None = None
    hidden_records: list[dict[str, Any]] = field(default_factory=list)

    def __repr__(self) -> str:
        alarms = self.summary.get("alarm_frames", 0)
        frames, events = len(self.stored), len(self.event_records)
        parts = f"{how_many(frames, 'frame')}, {alarms:,} in alarm, {how_many(events, 'event')}"
        return f"Scores({str(self.folder)!r}: {parts})"

    @cached_property
    def columns(self) -> Table:
        """The table in memory."""
        return Table({name: self.stored[name] for name in self.stored})

    @cached_property
    def table(self) -> "pd.DataFrame":
        """``columns`` as a DataFrame.

        Raises:
            UserError: pandas is not installed.
        """
        return self.columns.frame()

    @cached_property
    def events(self) -> list[Event]:
        """Stretches of alarm, in the order of their begin."""
        return [Event.of_json(record, n) for n, record in enumerate(self.event_records, start=1)]

    @cached_property
    def hidden(self) -> list[Event]:
        """Events that the user's answers hide; see ``scoring.answers``."""
        return [Event.of_json(record, n) for n, record in enumerate(self.hidden_records, start=1)]

    def map_of(self, row: int) -> npt.NDArray[np.float32]:
        """Smoothed error map (h, w) of a row of the table, in raw units.

        Raises:
            UserError: the table has no such row.
        """
        if not (isinstance(row, int | np.integer) and 0 <= row < len(self.stored)):
            raise UserError(f"row must be a whole number in 0 to {len(self.stored) - 1}, got {row}")
        return np.asarray(read_maps(self.stored_maps, int(row), int(row) + 1)[0])

    def expected_of(self, row: int) -> Image:
        """What the net expected (h, w, C); needs ``keep_rebuilt=true`` when scoring."""
        return self._rebuilt[row]

    @cached_property
    def stored_maps(self) -> StoredArray:
        """All maps (n, h, w), sliced by rows; see ``scoring.stored_maps``."""
        if "instant" not in self.stored:
            return StoredArray(self.folder, "maps.zarr", self._nothing)
        written = self.stored.marked(["instant"], lambda piece: piece["instant"] > SMALLEST)
        return StoredArray(self.folder, "maps.zarr", written)

    @cached_property
    def _rebuilt(self) -> StoredArray:
        return StoredArray(self.folder, "rebuilt.zarr", self._nothing)

    @property
    def _nothing(self) -> Flags:
        return np.zeros(len(self.stored), bool)

    @property
    def has_expected(self) -> bool:
        """Whether ``expected_of`` can answer."""
        return (self.folder / "rebuilt.zarr").is_dir()

    def example_of(self, row: int) -> Image | None:
        """The normal thing most similar to what is unusual, (h, w, C); None: none is known."""
        known = (self.folder / EXAMPLES).is_file() and "example" in self.stored
        number = self.stored.column("example")[row] if known else np.nan
        if np.isnan(number):
            return None
        with reporting_damage(self.folder, EXAMPLES):
            pictures = np.load(self.folder / EXAMPLES, mmap_mode="r", allow_pickle=False)
            return np.array(pictures[int(number)], np.uint8)

    def watched(self) -> Mask | None:
        """Ignore mask (h, w) of the model, True where changes count; None: everywhere."""
        name = "watched.npy"
        if not (self.folder / name).is_file():
            return None
        with reporting_damage(self.folder, name):
            mask: Mask = np.load(self.folder / name, allow_pickle=False).astype(bool)
            if mask.shape != self.stored_maps.shape[1:]:
                raise ValueError(f"{mask.shape} beside maps of {self.stored_maps.shape[1:]}")
        return mask

    @cached_property
    def zones(self) -> Zones:
        """What `tlae events zones=...` watched and ignored; empty where it did not."""
        path = self.folder / ZONES
        return read_zones(path) if path.is_file() else Zones()

    def save(self, folder: str | Path) -> "Scores":
        """Copy the scores, their maps and all else in their folder.

        Args:
            folder: new, or empty.

        Returns:
            The scores there.

        Raises:
            UserError: something is there already.
        """
        target = require_path(folder, "folder")
        if target.exists() and not is_empty_folder(target):
            raise UserError(
                f"scores must be saved into a new folder, {target} is there; give another"
            )
        with explain_os_errors(target), whole_folder(target) as temporary:
            shutil.copytree(self.folder, temporary, dirs_exist_ok=True)
        return replace(self, folder=target)

    @property
    def rule(self) -> ScoringRule:
        """Rule that made the scores."""
        with reporting_damage(self.folder, "summary.json"):
            return ScoringRule(**completed(self.summary["rule"]))

    @cached_property
    def job(self) -> dict[str, Any]:
        """What the scores depend on: model, footage, rule; empty where that is not known."""
        known = (self.folder / JOB_FILE).is_file()
        facts: dict[str, Any] = read_json(self.folder, JOB_FILE, dict) if known else {}
        return facts

    @property
    def contents(self) -> Contents | None:
        """Files of the footage when it was scored; None where that is not known."""
        if "contents" not in self.job:
            return None
        with reporting_damage(self.folder, JOB_FILE):
            return from_json(self.job["contents"])


def read_results(folder: Path) -> Scores:
    """Open a results folder.

    Raises:
        UserError: it is not one, not finished, damaged, or of a version with other columns.
    """
    _require_results(folder)
    with reporting_damage(folder, "scores.parquet"):
        table = open_parquet(folder / "scores.parquet")
        for _ in table.pieces():
            pass  # damage anywhere shows now
    summary: dict[str, Any] = read_json(folder, "summary.json", dict)
    events: list[dict[str, Any]] = read_json(folder, "events.json", list)
    require_whole(folder, table, summary, events)
    shown = [event for event in events if not event.get(HIDDEN)]
    hidden = [event for event in events if event.get(HIDDEN)]
    return Scores(folder, table, summary, shown, hidden_records=hidden)


@contextmanager
def held_results(folder: Path) -> Iterator[None]:
    """Be the only process that writes into a results folder.

    Raises:
        UserError: it is none, or another process holds it.
    """
    _require_results(folder)
    with held_folder(folder, "score under another name=..."):
        yield


def _require_results(folder: Path) -> None:
    if not (folder / "summary.json").is_file():
        unfinished = part_path(folder.absolute()).is_dir()
        wait = "it is not finished: wait for the job, or run `tlae score` again where it was killed"
        hint = wait if unfinished else "run `tlae score`"
        raise UserError(f"scores must be a folder written by `tlae score`, got {folder}; {hint}")


def score_table(
    store: FrameStore,
    results: Table,
    runs: list[Rows],
    rule: ScoringRule,
    calibration: Calibration | None,
    threshold: PerMode,
    folder: Path,
) -> Table:
    """Join results to frames, smooth in time, calibrate, raise alarms.

    Args:
        store: frames that were scored; with the columns ``UNOBSERVED`` where a camera is known.
        results: ``MEASURED`` of each frame.
        runs: row numbers of each run of frames without a cut.
        rule: scoring rule.
        calibration: of normal footage, smoothed like this one; None leaves ``score`` empty.
        threshold: alarm threshold.
        folder: on the disk that takes the table.
    """
    unobserved = {name: value for name, value in UNOBSERVED.items() if name not in store.index}
    measured = {name: results.column(name) for name in MEASURED}
    table = store.index.assign(**unobserved, **measured)
    table = table.assign(state=table.only(["state", "instant"]).derived(object, _state_of))
    seen = seen_runs(table, runs)
    raw = smooth_runs(table.column("instant"), seen, rule.smooth_frames, causal=rule.causal)

    def judged(piece: Table) -> Table:
        raw, modes = piece["raw"], piece["mode"]
        level = threshold.of(modes)
        return piece.assign(
            score=np.nan if calibration is None else calibration.calibrated(raw, modes),
            threshold=compact(level),
            alarm=in_alarm(piece, raw, level),
        ).only(COLUMNS)

    return spooled(map(judged, table.assign(raw=raw).pieces()), folder)


def _state_of(piece: Table) -> Column:
    """State of frames that were read, and of those that the net saw before its window was full."""
    is_warming_up = (piece["state"] == OK) & np.isnan(piece["instant"])
    return compact(np.where(is_warming_up, WARM_UP, piece["state"]))


def write_tables(
    folder: Path, table: Table, events: Sequence[Event], zones: Zoned | None = None
) -> None:
    """Write scores.parquet, scores.csv, events.json, events.csv and what was watched."""
    write_events(folder, events)
    with whole_file(folder / "scores.parquet") as temporary:
        write_parquet(table, temporary)
    with whole_file(folder / "scores.csv") as temporary:
        table.to_csv(temporary)
    if zones is None:
        for name in (ZONES, ZONE_SCORES):
            (folder / name).unlink(missing_ok=True)
        return
    write_text(folder / ZONES, zones.text)
    with whole_file(folder / ZONE_SCORES) as temporary:
        write_parquet(zones.scores, temporary)


def write_events(folder: Path, events: Sequence[Event]) -> None:
    """Write events.json and events.csv.

    Clips and boxes of other events go: their numbers would mean others now. Clips stay where only
    answers have changed.
    """
    described = [event.as_json() for event in events]
    path = folder / "events.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    if known != described:
        (folder / COCO).unlink(missing_ok=True)
        if known is None or _apart_from_answers(known) != _apart_from_answers(described):
            remove_ours(folder / CLIPS, CLIP_FILES)
    write_json(path, described)
    with whole_file(folder / "events.csv") as temporary:
        flat_events(events).to_csv(temporary)


def _apart_from_answers(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in record.items() if k not in OF_ANSWERS} for record in records]
