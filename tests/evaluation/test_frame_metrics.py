from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluation.naive_roc import arrays, naive_ap, naive_auc, naive_corner, naive_eer, single
from tlae.errors import UserError
from tlae.evaluation.bootstrap import clip_draws
from tlae.evaluation.frame_metrics import (
    FrameScores,
    frame_measures,
    hasan_irregularity,
    min_max,
    z_score,
)
from tlae.evaluation.roc import Ranking
from tlae.number_words import how_many

MICRO = [
    "auc_raw",
    "ap_raw",
    "eer_raw",
    "eer_corner_raw",
    "auc_minmax",
    "eer_minmax",
    "eer_corner_minmax",
    "auc_hasan",
    "auc_z",
]
KEYS = [*MICRO, "auc_macro", "auc_macro_padded"]

# ---- the same figures, written plainly ----


def naive_scaled(frames: FrameScores, scale: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    parts = [frames.scores[frames.clips == clip] for clip in dict.fromkeys(frames.clips.tolist())]
    constant = [part.min() == part.max() for part in parts]
    scaled = [
        np.zeros(len(part)) if flat else scale(part)
        for part, flat in zip(parts, constant, strict=True)
    ]
    return np.concatenate(scaled)


SCALED = {
    "raw": lambda frames: frames.scores,
    "minmax": min_max,
    "hasan": hasan_irregularity,
    "z": z_score,
}
NAIVE = {"auc": naive_auc, "ap": naive_ap, "eer": naive_eer, "eer_corner": naive_corner}


def naive_interval(
    figure: str, scores: np.ndarray, frames: FrameScores, drawn: np.ndarray
) -> tuple[float, float] | None:
    values = []
    for counts in drawn:
        rows = [
            row
            for clip, count in enumerate(counts)
            for row in np.flatnonzero(frames.clips == clip).tolist() * count
        ]
        labels = frames.labels[rows]
        if labels.any() and not labels.all():
            values.append(NAIVE[figure](scores[rows], labels))
    if 2 * len(values) < len(drawn):
        return None
    low, high = np.percentile(values, (2.5, 97.5))
    return low, high


@st.composite
def clips_of_frames(draw: st.DrawFn) -> FrameScores:
    sizes = draw(st.lists(st.integers(1, 8), min_size=1, max_size=5))
    clips = np.repeat(np.arange(len(sizes)), sizes)
    rows = st.tuples(st.integers(0, 6), st.booleans())
    scores, labels = arrays(draw(st.lists(rows, min_size=len(clips), max_size=len(clips))))
    return FrameScores(scores, labels, clips)


# ---- scores rescaled inside each clip ----


def test_rescaling_by_hand() -> None:
    frames = FrameScores(
        np.array([1.0, 2.0, 4.0, 0.1, 0.1, 0.1, 0.0]),
        np.zeros(7, bool),
        np.array([5, 5, 5, 2, 2, 2, 9]),
    )
    np.testing.assert_allclose(min_max(frames), [0, 1 / 3, 1, 0, 0, 0, 0])
    np.testing.assert_allclose(hasan_irregularity(frames), [0, 0.25, 0.75, 0, 0, 0, 0])
    z = (np.array([1, 2, 4]) - 7 / 3) / np.std([1, 2, 4])
    np.testing.assert_allclose(z_score(frames), [*z, 0, 0, 0, 0])


@settings(max_examples=40, deadline=None)
@given(frames=clips_of_frames())
def test_rescaling_agrees_with_clip_after_clip(frames: FrameScores) -> None:
    naive = naive_scaled(frames, lambda s: (s - s.min()) / (s.max() - s.min()))
    np.testing.assert_allclose(min_max(frames), naive, atol=1e-12)
    naive = naive_scaled(frames, lambda e: 1 - (1 - (e - e.min()) / e.max()))
    np.testing.assert_allclose(hasan_irregularity(frames), naive, atol=1e-12)
    naive = naive_scaled(frames, lambda s: (s - s.mean()) / s.std())
    np.testing.assert_allclose(z_score(frames), naive, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(frames=clips_of_frames(), seed=st.integers(0, 99))
def test_weights_of_clips_are_clips_written_out(frames: FrameScores, seed: int) -> None:
    weights = clip_draws(len(frames.clip_starts), 1, seed)[0]
    rows = np.repeat(np.arange(len(frames.clips)), weights[frames.clip_numbers])
    ranking = Ranking(frames.scores, frames.labels, frames.clip_numbers)
    weighted = dict(
        zip(ranking.thresholds, np.stack(ranking.counts(weights))[:, 1:].T, strict=True)
    )
    written_out = Ranking(frames.scores[rows], frames.labels[rows])
    for threshold, *expected in zip(
        written_out.thresholds, *(part[1:] for part in written_out.counts()), strict=True
    ):
        assert weighted[threshold].tolist() == expected


# ---- all figures ----


@settings(max_examples=25, deadline=None)
@given(frames=clips_of_frames())
def test_all_figures_agree_with_plain_ones(frames: FrameScores) -> None:
    measures = {measure.key: measure for measure in frame_measures(frames, draws=20)}
    assert list(measures) == KEYS
    if single(frames.labels):
        assert all(m.value is None and m.interval is None for m in measures.values())
        return
    drawn = clip_draws(len(frames.clip_starts), 20)
    for key in MICRO:
        figure, scaling = key.rsplit("_", 1)
        scores = SCALED[scaling](frames)
        assert measures[key].value == pytest.approx(NAIVE[figure](scores, frames.labels))
        if len(frames.clip_starts) < 2:
            assert measures[key].interval is None
        else:
            expected = naive_interval(figure, scores, frames, drawn)
            assert measures[key].interval == (expected and pytest.approx(expected))

    parts = [frames.clips == clip for clip in np.unique(frames.clips)]
    areas = [
        naive_auc(frames.scores[part], frames.labels[part])
        for part in parts
        if not single(frames.labels[part])
    ]
    padded = [
        naive_auc(
            np.append(frames.scores[part], [-1, 7]), np.append(frames.labels[part], [0, 1]) > 0
        )
        for part in parts
    ]
    assert measures["auc_macro"].value == (pytest.approx(np.mean(areas)) if areas else None)
    assert measures["auc_macro_padded"].value == pytest.approx(np.mean(padded))
    assert f"{len(areas)} of {how_many(len(parts), 'clip')}" in measures["auc_macro"].basis


@pytest.mark.parametrize(("label", "kind"), [(False, "normal"), (True, "anomalous")])
def test_a_single_class_has_no_figures_but_a_reason(label: bool, kind: str) -> None:
    frames = FrameScores(np.arange(200.0), np.full(200, label), np.repeat([0, 1], 100))
    for measure in frame_measures(frames):
        assert measure.value is None
        assert measure.interval is None
        assert measure.basis == f"all 200 frames are {kind}: needs both classes"


def test_no_frames_have_no_figures() -> None:
    none = np.array([])
    measures = frame_measures(FrameScores(none, none.astype(bool), none.astype(np.int64)))
    assert [m.key for m in measures] == KEYS
    assert {(m.value, m.basis) for m in measures} == {(None, "no frame has a score")}


def test_one_clip_has_figures_without_intervals() -> None:
    frames = FrameScores(np.arange(4.0), np.array([0, 0, 1, 1], bool), np.zeros(4, np.int64))
    assert {(m.value, m.interval) for m in frame_measures(frames)} >= {(1.0, None), (0.0, None)}
    assert all(m.interval is None for m in frame_measures(frames))


def test_clips_of_one_class_have_no_macro_figure() -> None:
    frames = FrameScores(np.arange(4.0), np.array([0, 0, 1, 1], bool), np.array([0, 0, 1, 1]))
    macro, padded = frame_measures(frames, draws=10)[-2:]
    assert (macro.value, macro.basis) == (None, "both classes in 0 of 2 clips")
    assert padded.value == 1


def test_scores_below_0_have_no_regularity() -> None:
    frames = FrameScores(np.array([-2.5, 1.0]), np.array([False, True]), np.array([0, 0]))
    measures = {m.key: m for m in frame_measures(frames)}
    assert measures["auc_hasan"].value is None
    assert "never below 0; the lowest score is -2.5" in measures["auc_hasan"].basis
    assert measures["auc_raw"].value == 1


def test_frames_that_make_no_sense_are_refused() -> None:
    two, no = np.zeros(2), np.zeros(2, bool)
    with pytest.raises(UserError, match="got 2 scores, 2 labels and 3 clips"):
        FrameScores(two, no, np.zeros(3, np.int64))
    with pytest.raises(UserError, match="scores must be finite, 1 of 2 are not"):
        FrameScores(np.array([np.nan, 1.0]), no, np.zeros(2, np.int64))
    with pytest.raises(UserError, match="must stand together; sort them by clip"):
        FrameScores(np.zeros(3), np.zeros(3, bool), np.array([0, 1, 0]))


def test_published_errors_give_the_published_figures(shared_data: Path) -> None:
    table = pd.read_csv(shared_data / "memae_ped2_errors.csv")
    frames = FrameScores(
        table["error"].to_numpy(),
        table["label"].to_numpy(bool),
        table.groupby("clip").ngroup().to_numpy(),
    )
    measures = {m.key: m for m in frame_measures(frames)}
    values = {key: m.value for key, m in measures.items() if m.value is not None}
    assert values["auc_raw"] == pytest.approx(0.6958, abs=5e-5)
    assert values["auc_minmax"] == pytest.approx(0.9341, abs=5e-5)
    expected = {"eer_corner_raw": 48.0, "eer_corner_minmax": 13.7}
    expected |= {"eer_raw": 47.7, "eer_minmax": 13.6, "auc_hasan": 91.1, "auc_z": 89.6}
    expected |= {"auc_macro": 97.1, "auc_macro_padded": 98.4}
    assert {key: round(100 * values[key], 1) for key in expected} == expected
    assert measures["auc_raw"].interval == pytest.approx((0.49, 0.92), abs=0.015)
    assert measures["auc_minmax"].interval == pytest.approx((0.889, 0.971), abs=0.005)
    assert measures["auc_raw"].basis == "1,830 frames, 304 normal"
    assert measures["auc_macro"].basis == "both classes in 7 of 12 clips"
