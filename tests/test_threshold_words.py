"""The alarm threshold in the line that `tlae events` prints."""

import numpy as np
import pytest

from tlae.commands.event_lines import threshold_words


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
