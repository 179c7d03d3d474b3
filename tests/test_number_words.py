"""Numbers in sentences."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlae.number_words import how_many, rounded_up
from tlae.scoring.results import Scores
from tlae.table import Table


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 events"), (1, "1 event"), (2, "2 events"), (2010, "2,010 events")]
)
def test_one_thing_has_no_plural(count: int, text: str) -> None:
    assert how_many(count, "event") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00531, "0.0054"), (0.25, "0.25"), (0.2501, "0.26"), (0.1, "0.1"), (0.995, "1"), (2, "2")],
)
def test_a_bound_is_rounded_up(value: float, text: str) -> None:
    assert rounded_up(value) == text


@given(st.floats(1e-12, 1e12))
def test_a_bound_is_never_below_its_value(value: float) -> None:
    assert value <= float(rounded_up(value)) <= 1.1 * value


def test_results_of_one_frame_say_so() -> None:
    one = Scores(Path("scores"), Table({"raw": np.ones(1)}), {"alarm_frames": 1}, [{}])
    assert repr(one) == "Scores('scores': 1 frame, 1 in alarm, 1 event)"
