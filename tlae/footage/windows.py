"""Which frames go together: segments without a cut, time blocks held out, windows for a net.

All of it is index arithmetic on the rows of a frame store; no frame is touched.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tlae.errors import FootageError
from tlae.footage.frames import OK
from tlae.lazy_column import linked_pieces
from tlae.table import Flags, Table, changes

Rows = npt.NDArray[np.int64]

BLOCKS_PER_HELD_OUT = 3  # held-out time comes from about three places
LEAST_DAYS = 4  # of footage, from which on whole days are held out


def evenly(count: int, most: int) -> Rows:
    """At most ``most`` of ``count`` places, spread evenly from the first to the last."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round()).astype(np.int64)


def readable(table: Table) -> Flags:
    """Rows (n,) of frames that could be read; of a score table, of those that have a score."""
    return table.marked(["state"], lambda piece: piece["state"] == OK)


def median_interval_s(index: Table) -> float:
    """Median time between neighbouring frames of a clip [s]; 0 if no clip has two frames."""
    clips, time_s = index.column("clip"), index.column("time_s")
    known, counts = np.zeros(0), np.zeros(0, np.int64)  # different steps, and how often each is
    for near in linked_pieces(len(index)):
        steps = np.diff(time_s[near])[~changes(clips[near])[1:]]
        values, often = np.unique(steps[steps > 0], return_counts=True)
        known, place = np.unique(np.append(known, values), return_inverse=True)
        both = np.append(counts, often)
        counts = np.zeros(len(known), np.int64)
        np.add.at(counts, place, both)
    if not len(known):
        return 0.0
    total = int(counts.sum())
    middle = np.searchsorted(counts.cumsum(), [(total - 1) // 2, total // 2], side="right")
    return float(known[middle].mean())


def clip_intervals_s(index: Table) -> dict[str, float]:
    """Median time between neighbouring frames of each clip [s]; clips without any are left out."""
    starts = np.flatnonzero(changes(index["clip"]))
    times = np.split(index["time_s"], starts[1:])
    paces = {
        str(clip): _median_step(np.diff(own))
        for clip, own in zip(index["clip"][starts], times, strict=True)
    }
    return {clip: interval_s for clip, interval_s in paces.items() if interval_s}


def _median_step(steps_s: npt.NDArray[np.float64]) -> float:
    forward = steps_s[steps_s > 0]
    return float(np.median(forward)) if len(forward) else 0.0


def segments(index: Table, gap_s: float) -> list[Rows]:
    """Runs of readable frames of one clip without a gap.

    Args:
        index: rows of a frame store.
        gap_s: an interval longer than this ends a run; 0: none does. One that runs backwards always
            does, one of 0 (a repeated frame or time stamp) never.

    Returns:
        Row numbers of each run, in order. An unreadable frame is left out but does not end a run.
    """
    rows = np.flatnonzero(readable(index))
    if not len(rows):
        return []
    clips, time_s = index.column("clip"), index.column("time_s")
    cut = np.zeros(len(rows), bool)
    for part in linked_pieces(len(rows)):
        near = rows[part]
        steps_s = np.diff(time_s[near])
        gap = (steps_s > gap_s) & (gap_s > 0)
        cut[part][1:] = changes(clips[near])[1:] | (steps_s < 0) | gap
    return np.split(rows, np.flatnonzero(cut))


def hold_out_blocks(runs: list[Rows], share: float, shortest: int) -> tuple[list[Rows], list[Rows]]:
    """Split runs into training and held-out time blocks; frames are never shuffled.

    Whole runs are the blocks where there are enough of them (a set of clips); otherwise runs are
    cut into blocks of equal length. Every n-th block is held out, so the held-out time is spread.

    Args:
        runs: row numbers of each run.
        share: of the time to hold out, in (0, 0.5].
        shortest: frames a block needs to be of use to the net.

    Returns:
        Training runs, held-out runs.
    """
    _require_share(share)
    every = max(2, round(1 / share))
    usable = [run for run in runs if len(run) >= shortest]
    total = sum(len(run) for run in usable)
    longest = max((len(run) for run in runs), default=0)
    if total < 2 * shortest:
        raise FootageError(
            f"training needs at least {2 * shortest} readable frames in runs without a gap as long "
            f"as the net's window of {shortest}, got {total} (longest run {longest}); add footage "
            "or lower footage.window_frames or footage.strides"
        )
    if len(usable) < 2 * every:
        length = max(shortest, -(-total // (BLOCKS_PER_HELD_OUT * every)))
        usable = [block for run in usable for block in _cut(run, length, shortest)]
    every = min(every, len(usable))
    held = [i % every == every // 2 for i in range(len(usable))]
    return (
        [run for run, out in zip(usable, held, strict=True) if not out],
        [run for run, out in zip(usable, held, strict=True) if out],
    )


def hold_out_days(
    index: Table, runs: list[Rows], share: float, shortest: int
) -> tuple[list[Rows], list[Rows]] | None:
    """Split runs into training days and held-out days, for footage of ``LEAST_DAYS`` or more.

    Neighbouring frames of a time-lapse are no independent witnesses; days nearly are. The last day
    is always held out, since what is scored later comes after all of them.

    Args:
        index: rows of a frame store.
        runs: row numbers of each run.
        share: of the days to hold out, in (0, 0.5].
        shortest: frames a block needs to be of use to the net.

    Returns:
        Training runs, held-out runs; None for footage without wall-clock times or of fewer days.
    """
    _require_share(share)
    taken_at = index["taken_at"]
    if not runs or np.isnat(taken_at[np.concatenate(runs)]).any():
        return None
    day = taken_at.astype("datetime64[D]")
    days = np.unique(day[np.concatenate(runs)])
    if len(days) < LEAST_DAYS:
        return None
    count = max(1, round(share * len(days)))
    held_days = days[::-1][np.arange(count) * len(days) // count]  # the last, then evenly spread
    is_held = np.isin(day, held_days)
    blocks = [
        block for run in runs for block in np.split(run, np.flatnonzero(np.diff(is_held[run])) + 1)
    ]
    usable = [block for block in blocks if len(block) >= shortest]
    train = [block for block in usable if not is_held[block[0]]]
    held = [block for block in usable if is_held[block[0]]]
    return (train, held) if train and held else None


def _require_share(share: float) -> None:
    if not 0 < share <= 0.5:
        raise ValueError(f"footage.holdout must be in (0, 0.5], got {share}")


def _cut(run: Rows, length: int, shortest: int) -> list[Rows]:
    """Blocks of about ``length``, none shorter than ``shortest``."""
    count = max(1, min(round(len(run) / length), len(run) // shortest))
    return np.array_split(run, count)


@dataclass(frozen=True)
class Windows:
    """Index views on a frame store; window i is ``rows(i)``.

    Attributes:
        order: row numbers of all runs, one after the other.
        starts: position in ``order`` at which each window begins.
        strides: step between the frames of each window.
        window_frames: frames in a window.
    """

    order: Rows
    starts: Rows
    strides: Rows
    window_frames: int

    def __len__(self) -> int:
        return len(self.starts)

    def rows(self, windows: npt.NDArray[np.int64]) -> Rows:
        """Row numbers (n, T) of the given windows."""
        steps = np.arange(self.window_frames)
        return self.order[self.starts[windows, None] + self.strides[windows, None] * steps]


def windows_of(runs: list[Rows], window_frames: int, strides: list[int]) -> Windows:
    """All windows that lie within one run, at every stride (Hasan et al. 2016, section 3.2)."""
    if not strides or min(strides) < 1:
        raise ValueError(f"footage.strides must be numbers >= 1, got {strides}")
    starts: list[Rows] = []
    steps: list[Rows] = []
    offset = 0
    for run in runs:
        for stride in strides:
            count = max(0, len(run) - (window_frames - 1) * stride)
            starts.append(offset + np.arange(count))
            steps.append(np.full(count, stride))
        offset += len(run)
    if not sum(len(part) for part in starts):
        longest = max((len(run) for run in runs), default=0)
        raise FootageError(
            f"footage.window_frames must be <= {longest} (frames in the longest run without a "
            f"gap), "
            f"got {window_frames} at stride {min(strides)}; lower it"
        )
    order = np.concatenate(runs)
    return Windows(order, np.concatenate(starts), np.concatenate(steps), window_frames)
