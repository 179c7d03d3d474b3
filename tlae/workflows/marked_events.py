"""What marks of events do to a calibration; see ``workflows/calibrate.py``."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tlae.budget import Budget
from tlae.errors import UserError
from tlae.footage.windows import Rows
from tlae.model_file import Model
from tlae.scoring.calibrate import Calibration, PerMode, joined, threshold_of
from tlae.scoring.marks import (
    NORMAL,
    WANTED,
    Mark,
    calibration_of_marks,
    highest_of,
    of_scene,
    read_marks,
)
from tlae.table import Table

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class MarkedEvents:
    """Events of one model's marks.

    Attributes:
        normal: marked normal.
        wanted: marked wanted.
        others: how many marks are of other models, or of events of the camera itself.
    """

    normal: list[Mark]
    wanted: list[Mark]
    others: int

    @property
    def frames(self) -> int:
        """Frames of normal events whose scores are known."""
        return sum(mark.scores.frames for mark in self.normal)


@dataclass(frozen=True)
class MarksReport:
    """What the marks did.

    Attributes:
        events: that were marked.
        without: thresholds that the budget would give without them.
        now: thresholds of live scoring with them.
        left_out: frames of the footage that were left out, because they show marked events.
        undated: marked events that cannot be found in the footage, for want of wall-clock times.
    """

    events: MarkedEvents
    without: PerMode
    now: PerMode
    left_out: int
    undated: int

    @property
    def raised(self) -> bool:
        """Whether a threshold is higher than without the marks."""
        modes = np.array([mark.event.mode for mark in self.events.normal], dtype=object)
        return bool((self.now.of(modes) > self.without.of(modes)).any())

    @property
    def alarming(self) -> list[Mark]:
        """Events marked normal that would raise an alarm again."""
        return [mark for mark in self.events.normal if _is_over(mark, self.now)]

    @property
    def passing(self) -> list[Mark]:
        """Events marked wanted that would raise no alarm."""
        return [mark for mark in self.events.wanted if not _is_over(mark, self.now)]


def marked_events(path: Path, model: Model) -> MarkedEvents:
    """The marks of a file that are of events which this model found.

    Raises:
        UserError: the file cannot be used, none of its marks is of this model, or the model was
            not calibrated as live scoring scores.
    """
    if differ := model.differing(model.rule.changed_by({"causal": True})):
        raise UserError(
            f"marks are of live scores, the model was calibrated with another {', '.join(differ)}; "
            "train with scoring.causal=true"
        )
    marks, digest = read_marks(path), model.digest()
    if not marks:
        raise UserError(
            f"marks must hold events, {path} holds none; mark some on the page of `tlae serve`"
        )
    ours = of_scene([mark for mark in marks if mark.digest == digest])
    if not ours:
        found_by = sorted({f"{mark.model} ({mark.digest[:8]})" for mark in marks})
        raise UserError(
            f"marks must be of events of the scene that this model ({digest[:8]}) found, {path} "
            f"holds those of {', '.join(found_by)[:100]}; give the model file of these"
        )
    by_mark = {name: [mark for mark in ours if mark.mark == name] for name in (NORMAL, WANTED)}
    return MarkedEvents(by_mark[NORMAL], by_mark[WANTED], len(marks) - len(ours))


def with_marks(calibration: Calibration, events: MarkedEvents) -> Calibration:
    """A calibration to which the events marked normal were added."""
    found = calibration_of_marks(events.normal, calibration)
    together = calibration if found is None else joined(calibration, found)
    floor = {**calibration.floor}
    for mode, level in highest_of(events.normal).items():
        floor[mode] = max(level, floor.get(mode, level))
    return replace(together, floor=floor)


def report_of(
    events: MarkedEvents,
    model: Model,
    without: Calibration,
    budget: Budget,
    counts: tuple[int, int] = (0, 0),
) -> MarksReport:
    """What marks did to the thresholds of live scoring.

    Args:
        events: that were marked.
        model: with the new calibration.
        without: the calibration without the marks.
        budget: what makes an alarm.
        counts: ``left_out`` and ``undated``.
    """
    smooth = model.rule.smooth_frames
    before, now = (
        threshold_of(one.smoothed(smooth, causal=True), budget)
        for one in (without, model.calibration)
    )
    return MarksReport(events, before, now, *counts)


def without_marked(
    runs: list[Rows], index: Table, events: MarkedEvents
) -> tuple[list[Rows], int, int]:
    """Runs without the frames that show marked events.

    Returns:
        The runs, how many frames were left out, and of how many events the time is not known.
    """
    taken_at = index["taken_at"]
    shows = np.zeros(len(index), bool)
    undated = 0
    for mark in (*events.normal, *events.wanted):
        began, ended = mark.event.started_at, mark.event.ended_at
        if began is None or ended is None or np.isnat(taken_at).all():
            undated += 1
            continue
        shows |= (taken_at >= np.datetime64(began)) & (taken_at <= np.datetime64(ended))
    parts = [part for run in runs for part in np.split(run, _changes(shows[run]))]
    kept = [part for part in parts if len(part) and not shows[part[0]]]
    return kept, sum(map(len, runs)) - sum(map(len, kept)), undated


def _changes(shows: Flags) -> npt.NDArray[np.int64]:
    return np.flatnonzero(np.diff(shows.astype(np.int8))) + 1


def _is_over(mark: Mark, threshold: PerMode) -> bool:
    assert mark.event.peak_raw is not None
    mode = np.array([mark.event.mode], dtype=object)
    return bool(mark.event.peak_raw > threshold.of(mode)[0])
