"""Lazy columns answer as arrays do, and hold one piece."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlae.lazy_column import LazyColumn, pieces_of
from tlae.table import Table, changes, counted, first_rows, highest

VALUES = np.array([3.0, 1.0, 1.0, np.nan, 5.0, 5.0, 5.0, 2.0])
EDGES = st.lists(st.integers(1, 7), max_size=4, unique=True).map(sorted)
PLACES = st.one_of(st.none(), st.integers(-9, 9))


def lazy(values: np.ndarray, edges: list[int]) -> LazyColumn:
    stops = [*edges, len(values)]
    pieces = [slice(a, b) for a, b in zip([0, *stops], stops, strict=False)]
    return LazyColumn(pieces, values.dtype, lambda rows: values[rows])


@given(EDGES, PLACES, PLACES, st.integers(1, 3))
def test_slices_are_those_of_the_array(
    edges: list[int], first: int | None, stop: int | None, step: int
) -> None:
    column, rows = lazy(VALUES, edges), slice(first, stop, step)
    np.testing.assert_array_equal(column[rows], VALUES[rows])


@given(EDGES, st.lists(st.integers(0, 7)))
def test_rows_and_flags_are_those_of_the_array(edges: list[int], rows: list[int]) -> None:
    column, numbers = lazy(VALUES, edges), np.array(rows, np.int64)
    np.testing.assert_array_equal(column[numbers], VALUES[numbers])
    np.testing.assert_array_equal(column[VALUES > 2], VALUES[VALUES > 2])
    np.testing.assert_array_equal([column[row] for row in rows], VALUES[numbers])
    assert column[-1] == VALUES[-1]
    with pytest.raises(IndexError):
        column[len(VALUES)]


def test_a_piece_is_made_once_while_it_is_read_and_then_forgotten() -> None:
    made: list[int] = []

    def make(rows: slice) -> np.ndarray:
        made.append(rows.start)
        return np.arange(rows.start, rows.stop)

    column = LazyColumn([slice(0, 4), slice(4, 8)], np.int64, make)
    assert [column[row] for row in range(8)] == list(range(8))
    assert made == [0, 4]
    assert column[0] == 0
    assert made == [0, 4, 0]


def test_nothing_has_no_pieces() -> None:
    column = LazyColumn([], np.float64, lambda rows: VALUES[rows])
    assert len(column) == len(column[:]) == len(column[np.zeros(0, np.int64)]) == 0
    table = Table({"a": column})
    assert [len(piece) for piece in table.pieces()] == [0]


def test_pieces_end_at_multiples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tlae.lazy_column.PIECE_ROWS", 4)
    assert [*pieces_of(10, 3)] == [slice(3, 4), slice(4, 8), slice(8, 10)]
    assert [*pieces_of(0)] == [*pieces_of(-1)] == []


@pytest.mark.parametrize("piece_rows", [1, 2, 3, 100])
def test_columns_are_judged_piece_by_piece_as_whole(
    piece_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tlae.lazy_column.PIECE_ROWS", piece_rows)
    texts = np.array(["b", "b", "a", "a", "a", "c", "b", "b"], object)
    table = Table({"raw": VALUES, "clip": texts})
    doubled = table.derived(float, lambda piece: 2 * piece["raw"])
    np.testing.assert_array_equal(doubled[:], 2 * VALUES)
    held = table.assign(twice=doubled)
    assert held.take(slice(4, 7))["twice"].tolist() == [10.0, 10.0, 10.0]
    assert held.row(2) == {"raw": 1.0, "clip": "a", "twice": 2.0}
    assert held.marked(["twice"], lambda piece: piece["twice"] > 5).tolist() == [
        *([True] + [False] * 3),
        *([True] * 3 + [False]),
    ]
    assert changes(texts).tolist() == [True, False, True, False, False, True, True, False]
    assert first_rows(texts) == {"b": 0, "a": 2, "c": 5}
    assert counted(texts) == {"b": 4, "a": 3, "c": 1}
    assert highest(doubled) == 10.0


def test_rows_are_asked_for_as_of_an_array() -> None:
    column = LazyColumn([slice(0, 4), slice(4, 6)], "i8", lambda rows: np.arange(6)[rows])
    for rows in (slice(None, None, -1), slice(4, 1, -2), np.array([-1, 2, -6]), np.array([], int)):
        np.testing.assert_array_equal(column[rows], np.arange(6)[rows])
    for wrong in (np.array([True]), np.array([6]), np.array([-7])):
        with pytest.raises(IndexError, match="rows"):
            column[wrong]
