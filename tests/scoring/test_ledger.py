from pathlib import Path

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
