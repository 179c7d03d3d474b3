from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from tlae.errors import UserError
from tlae.evaluation.ground_truth import TruthRegion, regions_in
from tlae.evaluation.measure import Measure
from tlae.evaluation.region_metrics import (
    Detection,
    Iou,
    RegionSweep,
    box_ious,
    detections_in,
    pixel_ious,
    score_detections,
)
from tlae.evaluation.tracks import link_tracks

Values = dict[str, float | None]
Cells = set[tuple[int, int]]


def values_of(measures: list[Measure]) -> Values:
    return {measure.key: measure.value for measure in measures}


def some_masks(frames: int = 10) -> np.ndarray:
    """Half of the frames normal, then one walker of 3 x 3 in 24 x 24, and one that stands."""
    masks = np.zeros((frames, 24, 24), dtype=bool)
    for frame in range(frames // 2, frames):
        masks[frame, 3:6, frame : frame + 3] = True
        masks[frame, 15:18, 15:18] = True
    return masks


def tracked(masks: np.ndarray) -> list[list[TruthRegion]]:
    frames = [regions_in(mask) for mask in masks]
    return [
        [replace(region, track=track) for region, track in zip(regions, tracks, strict=True)]
        for regions, tracks in zip(frames, link_tracks(frames), strict=True)
    ]


def swept(maps: np.ndarray, masks: np.ndarray, iou: Iou = "box") -> Values:
    """RBDC and TBDC at every distinct value but the lowest."""
    maps = maps.astype(np.float32)
    sweep = RegionSweep(np.unique(maps)[:0:-1], len(maps), iou)
    for anomaly_map, regions in zip(maps, tracked(masks), strict=True):
        sweep.add(anomaly_map, regions)
    return values_of(sweep.result())


# --- naive references: sets of cells, loops over thresholds ---------------------------------------


def cells_of(mask: np.ndarray) -> list[Cells]:
    """Components with 8 neighbours, by scipy."""
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    return [{(int(y), int(x)) for y, x in np.argwhere(labels == n + 1)} for n in range(count)]


def region_cells(region: TruthRegion) -> Cells:
    left, top, width, height = region.box
    inside = np.ones((height, width)) if region.mask is None else region.mask
    return {(int(y) + top, int(x) + left) for y, x in np.argwhere(inside)}


def boxed(cells: Cells) -> Cells:
    ys, xs = zip(*cells, strict=True)
    return {(y, x) for y in range(min(ys), max(ys) + 1) for x in range(min(xs), max(xs) + 1)}


def overlaps(a: Cells, b: Cells, iou: Iou) -> bool:
    if iou == "box":
        a, b = boxed(a), boxed(b)
    return 10 * len(a & b) >= len(a | b)


def naive_area(points: list[tuple[float, float]]) -> float:
    """Area to an FPR of 1 under points from high to low threshold."""
    curve = [(0.0, 0.0)]
    for fpr, rate in points:
        curve.append((max(fpr, curve[-1][0]), rate))
    curve.append((2.0 if curve[-1][0] <= 1 else curve[-1][0], curve[-1][1]))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x1 > 1:
            return area + (1 - x0) * (y0 + y0 + (y1 - y0) * (1 - x0) / (x1 - x0)) / 2
        area += (x1 - x0) * (y0 + y1) / 2
    raise AssertionError("the curve passes 1")


def naive_sweep(maps: np.ndarray, masks: np.ndarray, iou: Iou) -> tuple[float, float]:
    """RBDC and TBDC at every distinct value but the lowest; tracks are those of ``link_tracks``."""
    truth = [[(region_cells(region), region.track) for region in here] for here in tracked(masks)]
    tracks = sorted({track for here in truth for _, track in here})
    size = {track: sum(t == track for here in truth for _, t in here) for track in tracks}
    regions, paths = [], []
    for threshold in np.unique(maps)[:0:-1]:
        false, hits = 0, dict.fromkeys(tracks, 0)
        for anomaly_map, here in zip(maps, truth, strict=True):
            found = cells_of(anomaly_map >= threshold)
            false += sum(not any(overlaps(f, t, iou) for t, _ in here) for f in found)
            for cells, track in here:
                hits[track] += any(overlaps(f, cells, iou) for f in found)
        fpr = false / len(maps)
        regions.append((fpr, sum(hits.values()) / sum(size.values())))
        paths.append((fpr, float(np.mean([10 * hits[t] >= size[t] for t in tracks]))))
    return naive_area(regions), naive_area(paths)


@st.composite
def maps_and_masks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    shape = (draw(st.integers(1, 4)), draw(st.integers(2, 8)), draw(st.integers(2, 8)))
    values = st.sampled_from([-1.0, 0.0, 0.125, 0.5, 0.75, 3.0])
    maps = draw(hnp.arrays(np.float32, shape, elements=values))
    masks = draw(hnp.arrays(bool, shape, elements=st.sampled_from([False, False, False, True])))
    masks[-1, 0, 0] = True
    return maps, masks


@settings(max_examples=40, deadline=None)
@given(maps_and_masks(), st.sampled_from(["box", "pixel"]))
def test_sweep_agrees_with_a_loop_over_thresholds(
    case: tuple[np.ndarray, np.ndarray], iou: Iou
) -> None:
    rbdc, tbdc = naive_sweep(*case, iou)
    assert swept(*case, iou) == {"rbdc": pytest.approx(rbdc), "tbdc": pytest.approx(tbdc)}


@settings(max_examples=40, deadline=None)
@given(maps_and_masks(), st.sampled_from(["box", "pixel"]))
def test_detections_agree_with_a_greedy_loop(case: tuple[np.ndarray, np.ndarray], iou: Iou) -> None:
    maps, masks = case
    truth = tracked(masks)
    detections = [d for n, m in enumerate(maps) for d in detections_in(m, n, 0.125)]
    total = sum(map(len, truth))
    sizes = Counter(region.track for here in truth for region in here)
    false, done = 0, set()
    points, paths = [], []
    for score in sorted({d.score for d in detections}, reverse=True):
        for d in (d for d in detections if d.score == score):
            cells = _cells(d.region)
            hits = {
                (d.frame, n)
                for n, region in enumerate(truth[d.frame])
                if overlaps(cells, _cells(region), iou)
            }
            false += not hits
            done |= hits
        tracks = [truth[frame][n].track for frame, n in done]
        shares = [10 * tracks.count(track) >= size for track, size in sizes.items()]
        points.append((false / len(maps), len(done) / total))
        paths.append((false / len(maps), float(np.mean(shares))))
    found = values_of(score_detections(detections, truth, iou))
    assert found["rbdc"] == pytest.approx(naive_area(points))
    assert found["tbdc"] == pytest.approx(naive_area(paths))
    assert values_of(score_detections(detections[::-1] + detections, truth, iou)) == found


def _cells(region: TruthRegion) -> Cells:
    return {(int(y) + region.box[1], int(x) + region.box[0]) for y, x in np.argwhere(region.mask)}


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(bool, (6, 7)), hnp.arrays(bool, (6, 7)))
def test_ious_are_shares_of_cells(first: np.ndarray, second: np.ndarray) -> None:
    found, truth = regions_in(first), regions_in(second)
    boxes = [np.array([r.box for r in rs]).reshape(-1, 4) for rs in (found, truth)]
    for row, a in enumerate(map(_cells, found)):
        for column, b in enumerate(map(_cells, truth)):
            expected = len(a & b) / len(a | b)
            assert pixel_ious(found, truth)[row, column] == pytest.approx(expected)
            expected = len(boxed(a) & boxed(b)) / len(boxed(a) | boxed(b))
            assert box_ious(*boxes)[row, column] == pytest.approx(expected)


