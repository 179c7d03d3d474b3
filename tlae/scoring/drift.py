"""Drift: how far the scores of whole days have moved since the calibration.

A day is longer than an event, so what raises most of its frames is no event: the scene, the light
or the lens has changed. That is reported with its advice; nothing adapts by itself.
"""

from dataclasses import dataclass
from itertools import chain

import numpy as np

from tlae.lazy_column import pieces_of
from tlae.scoring.calibrate import Calibration, share_below
from tlae.scoring.events import seen_rows
from tlae.scoring.smooth_time import Series
from tlae.table import Column, Flags, Table

LEAST_FRAMES = 20  # of a day that says something
RAISED = 0.75  # mean place among normal scores; without drift 0.5
ANOTHER = 0.98  # hardly a frame is normal: it may be another camera
WHOLE_PICTURE = 0.9  # the same of the mean of the map: not some places, all of the picture differs


@dataclass(frozen=True)
class Drift:
    """How one day's frames lie among those of the calibration.

    Attributes:
        day: ISO date, or "" for footage without wall-clock times, which counts as one day.
        frames: number of scored frames.
        score: mean calibrated score, in [0, 1]: the chance that a frame of this day scores above a
            normal one (Mann & Whitney 1947); 0.5 without drift.
        frame_mean: the same of the mean of the whole map; None where the calibration lacks it.
    """

    day: str
    frames: int
    score: float
    frame_mean: float | None

    @property
    def drifted(self) -> bool:
        """Whether most of the day's frames are less normal than they should be."""
        return self.frames >= LEAST_FRAMES and self.score > RAISED


def watch_drift(table: Table, calibration: Calibration) -> list[Drift]:
    """Compare every day with the calibration.

    Args:
        table: score table.
        calibration: as the scores were calibrated.
    """
    scored = seen_rows(table) & table.marked(["score"], lambda piece: ~np.isnan(piece["score"]))
    days = table.only(["taken_at"]).derived(np.int64, _day_numbers)
    spans = dict[int, slice]()  # all rows of a day, and perhaps others
    for rows in pieces_of(len(table)):
        for day in np.unique(days[rows][scored[rows]]).tolist():
            spans[day] = slice(spans.get(day, rows).start, rows.stop)
    found = []
    for day, span in sorted(spans.items()):
        pieces = [*pieces_of(span.stop, span.start)]
        inside = [scored[rows] & (days[rows] == day) for rows in pieces]
        found.append(_of_day(day, table, pieces, inside, calibration))
    return found


def advice(drifts: list[Drift]) -> str | None:
    """What to do, in one sentence; None while the last day is as it should be."""
    long_enough = [drift for drift in drifts if drift.frames >= LEAST_FRAMES]
    if not long_enough or not long_enough[-1].drifted:
        return None
    last = long_enough[-1]
    when = f"the frames of {last.day}" if last.day else "these frames"
    found = f"{when} score above {100 * last.score:.0f} % of the normal footage on average, not 50"
    if last.frame_mean is not None and last.frame_mean > WHOLE_PICTURE:
        return f"{found}, and so does the whole picture: if that is the new normal, train again"
    if last.score > ANOTHER:
        return (
            f"{found}: is this the camera that the model learnt, in the place where it hung? If it "
            "is another one, train on its footage; if this is the new normal, run `tlae calibrate`"
        )
    return f"{found}: if that is the new normal, run `tlae calibrate` on it"


def _day_numbers(piece: Table) -> Column:
    """Days since 1970; where the moment is not known, a number below all others."""
    return piece["taken_at"].astype("datetime64[D]").astype(np.int64)


def _of_day(
    day: int, table: Table, pieces: list[slice], inside: list[Flags], calibration: Calibration
) -> Drift:
    """Compare the rows that lie inside, of some pieces of the table."""
    frames = sum(int(flags.sum()) for flags in inside)

    def values(name: str) -> Series:
        column = table.column(name)
        parts = (column[rows][flags] for rows, flags in zip(pieces, inside, strict=True))
        return np.fromiter(chain.from_iterable(parts), np.float64, frames)

    date, score, frame_mean = np.datetime64(day, "D"), float(values("score").mean()), None
    if calibration.frame_mean is not None and "frame_mean" in table:
        shares = values("frame_mean")
        for rows in pieces_of(frames):  # in place: a film without dates is one day
            shares[rows] = share_below(calibration.frame_mean, shares[rows])
        known = ~np.isnan(shares)
        shares[~known] = 0
        frame_mean = float(shares.sum() / known.sum())
    return Drift("" if np.isnat(date) else str(date), frames, score, frame_mean)
