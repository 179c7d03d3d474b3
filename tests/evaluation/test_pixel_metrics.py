from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import auc, roc_auc_score

from tlae.evaluation.ground_truth import TruthRegion, region_pixels, regions_in
from tlae.evaluation.measure import Measure
from tlae.evaluation.pixel_metrics import (
    PixelCriteria,
    PixelPool,
    area_until,
    first_equal_error_rate,
    float_keys,
    least_count,
    lowest_of_keys,
)

Frames = list[tuple[np.ndarray, np.ndarray]]  # map, mask


def measured(accumulator: PixelCriteria | PixelPool, frames: Frames) -> dict[str, Measure]:
    for anomaly_map, mask in frames:
        accumulator.add(anomaly_map.astype(np.float32), regions_in(mask))
    return {measure.key: measure for measure in accumulator.result()}


@st.composite
def frames_with_ties(draw: st.DrawFn) -> Frames:
    """At least one normal and one anomalous frame, of few values, some negative."""
    size = (draw(st.integers(2, 6)), draw(st.integers(2, 6)))
    values = st.sampled_from([-1.5, -0.25, 0.0, 0.125, 0.5, 3.0])
    count = draw(st.integers(2, 6))
    maps = [draw(hnp.arrays(np.float32, size, elements=values)) for _ in range(count)]
    masks = [draw(hnp.arrays(bool, size)) for _ in range(count)]
    masks[0][:] = False
    masks[1][0, 0] = True
    return list(zip(maps, masks, strict=True))


# --- curves ---------------------------------------------------------------------------------------


def test_area_is_cut_at_the_limit_and_held_to_it() -> None:
    x, y = np.array([0, 0, 0.5, 2.0]), np.array([0, 0.2, 0.4, 1.0])
    assert area_until(x, y, 1.0) == pytest.approx(0.15 + 0.5 * (0.4 + 0.6) / 2)  # 0.6 at 1
    assert area_until(x, y, 3.0) == pytest.approx(0.15 + 1.5 * 0.7 + 1.0)
    assert area_until(x, y, 0.5) == pytest.approx(0.15)


def test_equal_error_rate_lies_between_thresholds() -> None:
    assert first_equal_error_rate(np.array([0, 0.0, 1]), np.array([0, 1.0, 1])) == 0
    assert first_equal_error_rate(np.array([0, 1.0]), np.array([0, 1.0])) == 0.5
    assert first_equal_error_rate(np.array([0, 0.2, 1]), np.array([0, 0.6, 1])) == pytest.approx(
        1 / 3
    )


def test_least_count_is_not_fooled_by_binary_fractions() -> None:
    assert [least_count(0.1, n) for n in (1, 10, 30, 31)] == [1, 1, 3, 4]
    assert [least_count(0.4, n) for n in (1, 5, 6, 35)] == [1, 2, 3, 14]


# --- keys and regions -----------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.float32, 8, elements=st.floats(-(2.0**99), 2.0**99, width=32)))
def test_keys_keep_the_order_and_12_bits(values: np.ndarray) -> None:
    values = np.sort(values)
    keys = float_keys(values)
    assert (np.diff(keys) >= 0).all()
    assert keys.min() >= 0
    assert keys.max() < 2**20
    lowest = lowest_of_keys(keys)
    assert (lowest <= values).all()
    assert (values - lowest <= np.maximum(2.0**-11 * np.abs(values), 1e-38)).all()
    assert (float_keys(lowest) == keys).all()


def test_zero_has_one_key() -> None:
    assert len(np.unique(float_keys(np.array([0.0, -0.0], np.float32)))) == 1


def test_pixels_of_a_region_beyond_the_picture() -> None:
    mask = np.array([[True, False], [True, True]])
    window, inside = region_pixels(TruthRegion((-1, 2, 2, 2), mask), (3, 4))
    assert window == (slice(2, 3), slice(0, 1))
    assert inside.tolist() == [[False]]
    assert region_pixels(TruthRegion((9, 9, 2, 2)), (3, 4))[1].size == 0


