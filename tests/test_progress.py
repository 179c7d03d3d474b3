"""Progress in plain lines."""

import pytest

from tlae import progress
from tlae.number_words import per_second


def test_nothing_is_guessed_before_the_first_item_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    with progress.progress_as(progress.LINES), progress.progress("calibrating", 86) as advance:
        advance(0)
        advance(43)
    first, second = capsys.readouterr().err.splitlines()[:2]
    assert first == "calibrating: 0 of 86 frames, 0/s"
    assert second.startswith("calibrating: 43 of 86 frames, ")
    assert second.endswith(" s left")


def test_a_slow_pace_is_not_none() -> None:
    assert [per_second(rate) for rate in (0, 0.084, 7.34, 99.6, 1400)] == [
        *("0", "0.084", "7.3", "100", "1,400")
    ]
