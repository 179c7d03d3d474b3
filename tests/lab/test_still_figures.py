"""Recall of planted objects and alarms a day, on cases small enough to count by hand."""

import numpy as np
import pandas as pd
import pytest

from tlae.lab.still_figures.alarms import (
    alarm_rate,
    scene_scores,
    threshold_for_budget,
    watched_days,
)
from tlae.lab.still_figures.figures import Clips, still_figures
from tlae.lab.still_figures.sightings import Glance, found_objects, look_at, wilson_interval

HOURS = np.arange(24) * 3600.0


def test_watched_time_leaves_gaps_out() -> None:
    assert watched_days(HOURS) == pytest.approx(1.0)
    with_gap = np.concatenate([HOURS[:12], HOURS[12:] + 86400 * 3])
    assert watched_days(with_gap) == pytest.approx(23 / 24)
    assert watched_days(HOURS[:1]) == 0


@pytest.mark.parametrize(("budget", "expected"), [(1, 5.0), (2, 3.0), (3, 2.0)])
def test_the_highest_alarms_of_the_day_decide(budget: int, expected: float) -> None:
    raw = np.zeros(24)
    raw[[3, 4]] = 9.0, 8.0  # one alarm of two frames
    raw[10], raw[15], raw[20] = 5.0, 3.0, 2.0
    assert threshold_for_budget(raw, watched_days(HOURS), budget) == expected
    assert alarm_rate(raw, HOURS, expected).per_day == pytest.approx(budget)


def test_a_lower_threshold_that_joins_alarms_is_not_taken() -> None:
    raw = np.full(24, 1.0)
    raw[::2] = 5.0  # twelve alarms above 1, one below it
    assert threshold_for_budget(raw, 1.0, 2) == 5.0


def test_a_day_short_of_some_minutes_still_counts_as_one() -> None:
    raw = np.arange(24.0)
    assert threshold_for_budget(raw, 0.98, 1) == threshold_for_budget(raw, 1.0, 1)


def test_camera_events_never_alarm() -> None:
    table = pd.DataFrame({"raw": [1.0, 9.0, 2.0], "health": ["ok", "moved", "repeated"]})
    assert np.isnan(scene_scores(table)).tolist() == [False, True, False]
    assert alarm_rate(scene_scores(table), HOURS[:3], 1.5).alarms == 1
    assert scene_scores(table.drop(columns="health")).tolist() == [1.0, 9.0, 2.0]


def test_found_is_in_alarm_there_and_not_so_before_it_was_planted() -> None:
    objects = pd.DataFrame(
        {"clip": ["p"] * 4, "first_frame": [0, 1, 2, 3], "last_frame": [0, 1, 2, 4]}
    )
    here, elsewhere = np.zeros((2, 4, 4), np.float32)
    here[1, 1] = elsewhere[3, 3] = 1.0
    calm = Glance(0.1, np.full((4, 4), 0.1, np.float32))
    looks = {
        ("p", 0): Glance(1.0, here),  # found
        ("p", 1): Glance(1.0, elsewhere),  # an alarm, but not there
        ("p", 2): Glance(1.0, here),  # an alarm there, but so it was before
        ("clean", 2): Glance(1.0, here),
        ("p", 3): calm,  # found in the second of its frames
        ("p", 4): Glance(1.0, here),
    }
    mask = np.zeros((8, 8), bool)
    mask[2:4, 2:4] = True
    sightings = look_at(
        objects, lambda clip, frame: looks.get((clip, frame), calm), "clean", lambda *_: mask
    )
    assert len(sightings) == 5
    assert found_objects(sightings, 4, 0.5).tolist() == [True, False, False, True]
    assert not found_objects(sightings, 4, 1.5).any()
    assert not found_objects(sightings, 4, 0.05).any()  # everything is in alarm, also before


def test_intervals_of_shares() -> None:
    assert wilson_interval(8, 10) == pytest.approx((0.490, 0.943), abs=1e-3)  # Wilson 1927
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_all_figures_of_a_small_case() -> None:
    clips = {"calibration": 1.0, "clean": 2.0, "fog": 9.0, "planted-1": 0.0}
    tables = []
    for clip, highest in clips.items():
        raw = np.full(24, 0.5)
        raw[5] = highest
        taken_at = pd.Timestamp("2026-03-01") + pd.to_timedelta(HOURS, unit="s")
        tables.append(
            pd.DataFrame({"clip": clip, "raw": raw, "time_s": HOURS, "taken_at": taken_at})
        )
    objects = pd.DataFrame(
        {
            "size": [0.015, 0.03, 0.06],
            "contrast": [0.5, 0.25, 0.5],
            "family": ["bag", "bag", "box"],
            "first_frame": [1, 2, 3],
            "last_frame": [1, 2, 3],
            "frame_brightness": [10.0, 100.0, 10.0],
        }
    )
    quiet = {"clean_raw": 0.5, "clean_peak": 0.5, "clean_there": 0.1}
    sightings = pd.DataFrame(
        [
            {"object": n, "frame": n, "raw": raw, "peak": raw, "there": raw, **quiet}
            for n, raw in enumerate([7.0, 0.1, 8.0])
        ]
    )
    figures = still_figures(
        pd.concat(tables, ignore_index=True),
        objects,
        sightings,
        Clips("calibration", "clean", ("fog",)),
    )

    def value(figure: str, group: str, budget: int = 1) -> float:
        rows = figures.query("figure == @figure and group == @group and budget == @budget")
        return float(rows["value"].iloc[0])

    assert value("recall", "primary") == 0.5  # one of the two that count
    assert value("recall", "box") == 1.0
    assert value("recall", "bright frames") == 0.0
    assert value("alarms_per_day", "clean") == pytest.approx(1.0)
    assert value("alarms_per_day", "fog") == pytest.approx(1.0)
    assert value("frames_in_alarm", "fog") == pytest.approx(1 / 24)
    assert value("alarms_in_period", "2026-03-01") == pytest.approx(1.0)
    cells = figures.query("figure == 'recall' and group == 'cell' and budget == 1")
    assert cells[["size", "contrast", "value"]].to_numpy().tolist() == [
        [0.015, 0.5, 1.0],
        [0.03, 0.25, 0.0],
        [0.06, 0.5, 1.0],
    ]
