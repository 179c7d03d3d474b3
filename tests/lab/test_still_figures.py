"""Recall of planted objects and things a day, on cases small enough to count by hand."""

import numpy as np
import pandas as pd
import pytest

from tlae.lab.still_figures.figures import BUDGETS, Clips, still_figures
from tlae.lab.still_figures.shown import StillClip, things_of, thresholds_for_things, watched_days
from tlae.lab.still_figures.sightings import found_objects, look_at, wilson_interval
from tlae.scoring.rule import ScoringRule
from tlae.table import Table

HOURS = np.arange(24) * 3600.0
Peaks = dict[int, dict[tuple[int, int], float]]  # by frame: place and height


def clip_of(name: str, peaks: Peaks, health: str = "ok") -> StillClip:
    """A day of 24 frames with peaks on calm maps."""
    maps = np.full((24, 24, 32), 0.5, np.float32)
    for frame, places in peaks.items():
        for (row, column), height in places.items():
            maps[frame, row : row + 2, column : column + 2] = height
    table = pd.DataFrame(
        {
            "clip": name,
            "frame": np.arange(24),
            "time_s": HOURS,
            "taken_at": pd.Timestamp("2026-03-01") + pd.to_timedelta(HOURS, unit="s"),
            "state": "ok",
            "health": health,
            "mode": "",
            "raw": maps.max(axis=(1, 2)).astype(np.float64),
            "score": np.nan,
            "source_h": 240,
            "source_w": 320,
        }
    )
    return StillClip(Table.of(table), maps, ScoringRule(smooth_frames=0), None)


def test_watched_time_leaves_gaps_out() -> None:
    assert watched_days(HOURS) == pytest.approx(1.0)
    with_gap = np.concatenate([HOURS[:12], HOURS[12:] + 86400 * 3])
    assert watched_days(with_gap) == pytest.approx(23 / 24)
    assert watched_days(HOURS[:1]) == 0


def test_the_highest_things_of_the_day_decide() -> None:
    day = clip_of(
        "calibration",
        {
            3: {(0, 0): 9.0, (10, 20): 5.0},  # two things in one frame
            4: {(0, 0): 8.0},  # one of them again
            15: {(20, 5): 3.0},
            20: {(16, 28): 2.0},
        },
    )
    found = thresholds_for_things(day, (1, 2, 3))
    assert [day.things(found[budget]) for budget in (1, 2, 3)] == [1, 2, 3]
    assert 5 <= found[1] < 9
    assert 3 <= found[2] < 5
    assert 2 <= found[3] < 3
    covered = clip_of("calibration", {3: {(0, 0): 9.0}}, health="covered")
    assert not covered.events(1.0)
    assert covered.in_alarm(1.0) == 0


def test_found_is_shown_with_its_peak_there_and_not_so_before_it_was_planted() -> None:
    planted = clip_of(
        "p",
        {
            0: {(0, 0): 2.0},  # found
            2: {(8, 8): 2.0},  # a thing, but not on the object
            4: {(14, 0): 2.0},  # a thing there, but so it was before
            7: {(20, 20): 1.5},  # found in the second of its frames
            9: {(0, 20): 2.0},  # shown with a peak that is of something else
            12: {(0, 20): 3.0},
        },
    )
    clean = clip_of("clean", {4: {(14, 0): 2.0}})
    places = [(0, 0), (0, 8), (14, 0), (20, 20), (0, 20)]
    objects = pd.DataFrame(
        {
            "clip": "p",
            "first_frame": [0, 2, 4, 6, 9],
            "last_frame": [0, 2, 4, 7, 9],
            "left": [10 * column for _, column in places],
            "top": [10 * row for row, _ in places],
            "width": 20,
            "height": 20,
        }
    )
    masks = {}
    for (row, column), first, last in zip(
        places, objects["first_frame"], objects["last_frame"], strict=True
    ):
        for frame in range(first, last + 1):
            masks[frame] = np.zeros((240, 320), bool)
            masks[frame][10 * row : 10 * row + 20, 10 * column : 10 * column + 20] = True
    maps = {"p": planted.maps, "clean": clean.maps}
    sightings = look_at(
        objects, lambda clip, frame: maps[clip][frame], "clean", lambda _, frame: masks[frame]
    )
    assert len(sightings) == 6

    def found(threshold: float) -> list[bool]:
        things = things_of(planted.events(threshold))
        return found_objects(things, objects, sightings, threshold).tolist()

    assert found(1.0) == [True, False, False, True, False]
    assert found(1.7) == [True, False, False, False, False]
    assert not any(found(0.3))  # everything is in alarm, also before


def test_intervals_of_shares() -> None:
    assert wilson_interval(8, 10) == pytest.approx((0.490, 0.943), abs=1e-3)  # Wilson 1927
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_all_figures_of_a_small_case() -> None:
    everywhere = {(row, column): 4.0 for row in (0, 8, 16) for column in (0, 8, 16, 24)}
    clips = {
        "calibration": clip_of("calibration", {5: {(0, 0): 1.0}}),
        "clean": clip_of("clean", {5: {(0, 0): 2.0}, 8: {(10, 10): 2.0}}),
        "fog": clip_of("fog", {5: everywhere}),
        "planted-1": clip_of("planted-1", {2: {(10, 10): 0.7}, 3: {(10, 10): 7.0}}),
    }
    objects = pd.DataFrame(
        {
            "clip": "planted-1",
            "size": [0.015, 0.03, 0.06],
            "contrast": [0.5, 0.25, 0.5],
            "family": ["bag", "bag", "box"],
            "first_frame": [1, 2, 3],
            "last_frame": [1, 2, 3],
            "frame_brightness": [10.0, 100.0, 10.0],
            **{"left": 100, "top": 100, "width": 20, "height": 20},
        }
    )
    sightings = pd.DataFrame(
        [
            {"object": n, "frame": n + 1, "there": there, "clean_there": 0.5}
            for n, there in enumerate([0.5, 0.7, 7.0])
        ]
    )
    figures, found = still_figures(
        clips.__getitem__,
        objects,
        sightings,
        Clips("calibration", "clean", ("fog",)),
        dict.fromkeys(BUDGETS, 1.5),
    )
    assert found["found_1"].tolist() == [False, False, True]

    def value(figure: str, group: str, budget: int = 10) -> float:
        rows = figures.query("figure == @figure and group == @group and budget == @budget")
        return float(rows["value"].iloc[0])

    assert value("recall", "primary") == 0.5  # one of the two that count
    assert value("recall", "box") == 1.0
    assert value("recall", "bright frames") == 0.0
    assert value("recall_hindsight", "primary", 1) == 0.5
    assert value("things_per_day", "clean") == pytest.approx(2.0)
    assert value("things_per_day", "fog") == 0.0
    assert value("light_per_day", "fog") == pytest.approx(1.0)
    assert value("frames_in_alarm", "fog") == pytest.approx(1 / 24)
    assert value("things_in_period", "2026-03-01") == pytest.approx(2.0)
    cells = figures.query("figure == 'recall' and group == 'cell' and budget == 1")
    assert cells[["size", "contrast", "value"]].to_numpy().tolist() == [
        [0.015, 0.5, 0.0],
        [0.03, 0.25, 0.0],
        [0.06, 0.5, 1.0],
    ]
