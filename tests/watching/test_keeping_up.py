"""What the log says when scores mean little."""

import logging
from pathlib import Path

import pytest

from tests.small_footage import small_model, write_clips
from tests.watching.running import settings
from tlae.cli import main
from tlae.model_file import save_model
from tlae.watching.arrival import Counts
from tlae.watching.keeping_up import KeepingUp


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
