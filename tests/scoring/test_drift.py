import numpy as np
import pandas as pd
import pytest

from tlae.scoring.calibrate import Calibration
from tlae.scoring.drift import advice, watch_drift
from tlae.table import Table

NORMAL = np.linspace(0, 1, 201)


def calibration() -> Calibration:
    return Calibration(NORMAL, np.zeros(201, np.int64), 900.0, "now", frame_mean=NORMAL / 10)


def table_of(raised: list[float], frame_mean: float = 0.05) -> pd.DataFrame:
    """Days of 48 frames whose raw scores are those of normal frames, raised."""
    raw = np.concatenate([np.linspace(0, 1, 48) + lift for lift in raised])
    taken_at = pd.date_range("2026-03-01", periods=len(raw), freq="30min")
    return pd.DataFrame(
        {
            "state": "ok",
            "taken_at": taken_at,
            "raw": raw,
            "frame_mean": frame_mean,
            "score": calibration().calibrated(raw),
        }
    )


def test_days_like_the_calibration_do_not_drift() -> None:
    days = watch_drift(Table.of(table_of([0.0, 0.0])), calibration())
    assert [day.day for day in days] == ["2026-03-01", "2026-03-02"]
    assert all(abs(day.score - 0.5) < 0.02 for day in days)
    assert advice(days) is None


def test_a_raised_last_day_is_told_with_its_advice() -> None:
    days = watch_drift(Table.of(table_of([0.0, 0.6])), calibration())
    assert [day.drifted for day in days] == [False, True]
    shown = advice(days)
    assert shown is not None
    assert "2026-03-02" in shown
    assert "tlae calibrate" in shown


def test_a_day_that_came_back_needs_nothing() -> None:
    assert advice(watch_drift(Table.of(table_of([0.9, 0.0])), calibration())) is None


def test_when_the_whole_picture_differs_the_net_must_learn_it() -> None:
    shown = advice(watch_drift(Table.of(table_of([0.9], frame_mean=5.0)), calibration()))
    assert shown is not None
    assert "train again" in shown


def test_an_event_of_an_hour_is_no_drift() -> None:
    table = table_of([0.0])
    table.loc[10:12, "raw"] = 50.0
    table["score"] = calibration().calibrated(table["raw"].to_numpy())
    assert advice(watch_drift(Table.of(table), calibration())) is None


def test_frames_of_a_covered_camera_do_not_count() -> None:
    table = table_of([2.0])
    table["health"] = "covered"
    assert watch_drift(Table.of(table), calibration()) == []


def test_footage_without_wall_clock_counts_as_one_day() -> None:
    table = table_of([0.0, 0.0])
    table["taken_at"] = pd.NaT
    (whole,) = watch_drift(Table.of(table), calibration())
    assert (whole.day, whole.frames) == ("", 96)


def test_footage_in_which_nothing_is_normal_may_be_of_another_camera() -> None:
    shown = advice(watch_drift(Table.of(table_of([50.0])), calibration()))
    assert shown is not None
    assert "is this the camera that the model learnt" in shown


def test_days_are_judged_piece_by_piece_as_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = table_of([0.0, 0.6, 0.2])
    frame.loc[5:9, "taken_at"] = pd.NaT
    frame.loc[60, "score"] = np.nan
    frame.loc[70:75, "state"] = "truncated"
    whole = watch_drift(Table.of(frame), calibration())
    assert [(day.day, day.frames) for day in whole] == [
        ("", 5),
        ("2026-03-01", 43),
        ("2026-03-02", 41),
        ("2026-03-03", 48),
    ]
    scores = frame["score"].to_numpy()
    assert whole[3].score == scores[96:].mean()
    for piece_rows in (1, 7, 50):
        monkeypatch.setattr("tlae.lazy_column.PIECE_ROWS", piece_rows)
        assert watch_drift(Table.of(frame), calibration()) == whole
