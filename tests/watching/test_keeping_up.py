"""What the log says when scores mean little."""

import logging
import sqlite3
import time
from pathlib import Path

import pytest

from tests.small_footage import small_model, write_clips
from tests.watching.running import settings
from tlae.cli import main
from tlae.model_file import save_model
from tlae.watching.arrival import Counts
from tlae.watching.keeping_up import KeepingUp
from tlae.watching.store import Store


def test_dropped_frames_are_reported_once_and_so_is_their_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counts = Counts()
    keeping_up = KeepingUp(counts, now_s=0.0)
    for now_s, read, dropped in (
        (31, 300, 3),  # a hiccup
        (62, 300, 200),
        (93, 300, 250),  # known
        (124, 300, 20),
        (155, 300, 0),
    ):
        counts.read += read
        counts.dropped += dropped
        keeping_up.look(now_s)
        keeping_up.look(now_s + 1.0)  # too early
    assert [record.getMessage()[:60] for record in caplog.records] == [
        "this machine does not keep up with the camera: 200 of 300 fr",
        "this machine keeps up with the camera again",
    ]


def test_frames_unlike_those_of_training_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_model(small_model("copy_last"), tmp_path / "gate.safetensors")
    footage = write_clips(tmp_path / "f", (30,))
    words = settings(tmp_path / "gate.safetensors", footage, tmp_path / "out")
    with caplog.at_level(logging.WARNING, "tlae"):
        assert main(["watch", *words, "camera.interval_s=2", "camera.stop_idle_s=0.5"]) == 0
    (line,) = [one.getMessage() for one in caplog.records if "apart" in one.getMessage()]
    assert line == (
        "note: frames are 2 s apart, the model learnt from frames 0.1 s apart; scores may mean "
        "little, and an interval over 0.5 s begins a new clip"
    )


def test_the_last_line_says_what_was_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_model(small_model("copy_last"), tmp_path / "gate.safetensors")
    footage = write_clips(tmp_path / "f", (4,))
    write_clips(tmp_path / "wide", (1,), size_hw=(32, 64))
    (tmp_path / "wide/c0/000.png").rename(footage / "c0/004.png")
    words = settings(tmp_path / "gate.safetensors", footage, tmp_path / "out")
    assert main(["watch", *words, "camera.interval_s=0.1", "camera.stop_idle_s=0.5"]) == 0
    assert "done: 4 frames scored, 1 left out, events" in capsys.readouterr().out


def test_a_disk_that_takes_nothing_to_the_end_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    save_model(small_model("copy_last"), tmp_path / "gate.safetensors")
    footage, out = write_clips(tmp_path / "f", (4,)), tmp_path / "out"
    words = settings(tmp_path / "gate.safetensors", footage, out, "camera.interval_s=0.1")
    with monkeypatch.context() as patched:
        patched.setattr(Store, "commit", full)
        assert main(["watch", *words, "camera.stop_idle_s=0.5"]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith(f"tlae watch: {out}/watch.sqlite must be writable, and was not")
    assert main(["watch", *words, "camera.stop_idle_s=0.5"]) == 0
    assert "done: 4 frames scored, events" in capsys.readouterr().out


def test_a_machine_that_is_slow_between_frames_ends_no_watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A camera is idle where no frame waits, however long the last one took."""
    monkeypatch.setattr(KeepingUp, "look", lambda *_: time.sleep(0.3))
    save_model(small_model("copy_last"), tmp_path / "gate.safetensors")
    footage = write_clips(tmp_path / "f", (5,))
    words = settings(tmp_path / "gate.safetensors", footage, tmp_path / "out")
    assert main(["watch", *words, "camera.interval_s=0.1", "camera.stop_idle_s=0.2"]) == 0
    assert "done: 5 frames" in capsys.readouterr().out
