from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from tlae.palette import ALARM, AMBER, INK
from tlae.rendering.time_ticks import time_ticks
from tlae.rendering.timeline import (
    UNREAD,
    ScoreAxis,
    draw_timeline,
    strip_height,
)
from tlae.table import Table

SIZE_HW = (90, 640)


def score_table(raw: np.ndarray, interval_s: float = 1.0, began: str | None = None) -> pd.DataFrame:
    raw = np.asarray(raw, np.float64)
    time_s = np.arange(len(raw)) * interval_s
    taken_at = pd.Series(pd.NaT, index=range(len(raw)), dtype="datetime64[ns]")
    if began:
        taken_at = pd.Series(pd.Timestamp(began) + pd.to_timedelta(time_s, unit="s"))
    return pd.DataFrame(
        {
            "clip": "cam1",
            "frame": np.arange(len(raw)),
            "time_s": time_s,
            "taken_at": taken_at,
            "state": np.where(np.isnan(raw), "truncated", "ok"),
            "raw": raw,
            "alarm": np.nan_to_num(raw) > 1,
        }
    )


def coloured(strip: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (strip == colour).all(axis=-1)


def test_one_axis_for_the_footage() -> None:
    assert ScoreAxis.from_scores(np.array([0.1, np.nan, 2.0]), 1.0).top == pytest.approx(2.3)
    assert ScoreAxis.from_scores(np.array([0.1]), 1.0).top == pytest.approx(1.6)
    assert ScoreAxis.from_scores(np.array([0.1, 500.0]), 1.0).top == pytest.approx(6.0)
    assert ScoreAxis.from_scores(np.array([2.0]), float("inf")).top == pytest.approx(2.3)
    assert ScoreAxis.from_scores(np.array([np.nan]), float("inf")).top == 1.0


def test_threshold_and_cursor_stand_where_they_should() -> None:
    table = score_table(np.full(101, 0.5))
    drawn = draw_timeline(Table.of(table), ScoreAxis(2.0, 1.0), SIZE_HW)
    plot = drawn.plot
    dashed = np.flatnonzero(coloured(drawn.image[:, plot.left : plot.right], AMBER).sum(1) > 100)
    assert dashed.tolist() == [round(plot.bottom - 1 - 0.5 * (plot.height - 1))]
    for row, share in ((0, 0.0), (50, 0.5), (100, 1.0)):
        changed = np.nonzero((drawn.at(row) != drawn.image).any(-1))
        x = plot.left + share * (plot.width - 1)
        assert abs(changed[1].mean() - x) < 1
        lit = coloured(drawn.at(row), INK)[plot.top : plot.bottom, round(x)]
        assert lit.all()


def test_the_curve_shows_the_score() -> None:
    raw = np.full(50, 0.2)
    raw[25:] = 1.8
    drawn = draw_timeline(Table.of(score_table(raw)), ScoreAxis(2.0, float("inf")), SIZE_HW)
    plot = drawn.plot
    light = drawn.image.min(axis=-1)[plot.top : plot.bottom]
    assert light[:, plot.left + 20].argmax() == pytest.approx(0.9 * (plot.height - 1), abs=1)
    assert light[:, plot.right - 20].argmax() == pytest.approx(0.1 * (plot.height - 1), abs=1)


def test_alarms_are_shaded_and_events_marked() -> None:
    raw = np.full(100, 0.2)
    raw[40:60] = 1.5
    drawn = draw_timeline(Table.of(score_table(raw)), ScoreAxis(2.0, 1.0), SIZE_HW, [(40, 59)])
    bar = np.flatnonzero(coloured(drawn.image[:2], ALARM).any(axis=0))
    assert (bar[0], bar[-1]) == (drawn.x[40], drawn.x[59])
    ground = drawn.image[drawn.plot.top + 2].astype(int)  # above the curve
    red = np.flatnonzero(ground[:, 0] - ground[:, 1] > 40)
    assert (red[0], red[-1]) == (drawn.x[40] - 1, drawn.x[59] + 1)


def test_unreadable_frames_are_gaps() -> None:
    raw = np.full(100, 0.5)
    raw[40:60] = np.nan
    drawn = draw_timeline(Table.of(score_table(raw)), ScoreAxis(2.0, 1.0), SIZE_HW)
    gap = drawn.image[drawn.plot.top : drawn.plot.bottom, drawn.x[40] : drawn.x[59] + 1]
    assert not (gap.min(axis=-1) > 200).any()
    assert coloured(gap, UNREAD).mean() > 0.9
    assert drawn.y[50] == -1
    assert drawn.at(50).shape == (*SIZE_HW, 3)  # a cursor without a dot


def test_a_long_pause_interrupts_the_curve() -> None:
    table = score_table(np.full(100, 0.5))
    table.loc[50:, "time_s"] += 100.0
    drawn = draw_timeline(Table.of(table), ScoreAxis(2.0, float("inf")), SIZE_HW)
    plot = drawn.plot
    pause = drawn.image[plot.top : plot.bottom, drawn.x[49] + 3 : drawn.x[50] - 3]
    assert pause.shape[1] > 100
    assert pause.max() < 60


def test_a_million_frames_keep_their_one_peak() -> None:
    raw = np.full(1_000_000, 0.3)
    raw[777_777] = 1.9
    raw[::7] = np.nan
    raw[777_777] = 1.9
    drawn = draw_timeline(Table.of(score_table(raw, 0.04)), ScoreAxis(2.0, float("inf")), SIZE_HW)
    top = drawn.plot.top + round(0.05 * drawn.plot.height)
    lit = np.flatnonzero(drawn.image[top + 1].min(axis=-1) > 120)
    assert abs(lit - drawn.x[777_777]).max() <= 1


@pytest.mark.parametrize("raw", [[0.4], [np.nan], [np.nan] * 9, [3.0, 3.0]])
def test_short_and_unreadable_clips_are_drawn(raw: list[float]) -> None:
    drawn = draw_timeline(Table.of(score_table(np.array(raw))), ScoreAxis(2.0, 1.0), SIZE_HW)
    assert drawn.at(len(raw) - 1).shape == (*SIZE_HW, 3)


def test_a_clock_set_back_does_no_harm() -> None:
    table = score_table(np.full(20, 1.5))
    table.loc[10:, "time_s"] -= 8
    assert draw_timeline(Table.of(table), ScoreAxis(2.0, 1.0), SIZE_HW).image.shape == (*SIZE_HW, 3)


def test_strips_have_even_heights() -> None:
    assert all(strip_height(width) % 2 == 0 for width in range(100, 2000, 37))


def test_ticks_in_clip_time() -> None:
    assert time_ticks(18, None, 6) == [(0, "00:00"), (5, "00:05"), (10, "00:10"), (15, "00:15")]
    assert time_ticks(0.4, None, 6)[1] == (0.1, "00:00.1")
    assert time_ticks(7200, None, 4)[-1] == (7200, "2:00:00")
    assert time_ticks(4 * 86400, None, 5)[1] == (86400, "1 d")
    assert time_ticks(0, None, 5) == [(0, "00:00.0")]


def test_ticks_on_round_wall_clock_times() -> None:
    began = datetime(2023, 6, 13, 22, 20)
    ticks = time_ticks(3 * 3600, began, 4)
    assert ticks == [(2400, "23:00"), (6000, "06-14"), (9600, "01:00")]
    days = time_ticks(10 * 86400, began, 12)
    assert [label for _, label in days][:2] == ["06-14", "06-15"]
    assert days[0][0] == 6000


def test_ticks_are_never_more_than_fit() -> None:
    for span_s in np.geomspace(0.01, 3e9, 200):
        assert len(time_ticks(float(span_s), None, 7)) <= 7 + 1