# --- hand-made cases ------------------------------------------------------------------------------


@pytest.mark.parametrize("iou", ["box", "pixel"])
def test_perfect_masks_are_perfect(iou: Iou) -> None:
    masks = some_masks()
    assert swept(masks, masks, iou) == {"rbdc": 1, "tbdc": 1}


def test_one_box_over_every_whole_frame_finds_nothing() -> None:
    masks = some_masks()
    truth = tracked(masks)
    everything = [Detection(n, TruthRegion((0, 0, 24, 24)), 1.0) for n in range(len(masks))]
    assert values_of(score_detections(everything, truth)) == {"rbdc": 0, "tbdc": 0}


def test_doubling_every_detection_changes_nothing() -> None:
    masks = some_masks()
    rng = np.random.default_rng(0)
    maps = rng.random(masks.shape) + 0.1 * masks
    detections = [d for n, m in enumerate(maps) for d in detections_in(m, n, 0.99)]
    once = score_detections(detections, tracked(masks))
    assert 0 < (once[0].value or 0) < 1
    assert score_detections(detections * 2, tracked(masks)) == once


def test_a_spurious_region_per_normal_frame_shifts_fpr_by_the_share_of_normals() -> None:
    masks = some_masks(8)
    truth = tracked(masks)
    true = [Detection(n, region, 1.0) for n, here in enumerate(truth) for region in here]
    false = [Detection(n, TruthRegion((20, 20, 2, 2)), 2.0) for n in range(4)]
    # a straight line from (0, 0) through (4/8, 0) to (4/8, 1)
    assert values_of(score_detections(true + false, truth)) == {"rbdc": 0.5, "tbdc": 0.5}
    maps = masks.astype(float)
    maps[:4, 20:22, 20:22] = 2
    assert swept(maps, masks)["rbdc"] == 0.5


