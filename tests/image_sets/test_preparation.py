import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler, Normalizer, RobustScaler, StandardScaler

from tlae.errors import UserError
from tlae.image_sets.estimators import CHUNK_ROWS
from tlae.image_sets.preparation import SCALERS, fit_preparation

SCIKIT = {
    "standard": StandardScaler(),
    "robust": RobustScaler(),
    "minmax": MinMaxScaler(),
    "l2": Normalizer(),
}
ROWS = np.random.default_rng(0).normal(3, [1, 5, 0.1, 2], (60, 4)).astype(np.float32)


@pytest.mark.parametrize("scaler", SCIKIT)
def test_scalers_agree_with_scikit_learn(scaler: str) -> None:
    expected = SCIKIT[scaler].fit_transform(ROWS)
    ours = fit_preparation(ROWS, scaler).apply(ROWS)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("whiten", [False, True])
def test_components_agree_with_scikit_learn(scaler: str, whiten: bool) -> None:
    scaled = fit_preparation(ROWS, scaler).apply(ROWS)
    expected = PCA(2, whiten=whiten, random_state=0).fit_transform(scaled)
    ours = fit_preparation(ROWS, scaler, 2, whiten=whiten).apply(ROWS)
    np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-3)


def test_a_share_of_variance_is_kept() -> None:
    preparation = fit_preparation(ROWS, "none", 0.7)
    assert preparation.apply(ROWS).shape == (60, 1)  # the column with spread 5 has most of it
    assert preparation.explained >= 0.7


def test_no_more_components_than_there_are() -> None:
    assert fit_preparation(ROWS, "none", 50).apply(ROWS).shape == (60, 4)


def test_a_column_that_never_changes_stays_finite() -> None:
    rows = np.column_stack([ROWS, np.full(60, 7.0)])
    for scaler in SCALERS:
        assert np.isfinite(fit_preparation(rows, scaler, 0.9, whiten=True).apply(rows)).all()


def test_chunks_do_not_show() -> None:
    many = np.tile(ROWS, (CHUNK_ROWS // 60 + 1, 1))
    preparation = fit_preparation(ROWS, "standard", 3)
    last = preparation.apply(many)[-60:]
    np.testing.assert_allclose(last, preparation.apply(many[-60:]), rtol=1e-5, atol=1e-5)


def test_half_precision_is_taken() -> None:
    half = ROWS.astype(np.float16)
    assert fit_preparation(half, "standard", 2).apply(half).dtype == np.float32


def test_bad_settings_are_named() -> None:
    with pytest.raises(UserError, match="did you mean standard"):
        fit_preparation(ROWS, "standart")
    for pca in (0, -1, 2.5):
        with pytest.raises(UserError, match="pca must be a number of components"):
            fit_preparation(ROWS, "none", pca)


def test_a_column_that_hardly_varies_is_not_blown_up() -> None:
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.normal(0, 1, 400), rng.normal(0, 1e-4, 400)])
    spread = {
        scaler: fit_preparation(rows, scaler).apply(rows).std(axis=0)
        for scaler in ("standard", "floored")
    }
    np.testing.assert_allclose(spread["standard"], [1, 1], rtol=1e-3)
    np.testing.assert_allclose(spread["floored"][0], 1, rtol=1e-3)
    assert spread["floored"][1] < 0.01
