import numpy as np
import pytest

from tests.small_descriptors import GROUP, two_groups
from tlae.errors import UserError
from tlae.explorer.regroup import checked, merged, methods, parameters_of, regroup


def test_two_groups_are_found_and_lost_rows_are_outliers() -> None:
    values = two_groups()
    values[0] = np.inf
    labels = regroup(values, "kmeans", checked("kmeans", {"k": 2}))
    assert labels[0] == -1
    assert len(set(labels[1:GROUP])) == len(set(labels[GROUP:])) == 1
    assert labels[1] != labels[-1]


def test_clusters_of_too_few_items_are_outliers_as_on_the_command_line() -> None:
    values = two_groups()
    values[:2] += 1000
    labels = regroup(values, "kmeans", checked("kmeans", {"k": 3}))
    assert list(labels[:2]) == [-1, -1]
    assert set(labels[2:]) == {0, 1}
    kept = regroup(values, "kmeans", checked("kmeans", {"k": 3, "fewest": 1}))
    assert list(kept[:2]) == [2, 2]


def test_every_method_says_what_it_can_be_told() -> None:
    for method in methods():
        names = [parameter.name for parameter in parameters_of(method)]
        assert {"scaler", "pca"} < set(names)
        assert list(checked(method, {})) == names


def test_defaults_are_filled_in_so_that_equal_requests_look_equal() -> None:
    assert checked("kmeans", {}) == checked("kmeans", {"k": 8.0, "pca": 50, "scaler": ""})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kk": 3}, "kmeans has no parameter 'kk'; known: k, fewest, scaler, pca"),
        ({"k": 1}, "k must be >= 2, got 1"),
        ({"k": 2.5}, "k must be a whole number, got 2.5"),
        ({"k": "x"}, "k must be a whole number, got 'x'"),
        ({"k": True}, "k must be a whole number, got True"),
        ({"k": float("nan")}, "k must be a whole number, got nan"),
        ({"scaler": "big"}, "scaler must be one of none, standard"),
    ],
)
def test_bad_parameters_are_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(UserError) as refused:
        checked("kmeans", given)
    assert words in str(refused.value)


def test_equal_items_and_too_many_clusters_are_refused() -> None:
    with pytest.raises(UserError, match="are equal"):
        regroup(np.ones((9, 3)), "kmeans", checked("kmeans", {"k": 2}))
    with pytest.raises(UserError, match="k must be"):
        regroup(two_groups()[:4], "kmeans", checked("kmeans", {"k": 8}))


def test_new_clusters_get_free_numbers_and_the_others_stay() -> None:
    before = np.array([0, 0, 1, 1, -1, 2], np.int32)
    after = merged(before, np.array([0, 1, 5]), np.array([1, 0, -1], np.int32))
    np.testing.assert_array_equal(after, [3, 2, 1, 1, -1, -1])
    np.testing.assert_array_equal(before, [0, 0, 1, 1, -1, 2])


def test_all_items_clustered_again_start_at_nought() -> None:
    found = np.array([1, 0], np.int32)
    np.testing.assert_array_equal(merged(np.array([4, 7], np.int32), None, found), found)
    everything = merged(np.array([4, 7], np.int32), np.array([0, 1]), found)
    np.testing.assert_array_equal(everything, found)
