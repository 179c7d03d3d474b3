"""The alarm threshold and the events in the lines that `tlae events` prints."""

import numpy as np
import pytest

from tlae.commands.event_lines import event_lines, threshold_words
from tlae.scoring.events import Event


@pytest.mark.parametrize(
    ("modes", "thresholds", "words"),
    [
        (["day", "night", "day"], [2.792, 0.87108, 2.792], "day 2.792, night 0.8711"),
        (["", "", ""], [0.5, 0.5, 0.5], "0.5"),
        (["day", "night"], [0.5, 0.5], "0.5"),  # a fixed threshold
        (["day"], [np.inf], "inf"),
        ([], [], ""),
    ],
)
def test_each_mode_has_its_threshold(modes: list[str], thresholds: list[float], words: str) -> None:
    assert threshold_words(np.array(modes, dtype=object), np.array(thresholds)) == words


def test_events_that_are_not_listed_are_counted() -> None:
    record = {"clip": "c", "first_frame": 1, "last_frame": 2, "peak_frame": 1, "peak_raw": 1.0}
    events = [Event.of_json(record | {"rank": number}, number) for number in range(1, 8)]
    assert event_lines(events)[-1] == "  and 2 more, in events.csv"
    assert len(event_lines(events[:5])) == 5
