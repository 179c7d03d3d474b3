import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from tests.image_sets.groups import groups
from tlae.errors import UserError
from tlae.image_sets.cluster_methods import METHODS, OUTLIER, Clustering
from tlae.image_sets.cluster_settings import ClusterSettings
from tlae.image_sets.clusters import find_clusters, without_small

VALUES, LABELS = groups()
INSIDE = LABELS != OUTLIER


@pytest.fixture(autouse=True)
def _extra(request: pytest.FixtureRequest) -> None:
    if "hdbscan_soft" in request.node.name:
        pytest.importorskip("hdbscan", reason="needs the extra hdbscan")


def settings(method: str, **more: int) -> ClusterSettings:
    return ClusterSettings(method, k=3 if METHODS[method].needs_k else None, **more)


@pytest.mark.parametrize("method", [m for m, line in METHODS.items() if line.needs_k])
def test_groups_are_found_largest_first(method: str) -> None:
    found = find_clusters(VALUES[INSIDE], settings(method))
    np.testing.assert_array_equal(found.labels, LABELS[INSIDE])


@pytest.mark.parametrize("method", [m for m, line in METHODS.items() if line.finds_outliers])
def test_density_methods_leave_out_what_stands_alone(method: str) -> None:
    found = find_clusters(VALUES, settings(method))
    np.testing.assert_array_equal(found.labels, LABELS)
    assert found.scores[~INSIDE].min() > 1 >= found.scores[INSIDE].max()


@pytest.mark.parametrize("method", METHODS)
def test_higher_is_more_anomalous(method: str) -> None:
    one_odd = np.concatenate([VALUES[INSIDE], VALUES[INSIDE][:1] + 3.0]).astype(np.float32)
    found = find_clusters(one_odd, settings(method))
    assert np.argmax(found.scores) == len(one_odd) - 1


@pytest.mark.parametrize("method", [m for m, line in METHODS.items() if line.most_rows])
def test_rows_beyond_the_sample_are_labelled_too(method: str) -> None:
    found = find_clusters(VALUES[INSIDE], settings(method, most_rows=60))
    assert found.fitted_rows == 60
    assert adjusted_rand_score(found.labels, LABELS[INSIDE]) > 0.9


@pytest.mark.parametrize("method", [m for m, line in METHODS.items() if line.finds_outliers])
def test_outliers_beyond_the_sample_are_found(method: str) -> None:
    found = find_clusters(VALUES, settings(method, most_rows=60))
    assert (found.labels[~INSIDE] == OUTLIER).all()
    assert found.scores[~INSIDE].min() > found.scores[INSIDE].max()


def test_the_same_seed_gives_the_same_labels() -> None:
    twice = [find_clusters(VALUES, settings("kmeans", seed=3)).labels for _ in range(2)]
    np.testing.assert_array_equal(*twice)


def test_soft_clusters_know_where_outliers_would_belong() -> None:
    pytest.importorskip("hdbscan", reason="needs the extra hdbscan")
    found = find_clusters(VALUES, settings("hdbscan_soft"))
    assert found.likely is not None
    assert found.membership is not None
    np.testing.assert_array_equal(found.likely[INSIDE], LABELS[INSIDE])
    assert (found.likely >= 0).all()
    assert found.membership[INSIDE].min() > found.membership[~INSIDE].max()


def test_fewer_distinct_rows_than_clusters() -> None:
    rows = np.repeat(np.eye(3, dtype=np.float32), 10, axis=0)
    assert find_clusters(rows, ClusterSettings("kmeans", k=8)).clusters == 3


@pytest.mark.parametrize(
    ("values", "words", "message"),
    [
        (VALUES, {"method": "kmean", "k": 3}, "did you mean kmeans"),
        (VALUES, {"method": "kmeans"}, "must be given k"),
        (VALUES, {"method": "kmeans", "k": 95}, "less than the pictures clustered"),
        (VALUES, {"method": "kmeans", "k": 1}, "k must be >= 2"),
        (VALUES[:1], {}, "at least 3 pictures, got 1"),
        (np.ones((9, 4), np.float32), {}, "of all 9 pictures are equal"),
    ],
)
def test_bad_input_is_named(values: np.ndarray, words: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        find_clusters(values, ClusterSettings(**words))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"min_size": 1}, "min_size must be >= 2"),
        ({"neighbours": 0}, r"neighbours must be in \[1, 10000\]"),
        ({"eps": 0.0}, "eps must be > 0"),
        ({"most_rows": 2}, "most_rows must be >= 3"),
    ],
)
def test_settings_out_of_their_range_are_named(words: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ClusterSettings(**words)  # type: ignore[arg-type]


def test_a_row_of_a_small_cluster_is_most_likely_of_the_nearest_that_stays() -> None:
    values = np.array([[0.0], [0.1], [0.2], [9.0], [9.1], [9.2], [8.0]])
    labels = np.array([0, 0, 0, 1, 1, 1, 2])
    found = Clustering(labels, np.zeros(7), labels.copy(), np.ones(7), 7)
    kept, gone = without_small(found, values, 2)
    assert gone == 1
    assert kept.labels.tolist() == [0, 0, 0, 1, 1, 1, -1]
    assert kept.likely is not None
    assert kept.likely.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert kept.scores[6] == pytest.approx(1.1)
    assert without_small(found, values, 4) == (found, 0)  # none would stay
