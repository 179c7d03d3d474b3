"""One time axis over all clips."""

import numpy as np
import pandas as pd
import pytest

from tlae.rendering.footage_time import FootageTime, duration_text
from tlae.table import Table


def table_of(clips: dict[str, tuple[str | None, list[float]]]) -> pd.DataFrame:
    rows = []
    for name, (began, times) in clips.items():
        for number, time_s in enumerate(times):
            at = pd.NaT if began is None else pd.Timestamp(began) + pd.Timedelta(seconds=time_s)
            rows.append({"clip": name, "frame": number, "time_s": time_s, "taken_at": at})
    return pd.DataFrame(rows)


def test_wall_clock_orders_the_clips_and_shows_the_night_between_them() -> None:
    table = table_of(
        {
            "b": ("2026-06-02 08:00", [0.0, 600.0, 1200.0]),
            "a": ("2026-06-01 18:00", [0.0, 600.0]),
        }
    )
    time = FootageTime.of(Table.of(table))
    assert time.axis_s.tolist() == [50400, 51000, 51600, 0, 600]  # 14 h later
    assert list(time.clips) == ["a", "b"]
    assert time.gaps() == [(600, 50400)]
    assert time.watched_s() == 5 * 600
    assert time.text(50400) == "Tue 2 Jun 2026 08:00"


def test_clips_without_a_clock_follow_each_other_with_a_pause_that_is_a_gap() -> None:
    table = table_of({"x": (None, [0.0, 0.1, 0.2]), "y": (None, [0.0, 0.1])})
    time = FootageTime.of(Table.of(table))
    assert time.began is None
    assert len(time.gaps()) == 1
    np.testing.assert_allclose(time.watched_s(), 0.5)
    start_s = time.clips["y"][0]
    assert time.text(start_s + 0.1) == "y at 00:00.1"


def test_one_clip_without_a_clock_is_enough_to_use_none() -> None:
    table = table_of({"x": ("2026-06-01", [0.0, 1.0]), "y": (None, [0.0, 1.0])})
    assert FootageTime.of(Table.of(table)).began is None


def test_a_frame_without_a_time_of_its_own_keeps_its_place() -> None:
    table = table_of({"x": ("2026-06-01 10:00", [0.0, 60.0, 120.0])})
    table.loc[0, "taken_at"] = pd.NaT
    time = FootageTime.of(Table.of(table))
    assert time.axis_s.tolist() == [0, 60, 120]
    assert time.moment(0) == pd.Timestamp("2026-06-01 10:00")


def test_a_single_frame_has_a_time_axis() -> None:
    time = FootageTime.of(Table.of(table_of({"x": (None, [0.0])})))
    assert time.span_s == 0
    assert time.gaps() == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.84, "0.8 s"), (2100, "35 min"), (7560, "2.1 h"), (1036800, "12 days")]
)
def test_lengths_of_time_in_one_unit(seconds: float, words: str) -> None:
    assert duration_text(seconds) == words


def test_a_frame_lasts_until_the_next_one_and_before_a_gap_for_the_median_interval() -> None:
    times_s = [0.0, 1.0, 2.0, 3.0, 7.0, 8.0, 30.0]
    table = pd.DataFrame({"clip": "a", "time_s": times_s, "taken_at": pd.NaT})
    time = FootageTime.of(Table.of(table))
    assert time.lasts_s(2, 3) == 5.0
    assert time.lasts_s(4, 5) == 2.0  # then nothing for 22 s
    assert time.lasts_s(6, 6) == 1.0  # the last one
