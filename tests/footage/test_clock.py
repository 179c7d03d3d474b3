"""Oddities of the clock, found in the index alone."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import pandas as pd
import pytest

from tlae.footage import clock
from tlae.footage.clock import ArrivingClock, clock_findings, duration
from tlae.table import Table

BEGIN = datetime(2023, 6, 13)


def index_of(
    minutes: Sequence[float | None],
    *,
    names: Sequence[str] | None = None,
    clips: str | None = None,
    sizes: Sequence[tuple[int, int]] | None = None,
) -> pd.DataFrame:
    taken = [None if m is None else BEGIN + timedelta(minutes=m) for m in minutes]
    count = len(taken)
    sizes = sizes or [(48, 64)] * count
    return pd.DataFrame(
        {
            "clip": list(clips or "a" * count),
            "path": list(names or [f"/cam/{n}.jpg" for n in range(count)]),
            "time_s": [n * 60.0 if m is None else m * 60 for n, m in enumerate(minutes)],
            "taken_at": pd.to_datetime(pd.Series(taken)).astype("datetime64[us]"),
            "state": ["ok"] * count,
            "source_h": [size[0] for size in sizes],
            "source_w": [size[1] for size in sizes],
        }
    )


def reported(index: pd.DataFrame, **settings: float) -> list[tuple[int, str, str]]:
    return [(f.row, f.kind, f.text) for f in clock_findings(Table.of(index), **settings)]  # type: ignore[arg-type]


def test_steady_footage_has_none() -> None:
    assert reported(index_of([0, 15, 30, 45, 60])) == []
    assert reported(index_of([0, 15, 30, 0, 15, 30], clips="aaabbb")) == []


def test_gaps_leaps_repeats_and_jumps_back() -> None:
    quarter = [15.0 * n for n in range(8)]
    index = index_of([*quarter, 105 + 90, 195, 195, 195 - 45, 165, 165 + 60 * 24 * 400])
    assert reported(index) == [
        (8, clock.GAP, "of 1.5 h"),
        (9, clock.EQUAL, "the same time as the frame before"),
        (11, clock.BACK, "by 45.0 min (summer time?)"),
        (13, clock.LEAP, "by 400.0 d"),
    ]
    assert clock_findings(Table.of(index))[1].frames == 2
    assert (8, clock.GAP, "of 1.5 h") not in reported(index, gap_s=7200)
    assert [kind for _, kind, _ in reported(index, gap_s=0)] == [clock.EQUAL, clock.BACK]


def test_names_without_a_time_among_others_and_throughout() -> None:
    assert reported(index_of([0, 1, None, 3])) == [
        (2, clock.TIMELESS, "counted on from its neighbour")
    ]
    (finding,) = clock_findings(Table.of(index_of([None] * 5)))
    assert (finding.row, finding.kind, finding.frames) == (0, clock.UNKNOWN, 5)


def test_two_cameras_in_one_folder_are_told() -> None:
    names = [f"/cam/{camera}_{n}.jpg" for camera in "ab" for n in range(3)]
    found = clock_findings(Table.of(index_of([0, 10, 20, 1, 11, 21], names=names)), gap_s=0)
    assert (0, clock.CAMERAS) in [(f.row, f.kind) for f in found]
    after_each_other = clock_findings(
        Table.of(index_of([0, 10, 20, 30, 40, 50], names=names)), gap_s=0
    )
    assert after_each_other == []


def test_a_video_without_a_clock_is_no_finding() -> None:
    assert reported(index_of([None] * 5, names=["/cam/film.mp4"] * 5)) == []


def test_a_clock_that_contradicts_file_names() -> None:
    names = [f"/cam/{BEGIN + timedelta(days=9, minutes=n):%Y%m%d_%H%M%S}.jpg" for n in range(4)]
    assert reported(index_of([0, 1, 2, 3], names=names)) == [
        (0, clock.CONTRADICTS, "by 9.0 d, in 4 of 4 names looked at")
    ]
    hours_apart = [
        f"/cam/{BEGIN + timedelta(hours=2, minutes=n):%Y%m%d_%H%M%S}.jpg" for n in range(4)
    ]
    assert reported(index_of([0, 1, 2, 3], names=hours_apart)) == []  # a time zone


def test_sizes_that_change_within_a_clip() -> None:
    index = index_of(range(4), sizes=[(48, 64), (48, 64), (96, 128), (96, 128)])
    index.loc[1, ["state", "source_h", "source_w"]] = ["truncated", 0, 0]
    assert reported(index) == [(2, clock.SIZE, "from 64x48 to 128x96")]
    other_clip = index_of([0, 1, 0, 1], clips="aabb", sizes=[(48, 64)] * 2 + [(96, 128)] * 2)
    assert reported(other_clip) == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.25, "0.25 s"), (90, "1.5 min"), (7200, "2.0 h"), (86400 * 3, "3.0 d")]
)
def test_durations_in_a_fitting_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_frames_that_arrive_are_judged_alike_and_said_a_few_times() -> None:
    clock = ArrivingClock(900.0)
    steps = [math.nan, 900.0, -2700.0, 0.0, 365 * 86_400.0, 40 * 3600.0]
    said = [clock.see(step_s, (48, 64)) for step_s in steps]
    assert said == [
        [],
        [],
        ["clock set back: by 45.0 min (summer time?)"],
        ["equal time stamps: the same time as the frame before"],
        ["clock leaps ahead: by 365.0 d"],
        [],  # a gap
    ]
    assert clock.see(900.0, (24, 32)) == ["picture size changes: from 64x48 to 32x24"]
    assert clock.see(math.nan, (48, 64)) == []  # another clip
    assert sum(bool(clock.see(0.0, (48, 64))) for _ in range(9)) == 2
    assert clock.found["equal time stamps"] == 10
