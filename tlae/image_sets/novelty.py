"""Learn "pictures like these", with a threshold from pictures that were held out."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.image_sets.estimators import (
    anomaly_scores,
    detector_named,
    fit_detector,
    require_different,
)
from tlae.image_sets.preparation import Preparation, fit_preparation
from tlae.scoring.calibrate import Calibration

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

FEWEST_PICTURES = 4


def fit_novelty(
    values: npt.NDArray[Any],
    method: str = "isolation_forest",
    *,
    scaler: str = "none",
    pca: float | None = None,
    whiten: bool = False,
    folds: int = 5,
    seed: int = 0,
) -> tuple[Preparation, "BaseEstimator", Calibration]:
    """Fit to all pictures; calibrate with scores that each picture got from a fit without it.

    The pictures are held out in blocks of neighbours, so that near copies of a time-lapse stay
    together (cross-conformal prediction, Vovk 2015).

    Args:
        values: (N, D), descriptors of normal pictures in their order, finite.
        method: a key of ``estimators.DETECTORS``.
        scaler: see ``fit_preparation``, as are ``pca`` and ``whiten``.
        pca: components or share of variance.
        whiten: components of equal spread.
        folds: number of blocks, >= 2; no more than pictures.
        seed: of everything random.

    Raises:
        UserError: too few pictures, all of them equal, or a setting out of its range.
    """
    detector_named(method)
    if len(values) < FEWEST_PICTURES:
        raise UserError(
            f"novelty must learn from at least {FEWEST_PICTURES} pictures, got {len(values)}; "
            "give more of them"
        )
    if folds < 2:
        raise UserError(f"folds must be >= 2, got {folds}")
    require_different(values)

    def fitted(rows: npt.NDArray[Any]) -> tuple[Preparation, "BaseEstimator"]:
        preparation = fit_preparation(rows, scaler, pca, whiten=whiten, seed=seed)
        return preparation, fit_detector(preparation.apply(rows), method, seed)

    raw = np.empty(len(values))
    for block in np.array_split(np.arange(len(values)), min(folds, len(values))):
        preparation, estimator = fitted(np.delete(values, block, axis=0))
        raw[block] = anomaly_scores(estimator, preparation.apply(values[block]))
    return *fitted(values), calibration_of(raw)


def calibration_of(raw: npt.NDArray[np.float64]) -> Calibration:
    """Held-out scores of pictures that have no pace and no order."""
    return Calibration(raw, np.zeros(len(raw), np.int64), 0.0, f"{datetime.now(UTC):%Y-%m-%d}")
