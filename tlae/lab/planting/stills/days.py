"""Which frames of a time-lapse are to train on, to calibrate on and to test on: whole days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import cv2
import pandas as pd

from tlae.errors import FootageError, UserError
from tlae.footage.frames import OK, Frame, Image
from tlae.footage.sources import Footage
from tlae.lab.planting.stills.options import StillOptions
from tlae.progress import progress

TRAIN, CALIBRATE, TEST = "train", "calibrate", "test"
GLANCE_HW = (16, 16)  # the first pass only counts: JPEG may be decoded small
NAME = "%Y-%m-%dT%H_%M_%S"  # of written pictures


@dataclass(frozen=True)
class Days:
    """A time-lapse split by days.

    Attributes:
        index: one row per frame that is used, in order: ``clip``, ``frame``, ``taken_at``, ``part``
            (train, calibrate or test), ``name`` (of its written picture, without suffix).
        size_hw: of written pictures.
        source_height_px: of the camera's pictures.
        left_out: frames of the footage that are not used, and why.
    """

    index: pd.DataFrame
    size_hw: tuple[int, int]
    source_height_px: int
    left_out: dict[str, int]

    def rows_of(self, part: str) -> pd.DataFrame:
        """Rows of one part."""
        return self.index[self.index["part"] == part]


def split_days(footage: Footage, options: StillOptions) -> Days:
    """Look through the footage once and give each calendar day to a part.

    Left out are unreadable frames, those of another size than the first, and those that are not
    later than the one before.

    Raises:
        UserError: fewer days than asked for, or larger pictures asked for than there are.
        FootageError: wall-clock times are not known.
    """
    index, size_hw, left_out = _read_index(footage)
    days = index["taken_at"].dt.date
    dates = sorted(days.unique())
    train, calibrate, test = options.days_of(len(dates))
    parts = dict(
        zip(dates, [TRAIN] * train + [CALIBRATE] * calibrate + [TEST] * test, strict=False)
    )
    index["part"] = days.map(parts)
    index["name"] = index["taken_at"].dt.strftime(NAME)
    beyond = int(index["part"].isna().sum())
    if beyond:
        left_out["after the last test day"] = beyond
    if options.height_px > size_hw[0]:
        raise UserError(
            f"stills.height_px must be <= {size_hw[0]} (height of the pictures of {footage.spec}), "
            f"got {options.height_px}; lower it"
        )
    width = 2 * round(size_hw[1] * options.height_px / size_hw[0] / 2)
    index = index.dropna(subset="part").reset_index(drop=True)
    return Days(index, (options.height_px, width), size_hw[0], left_out)


def pictures(footage: Footage, days: Days, label: str) -> Iterator[tuple[str, int, str, Image]]:
    """Read the footage again.

    Yields:
        Part, number in the part, name, and picture RGB (h, w, 3) of each frame that is used.
    """
    wanted = {(row.clip, row.frame): row for row in days.index.itertuples(index=False)}
    counts = dict.fromkeys((TRAIN, CALIBRATE, TEST), 0)
    height, width = days.size_hw
    with progress(label, len(wanted)) as advance:
        for frame in footage.frames():
            row = wanted.get((frame.clip, frame.frame))
            if row is None:
                continue
            if frame.image is None:
                raise FootageError(
                    f"{frame.path} must stay as it is while it is read, got {frame.state} at the "
                    "second reading; start again"
                )
            picture = cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA)
            yield str(row.part), counts[str(row.part)], str(row.name), picture
            counts[str(row.part)] += 1
            advance()


def _read_index(footage: Footage) -> tuple[pd.DataFrame, tuple[int, int], dict[str, int]]:
    """Rows of usable frames, size of the first picture, and what is left out."""
    rows: list[tuple[str, int, datetime]] = []
    left_out: dict[str, int] = {}
    first_hw: tuple[int, int] | None = None
    with progress(f"looking through {footage.name}", None) as advance:
        for frame in footage.frames(GLANCE_HW):
            advance()
            if frame.taken_at is None and frame.image is not None:
                raise _no_times(footage)
            size_hw = _size(frame)
            first_hw = first_hw or size_hw
            state = frame.state
            if size_hw is not None and size_hw != first_hw:
                state = "another size"
            elif frame.taken_at is not None and rows and frame.taken_at <= rows[-1][2]:
                state = "not later than the frame before"
            if state != OK or frame.taken_at is None:
                left_out[state] = left_out.get(state, 0) + 1
                continue
            rows.append((frame.clip, frame.frame, frame.taken_at.replace(microsecond=0)))
    if first_hw is None:
        raise FootageError(f"{footage.spec} must hold at least one readable frame, got none")
    table = pd.DataFrame(rows, columns=["clip", "frame", "taken_at"])
    table["taken_at"] = pd.to_datetime(table["taken_at"])
    return table, first_hw, left_out


def _size(frame: Frame) -> tuple[int, int] | None:
    if frame.image is None:
        return None
    return frame.source_hw or (frame.image.shape[0], frame.image.shape[1])


def _no_times(footage: Footage) -> FootageError:
    return FootageError(
        "planted=true needs stills with the date and time in their names or EXIF, since days are "
        f"split; {footage.spec} has none; give footage.time_pattern=..., or plant into video with "
        "`tlae plant`"
    )
