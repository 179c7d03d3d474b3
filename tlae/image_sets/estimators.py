"""Novelty detectors of scikit-learn behind one face, and the one place where signs are flipped.

scikit-learn says of an inlier a high number; here higher is more anomalous, everywhere.
scikit-learn is imported plainly and late, so `python -m cuml.accel -m tlae ...` puts its GPU
versions in the place of those that it knows.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError, require_known
from tlae.image_sets.nearest import NEIGHBOURS, NearestNeighbours

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

CHUNK_ROWS = 8192

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OutlierMethod:
    """One line of the table of novelty detectors.

    Attributes:
        build: makes the unfitted estimator for rows (N, d) and a seed.
        most_rows: fitted to no more rows than this, drawn at random; None: to all. Given to those
            whose time or memory grows with the square of the rows, or faster.
    """

    build: Callable[[npt.NDArray[Any], int], "BaseEstimator"]
    most_rows: int | None = None


def _isolation_forest(rows: npt.NDArray[Any], seed: int) -> "BaseEstimator":
    from sklearn.ensemble import IsolationForest

    return IsolationForest(n_estimators=FOREST_TREES, random_state=seed)


def _one_class_svm(rows: npt.NDArray[Any], seed: int) -> "BaseEstimator":
    from sklearn.svm import OneClassSVM

    return OneClassSVM(nu=0.1, gamma=1 / median_distance(rows, seed) ** 2)


def _elliptic_envelope(rows: npt.NDArray[Any], seed: int) -> "BaseEstimator":
    from sklearn.covariance import EllipticEnvelope

    return EllipticEnvelope(random_state=seed)


def _local_outlier_factor(rows: npt.NDArray[Any], seed: int) -> "BaseEstimator":
    from sklearn.neighbors import LocalOutlierFactor

    return LocalOutlierFactor(n_neighbors=min(NEIGHBOURS, len(rows) - 1), novelty=True)


def _gaussian_mixture(rows: npt.NDArray[Any], seed: int) -> "BaseEstimator":
    from sklearn.mixture import GaussianMixture

    parts = min(MIXTURE_PARTS, max(1, len(rows) // ROWS_PER_PART))
    return GaussianMixture(parts, covariance_type="full", reg_covar=1e-4, random_state=seed)


def _nearest_neighbours(rows: npt.NDArray[Any], seed: int) -> "BaseEstimator":
    return NearestNeighbours()


def median_distance(rows: npt.NDArray[Any], seed: int = 0) -> float:
    """Median distance between two of the rows (N, d), N >= 2: the reach of a kernel.

    Of ``DISTANCE_ROWS`` rows drawn at random; 1 where half of the pairs are equal.
    """
    from sklearn.metrics import pairwise_distances

    drawn = draw_rows(rows, DISTANCE_ROWS, seed)
    apart = pairwise_distances(drawn)[np.triu_indices(len(drawn), 1)]
    return float(np.median(apart)) or 1.0


DISTANCE_ROWS = 500
FOREST_TREES = 300  # with 100 verdicts on few pictures still hang on the seed
MIXTURE_PARTS = 16
ROWS_PER_PART = 50  # a part of the mixture is worth adding only for so many rows

DETECTORS = {
    "nearest_neighbours": OutlierMethod(_nearest_neighbours, most_rows=10_000),
    "isolation_forest": OutlierMethod(_isolation_forest),
    "one_class_svm": OutlierMethod(_one_class_svm, most_rows=10_000),
    "elliptic_envelope": OutlierMethod(_elliptic_envelope, most_rows=10_000),
    "local_outlier_factor": OutlierMethod(_local_outlier_factor, most_rows=50_000),
    "gaussian_mixture": OutlierMethod(_gaussian_mixture),
}


def detector_named(method: str) -> OutlierMethod:
    """The line of the table.

    Raises:
        UserError: there is none of that name; says the nearest.
    """
    require_known(method, DETECTORS, "method")
    return DETECTORS[method]


def fit_detector(values: npt.NDArray[Any], method: str, seed: int = 0) -> "BaseEstimator":
    """Learn what is normal.

    Args:
        values: (N, d), prepared, N >= 2.
        method: a key of ``DETECTORS``.
        seed: of the estimator and of the rows drawn where there are too many.
    """
    detector = detector_named(method)
    if len(values) < 2:
        raise UserError(f"{method} must learn from at least 2 pictures, got {len(values)}")
    rows = draw_rows(values, detector.most_rows, seed)
    estimator = detector.build(rows, seed)
    with warnings.catch_warnings():
        # Few pictures, wide descriptors: said by `tlae novelty fit` in its own words.
        warnings.filterwarnings("ignore", "The covariance matrix associated")
        warnings.filterwarnings("ignore", "Determinant has increased")
        estimator.fit(rows)
    return estimator


def draw_rows(values: npt.NDArray[Any], most: int | None, seed: int) -> npt.NDArray[Any]:
    """``values`` (N, d), or ``most`` of its rows drawn at random, in their order."""
    if most is None or len(values) <= most:
        return values
    chosen = np.random.default_rng(seed).choice(len(values), most, replace=False)
    drawn: npt.NDArray[Any] = values[np.sort(chosen)]
    return drawn


def require_different(values: npt.NDArray[Any]) -> None:
    """Refuse pictures that cannot be distinguished.

    Args:
        values: (N, D), N >= 1; read a chunk at a time.

    Raises:
        UserError: all rows are equal.
    """
    chunks = (values[at : at + CHUNK_ROWS] for at in range(0, len(values), CHUNK_ROWS))
    if all((chunk == values[0]).all() for chunk in chunks):
        raise UserError(
            f"descriptors of all {len(values):,} pictures are equal, so there is nothing to tell "
            "apart; look at the pictures or take another descriptor"
        )


def anomaly_scores(estimator: "BaseEstimator", values: npt.NDArray[Any]) -> Scores:
    """Scores (N,) of prepared values (N, d): higher is more anomalous."""
    return -np.asarray(estimator.score_samples(values), np.float64)
