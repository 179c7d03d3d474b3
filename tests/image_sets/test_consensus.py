"""Consensus of several clusterings on cases that can be counted by hand."""

import numpy as np
import pandas as pd

from tlae.image_sets.compared_runs import zone_text
from tlae.image_sets.consensus import agreement_table, consensus


def test_runs_that_agree_give_their_clusters_whatever_the_numbers() -> None:
    runs = np.array([[0, 0, 0, 1, 1], [1, 1, 1, 0, 0], [4, 4, 4, 2, 2]])
    found = consensus(runs)
    assert found.labels.tolist() == [0, 0, 0, 1, 1]
    assert found.agreement.tolist() == [1] * 5
    assert found.torn_to.tolist() == [-1] * 5


def test_a_torn_picture_says_between_which_clusters() -> None:
    runs = np.array([[0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1]])
    found = consensus(runs)
    assert found.labels.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert found.torn_to[3] == 1
    assert found.agreement[3] < min(found.agreement[[0, 1, 2, 4, 5, 6]])
    # with the others of its cluster: all, all, and in the third run with itself alone of four
    assert found.agreement[3] == np.mean([1, 1, 1 / 4])


def test_what_most_runs_call_an_outlier_is_one() -> None:
    runs = np.array([[0, 0, 0, -1], [0, 0, 0, -1], [0, 0, 0, 0]])
    found = consensus(runs)
    assert found.labels.tolist() == [0, 0, 0, -1]
    assert found.agreement[3] == 2 / 3
    assert consensus(np.full((2, 5), -1)).labels.tolist() == [-1] * 5


def test_every_run_agrees_with_itself() -> None:
    one, other = pd.Series([0, 0, 1, 1]), pd.Series([1, 1, 0, 0])
    assert np.allclose(agreement_table({"a": one, "b": other}), 1)


def test_zones_of_disagreement_in_words() -> None:
    assert zone_text(0, 2) == "between cluster 0 and cluster 2"
    assert zone_text(-1, 2) == "between the outliers and cluster 2"
    assert zone_text(2, -1) == "only partly in cluster 2"
