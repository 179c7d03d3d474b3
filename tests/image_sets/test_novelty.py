from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.image_sets.groups import groups
from tlae.errors import ModelFileError, UserError
from tlae.image_sets.describe_now import pooled_quadrants
from tlae.image_sets.estimators import (
    DETECTORS,
    anomaly_scores,
    fit_detector,
    median_distance,
)
from tlae.image_sets.filters import FILTERS, bad_probability, fit_filter, measure_filter
from tlae.image_sets.judge_file import Judge, load_judge, save_judge
from tlae.image_sets.novelty import calibration_of, fit_novelty, require_told_apart
from tlae.image_sets.novelty_defaults import usual_preparation
from tlae.image_sets.preparation import SCALERS

NORMAL = groups(sizes=(80,), odd=0)[0]
ODD = NORMAL[:6] + 4.0
FACTS = {"descriptor": "made", "dimensions": 6, "settings": {"bins": [1]}, "weights": None}


@pytest.mark.parametrize("method", DETECTORS)
def test_what_is_unlike_scores_higher(method: str) -> None:
    estimator = fit_detector(NORMAL, method)
    assert anomaly_scores(estimator, ODD).min() > anomaly_scores(estimator, NORMAL).max()


@pytest.mark.parametrize("method", DETECTORS)
def test_threshold_comes_from_pictures_held_out(method: str) -> None:
    preparation, estimator, calibration = fit_novelty(NORMAL, method, scaler="standard", folds=3)
    assert len(calibration.raw) == len(NORMAL)
    threshold = calibration.level_for_rate(0.1)
    fresh = np.random.default_rng(9).normal(NORMAL.mean(0), 0.3, (400, 6))
    scores = anomaly_scores(estimator, preparation.apply(fresh))
    assert (scores > threshold).mean() < 0.25  # about 0.1, from 80 pictures
    assert (anomaly_scores(estimator, preparation.apply(ODD)) > threshold).all()


def test_held_out_scores_are_those_of_a_fit_without_the_block() -> None:
    *_, calibration = fit_novelty(NORMAL, "elliptic_envelope", folds=4, seed=1)
    block = np.arange(20)  # the first of four
    estimator = fit_detector(np.delete(NORMAL, block, axis=0), "elliptic_envelope", 1)
    np.testing.assert_allclose(calibration.raw[block], anomaly_scores(estimator, NORMAL[block]))


@pytest.mark.parametrize(
    ("values", "words", "message"),
    [
        (NORMAL[:1], {}, "at least 4 pictures, got 1"),
        (np.ones((9, 3)), {}, "of all 9 pictures are equal"),
        (NORMAL, {"method": "isolation_tree"}, "did you mean isolation_forest"),
        (NORMAL, {"folds": 1}, "folds must be >= 2"),
    ],
)
def test_bad_input_is_named(values: np.ndarray, words: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        fit_novelty(values, **words)  # type: ignore[arg-type]


def judge_of(method: str, kind: str = "novelty") -> Judge:
    if kind == "novelty":
        preparation, estimator, calibration = fit_novelty(
            NORMAL, method, scaler="standard", pca=0.9, folds=2
        )
    else:
        preparation, estimator, held_out = fit_filter(NORMAL, ODD, method, scaler="robust", pca=3)
        calibration = calibration_of(held_out[: len(NORMAL)])
    return Judge(kind, method, preparation, estimator, FACTS, {}, False, calibration, 0.25)


@pytest.mark.parametrize(
    ("kind", "method"), [("novelty", m) for m in DETECTORS] + [("filter", m) for m in FILTERS]
)
def test_a_stored_judge_says_the_same(tmp_path: Path, kind: str, method: str) -> None:
    judge = judge_of(method, kind)
    file = tmp_path / "new" / "model.safetensors"
    save_judge(judge, file)
    assert b"pickle" not in file.read_bytes()
    again = load_judge(file, kind)
    both = np.concatenate([NORMAL, ODD])
    np.testing.assert_array_equal(again.scores(both), judge.scores(both))
    np.testing.assert_array_equal(again.calibration.raw, judge.calibration.raw)
    assert (again.threshold, again.descriptor) == (0.25, FACTS)


def test_a_judge_refuses_other_descriptors() -> None:
    judge = judge_of("elliptic_envelope")
    judge.require_same_descriptor(FACTS | {"settings": {"bins": [1], "tiles_hw": None}})
    for change in ({"descriptor": "vgg16"}, {"dimensions": 7}, {"settings": {"bins": [2]}}):
        with pytest.raises(UserError, match="must be those that the model learnt from"):
            judge.require_same_descriptor(FACTS | change)


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    with pytest.raises(ModelFileError, match="must be an existing file"):
        load_judge(file, "novelty")
    file.write_bytes(b"\x80\x04\x95")  # how a pickle begins
    with pytest.raises(ModelFileError, match=r"must be a \.safetensors file written by"):
        load_judge(file, "novelty")
    save_file({"a": np.zeros(2)}, file)
    with pytest.raises(ModelFileError, match="was not written by tlae"):
        load_judge(file, "novelty")
    save_judge(judge_of("elliptic_envelope"), file)
    with pytest.raises(ModelFileError, match="this one is by `tlae novelty fit`"):
        load_judge(file, "filter")


def test_an_estimator_of_foreign_types_is_not_opened(tmp_path: Path) -> None:
    judge = judge_of("elliptic_envelope")
    judge.estimator.__class__ = type("EllipticEnvelopeToo", (judge.estimator.__class__,), {})
    file = tmp_path / "model.safetensors"
    save_judge(judge, file)
    with pytest.raises(ModelFileError, match="EllipticEnvelopeToo; it is not opened"):
        load_judge(file, "novelty")


def test_quadrants_are_pooled_to_what_is_common_and_what_stands_out() -> None:
    tiles = np.zeros((8, 2))
    tiles[6] = 4, 8  # one quadrant of the second picture
    np.testing.assert_allclose(pooled_quadrants(tiles), [[0, 0, 0, 0], [1, 2, 4, 8]])


@pytest.mark.parametrize("method", FILTERS)
def test_a_filter_learns_from_labels(method: str) -> None:
    bad = NORMAL[:30] + 4.0
    preparation, estimator, held_out = fit_filter(NORMAL, bad, method)
    measured = measure_filter(held_out, len(NORMAL), 0.5)
    assert measured["AUROC"].value > 0.95
    assert measured["AUROC"].low <= measured["AUROC"].value <= measured["AUROC"].high
    new = preparation.apply(NORMAL[40:50] + 4.0)
    assert bad_probability(estimator, new).min() > 0.5


def test_labels_that_mean_nothing_are_not_learnt() -> None:
    *_, held_out = fit_filter(NORMAL[::2], NORMAL[1::2])
    auroc = measure_filter(held_out, 40, 0.5)["AUROC"]
    assert auroc.low < 0.5 < auroc.high


def test_rows_of_unit_length_may_weigh_freely() -> None:
    rng = np.random.default_rng(0)
    rows = 1 + rng.normal(0, 0.02, (120, 200))
    rows += 0.1 * rng.normal(size=(120, 3)) @ rng.normal(size=(3, 200))  # what all rows vary in
    rows[60:, :3] += 0.05  # little beside it, and all that tells them apart
    *_, held_out = fit_filter(rows[:60], rows[60:], scaler="l2")
    assert measure_filter(held_out, 60, 0.5)["AUROC"].value > 0.8


def test_filter_refuses_too_few() -> None:
    with pytest.raises(UserError, match="bad must hold at least 2 pictures, got 1"):
        fit_filter(NORMAL, ODD[:1])
    with pytest.raises(UserError, match="did you mean logistic_regression"):
        fit_filter(NORMAL, ODD, "logistic")


def test_scores_of_the_nearest_are_mean_distances() -> None:
    rows = np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]])
    estimator = fit_detector(rows, "nearest_neighbours")
    np.testing.assert_allclose(anomaly_scores(estimator, np.zeros((1, 2))), [(0 + 5 + 10) / 3])


