"""What follows the net holds little of each frame, and says the same whatever the pieces are."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tlae.budget import Budget
from tlae.footage.preprocess import Preprocessing
from tlae.footage.store import FrameStore
from tlae.footage.windows import segments
from tlae.lazy_column import pieces_of
from tlae.parquet_file import spooled
from tlae.scoring.areas import whole_area
from tlae.scoring.calibrate import Calibration, threshold_of
from tlae.scoring.drift import Drift, watch_drift
from tlae.scoring.event_rule import EventRule
from tlae.scoring.event_search import find_events
from tlae.scoring.events import Event, in_alarm, seen_runs
from tlae.scoring.ledger import ledger
from tlae.scoring.results import score_table, write_tables
from tlae.scoring.rule import ScoringRule
from tlae.scoring.stored_maps import StoredMaps
from tlae.table import Table

INTERVAL_S, GAP_S = 0.1, 5.0
RULE = ScoringRule(smooth_frames=2.0)
MAP = np.linspace(0, 1, 12, dtype=np.float32).reshape(1, 3, 4)


def drawn(rows: slice, clips: int = 1) -> tuple[Table, Table]:
    """Rows of a frame store and what a net told of them: an alarm of 30 frames in 1,000."""
    number = np.arange(rows.start, rows.stop)
    clip = number % 5_000 // (5_000 // clips)
    ill = number % 700 == 699
    index = Table(
        {
            "clip": np.array([f"clip{one}" for one in clip], object),
            "frame": number,
            "path": "film.mp4",
            "time_s": number * INTERVAL_S + 100.0 * (number // 2_500),
            "taken_at": np.datetime64("NaT", "us"),
            "state": np.where(ill, "damaged", "ok"),
            "source_h": 30,
            "source_w": 40,
            "mode": np.where(number % 4_000 < 2_000, "day", "night"),
            "health": np.where(number % 900 > 890, "black", "ok"),
            "shift_x": 0.0,
            "shift_y": 0.0,
        }
    )
    instant = 0.1 + 0.1 * (number * 37 % 101) / 101 + (number % 1_000 > 970)
    told = Table(
        {
            "instant": np.where(ill, np.nan, instant),
            "frame_mean": np.where(ill, np.nan, 0.5 * instant),
            "peak_x": number % 40 + 0.5,
            "peak_y": number % 30 + 0.5,
            "reason": "moves",
            "example": 1.0,
            "skipped": 0.0,
        }
    )
    return index, told


def calibration() -> Calibration:
    raw = np.linspace(0.1, 0.3, 200)
    modes = np.array(["day", "night"] * 100, object)
    return Calibration(raw, np.zeros(200, np.int64), INTERVAL_S, "now", modes, raw / 2)


def after_the_net(folder: Path, frames: int, clips: int = 1) -> tuple[list[Event], list[Drift]]:
    """All that `tlae score` does once the net has run."""
    folder.mkdir()
    index = spooled((drawn(rows, clips)[0] for rows in pieces_of(frames)), folder)
    told = spooled((drawn(rows, clips)[1] for rows in pieces_of(frames)), folder)
    store = FrameStore(folder, index, Preprocessing((16, 16)))
    known, runs = calibration(), segments(index, GAP_S)
    threshold = threshold_of(known, Budget(threshold=0.5))
    table = score_table(store, told, runs, RULE, known, threshold, folder)
    maps = np.broadcast_to(MAP, (frames, 3, 4))
    stored, rule = StoredMaps(maps, seen_runs(table, runs), RULE), EventRule(cooldown_s=2.0)
    area = whole_area(table, known, rule)
    table = table.assign(alarm=in_alarm(table, area.counted, area.threshold))
    events = find_events(table, [area], stored, rule, INTERVAL_S, GAP_S)
    write_tables(folder, table, events)
    ledger(table, ["late.mp4"], "waits", folder).to_csv(folder / "ledger.csv")
    return events, watch_drift(table, known)


def test_pieces_of_any_length_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = after_the_net(tmp_path / "whole", 6_000, clips=5)
    kinds = {(event.kind, event.mode) for event in whole[0]}
    assert {("scene", "day"), ("scene", "night"), ("camera", "day")} <= kinds
    names = ("scores.csv", "events.json", "ledger.csv")
    expected = [(tmp_path / "whole" / name).read_bytes() for name in names]
    for piece_rows in (37, 1_000):
        monkeypatch.setattr("tlae.lazy_column.PIECE_ROWS", piece_rows)
        folder = tmp_path / str(piece_rows)
        assert after_the_net(folder, 6_000, clips=5) == whole
        assert [(folder / name).read_bytes() for name in names] == expected


def test_memory_hardly_grows_with_the_footage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tlae.lazy_column.PIECE_ROWS", 1_000)
    after_the_net(tmp_path / "first", 1_000)  # what is made once
    peaks = {}
    for frames in (3_000, 13_000):
        tracemalloc.start()
        after_the_net(tmp_path / str(frames), frames)
        peaks[frames] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[13_000] - peaks[3_000] < 40 * 10_000  # bytes; one column has 8 a frame
