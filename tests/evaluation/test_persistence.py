import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlae.evaluation.persistence import (
    count_found,
    persistence,
    persistence_measures,
    persistent_events,
)
from tlae.evaluation.runs import spans_of


def naive_persistence(values: list[float]) -> list[float]:
    """How high the lowest way from each row to a lower one climbs."""
    lasted = []
    for row, value in enumerate(values):
        barriers = []
        for side in (range(row - 1, -1, -1), range(row + 1, len(values))):
            climbed = value
            for other in side:
                climbed = max(climbed, values[other])
                if (values[other], other) < (value, row):
                    barriers.append(climbed)
                    break
        lasted.append((min(barriers) if barriers else max(values)) - value)
    return lasted


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.integers(0, 6), min_size=1, max_size=40))
def test_persistence_agrees_with_walking_to_the_next_lower_row(values: list[int]) -> None:
    floats = [float(value) for value in values]
    assert persistence(np.array(floats)).tolist() == naive_persistence(floats)


def test_persistence_by_hand() -> None:
    values = np.array([5.0, 1.0, 4.0, 2.0, 6.0, 3.0, 3.0, 9.0])
    assert persistence(values).tolist() == [0, 8, 0, 2, 0, 3, 0, 0]
    assert persistence(np.ones(4)).tolist() == [0, 0, 0, 0]
    assert persistence(np.array([])).tolist() == []


def test_many_frames_take_no_recursion_and_little_time() -> None:
    lasted = persistence(np.tile([0.0, 1.0], 20_000))
    assert (lasted[::2] == 1).all()
    assert (lasted[1::2] == 0).all()
    assert persistence(-np.arange(40_000.0)).sum() == 39_999


def peaks(length: int, **rows: float) -> np.ndarray:
    values = np.zeros(length)
    for row, height in rows.items():
        values[int(row[1:])] = height
    return values


def test_near_peaks_are_one_event_and_clips_cut_it() -> None:
    one = peaks(300, r10=0.5, r60=0.4, r150=0.05, r211=0.3)
    two = peaks(60, r5=0.2, r57=0.9)
    clips = np.repeat([3, 1], [300, 60])
    events = persistent_events(np.concatenate([one, two]), clips)
    assert events.tolist() == [[0, 85], [186, 236], [300, 330], [332, 359]]


def test_a_calm_clip_has_no_event() -> None:
    assert persistent_events(np.full(100, 0.7), np.zeros(100, np.int64)).shape == (0, 2)
    calm = np.linspace(0, 0.1, 100)
    assert persistent_events(calm, np.zeros(100, np.int64)).shape == (0, 2)


spans = st.lists(st.booleans(), max_size=30).map(
    lambda flags: spans_of(np.array(flags, bool), np.zeros(len(flags), np.int64))
)


@settings(max_examples=60, deadline=None)
@given(predicted=spans, truth=spans)
def test_counts_agree_with_sets_of_rows(predicted: np.ndarray, truth: np.ndarray) -> None:
    found, right = set(), set()
    for p, (first, last) in enumerate(predicted):
        for t, (true_first, true_last) in enumerate(truth):
            rows, true_rows = set(range(first, last + 1)), set(range(true_first, true_last + 1))
            if len(rows & true_rows) >= 0.5 * min(len(rows), len(true_rows)):
                found.add(t)
                right.add(p)
    assert count_found(predicted, truth) == (len(found), len(predicted) - len(right))


def test_half_of_the_shorter_is_enough() -> None:
    truth = np.array([[10, 19]])
    assert count_found(np.array([[0, 14]]), truth) == (1, 0)
    assert count_found(np.array([[0, 13]]), truth) == (0, 1)
    assert count_found(np.array([[0, 3], [12, 15]]), truth) == (1, 1)


def test_measures_of_a_clip_with_one_peak_and_gaps() -> None:
    scores = np.append(1 + peaks(200, r100=1.0, r180=0.8), [np.nan, np.nan])
    scores[40] = np.nan
    labels = np.zeros(202, bool)
    labels[90:110] = True
    clips = np.repeat([0, 1], [200, 2])
    found, false = persistence_measures(scores, labels, clips, spans_of(labels, clips))
    assert (found.key, found.value, found.unit) == ("persistence_found", 1, "count")
    assert (false.key, false.value, false.unit) == ("persistence_false", 1, "count")
    assert found.basis == "1 event, 2 predicted"


@pytest.mark.parametrize(
    ("score", "reason"), [(np.nan, "no frame has a score"), (-1.0, "the lowest score is -1")]
)
def test_without_errors_there_is_a_reason(score: float, reason: str) -> None:
    clips = np.zeros(3, np.int64)
    none = np.empty((0, 2), np.int64)
    for measure in persistence_measures(np.full(3, score), np.zeros(3, bool), clips, none):
        assert measure.value is None
        assert reason in measure.basis
