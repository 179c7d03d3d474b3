import math

import numpy as np
import pandas as pd
import pytest

from tests.image_sets.groups import groups
from tlae.errors import UserError
from tlae.image_sets.cluster_methods import OUTLIER
from tlae.image_sets.cluster_settings import ClusterSettings
from tlae.image_sets.clusters import find_clusters
from tlae.image_sets.judging import Quality, agreement, best_k, parse_k, quality, stability

VALUES, LABELS = groups()


def naive_calinski_harabasz(values: np.ndarray, labels: np.ndarray) -> float:
    between = within = 0.0
    for one in np.unique(labels):
        rows = values[labels == one]
        between += len(rows) * ((rows.mean(0) - values.mean(0)) ** 2).sum()
        within += ((rows - rows.mean(0)) ** 2).sum()
    k = len(np.unique(labels))
    return between / (k - 1) / (within / (len(values) - k))


def test_outliers_do_not_count() -> None:
    judged = quality(VALUES, LABELS)
    inside = LABELS != OUTLIER
    assert (judged.clusters, judged.outliers) == (3, 5)
    expected = naive_calinski_harabasz(VALUES[inside].astype(np.float64), LABELS[inside])
    assert judged.calinski_harabasz == pytest.approx(expected, rel=1e-3)
    assert judged.silhouette > 0.9
    assert judged.davies_bouldin < 0.2


def test_one_cluster_has_no_indices() -> None:
    judged = quality(VALUES, np.zeros(len(VALUES), np.int64))
    assert judged.clusters == 1
    assert math.isnan(judged.silhouette)


def test_k_is_the_true_number_of_groups() -> None:
    rows = VALUES[LABELS != OUTLIER]
    by_k = {
        k: quality(rows, find_clusters(rows, ClusterSettings("kmeans", k=k)).labels)
        for k in range(2, 7)
    }
    assert best_k(by_k) == 3


def test_k_by_hand() -> None:
    by_k = {
        2: Quality(2, 0, 10.0, 0.5, 0.6),  # ranks 3, 1, 1
        3: Quality(3, 0, 30.0, 0.6, 0.5),  # ranks 1, 2, 2: the same mean, but more clusters
        4: Quality(4, 0, 20.0, 0.9, 0.1),
        5: Quality(1, 0, math.nan, math.nan, math.nan),
    }
    assert best_k(by_k) == 2


@pytest.mark.parametrize(("text", "ks"), [("8", [8]), ("2..5", [2, 3, 4, 5]), (None, None)])
def test_k_is_a_number_or_a_span(text: str | None, ks: list[int] | None) -> None:
    parsed = parse_k(text)
    assert (None if parsed is None else list(parsed)) == ks


@pytest.mark.parametrize("text", ["20..2", "1", "0..3", "many", "2...4", "2..", "2,5"])
def test_other_k_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="k must be"):
        parse_k(text)


def test_true_groups_are_stable_and_random_ones_are_not() -> None:
    settings = ClusterSettings("kmeans", k=3)
    rows = VALUES[LABELS != OUTLIER]
    assert min(stability(rows, lambda part: find_clusters(part, settings).labels, 2)) > 0.95
    rng = np.random.default_rng(0)
    assert max(stability(rows, lambda part: rng.integers(0, 3, len(part)), 2)) < 0.2


def test_agreement_by_hand() -> None:
    one = pd.Series([0, 0, 1, 1], name="label")
    renamed = agreement(one, pd.Series(["b", "b", "a", "a"], name="other"))
    assert (renamed.ari, renamed.ami) == (pytest.approx(1), pytest.approx(1))
    assert renamed.table.loc[0, "b"] == 2
    crossed = agreement(one, pd.Series([0, 1, 0, 1]))
    assert crossed.ari == pytest.approx(-0.5)  # (0 - 4/6) / (2 - 4/6) = -1/2
