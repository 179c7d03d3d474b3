from pathlib import Path

import pytest

from tlae.scoring.ledger import ledger
from tlae.table import Table


def test_every_file_has_one_row_with_what_became_of_it(tmp_path: Path) -> None:
    table = Table(
        {
            "path": ["a.jpg", "b.jpg", "film.mp4", "film.mp4", "film.mp4", "bad.mp4"],
            "state": ["ok", "truncated", "ok", "shape 1x1", "ok", "no video stream"],
        }
    )
    known = ledger(table, ["c.jpg"], "still being written", tmp_path)
    assert known.frame().to_numpy().tolist() == [
        ["a.jpg", "done", 1, ""],
        ["b.jpg", "skipped", 1, "truncated"],
        ["film.mp4", "partly", 3, "shape 1x1"],
        ["bad.mp4", "skipped", 1, "no video stream"],
        ["c.jpg", "waiting", 0, "still being written"],
    ]
    assert len(ledger(table, [], "", tmp_path)) == 4


def test_a_file_may_go_on_in_the_next_piece_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["a.mp4"] * 5 + ["b.jpg"] + ["c.mp4"] * 4
    states = ["ok"] * 4 + ["cut"] + ["ok"] + ["dark"] * 3 + ["black"]
    table = Table({"path": names, "state": states})
    whole = ledger(table, ["d.jpg"], "still being written", tmp_path)
    assert whole["frames"].tolist() == [5, 1, 4, 0]
    assert whole["outcome"].tolist() == ["partly", "done", "skipped", "waiting"]
    assert whole["reason"].tolist() == ["cut", "", "dark", "still being written"]
    for piece_rows in (1, 2, 3):
        monkeypatch.setattr("tlae.lazy_column.PIECE_ROWS", piece_rows)
        assert ledger(table, ["d.jpg"], "still being written", tmp_path).equals(whole)