# --- pixel-level and dual-pixel criterion ---------------------------------------------------------


def naive_rates(frames: Frames, dual: bool) -> tuple[float, float]:
    """Area and EER by a loop over every value that any pixel has."""
    thresholds = np.unique([anomaly_map for anomaly_map, _ in frames])[::-1]
    if dual:
        thresholds = thresholds[:-1]  # the lowest detects everything
    points = [(0.0, 0.0)]
    for threshold in thresholds:
        false, true = [], []
        for anomaly_map, mask in frames:
            detected = anomaly_map >= threshold
            if not mask.any():
                false.append(detected.any())
                continue
            hit = (detected & mask).sum()
            enough = 10 * hit >= 4 * mask.sum()
            true.append(enough and not (dual and 10 * hit < detected.sum()))
        points.append((float(np.mean(false)), float(np.mean(true))))
    points.append((1.0, points[-1][1]))
    fpr, tpr = np.array(points).T
    for (x0, y0), (x1, y1) in pairwise(points):
        if x1 >= 1 - y1:
            part = (1 - x0 - y0) / ((x1 - x0) + (y1 - y0))
            return float(auc(fpr, tpr)), x0 + part * (x1 - x0)
    raise AssertionError("the curve ends at a rate of 1")


@settings(max_examples=80, deadline=None)
@given(frames_with_ties())
def test_criteria_agree_with_a_loop_over_thresholds(frames: Frames) -> None:
    found = measured(PixelCriteria(), frames)
    for prefix, dual in (("pixel_40", False), ("dual_pixel", True)):
        area, rate = naive_rates(frames, dual)
        assert found[f"{prefix}_auc"].value == pytest.approx(area)
        assert found[f"{prefix}_eer"].value == pytest.approx(rate)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_criteria_agree_on_maps_without_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = np.zeros((6, 8, 9), dtype=bool)
    masks[:3, 2:4, 3:5] = True
    maps = rng.random((6, 8, 9), np.float32) + masks * rng.random((6, 1, 1), np.float32)
    frames = list(zip(maps, masks, strict=True))
    found = measured(PixelCriteria(), frames)
    for prefix, dual in (("pixel_40", False), ("dual_pixel", True)):
        area, rate = naive_rates(frames, dual)
        assert found[f"{prefix}_auc"].value == pytest.approx(area)
        assert found[f"{prefix}_eer"].value == pytest.approx(rate)


def test_flooding_the_frame_passes_the_single_but_not_the_dual_criterion() -> None:
    mask = np.zeros((10, 10), dtype=bool)
    mask[:2, :2] = True  # 4 % of the frame
    flood, calm = np.ones((10, 10)), np.zeros((10, 10))
    found = measured(PixelCriteria(), [(flood, mask), (calm, mask & False)])
    assert found["pixel_40_auc"].value == 1
    assert found["dual_pixel_auc"].value == 0


def test_forty_percent_is_a_true_positive_and_less_is_not() -> None:
    mask = np.zeros((10, 10), dtype=bool)
    mask[0] = True
    normal = np.full((10, 10), 0.5)
    for lit, expected in ((4, 1.0), (3, 0.5)):  # else found where all frames are
        shown = np.full((10, 10), 0.5)
        shown[0, :lit] = 1
        found = measured(PixelCriteria(), [(shown, mask), (normal, mask & False)])
        assert found["pixel_40_auc"].value == expected


# --- pixels pooled --------------------------------------------------------------------------------


def naive_aupro(frames: Frames, limit: float) -> float:
    pixels = np.concatenate([m.ravel() for m, _ in frames])
    outside = np.concatenate([m[~mask] for m, mask in frames])
    components = []
    for anomaly_map, mask in frames:
        for region in regions_in(mask):
            window, inside = region_pixels(region, mask.shape)
            components.append(anomaly_map[window][inside])
    points = [(0.0, 0.0)]
    for threshold in np.unique(pixels)[::-1]:
        overlap = np.mean([(values >= threshold).mean() for values in components])
        points.append((float((outside >= threshold).mean()), float(overlap)))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 >= limit:
            break
        if x1 > limit:
            x1, y1 = limit, y0 + (y1 - y0) * (limit - x0) / (x1 - x0)
        area += (x1 - x0) * (y0 + y1) / 2
    return area / limit


