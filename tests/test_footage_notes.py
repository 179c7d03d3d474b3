"""Lines about footage that is unlike what a model learnt from."""

import logging

import numpy as np
import pytest

from tlae.footage.frames import OK, WARM_UP
from tlae.table import Table
from tlae.workflows.footage_notes import note_other_pace, note_short_runs


class _Store:
    """Rows without pictures."""

    def __init__(self, **intervals_s: float) -> None:
        clips = [clip for clip in intervals_s for _ in range(20)]
        times = [20 * [step] for step in intervals_s.values()]
        self.index = Table({"clip": clips, "time_s": np.cumsum(times, axis=1).ravel()})


def test_stills_beside_video_are_told(caplog: pytest.LogCaptureFixture) -> None:
    note_other_pace(_Store(gate=0.1, yard=0.1, stills=600.0), 0.1)
    assert caplog.messages == [
        "note: in 1 of 3 clips (stills) frames are 600 s apart, the model learnt from frames 0.1 s "
        "apart; scores may mean little"
    ]


def test_footage_of_another_pace_throughout_names_no_clip(
    caplog: pytest.LogCaptureFixture,
) -> None:
    note_other_pace(_Store(one=600.0, two=600.0), 0.1)
    assert caplog.messages[0].startswith("note: frames are 600 s apart")
    caplog.clear()
    note_other_pace(_Store(one=0.1, two=0.12), 0.1)
    assert caplog.messages == []


def test_frames_in_short_runs_have_no_score_or_one_of_copies(
    caplog: pytest.LogCaptureFixture,
) -> None:
    runs = [np.arange(start, start + 2) for start in range(0, 20, 2)]
    states = np.array([WARM_UP, OK] * 10)
    with caplog.at_level(logging.WARNING):
        note_short_runs(states, runs, 5, 60.0)
    assert caplog.messages[0].startswith("note: 10 of 20 frames get no score (warm-up), because")
    assert caplog.messages[1].startswith("note: 10 of 20 frames with a score are in runs shorter")
    assert all(said.endswith("an interval over 60 s ends a run") for said in caplog.messages)
    caplog.clear()
    note_short_runs(np.array([WARM_UP, *19 * [OK]]), [np.arange(20)], 5, 60.0)
    assert caplog.messages == []
