import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from tlae.errors import UserError
from tlae.evaluation.event_metrics import event_measures
from tlae.evaluation.measure import Measure
from tlae.evaluation.runs import (
    alarm_sweep,
    best_within,
    count_false,
    count_matches,
    merge_frames_of,
    spans_of,
)
from tlae.scoring.event_rule import Clock, EventRule, event_runs

MATCHED = [
    f"event_{figure}_iou{min_iou}"
    for min_iou in (10, 50)
    for figure in ("recall", "precision", "f1")
]
BOUGHT = ["recall_1_per_hour", "recall_10_per_hour", "recall_60_per_hour"]
PRICE = ["delay_frames", "delay_s", "normal_alarm_rate", "alarms_per_hour"]
KEYS = [*MATCHED, *BOUGHT, *PRICE, "persistence_found", "persistence_false"]

flags = st.lists(st.booleans(), min_size=1, max_size=50)


def runs_of_events(flags: np.ndarray, clips: np.ndarray, merge: int) -> list[tuple[int, int]]:
    """As ``tlae score`` finds events, with frames a second apart."""
    clock = Clock(np.arange(len(flags), dtype=float), clips, 1.0, 0.0, shared=False)
    return event_runs(flags, flags, clock, EventRule(merge_s=merge))


def in_one_clip(values: list[bool]) -> np.ndarray:
    return spans_of(np.array(values, bool), np.zeros(len(values), np.int64))


@settings(max_examples=60, deadline=None)
@given(values=flags, cut=st.integers(0, 50), merge=st.integers(1, 5))
def test_runs_are_those_of_the_events_file(values: list[bool], cut: int, merge: int) -> None:
    clips = (np.arange(len(values)) >= cut).astype(np.int64)
    runs = [tuple(run) for run in spans_of(np.array(values), clips, merge).tolist()]
    assert runs == runs_of_events(np.array(values), clips, merge)


# ---- matching ----


@settings(max_examples=100, deadline=None)
@given(predicted=flags, truth=flags, min_iou=st.sampled_from([0.1, 0.3, 0.5, 1.0]))
def test_matching_is_maximal(predicted: list[bool], truth: list[bool], min_iou: float) -> None:
    runs, events = in_one_clip(predicted), in_one_clip(truth)
    fits = np.zeros((len(runs), len(events)), int)
    for i, (first, last) in enumerate(runs):
        for j, (true_first, true_last) in enumerate(events):
            rows, true_rows = set(range(first, last + 1)), set(range(true_first, true_last + 1))
            fits[i, j] = len(rows & true_rows) >= min_iou * len(rows | true_rows)
    expected = (maximum_bipartite_matching(csr_array(fits)) >= 0).sum() if fits.size else 0
    assert count_matches(runs, events, min_iou) == expected


def test_two_alarms_on_one_event_match_once() -> None:
    event = np.array([[0, 9]])
    assert count_matches(np.array([[0, 4], [5, 9]]), event, 0.5) == 1
    assert count_matches(np.array([[0, 3], [5, 8]]), event, 0.5) == 0


# ---- sweep over thresholds ----


def naive_sweep(
    scores: np.ndarray, labels: np.ndarray, clips: np.ndarray, merge: int
) -> list[tuple[float, int, int]]:
    rows = []
    for threshold in sorted({score for score in scores if not np.isnan(score)}):
        alarm = np.array([score >= threshold for score in scores])
        runs = runs_of_events(alarm, clips, merge)
        false = sum(not labels[first : last + 1].any() for first, last in runs)
        events = runs_of_events(labels, clips, 1)
        found = sum(bool(alarm[first : last + 1].any()) for first, last in events)
        rows.append((threshold, false, found))
    return rows


frames = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, np.nan]), st.booleans(), st.booleans()),
    min_size=1,
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(rows=frames, merge=st.integers(1, 5))
def test_sweep_agrees_with_one_threshold_after_the_other(
    rows: list[tuple[float, bool, bool]], merge: int
) -> None:
    scores = np.array([score for score, _, _ in rows])
    labels = np.array([label for _, label, _ in rows])
    clips = np.cumsum([change for _, _, change in rows])
    swept = [part.tolist() for part in alarm_sweep(scores, labels, clips, merge)]
    assert list(zip(*swept, strict=True)) == naive_sweep(scores, labels, clips, merge)


