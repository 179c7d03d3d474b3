from pathlib import Path
from threading import get_ident

import cv2
import numpy as np
import pytest

from tests.evaluation.test_region_metrics import some_masks
from tlae.errors import UserError
from tlae.evaluation.ground_truth import ClipTruth, GroundTruth, regions_in
from tlae.evaluation.map_pass import map_measures, sweep_thresholds
from tlae.evaluation.measure import Measure
from tlae.evaluation.pixel_metrics import float_keys
from tlae.evaluation.region_metrics import Iou


def truth_of(masks: np.ndarray, anomalous: np.ndarray | None = None) -> ClipTruth:
    return ClipTruth(
        "clip",
        masks.any(axis=(1, 2)) if anomalous is None else anomalous,
        masks.shape[1:],
        lambda frame: regions_in(masks[frame]),
    )


def measured(maps: np.ndarray, masks: np.ndarray, iou: Iou = "box") -> dict[str, Measure]:
    measures = map_measures(
        lambda row: maps[row].astype(np.float32),
        np.ones(len(maps), dtype=bool),
        GroundTruth((truth_of(masks),)),
        iou=iou,
    )
    return {measure.key: measure for measure in measures}


@pytest.mark.parametrize("iou", ["box", "pixel"])
def test_perfect_masks_are_perfect_at_every_level(iou: Iou) -> None:
    masks = some_masks()
    found = measured(masks.astype(float), masks, iou)
    values = {key: measure.value for key, measure in found.items()}
    assert values.pop("pixel_40_eer") == values.pop("dual_pixel_eer") == 0
    assert list(values.values()) == [pytest.approx(1)] * 7
    assert found["rbdc"].basis == (f"10 frames, 5 normal, 10 regions, 2 tracks, {iou} IoU >= 0.1")


def test_clips_without_an_anomaly_give_reasons() -> None:
    masks = np.zeros((3, 5, 5), dtype=bool)
    for measure in measured(np.ones(masks.shape), masks).values():
        assert measure.value is None
        assert measure.basis.startswith("needs")
        assert "3 frames" in measure.basis


def test_bad_maps_are_refused() -> None:
    masks = some_masks(4)
    maps = masks.astype(float)
    maps[3, 0, :2] = np.nan
    with pytest.raises(UserError, match=r"finite numbers, the one of clip, frame 3 has 2 others"):
        measured(maps, masks)
    with pytest.raises(UserError, match=r"must be \(height, width\), .* is \(4, 24, 24\)"):
        measured(np.stack([maps] * 4), masks)


def test_only_frames_with_a_map_in_clips_with_regions_count() -> None:
    masks = some_masks(10)
    labels = masks.any(axis=(1, 2))
    labels[0] = True  # but no region says where: passed by
    truth = GroundTruth(
        (ClipTruth("times", np.ones(3, dtype=bool)), truth_of(masks, anomalous=labels))
    )
    has_map = np.ones(13, dtype=bool)
    has_map[3 + 1] = False
    asked: set[int] = set()
    done: list[int] = []

    def map_of(row: int) -> np.ndarray:
        asked.add(row)
        return masks[row - 3].astype(np.float32)

    found = map_measures(map_of, has_map, truth, lambda n=1: done.append(n))
    assert asked == {3 + n for n in range(2, 10)}
    assert sum(done) == 13
    assert found[-1].basis.startswith("8 frames, 3 normal, 10 regions, 2 tracks")


def test_tracks_of_two_clips_are_not_one() -> None:
    masks = some_masks(4)
    one = truth_of(masks)
    two = GroundTruth((one, ClipTruth("other", one.anomalous, one.size_hw, one.regions_of)))
    found = map_measures(lambda row: masks[row % 4].astype(np.float32), np.ones(8, dtype=bool), two)
    assert "8 regions, 4 tracks" in found[-1].basis


def test_small_maps_are_enlarged_to_the_picture() -> None:
    masks = np.zeros((4, 24, 36), dtype=bool)
    masks[2:, 6:12, 12:24] = True
    small = np.stack([cv2.resize(m.astype(np.float32), (18, 12)) for m in masks])
    large = np.stack([cv2.resize(m, (36, 24)) for m in small])
    found, expected = measured(small, masks), measured(large, masks)
    assert found == expected
    assert found["rbdc"].value == 1


def test_figures_do_not_depend_on_the_threads() -> None:
    rng = np.random.default_rng(0)
    masks = some_masks(30)
    maps = rng.random(masks.shape) + 0.3 * masks
    first = measured(maps, masks)
    assert all(measured(maps, masks) == first for _ in range(3))
    threads: set[int] = set()
    map_measures(
        lambda row: threads.add(get_ident()) or maps[row].astype(np.float32),
        np.ones(30, dtype=bool),
        GroundTruth((truth_of(masks),)),
    )
    assert get_ident() not in threads


def test_thresholds_are_the_values_of_a_mask_but_the_lowest() -> None:
    values = np.array([0, 0, 0, 0.5, 1], np.float32)
    counts = np.bincount(float_keys(values), minlength=2**20)
    assert sweep_thresholds(counts, 1).tolist() == [1, 0.5]
    assert sweep_thresholds(np.zeros(2**20, np.int64), 0).tolist() == []


def test_thresholds_lead_from_a_pixel_in_a_hundred_frames_to_half_of_all() -> None:
    values = np.random.default_rng(0).permutation(np.arange(1, 200_001, dtype=np.float32))
    counts = np.bincount(float_keys(values), minlength=2**20)
    thresholds = sweep_thresholds(counts, frames=1000, most=50)
    assert (np.diff(thresholds) < 0).all()
    above = [(values >= threshold).sum() for threshold in thresholds]
    assert above[0] == pytest.approx(10, abs=100)  # to the 12 bits of a key
    assert above[-1] == pytest.approx(100_000, rel=0.01)


def test_ped2_masks_as_maps_are_perfect(shared_data: Path) -> None:
    folder = shared_data / "UCSDped2" / "Test" / "Test004_gt"
    paths = sorted(path for path in folder.iterdir() if path.suffix in (".bmp", ".png"))
    masks = np.stack([cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) != 0 for path in paths[::4]])
    found = measured(masks.astype(np.float32), masks)
    for key in ("pixel_40_auc", "dual_pixel_auc", "pixel_auroc", "aupro_05", "rbdc", "tbdc"):
        assert found[key].value == pytest.approx(1)