@settings(max_examples=60, deadline=None)
@given(frames_with_ties())
def test_pooled_pixels_agree_with_a_loop_and_with_scikit_learn(frames: Frames) -> None:
    found = measured(PixelPool(), frames)
    labels = np.concatenate([mask.ravel() for _, mask in frames])
    values = np.concatenate([anomaly_map.ravel() for anomaly_map, _ in frames])
    assert found["pixel_auroc"].value == pytest.approx(roc_auc_score(labels, values))
    assert found["aupro_30"].value == pytest.approx(naive_aupro(frames, 0.3))
    assert found["aupro_05"].value == pytest.approx(naive_aupro(frames, 0.05))


def test_rounding_to_keys_hardly_moves_the_figures() -> None:
    rng = np.random.default_rng(0)
    masks = np.zeros((8, 30, 30), dtype=bool)
    masks[:4, 5:12, 20:30] = True
    maps = (rng.gamma(0.5, size=masks.shape) + 0.5 * masks).astype(np.float32)
    frames = list(zip(maps, masks, strict=True))
    found = measured(PixelPool(), frames)
    exact = roc_auc_score(masks.ravel(), maps.ravel())
    assert found["pixel_auroc"].value == pytest.approx(exact, abs=1e-4)
    assert found["aupro_05"].value == pytest.approx(naive_aupro(frames, 0.05), abs=1e-3)


# --- both -----------------------------------------------------------------------------------------


def test_perfect_masks_are_perfect() -> None:
    masks = np.zeros((4, 12, 12), dtype=bool)
    masks[2, 3:6, 3:6] = masks[3, 8:10, 1:9] = True
    frames = [(mask.astype(np.float32), mask) for mask in masks]
    found = measured(PixelCriteria(), frames) | measured(PixelPool(), frames)
    values = {key: measure.value for key, measure in found.items()}
    assert {key for key, value in values.items() if value == 0} == {
        "pixel_40_eer",
        "dual_pixel_eer",
    }
    assert sorted(values.values()) == [0, 0, 1, 1, 1, 1, 1]


def test_constant_maps_are_chance() -> None:
    mask = np.eye(4, dtype=bool)
    frames = [(np.full((4, 4), 7.0), mask), (np.full((4, 4), 7.0), mask & False)]
    assert measured(PixelCriteria(), frames)["pixel_40_auc"].value == 0.5
    assert measured(PixelPool(), frames)["pixel_auroc"].value == 0.5


@settings(max_examples=15, deadline=None)
@given(frames_with_ties(), st.integers(0, 6))
def test_parts_merge_to_the_whole(frames: Frames, cut: int) -> None:
    for kind in (PixelCriteria, PixelPool):
        whole, part, rest = kind(), kind(), kind()
        expected = measured(whole, frames)
        measured(part, frames[:cut])
        measured(rest, frames[cut:])
        part.merge(rest)
        for measure in part.result():
            assert measure.value == pytest.approx(expected[measure.key].value)
            assert measure.basis == expected[measure.key].basis


@pytest.mark.parametrize("anomalous", [False, True])
def test_a_single_class_is_told(anomalous: bool) -> None:
    frames = [(np.eye(3), np.full((3, 3), anomalous))]
    for measure in measured(PixelCriteria(), frames).values():
        assert measure.value is None
        assert measure.basis.startswith("needs normal and anomalous frames; 1 frame,")
    for measure in measured(PixelPool(), frames).values():
        assert measure.value is None
        assert measure.basis.startswith("needs normal and anomalous pixels; 1 frame,")
