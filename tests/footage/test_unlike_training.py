"""Frames of another shape or pace than those in training."""

import math

from tlae.footage.unlike_training import STEPS, UnlikeTraining, other_pace, other_shape


def test_what_is_not_known_is_not_unlike() -> None:
    assert other_shape((48, 64), None) == other_shape((96, 128), (48, 64)) == ""
    assert other_pace(0, 0.1) == other_pace(0.1, 0) == other_pace(math.nan, 0.1) == ""
    assert other_pace(0.2, 0.1) == other_pace(0.05, 0.1) == ""


def test_each_sentence_is_news_once() -> None:
    unlike = UnlikeTraining((48, 64), 0.1, gap_s=0.5)
    assert unlike.see((48, 64), math.nan) == []
    news = [unlike.see((48, 85), 0.3001) for _ in range(2 * STEPS)]
    assert [len(one) for one in news] == [1, *[0] * (STEPS - 2), 1, *[0] * STEPS]
    assert "85x48 pixels, the model learnt from 64x48" in news[0][0]
    assert news[STEPS - 1][0].startswith("frames are 0.3 s apart")
    assert "new clip" not in unlike.pace
    for _ in range(STEPS):
        assert unlike.see((48, 85), 0.6) == []
    assert unlike.pace.endswith("an interval over 0.5 s begins a new clip")
    for _ in range(STEPS):
        assert unlike.see((48, 64), 0.1) == []
    assert (unlike.shape, unlike.pace) == ("", "")


def test_one_pause_is_no_other_pace() -> None:
    unlike = UnlikeTraining(None, 0.1)
    for step_s in (*[0.1] * STEPS, 3600.0, *[0.1] * STEPS, -5.0):
        assert unlike.see((1, 1), step_s) == []
