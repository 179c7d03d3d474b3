"""Which frames of normal footage are for training, which for testing, and a copy of both."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.errors import FootageError, UserError
from tlae.footage.frames import OK, Frame, Image
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import Footage
from tlae.footage.windows import Rows, median_interval_s, segments
from tlae.lab.planting.options import PlantOptions
from tlae.progress import progress
from tlae.table import Table

Frames = npt.NDArray[np.uint8]
"""(N, H, W, C), 1 grey or 3 RGB."""

GAP_FACTOR = 5.0  # as footage.gap_factor of `tlae train`
FASTEST = 4  # times normal speed: so much footage an event may need
GLANCE_HW = (16, 16)  # the first pass only counts: JPEG may be decoded small


@dataclass(frozen=True)
class Split:
    """Normal footage cut in two.

    Attributes:
        index: one row per frame of the footage: ``clip``, ``frame``, ``time_s``, ``state``.
        preprocessing: to the size and colour of the pictures that are written.
        train: rows of each run of training frames without a cut.
        test: rows of each run of test frames without a cut.
        interval_s: median time between frames in seconds, 0 if unknown.
    """

    index: pd.DataFrame
    preprocessing: Preprocessing
    train: list[Rows]
    test: list[Rows]
    interval_s: float


def split_footage(footage: Footage, options: PlantOptions) -> Split:
    """Read the footage once and cut each part of its time: training, a short gap, test.

    Unreadable frames, and those of another size than the first, are left out.

    Raises:
        FootageError: too few frames for the training part or for one test clip.
        UserError: ``options.size_hw`` is larger than the pictures.
    """
    index, size_hw, grey = _read_index(footage)
    wanted_hw = options.size_hw or size_hw
    if wanted_hw[0] > size_hw[0] or wanted_hw[1] > size_hw[1]:
        raise UserError(
            f"size_hw must be <= {list(size_hw)} (the pictures of {footage.spec}), "
            f"got {list(wanted_hw)}; lower it"
        )
    times = Table.of(index)
    interval_s = median_interval_s(times)
    runs = segments(times, GAP_FACTOR * interval_s)
    readable = np.concatenate(runs)
    train: list[Rows] = []
    test: list[Rows] = []
    for number, part in enumerate(np.array_split(readable, options.parts), 1):
        cut = round(options.train_share * len(part))
        train += _within(runs, part[:cut][-_share_of(options.train_frames, options.parts, cut) :])
        end = len(part) if number == options.parts else len(part) - options.gap_frames
        test += _within(runs, part[cut + options.gap_frames : end])
    train_frames = sum(len(run) for run in train)
    longest = max((len(run) for run in test), default=0)
    if train_frames < 2 or longest < options.clip_frames:
        raise FootageError(
            f"footage {footage.spec} must hold >= 2 training frames and, after them, "
            f"clip_frames={options.clip_frames} test frames without a cut, got {train_frames} "
            f"and {longest} of {len(readable)} readable; add footage, lower clip_frames or change "
            "train_share or parts"
        )
    test = _stretches(test, options)
    return Split(index, Preprocessing(wanted_hw, 1 if grey else 3), train, test, interval_s)


def copy_frames(
    footage: Footage, split: Split, write_train: Callable[[int, int, Image], None], frames: Frames
) -> None:
    """Read the footage again and copy what is needed.

    Args:
        footage: as it was split.
        split: says what is needed.
        write_train: is called with run, number in the run and picture (H, W, C) of each training
            frame.
        frames: is filled with the test frames (N, H, W, C), run after run.
    """
    train = {
        int(row): (run, n) for run, rows in enumerate(split.train) for n, row in enumerate(rows)
    }
    test = {int(row): slot for slot, row in enumerate(np.concatenate(split.test))}
    with progress("copying frames", len(train) + len(test)) as advance:
        for row, frame in _wanted(footage, split.index, sorted({*train, *test})):
            if frame.image is None:
                raise FootageError(
                    f"{frame.path} must stay as it is while it is read, got {frame.state} at the "
                    "second reading; start again"
                )
            picture = split.preprocessing(frame.image)
            if row in train:
                write_train(*train[row], picture)
            else:
                frames[test[row]] = picture
            advance()


def open_frames(path: Path, split: Split) -> Frames:
    """A new file for the test frames (N, H, W, C), mapped into memory."""
    count = sum(len(run) for run in split.test)
    shape = (count, *split.preprocessing.size_hw, split.preprocessing.channels)
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)


def _read_index(footage: Footage) -> tuple[pd.DataFrame, tuple[int, int], bool]:
    """Rows of all frames, size of the first picture, whether all pictures are grey."""
    rows: list[tuple[str, int, float, str]] = []
    first_hw: tuple[int, int] | None = None
    grey = True
    lengths = [clip.length for clip in footage.clips]
    total = sum(n for n in lengths if n is not None) if None not in lengths else None
    with progress(f"looking through {footage.name}", total) as advance:
        for frame in footage.frames(GLANCE_HW):
            state = frame.state
            if frame.image is not None:
                size_hw = frame.source_hw or (frame.image.shape[0], frame.image.shape[1])
                first_hw = first_hw or size_hw
                state = OK if size_hw == first_hw else "another size"
                grey = grey and bool((frame.image == frame.image[..., :1]).all())
            rows.append((frame.clip, frame.frame, frame.time_s, state))
            advance()
    if first_hw is None:
        raise FootageError(f"{footage.spec} must hold at least one readable frame, got none")
    return pd.DataFrame(rows, columns=["clip", "frame", "time_s", "state"]), first_hw, grey


def _share_of(train_frames: int | None, parts: int, available: int) -> int:
    """Training frames that one part gives."""
    return available if train_frames is None else -(-train_frames // parts)


def _within(runs: list[Rows], rows: Rows) -> list[Rows]:
    """What of the runs lies in ``rows``, which are a range of all readable rows."""
    if not len(rows):
        return []
    parts = [run[(run >= rows[0]) & (run <= rows[-1])] for run in runs]
    return [part for part in parts if len(part)]


def _stretches(runs: list[Rows], options: PlantOptions) -> list[Rows]:
    """Test runs long enough for a clip; of long footage, evenly spread stretches.

    So the copy stays as small as what the clips can show, however long the footage is.
    """
    length = options.clip_frames + (FASTEST - 1) * options.event_frames
    if sum(len(run) for run in runs) > 2 * options.clips * length:
        pieces = [run[at : at + length] for run in runs for at in range(0, len(run), length)]
        pieces = [piece for piece in pieces if len(piece) >= options.clip_frames]
        chosen = np.unique(np.linspace(0, len(pieces) - 1, 2 * options.clips).round().astype(int))
        runs = [pieces[n] for n in chosen]
    return [run for run in runs if len(run) >= options.clip_frames]


def _wanted(
    footage: Footage, index: pd.DataFrame, wanted: list[int]
) -> Iterator[tuple[int, Frame]]:
    """Rows and frames that are wanted (ascending), each clip read forward once."""
    keys = index.iloc[wanted]
    by_clip = {
        clip: dict(zip(rows["frame"].tolist(), rows.index.tolist(), strict=True))
        for clip, rows in keys.groupby("clip", sort=False)
    }
    for clip in footage.clips:
        rows = by_clip.get(clip.name)
        if not rows:
            continue
        last = max(rows)
        for frame in clip.frames(start=min(rows)):
            if frame.frame in rows:
                yield rows[frame.frame], frame
            if frame.frame >= last:
                break
