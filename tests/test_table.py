"""Tables of arrays hold, write and give back what pandas would."""

import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tlae.errors import UserError
from tlae.parquet_file import read_parquet, write_parquet
from tlae.table import (
    Table,
    changes,
    compact,
    counted,
    first_rows,
    groups,
    highest,
    is_any,
    missing,
)

MOMENTS = [
    "2026-01-01",
    "2026-01-02 03:04:05",
    "2026-01-01 00:00:00.25",
    "2026-01-01 00:00:00.000007",
]


def every_kind() -> Table:
    return Table(
        {
            "clip": ["a", 'b\n,"', "é", None],
            "frame": [0, 1, 2, 3],
            "raw": [0.1, np.nan, 1e-7, np.inf],
            "alarm": np.array([True, False, True, False]),
            "taken_at": np.array([MOMENTS[0], None, MOMENTS[1], MOMENTS[0]], "datetime64[us]"),
            "mode": "",
        }
    )


def test_columns_are_of_few_kinds_and_of_one_length() -> None:
    table = every_kind().assign(small=np.float32([1, 2, 3, 4]), short=np.uint8([1, 2, 3, 4]))
    kinds = {name: str(table[name].dtype) for name in table}
    assert kinds["small"] == "float64"
    assert kinds["short"] == kinds["frame"] == "int64"
    assert kinds["mode"] == kinds["clip"] == "object"
    assert len(table) == 4
    assert "raw" in table
    with pytest.raises(ValueError, match=r"column short must have 4 rows, got \(3,\)"):
        table.assign(short=[1, 2, 3])


@pytest.mark.parametrize("moment", MOMENTS)
def test_text_is_that_of_pandas(moment: str, tmp_path: Path) -> None:
    moments = np.array(["2026-01-01", moment, None, "2026-01-01"], "datetime64[us]")
    table = every_kind().assign(taken_at=moments)
    table.to_csv(tmp_path / "mine.csv")
    table.frame().to_csv(tmp_path / "other.csv", index=False)
    assert (tmp_path / "mine.csv").read_bytes() == (tmp_path / "other.csv").read_bytes()


def test_a_dataframe_and_back_is_the_same() -> None:
    table = every_kind()
    frame = table.frame()
    assert Table.of(frame).equals(table)
    assert frame["raw"].isna().tolist() == [False, True, False, False]
    assert frame["clip"].isna().tolist() == [False, False, False, True]
    assert frame["taken_at"].dtype == "datetime64[us]"
    assert not Table.of(frame).assign(frame=[0, 1, 2, 4]).equals(table)


def test_without_pandas_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UserError, match="needs pandas, which is not installed; pip install pandas"):
        every_kind().frame()


def test_rows_are_plain_values() -> None:
    row = every_kind().row(0)
    assert row == {
        "clip": "a",
        "frame": 0,
        "raw": 0.1,
        "alarm": True,
        "taken_at": datetime(2026, 1, 1),
        "mode": "",
    }
    assert [type(row[name]) for name in ("frame", "raw", "alarm")] == [int, float, bool]
    assert every_kind().row(1)["taken_at"] is None


def test_tables_behind_each_other_lack_what_one_of_them_lacks() -> None:
    one, other = every_kind(), Table({"clip": ["z"], "extra": [7]})
    both, frames = Table.joined([one, other]), [one.frame(), other.frame()]
    assert both["clip"].tolist() == ["a", 'b\n,"', "é", None, "z"]
    assert missing(both["taken_at"]).tolist() == [False, True, False, False, True]
    assert np.isnan(both["extra"]).tolist() == [True] * 4 + [False]
    assert both["raw"].tolist()[2:4] == pd.concat(frames)["raw"].tolist()[2:4]


def test_rows_that_are_not_kept_have_no_values() -> None:
    table = every_kind()
    kept = np.array([True, True, False, True])
    assert table.where(np.ones(4, bool))["frame"].dtype == float
    shown = table.where(kept)
    assert [name for name in shown if not missing(shown[name])[2]] == []
    assert shown["frame"].tolist()[::3] == [0.0, 3.0]
    assert shown["clip"][0] == "a"


def test_helpers_agree_with_pandas() -> None:
    values = np.array(["b", "b", "a", "c", "c", "a"], object)
    series = pd.Series(values)
    assert changes(values).tolist() == (series != series.shift()).tolist()
    assert counted(values) == series.value_counts().to_dict()
    assert is_any(values, ("a", "x")).tolist() == series.isin(["a", "x"]).tolist()
    assert first_rows(values) == {"b": 0, "a": 2, "c": 3}
    expected = {name: rows.tolist() for name, rows in series.groupby(series).indices.items()}
    assert {name: rows.tolist() for name, rows in groups(values).items()} == expected
    assert groups(values[:0]) == {}
    assert highest(np.array([np.nan, 2.0, 1.0])) == 2.0
    assert highest(np.array([np.nan])) is None


ALIKE = {
    "text": np.array(["a" * n for n in (2, 2, 2)], object),
    "none": np.array([None] * 3, object),
    "number": np.full(3, 7),
    "nan": np.full(3, np.nan),
    "flag": np.ones(3, bool),
    "moment": np.full(3, np.datetime64("NaT", "us")),
}


def test_equal_values_are_held_once(tmp_path: Path) -> None:
    for values in ALIKE.values():
        held = compact(values.copy())
        assert held.strides == (0,)
        assert Table({"a": held}).equals(Table({"a": values}))
        with pytest.raises(ValueError, match="read-only"):
            held[0] = values[0]
    for values in (np.array([1.0, np.nan]), np.array(["a", None], object), np.zeros(0)):
        held = compact(values.copy())
        assert held.strides == values.strides
        assert not held.flags.writeable
    table = Table({"number": np.arange(3), "one": 1.5, **ALIKE})
    write_parquet(table, tmp_path / "a.parquet")
    write_parquet(Table({name: np.array(table[name]) for name in table}), tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    read = read_parquet(tmp_path / "a.parquet")
    assert read.equals(table)
    both = Table.joined([read, read])
    for name in ("one", *ALIKE):
        assert read[name].strides == both[name].strides == (0,)
    assert len({id(text) for text in Table({"n": [1] * 9, "text": "of its own"})["text"]}) == 1
