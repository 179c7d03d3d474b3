"""A results folder: one row per frame, maps, events, a summary; written whole, read back here."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import zarr

from tlae.errors import UserError
from tlae.footage.frames import Image
from tlae.footage.store import FrameStore
from tlae.footage.windows import Rows
from tlae.scoring.calibrate import Calibration
from tlae.scoring.events import find_events
from tlae.scoring.rule import ScoringRule
from tlae.scoring.smooth import smooth_in_time
from tlae.whole_file import whole_file

COLUMNS = [
    "clip",
    "frame",  # 0-based in its clip
    "path",
    "time_s",
    "taken_at",
    "state",  # "ok", or why the frame has no score
    "instant",  # score before smoothing in time
    "raw",  # higher: more anomalous
    "score",  # share of normal footage that is calmer, in [0, 1]
    "alarm",
    "peak_x",  # worst place, source pixels
    "peak_y",
    "source_h",
    "source_w",
]
NEEDED = {"clip", "frame", "time_s", "taken_at", "state", "raw", "score", "alarm"}  # to be read
NEEDED_FACTS = {"footage", "rule", "threshold"}  # of the summary
MEASURED = ("instant", "peak_x", "peak_y")  # by the net; the other numbers follow from them


@dataclass(frozen=True)
class Results:
    """One scored footage.

    Attributes:
        folder: where it lies.
        table: one row per frame, see ``COLUMNS``.
        summary: counts, threshold, rule, footage, versions.
        events: as in ``events.json``.
    """

    folder: Path
    table: pd.DataFrame
    summary: dict[str, Any]
    events: list[dict[str, Any]]

    def map_of(self, row: int) -> npt.NDArray[np.float32]:
        """Smoothed error map (h, w) of a row of the table, in raw units."""
        return np.asarray(self._maps[row], np.float32)

    def rebuilt_of(self, row: int) -> Image:
        """What the net expected (h, w, C); needs ``keep_rebuilt=true`` when scoring."""
        return np.asarray(self._rebuilt[row])

    @cached_property
    def _maps(self) -> Any:
        return zarr.open_array(self.folder / "maps.zarr", mode="r")

    @cached_property
    def _rebuilt(self) -> Any:
        return zarr.open_array(self.folder / "rebuilt.zarr", mode="r")

    @property
    def has_rebuilt(self) -> bool:
        """Whether ``rebuilt_of`` can answer."""
        return (self.folder / "rebuilt.zarr").is_dir()

    def watched(self) -> npt.NDArray[np.bool_] | None:
        """Ignore mask (h, w) of the model, True where changes count; None: everywhere."""
        path = self.folder / "watched.npy"
        return np.load(path, allow_pickle=False) if path.is_file() else None


def read_results(folder: Path) -> Results:
    """Open a results folder.

    Raises:
        UserError: it is not one, not finished, damaged, or of a version with other columns.
    """
    if not (folder / "summary.json").is_file():
        unfinished = folder.with_name(folder.name + ".part").is_dir()
        hint = "it is not finished: run `tlae score` again" if unfinished else "run `tlae score`"
        raise UserError(f"scores must be a folder written by `tlae score`, got {folder}; {hint}")
    try:
        table = pd.read_parquet(folder / "scores.parquet")
        summary = json.loads((folder / "summary.json").read_text())
        events = json.loads((folder / "events.json").read_text())
    except (OSError, ValueError) as error:  # pyarrow's and json's errors are ValueErrors
        reason = str(error).splitlines()[0]
        raise UserError(
            f"scores in {folder} are damaged or incomplete ({reason}); score again with "
            "overwrite=true"
        ) from error
    missing = sorted(NEEDED - set(table.columns)) + sorted(NEEDED_FACTS - set(summary))
    if missing or not len(table):
        lack = ", ".join(missing) or "any frame"
        raise UserError(
            f"scores in {folder} lack {lack}: another version of tlae wrote them; score again "
            "with overwrite=true"
        )
    return Results(folder, table, summary, events)


def score_table(
    store: FrameStore,
    results: pd.DataFrame,
    runs: list[Rows],
    rule: ScoringRule,
    calibration: Calibration | None,
    threshold: float,
) -> pd.DataFrame:
    """Join results to frames, smooth in time, calibrate, raise alarms.

    Args:
        store: frames that were scored.
        results: instant, peak_x, peak_y of each frame.
        runs: row numbers of each run of frames without a cut.
        rule: scoring rule.
        calibration: of normal footage, smoothed like this one; None leaves ``score`` empty.
        threshold: alarm threshold in raw units.
    """
    table = store.index.copy()
    table[list(MEASURED)] = results[list(MEASURED)]
    raw = np.full(len(table), np.nan)
    for run in runs:
        values = table["instant"].to_numpy()[run]
        raw[run] = smooth_in_time(values, rule.smooth_frames, causal=rule.causal)
    table["raw"] = raw
    table["score"] = np.nan if calibration is None else calibration.calibrated(raw)
    table["alarm"] = np.nan_to_num(raw, nan=-np.inf) > threshold
    return table[COLUMNS]


def write_tables(folder: Path, table: pd.DataFrame, threshold: float) -> list[dict[str, Any]]:
    """Write scores.parquet, scores.csv and events.json; returns the events."""
    maps = zarr.open_array(folder / "maps.zarr", mode="r")
    sizes = table[["source_h", "source_w"]].to_numpy()
    events = [
        event.as_json()
        for event in find_events(
            table,
            threshold,
            lambda row: np.asarray(maps[row], np.float32),
            lambda row: (int(sizes[row, 0]), int(sizes[row, 1])),
        )
    ]
    with whole_file(folder / "scores.parquet") as temporary:
        table.to_parquet(temporary, index=False)
    with whole_file(folder / "scores.csv") as temporary:
        table.to_csv(temporary, index=False)
    write_json(folder / "events.json", events)
    return events


def write_json(path: Path, content: object) -> None:
    """Write JSON, all or nothing."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
