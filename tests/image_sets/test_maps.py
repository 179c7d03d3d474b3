import numpy as np
import pytest

from tests.small_descriptors import GROUP, two_groups
from tlae.errors import UserError
from tlae.image_sets.maps import MAPS, MapMethod, lay_out


def test_pca_agrees_with_scikit_learn_up_to_sign_and_scale() -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    values = two_groups()
    ours = lay_out("pca", values, 2)
    theirs = decomposition.PCA(2).fit_transform(values)
    for axis in range(2):
        correlation = np.corrcoef(ours[:, axis], theirs[:, axis])[0, 1]
        assert abs(correlation) > 0.999


def test_a_map_fills_the_box_and_is_centred() -> None:
    placed = lay_out("pca", two_groups(), 3)
    assert placed.shape == (2 * GROUP, 3)
    assert np.abs(placed).max() == pytest.approx(1)
    np.testing.assert_allclose(placed.max(axis=0), -placed.min(axis=0), atol=1e-6)


def test_rows_that_are_not_finite_have_no_place_and_move_no_other() -> None:
    values = two_groups()
    values[3, 2] = np.nan
    placed = lay_out("pca", values, 2)
    assert np.isnan(placed[3]).all()
    np.testing.assert_allclose(
        np.delete(placed, 3, axis=0), lay_out("pca", np.delete(values, 3, axis=0), 2), atol=1e-5
    )


@pytest.mark.parametrize("values", [np.ones((1, 4)), np.ones((7, 4)), np.full((2, 4), np.nan)])
def test_one_item_and_equal_items_lie_in_the_middle_and_lost_ones_nowhere(
    values: np.ndarray,
) -> None:
    placed = lay_out("pca", values, 2)
    assert placed.shape == (len(values), 2)
    assert np.isnan(placed).all() if np.isnan(values).all() else (placed == 0).all()


def test_descriptors_of_one_number_still_have_two_axes() -> None:
    placed = lay_out("pca", np.arange(5.0)[:, np.newaxis], 2)
    np.testing.assert_allclose(np.sort(placed[:, 0]), [-1, -0.5, 0, 0.5, 1], atol=1e-6)
    assert (placed[:, 1] == 0).all()


@pytest.mark.parametrize("dimensions", [2, 3])
def test_tsne_keeps_groups_apart_and_tells_how_far_it_is(dimensions: int) -> None:
    pytest.importorskip("openTSNE")
    shown: list[float] = []
    placed = lay_out("tsne", two_groups(), dimensions, tell=lambda share, what: shown.append(share))
    near, far = placed[:GROUP], placed[GROUP:]
    apart = np.linalg.norm(near.mean(axis=0) - far.mean(axis=0))
    assert apart > 2 * max(near.std(axis=0).max(), far.std(axis=0).max())
    assert shown[-1] == 1
    assert shown == sorted(shown)


def test_tsne_of_a_few_items_is_refused() -> None:
    pytest.importorskip("openTSNE")
    with pytest.raises(UserError, match="t-SNE needs at least 10 items, got 9; use the PCA map"):
        lay_out("tsne", two_groups()[:9], 2)


def test_a_library_that_is_absent_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = MapMethod("UMAP", "no_such_module", "pip install 'tlae[umap]'")
    monkeypatch.setitem(MAPS, "umap", absent)
    with pytest.raises(UserError, match=r"UMAP needs no_such_module, which is absent; pip install"):
        lay_out("umap", two_groups(), 2)
