"""What is odd about the times of a footage, found in its index; no picture is looked at."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tlae.footage.frames import OK
from tlae.footage.sources.file_order import name_beginning
from tlae.footage.timestamps import parse_filename_time
from tlae.footage.windows import median_interval_s
from tlae.table import Table, changes, groups

GAP = "gap"
LEAP = "clock leaps ahead"
BACK = "clock set back"
EQUAL = "equal time stamps"
TIMELESS = "no time"
CONTRADICTS = "clock contradicts file names"
SIZE = "picture size changes"
CAMERAS = "several cameras in one folder"
UNKNOWN = "times are counted, not known"

GAP_FACTOR = 5.0  # an interval this many times the median one is a gap, as in footage.gap_factor
DAY_S = 86_400.0
LEAP_S = 30 * DAY_S  # rather a clock that was set than a camera that was off
HOUR_S = 3600.0

MOST_SAID = 3  # sentences of a kind while frames arrive; all are counted
LOOKED_AT = 5_000  # names compared with times: a clock that lies does so for more than a frame

Marks = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Finding:
    """Something odd.

    Attributes:
        row: of the index, where it shows first.
        kind: one of the constants above.
        text: what it is there, in a few words.
        frames: neighbouring rows that it concerns, from ``row`` on.
    """

    row: int
    kind: str
    text: str
    frames: int = 1


def clock_findings(
    index: Table, gap_s: float | None = None, time_pattern: str | None = None
) -> list[Finding]:
    """Look for what is odd about times and picture sizes.

    Args:
        index: rows of a frame store.
        gap_s: an interval longer than this is a gap; None: five times the median one; 0: none is.
        time_pattern: strptime form of the times in file names; None: the common ones.

    Returns:
        By row, then by kind.
    """
    if gap_s is None:
        gap_s = GAP_FACTOR * median_interval_s(index)
    found = [
        *(*_steps(index, gap_s), *_times(index), *_sizes(index)),
        *(*_names(index, time_pattern), *_cameras(index)),
    ]
    return sorted(found, key=lambda finding: (finding.row, finding.kind))


def _steps(index: Table, gap_s: float) -> Iterator[Finding]:
    """Intervals that are too long, zero or negative. Rows of a clip follow each other."""
    median_s = median_interval_s(index)
    steps = np.diff(index["time_s"], prepend=np.nan)
    steps[changes(index["clip"])] = np.nan
    for row, frames in _stretches(steps == 0):
        yield Finding(row, EQUAL, "the same time as the frame before", frames)
    for row in map(int, np.flatnonzero((steps < 0) | (steps > (gap_s or np.inf)))):
        yield Finding(row, *_odd_step(float(steps[row]), median_s))


def _odd_step(step_s: float, median_s: float) -> tuple[str, str]:
    """Kind of an interval that is negative or too long, and what it is in words."""
    if step_s < 0:
        summer_time = abs(median_s - step_s - HOUR_S) <= 0.1 * HOUR_S
        return BACK, f"by {duration(-step_s)}{' (summer time?)' * summer_time}"
    kind, word = (LEAP, "by") if step_s > LEAP_S else (GAP, "of")
    return kind, f"{word} {duration(step_s)}"


class ArrivingClock:
    """What is odd about the times and sizes of frames as they arrive.

    Args:
        interval_s: median time between frames [s].
    """

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._size_hw: tuple[int, int] | None = None
        self.found: dict[str, int] = {}  # how often, by kind

    def see(self, step_s: float, size_hw: tuple[int, int]) -> list[str]:
        """Take a frame; returns a sentence for each kind of oddity, of each kind a few times.

        Args:
            step_s: since the frame before [s]; NaN: it is of another clip.
            size_hw: of its picture [px].
        """
        odd = []
        if step_s < 0 or step_s > LEAP_S:
            odd.append(_odd_step(step_s, self._interval_s))
        if step_s == 0:
            odd.append((EQUAL, "the same time as the frame before"))
        before = None if math.isnan(step_s) else self._size_hw
        if before is not None and before != size_hw:
            odd.append((SIZE, _size_words(before[::-1], size_hw[::-1])))
        self._size_hw = size_hw
        for kind, _ in odd:
            self.found[kind] = self.found.get(kind, 0) + 1
        return [f"{kind}: {text}" for kind, text in odd if self.found[kind] <= MOST_SAID]


def _times(index: Table) -> Iterator[Finding]:
    """Frames without a time among others, and clips of stills in which frames are only counted."""
    missing = np.isnat(index["taken_at"])
    throughout = missing.copy()
    for rows in groups(index["clip"]).values():
        throughout[rows] = missing[rows].all()
    for row, frames in _stretches(missing & ~throughout):
        yield Finding(row, TIMELESS, "counted on from its neighbour", frames)
    for row, frames in _stretches(throughout & _is_still(index)):
        yield Finding(
            row,
            UNKNOWN,
            "they carry no date, neither a name nor the content of a file gives one",
            frames,
        )


def _names(index: Table, pattern: str | None) -> Iterator[Finding]:
    """The first still whose time is more than a day away from the one in its name."""
    known = _spread(np.flatnonzero(_is_still(index) & ~np.isnat(index["taken_at"])))
    first: tuple[int, float] | None = None
    apart = 0
    for row, path, taken_at in zip(
        known, index["path"][known], index["taken_at"][known].tolist(), strict=True
    ):
        named = parse_filename_time(str(path).replace("::", "/").replace("\\", "/"), pattern)
        apart_s = abs((taken_at - named).total_seconds()) if named else 0.0
        if apart_s > DAY_S:
            apart += 1
            first = first or (int(row), apart_s)
    if first:
        text = f"by {duration(first[1])}, in {apart:,} of {len(known):,} names looked at"
        yield Finding(first[0], CONTRADICTS, text)


def _cameras(index: Table) -> Iterator[Finding]:
    """Clips of stills whose names begin in several ways that take turns in time."""
    known = _spread(np.flatnonzero(_is_still(index) & ~np.isnat(index["taken_at"])))
    beginnings = np.array([name_beginning(_name(path)) for path in index["path"][known]], object)
    taken_at = index["taken_at"][known]
    for rows in groups(index["clip"][known]).values():
        named = sorted(set(beginnings[rows]))
        turns = changes(beginnings[rows[np.argsort(taken_at[rows], kind="stable")]]).sum()
        if len(named) < turns:
            listed = " and ".join(repr(beginning) for beginning in named[:3])
            yield Finding(
                int(known[rows[0]]),
                CAMERAS,
                f"names begin with {listed}, and take turns in time",
            )


def _spread(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """At most ``LOOKED_AT`` of some rows, evenly spread."""
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), LOOKED_AT)).astype(np.int64)]


def _name(path: object) -> str:
    return str(path).replace("::", "/").replace("\\", "/").rpartition("/")[2]


def _sizes(index: Table) -> Iterator[Finding]:
    """Readable frames of another size than the readable one before them in their clip."""
    rows = np.flatnonzero(index["state"] == OK)
    sizes = np.stack([index["source_w"][rows], index["source_h"][rows]], axis=1)
    changed = np.zeros(len(rows), bool)
    changed[1:] = (sizes[1:] != sizes[:-1]).any(axis=1)
    for place in np.flatnonzero(changed & ~changes(index["clip"][rows])):
        before, now = map(tuple, sizes[place - 1 : place + 1].tolist())
        yield Finding(int(rows[place]), SIZE, _size_words(before, now))


def _size_words(before: tuple[int, int], now: tuple[int, int]) -> str:
    """From one width and height to another [px]."""
    return f"from {before[0]}x{before[1]} to {now[0]}x{now[1]}"


def _stretches(marks: Marks) -> Iterator[tuple[int, int]]:
    """First row and length of each run of marked rows."""
    edges = np.flatnonzero(np.diff(marks.astype(np.int8), prepend=0, append=0))
    for first, end in edges.reshape(-1, 2):
        yield int(first), int(end - first)


def _is_still(index: Table) -> Marks:
    """Rows that have a file of their own; frames of a video share theirs."""
    begins = changes(index["path"])
    alone: Marks = begins & np.append(begins[1:], True)
    return alone


def duration(seconds: float) -> str:
    """A length of time in the unit that suits it."""
    for unit, length_s in (("d", DAY_S), ("h", HOUR_S), ("min", 60.0)):
        if seconds >= length_s:
            return f"{seconds / length_s:.1f} {unit}"
    return f"{seconds:.3g} s"
