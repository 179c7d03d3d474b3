"""Reading what is to be evaluated: results folders and foreign tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tlae.errors import UserError
from tlae.evaluation.scored import ScoredTable, read_scored

GOOD = pd.DataFrame(
    {
        "clip": ["b", "b", "a", "a"],
        "frame": [1, 0, 5, 6],
        "label": [1, 0, 0, 0],
        "score": [0.9, 0.1, 0.2, 0.3],
    }
)


def written(table: pd.DataFrame, tmp_path: Path, name: str = "scores.csv") -> Path:
    path = tmp_path / name
    if path.suffix == ".csv":
        table.to_csv(path, index=False)
    else:
        table.to_parquet(path)
    return path


@pytest.mark.parametrize("name", ["scores.csv", "scores.parquet"])
def test_a_table_comes_back_in_clip_and_frame_order(tmp_path: Path, name: str) -> None:
    scored = read_scored(written(GOOD, tmp_path, name))
    assert scored.lengths == {"b": 2, "a": 2}
    assert scored.table["raw"].tolist() == [0.1, 0.9, 0.2, 0.3]
    assert scored.table["label"].tolist() == [False, True, False, False]
    assert scored.clip_codes.tolist() == [0, 0, 1, 1]
    assert scored.notes == ()
    assert scored.interval_s is None


def test_numbers_as_clip_names_stay_names(tmp_path: Path) -> None:
    scored = read_scored(written(GOOD.assign(clip=["01", "01", "02", "02"]), tmp_path))
    assert list(scored.lengths) == ["01", "02"]


def test_missing_scores_and_missing_frames_are_counted(tmp_path: Path) -> None:
    table = GOOD.assign(frame=[4, 0, 5, 6], score=[np.nan, 0.1, 0.2, 0.3])
    scored = read_scored(written(table, tmp_path))
    assert scored.has_score.tolist() == [True, False, True, True]
    assert scored.notes == ("3 frames missing between the first and the last of a clip",)


def test_interval_comes_from_times_or_from_the_user(tmp_path: Path) -> None:
    timed = written(GOOD.assign(time_s=[2.0, 0.0, 10.0, 12.0]), tmp_path, "timed.csv")
    assert read_scored(timed, interval_s=9.0).interval_s == 2.0
    assert read_scored(written(GOOD, tmp_path), interval_s=9.0).interval_s == 9.0


def test_times_that_run_backwards_are_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({"clip": "a", "frame": [0, 1, 2], "raw": 1.0, "time_s": [0.0, 5.0, 2.0]})
    with pytest.raises(UserError, match="time_s must not decrease within a clip, got 2 at a fra"):
        read_scored(written(table, tmp_path))


def test_another_column_can_be_the_score(tmp_path: Path) -> None:
    table = GOOD.assign(mine=[4.0, 3.0, 2.0, 1.0])
    assert read_scored(written(table, tmp_path), "mine").table["raw"].tolist() == [3, 4, 2, 1]


@pytest.mark.parametrize("name", ["scores.csv", "scores.parquet"])
@pytest.mark.parametrize(
    "cells",
    [
        ["yes", "no", "", "No"],
        ["True", "False", None, " false"],
        [True, False, False, False],
        [True, None, False, None],
        ["1", "0", "0.0", None],
        [1.0, 0.0, np.nan, np.nan],
        [1, 0, 0, 0],
    ],
)
def test_alarms_are_read_however_yes_and_no_are_written(
    tmp_path: Path, cells: list[object], name: str
) -> None:
    table = read_scored(written(GOOD.assign(alarm=cells), tmp_path, name)).table
    assert table["alarm"].dtype == bool
    assert table["alarm"].tolist() == [False, True, False, False]  # in the order of the frames


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"alarm": ["yes", "maybe", 2, "no"]}, "'alarm' must hold yes or no .*, got 'maybe' in 2"),
        ({"alarm": [0.5, 0, 1, 1]}, "'alarm' must hold yes or no .*, got '0.5' in 1 row"),
        ({"clip": None}, "must have a column 'clip'; it has frame, label, score"),
        ({"score": None}, "a column 'raw' or 'score' or .*; it has clip, frame, label"),
        ({"score": ["x", 1, 2, 3]}, "column 'score' must hold numbers"),
        ({"score": [np.inf, 1, 2, 3]}, "scores must be finite, got 1 infinite"),
        ({"label": [2, 0, 0, 0]}, r"labels must be 0 \(normal\) or 1 \(anomalous\), got 2 in 1"),
        ({"label": [np.nan, 0, 0, 0]}, "labels must be 0"),
        ({"frame": [0, 0, 5, 6]}, "one row per frame, got b frame 0 twice"),
        ({"frame": [np.nan, 0, 5, 6]}, "whole frame number, 1 row without, the first is nan"),
        ({"frame": [np.inf, 0, 5, 6]}, "whole frame number, 1 row without, the first is inf"),
        ({"frame": [0.5, 0, 5, 6]}, "whole frame number, 1 row without, the first is 0.5"),
        ({"clip": [None, "a", "a", "a"]}, "1 row without"),
        ({"time_s": ["x", 0, 1, 2]}, "column 'time_s' must hold numbers"),
    ],
)
def test_bad_tables_are_refused(
    tmp_path: Path, change: dict[str, list[object] | None], words: str
) -> None:
    table = GOOD.copy()
    for column, values in change.items():
        table = table.drop(columns=column) if values is None else table.assign(**{column: values})
    with pytest.raises(UserError, match=words):
        read_scored(written(table, tmp_path))


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a folder written by `tlae score`, or a table"):
        read_scored(tmp_path / "nothing.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(UserError, match="cannot be read as a table"):
        read_scored(tmp_path / "empty.csv")
    with pytest.raises(UserError, match="run `tlae score`"):
        read_scored(tmp_path)


def test_a_clip_code_follows_the_order_of_the_clips() -> None:
    table = pd.DataFrame({"clip": ["z", "z", "a"], "frame": [0, 1, 0], "raw": [1.0, 2.0, 3.0]})
    assert ScoredTable("x", table).clip_codes.tolist() == [0, 0, 1]