def test_an_alarm_on_everything_does_not_pay() -> None:
    """At the lowest threshold one true alarm covers all, but on the way false ones are too many."""
    false, found = np.array([0, 2, 5, 1, 1, 2]), np.array([3, 3, 2, 1, 1, 0])
    assert best_within(false, found, allowed=4) == 4  # the stricter of two that find one
    assert best_within(false, found, allowed=5) == 1
    assert best_within(false, found, allowed=1) is None


@settings(max_examples=40, deadline=None)
@given(predicted=flags, data=st.data())
def test_a_false_alarm_touches_no_event(predicted: list[bool], data: st.DataObject) -> None:
    size = len(predicted)
    labels = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    runs = in_one_clip(predicted)
    assert count_false(runs, labels) == sum(not labels[a : b + 1].any() for a, b in runs)


# ---- all figures ----


def by_key(measures: list[Measure]) -> dict[str, Measure]:
    return {measure.key: measure for measure in measures}


def an_hour() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """3,600 frames of a second in two clips: two events, three alarms, of which one is false."""
    clips = np.repeat([0, 1], 1800)
    scores, labels = np.zeros(3600), np.zeros(3600, bool)
    labels[100:120] = labels[2000:2100] = True
    scores[104:112] = 3  # overlaps the first event by 8 of 20, 4 frames late
    scores[113] = 3  # after one calm frame: the same alarm
    scores[2010:2100] = 2  # 90 of 100, 10 frames late
    scores[3000:3004] = 2.5  # false
    return scores, labels, clips, scores > 1


def test_figures_by_hand() -> None:
    scores, labels, clips, alarm = an_hour()
    asked = {"false_alarm_rate": 1e-3, "alarms_per_day": 12.0, "threshold": None}
    measures = by_key(event_measures(scores, labels, clips, alarm, 1.0, asked))
    assert list(measures) == KEYS
    assert len({measure.name for measure in measures.values()}) == len(KEYS)
    assert all(measure.level == "event" for measure in measures.values())
    values = {key: measure.value for key, measure in measures.items()}
    assert values == pytest.approx(
        {
            "event_recall_iou10": 1,
            "event_precision_iou10": 2 / 3,
            "event_f1_iou10": 0.8,
            "event_recall_iou50": 1,  # the first: 10 of 20
            "event_precision_iou50": 2 / 3,
            "event_f1_iou50": 0.8,
            "recall_1_per_hour": 1,
            "recall_10_per_hour": 1,
            "recall_60_per_hour": 1,
            "delay_frames": 7,
            "delay_s": 7,
            "normal_alarm_rate": 4 / 3480,
            "alarms_per_hour": 3,
            "persistence_found": 2,
            "persistence_false": 1,
        }
    )
    assert measures["event_recall_iou10"].basis == "2 events, 3 alarms, 2 matched"
    assert measures["recall_1_per_hour"].basis == (
        "2 of 2 events; 1 false alarm allowed in 1 h; 0.115 % of normal frames in alarm"
    )
    assert measures["delay_s"].basis == "2 of 2 events found"
    assert measures["normal_alarm_rate"].basis == "4 of 3,480 normal frames; asked for 0.1 %"
    assert measures["alarms_per_hour"].basis == (
        "3 alarms, 1 outside events; 1 h; asked for 0.5 per hour of normal footage"
    )
    units = {key: measure.unit for key, measure in measures.items()}
    assert (units["delay_frames"], units["delay_s"]) == ("frames", "s")
    assert (units["alarms_per_hour"], units["persistence_found"]) == ("per hour", "count")


def test_less_than_an_hour_allows_no_false_alarm() -> None:
    scores, labels, clips, alarm = an_hour()
    measure = by_key(event_measures(scores, labels, clips, alarm, 0.5))["recall_1_per_hour"]
    assert measure.value == 0.5  # the second event is calmer than the false alarm
    assert measure.basis == (
        "1 of 2 events; 0 false alarms allowed in 0.5 h; 0 % of normal frames in alarm"
    )