def test_a_kernel_reaches_to_the_median_distance() -> None:
    rows = np.array([[0.0], [1.0], [4.0]])  # distances 1, 3, 4
    assert median_distance(rows) == 3
    assert median_distance(np.zeros((4, 2))) == 1


def test_a_detector_that_saturates_is_refused() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1e-4, (40, 30))
    values[:, 8:][rng.random((40, 22)) < 0.03] = 1  # hardly ever seen: far once standardised
    preparation, estimator, calibration = fit_novelty(values, "one_class_svm", scaler="standard")
    own = anomaly_scores(estimator, preparation.apply(values))
    raw = np.where(calibration.raw > np.median(calibration.raw), -1e-15, calibration.raw)
    with pytest.raises(UserError, match=r"20 of 40 different pictures have the highest.*method="):
        require_told_apart(values, raw, own, -1e-15)


def test_repeats_of_one_odd_picture_are_no_saturation() -> None:
    values = np.concatenate([NORMAL, np.repeat(ODD[:1], 4, axis=0)])
    held_out = np.concatenate([np.linspace(0, 1, len(NORMAL)), np.full(4, 9.0)])
    require_told_apart(values, held_out, held_out, 9.0)


@pytest.mark.parametrize("method", DETECTORS)
@pytest.mark.parametrize("descriptor", ["colour_histogram", "efficientnet_lite0", "import", None])
def test_every_kind_of_descriptor_has_a_usual_preparation(
    method: str, descriptor: str | None
) -> None:
    scaler, pca = usual_preparation(descriptor, method)
    assert scaler in SCALERS
    assert pca is None or method in ("isolation_forest", "gaussian_mixture", "elliptic_envelope")


@pytest.mark.parametrize(
    "method",
    ["nearest_neighbours", "elliptic_envelope", "local_outlier_factor", "gaussian_mixture"],
)
def test_a_novelty_across_the_directions_of_the_normal_is_found_by_default(method: str) -> None:
    rng = np.random.default_rng(3)
    plane = rng.normal(size=(3, 24))
    normal = rng.normal(size=(120, 3)) @ plane + rng.normal(0, 0.05, (120, 24))
    across = normal[:30] + 3 * rng.normal(size=(1, 24))
    scaler, pca = usual_preparation("import", method)
    preparation, estimator, calibration = fit_novelty(normal, method, scaler=scaler, pca=pca)
    scores = anomaly_scores(estimator, preparation.apply(across))
    assert (scores > calibration.level_for_rate(0.05)).mean() > 0.5