def test_a_track_is_found_by_a_tenth_of_its_regions() -> None:
    thing = TruthRegion((2, 2, 4, 4), track=7)
    for length, expected in ((10, 1.0), (11, 0.0)):
        found = values_of(score_detections([Detection(3, thing, 1.0)], [[thing]] * length))
        assert found == {"rbdc": pytest.approx(1 / length), "tbdc": expected}


def test_small_components_can_be_left_out() -> None:
    masks = some_masks(4)
    maps = masks.astype(np.float32)
    maps[:, 20, 2] = 1  # a speck in every frame
    for least, expected in ((1, 0.0), (2, 1.0)):
        sweep = RegionSweep(np.ones(1, np.float32), 4, min_area_px=least)
        for anomaly_map, regions in zip(maps, tracked(masks), strict=True):
            sweep.add(anomaly_map, regions)
        rbdc = sweep.result()[0].value
        assert rbdc == pytest.approx(max(expected, 0.5))  # FPR 1 is reached by the one threshold
    assert len(detections_in(maps[0], 0, 1.0)) == 1
    assert detections_in(maps[0], 0, 1.0, min_area_px=2) == []


def test_a_box_covers_its_last_row_and_column() -> None:
    ious = box_ious(np.array([[0, 0, 2, 2]]), np.array([[1, 1, 2, 2], [2, 2, 2, 2]]))
    assert ious.tolist() == [[pytest.approx(1 / 7), 0]]


def test_hopeless_thresholds_are_skipped_without_changing_the_area() -> None:
    rng = np.random.default_rng(1)
    masks = some_masks(12)
    maps = (rng.random(masks.shape) + 0.5 * masks).astype(np.float32)
    thresholds = np.linspace(1.5, 0.1, 40, dtype=np.float32)
    some, parts = RegionSweep(thresholds, 12), [RegionSweep(thresholds, 12) for _ in range(2)]
    every = RegionSweep(thresholds, 10**9)  # never hopeless
    for number, (anomaly_map, regions) in enumerate(zip(maps, tracked(masks), strict=True)):
        for sweep in (some, every, parts[number % 2]):
            sweep.add(anomaly_map, regions)
    parts[0].merge(parts[1])
    every.frames = 12
    assert some._needed < len(thresholds) == every._needed
    assert some.result() == every.result() == parts[0].result()


# --- what is refused, or not defined --------------------------------------------------------------


def test_without_regions_nothing_is_defined_but_the_reason() -> None:
    for measure in score_detections([], [[], []]):
        assert measure.value is None
        assert measure.basis.startswith("needs anomalous regions; 2 frames, 2 normal")
    assert values_of(score_detections([], tracked(some_masks()))) == {"rbdc": 0, "tbdc": 0}


def test_bad_detections_are_refused() -> None:
    thing = TruthRegion((2, 2, 4, 4), track=0)
    with pytest.raises(UserError, match=r"must lie in frames 0\.\.1 .* got frame 2"):
        score_detections([Detection(2, thing, 1.0)], [[thing], []])
    with pytest.raises(UserError, match="must be finite, got nan in frame 1"):
        score_detections([Detection(1, thing, float("nan"))], [[thing], []])
    with pytest.raises(ValueError, match="must have tracks"):
        score_detections([], [[TruthRegion((2, 2, 4, 4))]])