def test_a_frame_without_a_score_never_alarms() -> None:
    scores, labels, clips, alarm = an_hour()
    scores[2010:2100] = np.nan
    measures = by_key(event_measures(scores, labels, clips, alarm, 1.0))
    assert measures["event_recall_iou10"].value == 0.5
    assert measures["recall_1_per_hour"].value == 1  # at 0 everything with a score is in alarm
    basis = measures["recall_1_per_hour"].basis
    assert "; 100 % of normal frames in alarm; no alarm in 90 frames" in basis
    assert measures["delay_frames"].value == 4
    for measure in measures.values():
        assert measure.basis.endswith("; no alarm in 90 frames without a score")


def test_without_alarms_or_times_the_reason_is_told() -> None:
    scores, labels, clips, alarm = an_hour()
    bare = by_key(event_measures(scores, labels, clips, None, None))
    undefined = {key for key, measure in bare.items() if measure.value is None}
    assert undefined == set(MATCHED + BOUGHT + PRICE)
    assert bare["event_f1_iou50"].basis == bare["delay_s"].basis == "no alarm column"
    assert bare["recall_1_per_hour"].basis == "the time between frames is not known"

    untimed = by_key(event_measures(scores, labels, clips, alarm, None))
    assert untimed["delay_frames"].value == 7
    assert untimed["delay_s"].value is None
    assert untimed["delay_s"].basis == "the time between frames is not known"
    assert untimed["alarms_per_hour"].value is None
    assert untimed["alarms_per_hour"].basis.endswith("; the time between frames is not known")


def test_without_events_or_alarms_what_is_left_is_told() -> None:
    scores, labels, clips, alarm = an_hour()
    calm = by_key(event_measures(scores, np.zeros_like(labels), clips, alarm, 1.0))
    assert calm["event_recall_iou10"].value is None
    assert calm["event_precision_iou10"].value == 0
    assert calm["recall_10_per_hour"].basis == "no frame is anomalous"
    assert calm["delay_frames"].basis == "no frame is anomalous"
    assert (calm["persistence_found"].value, calm["persistence_false"].value) == (0, 3)

    silent = by_key(event_measures(scores, labels, clips, np.zeros_like(alarm), 1.0))
    assert silent["event_recall_iou10"].value == silent["event_f1_iou10"].value == 0
    assert silent["event_precision_iou10"].value is None
    assert silent["event_precision_iou10"].basis == "2 events, 0 alarms, 0 matched"
    assert silent["delay_frames"].basis == "0 of 2 events found"
    assert silent["alarms_per_hour"].value == 0

    always = by_key(event_measures(scores, np.ones_like(labels), clips, alarm, 1.0))
    assert always["normal_alarm_rate"].value is None
    assert always["normal_alarm_rate"].basis == "no normal frame"

    blind = by_key(event_measures(np.full(3600, np.nan), labels, clips, None, 1.0))
    assert blind["recall_1_per_hour"].basis.startswith("no frame has a score")


def test_what_makes_no_sense_is_refused() -> None:
    scores, labels, clips, alarm = an_hour()
    with pytest.raises(UserError, match=r"alarm must have one entry per frame \(3,600\), got 2"):
        event_measures(scores, labels, clips, alarm[:2], 1.0)
    with pytest.raises(UserError, match="interval_s must be > 0, got 0"):
        event_measures(scores, labels, clips, alarm, 0.0)
    with pytest.raises(UserError, match="got 3600 scores, 2 labels and 3600 clips"):
        event_measures(scores, labels[:2], clips, alarm, 1.0)
    scores[0] = np.inf
    with pytest.raises(UserError, match="scores must be finite"):
        event_measures(scores, labels, clips, alarm, 1.0)


def test_pauses_are_bridged_as_in_the_events_file() -> None:
    alarm = np.zeros(100, bool)
    alarm[[10, 12, 15]] = True  # one calm frame between, then two
    zeros, clips = np.zeros(100), np.zeros(100, np.int64)
    measures = by_key(event_measures(zeros, np.zeros(100, bool), clips, alarm, 36.0))
    assert measures["alarms_per_hour"].value == 2


@pytest.mark.parametrize(("interval_s", "frames"), [(0.1, 10), (0.04, 25), (900.0, 2), (None, 10)])
def test_pauses_are_as_long_whatever_the_pace(interval_s: float | None, frames: int) -> None:
    assert merge_frames_of(interval_s) == frames
