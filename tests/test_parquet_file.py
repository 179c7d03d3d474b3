"""Parquet files of tlae: any program reads them, and tlae reads those of pyarrow."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.test_table import every_kind
from tlae import lazy_column, parquet_file
from tlae.errors import UserError
from tlae.parquet_file import open_parquet, read_parquet, regrouped, spooled, write_parquet
from tlae.table import Table
from tlae.thrift_records import Int32, packed, unpacked


def long_table(rows: int) -> Table:
    rng = np.random.default_rng(rows)
    table = Table(
        {
            "clip": rng.choice(["a", "lönger", ""], rows),
            "frame": rng.integers(-(2**62), 2**62, rows),
            "raw": rng.normal(size=rows),
            "alarm": rng.random(rows) < 0.5,
            "taken_at": np.datetime64("1960-01-01", "us") + rng.integers(0, 2**51, rows),
        }
    )
    return Table.joined([table.where(rng.random(rows) < 0.8), table]) if rows else table


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 500])
@pytest.mark.parametrize("group_rows", [3, 8, 65_536])
def test_what_is_written_is_read_by_tlae_and_by_pandas(
    rows: int, group_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lazy_column, "PIECE_ROWS", group_rows)
    table, path = long_table(rows), tmp_path / "t.parquet"
    write_parquet(table, path)
    assert read_parquet(path).equals(table)
    pd.testing.assert_frame_equal(pd.read_parquet(path), table.frame())
    columns = read_parquet(path, ["raw", "clip"])
    assert list(columns) == ["raw", "clip"]
    assert columns["raw"].tobytes() == table["raw"].tobytes()


def test_missing_values_are_missing_for_other_programs(tmp_path: Path) -> None:
    table, path = every_kind(), tmp_path / "t.parquet"
    write_parquet(table, path)
    counts = {name: pq.read_table(path)[name].null_count for name in table}
    assert counts == {"clip": 1, "frame": 0, "raw": 1, "alarm": 0, "taken_at": 1, "mode": 0}
    assert pq.read_schema(path).field("taken_at").type.tz is None


@pytest.mark.parametrize("unit", ["ns", "us", "ms"])
def test_files_of_pyarrow_are_read(unit: str, tmp_path: Path) -> None:
    table, path = every_kind(), tmp_path / "t.parquet"
    frame = table.frame().astype({"taken_at": f"datetime64[{unit}]", "frame": "int32"})
    frame.to_parquet(path, index=False)
    assert read_parquet(path).equals(table)
    assert list(read_parquet(path, ["frame"])) == ["frame"]


def test_without_pyarrow_one_line_says_what_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_kind().frame().to_parquet(tmp_path / "t.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"earlier version of tlae, .*; pip install pyarrow"):
        read_parquet(tmp_path / "t.parquet")


def test_damage_is_noticed_wherever_it_is(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_parquet(long_table(20), path)
    whole = path.read_bytes()
    with pytest.raises(KeyError, match="score"):
        read_parquet(path, ["raw", "score"])
    for cut in (0, 3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match="no whole Parquet file"):
            read_parquet(path)
    content = whole.index(b"\x1f\x8b") + 12
    path.write_bytes(whole[:content] + b"\0\0\0" + whole[content + 3 :])
    with pytest.raises(ValueError, match="it is damaged"):
        read_parquet(path)


def test_an_opened_table_is_read_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lazy_column, "PIECE_ROWS", 100)
    path, table = tmp_path / "t.parquet", long_table(150)
    write_parquet(table, path)
    opened = open_parquet(path)
    write_parquet(long_table(10), tmp_path / "other")
    (tmp_path / "other").replace(path)  # what was opened stays as it was
    assert opened.equals(table)
    assert opened.take(slice(95, 205)).equals(table.take(slice(95, 205)))
    assert opened.row(299) == table.row(299)


def test_damage_of_an_opened_table_is_noticed_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_parquet(long_table(20), path)
    whole = path.read_bytes()
    content = whole.index(b"\x1f\x8b") + 12
    path.write_bytes(whole[:content] + b"\0\0\0" + whole[content + 3 :])
    opened = open_parquet(path)
    assert len(opened["raw"]) == 40
    with pytest.raises(ValueError, match="it is damaged"):
        opened["clip"]


def test_a_spooled_table_leaves_nothing_behind(tmp_path: Path) -> None:
    parts = [long_table(rows) for rows in (3, 4, 20)]
    table = spooled(iter(parts), tmp_path)
    assert [*tmp_path.iterdir()] == []
    assert table.equals(Table.joined(parts))
    with pytest.raises(TypeError, match="column a is of kind f, then of i"):
        spooled([Table({"a": [0.5]}), Table({"a": [1]})], tmp_path)


def test_short_and_long_tables_become_pieces_of_one_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (lazy_column, parquet_file):
        monkeypatch.setattr(module, "PIECE_ROWS", 8)
    parts = [long_table(rows) for rows in (1, 2, 20, 3)]
    pieces = [*regrouped(parts)]
    assert [len(piece) for piece in pieces] == [8] * 6 + [4]
    assert Table.joined(pieces).equals(Table.joined(parts))
    assert [*regrouped([])] == []


def test_records_are_read_as_they_were_written() -> None:
    record = {
        1: Int32(-5),
        2: 2**40,
        3: b"name",
        5: True,
        6: False,
        10: [{1: 1}, {}],
        11: [Int32(n) for n in range(20)],
        12: {1: {2: {}}},
    }
    assert unpacked(packed(record)) == (record, len(packed(record)))
