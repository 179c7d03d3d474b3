import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluation.naive_roc import (
    arrays,
    naive_ap,
    naive_auc,
    naive_corner,
    naive_eer,
    naive_vertices,
    single,
)
from tlae.errors import UserError
from tlae.evaluation.roc import (
    Ranking,
    average_precision,
    corner_error_rate,
    equal_error_rate,
    roc_auc,
    roc_curve,
)

labelled = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40)


@settings(max_examples=60, deadline=None)
@given(data=labelled)
def test_figures_agree_with_loops_over_thresholds(data: list[tuple[int, bool]]) -> None:
    scores, labels = arrays(data)
    counts = Ranking(scores, labels).counts()
    if single(labels):
        with pytest.raises(UserError, match="an AUC needs normal and anomalous frames"):
            roc_auc(scores, labels)
        with pytest.raises(UserError, match="a ROC curve needs normal and anomalous frames"):
            roc_curve(scores, labels)
        assert np.isnan([average_precision(*counts), equal_error_rate(*counts)]).all()
        return
    assert roc_auc(scores, labels) == pytest.approx(naive_auc(scores, labels))
    assert average_precision(*counts) == pytest.approx(naive_ap(scores, labels))
    assert equal_error_rate(*counts) == pytest.approx(naive_eer(scores, labels))
    assert corner_error_rate(*counts) == pytest.approx(naive_corner(scores, labels))
    false, true, thresholds = roc_curve(scores, labels)
    vertices = np.array(naive_vertices(scores, labels))
    np.testing.assert_allclose(np.stack([false, true], axis=1), vertices[:, :2])
    assert thresholds.tolist() == [np.inf, *sorted(set(scores), reverse=True)]


def test_figures_by_hand() -> None:
    scores = np.array([4.0, 3.0, 2.0, 1.0])
    labels = np.array([True, False, True, False])
    counts = Ranking(scores, labels).counts()
    assert [part.tolist() for part in counts] == [[0, 1, 1, 2, 2], [0, 0, 1, 1, 2]]
    assert roc_auc(scores, labels) == 0.75
    assert average_precision(*counts) == pytest.approx((1 + 2 / 3) / 2)
    assert equal_error_rate(*counts) == 0.5


def test_equal_scores_are_chance_and_a_perfect_order_makes_no_error() -> None:
    labels = np.array([True, False, False])
    counts = Ranking(np.ones(3), labels).counts()
    assert roc_auc(np.ones(3), labels) == 0.5
    assert equal_error_rate(*counts) == 0.5
    assert average_precision(*counts) == pytest.approx(1 / 3)
    counts = Ranking(labels.astype(float), labels).counts()
    assert (average_precision(*counts), equal_error_rate(*counts)) == (1, 0)


def test_a_missing_score_is_told() -> None:
    with pytest.raises(UserError, match="an AUC needs a score for every frame, 1 are empty"):
        roc_auc(np.array([0.1, np.nan]), np.array([True, False]))
