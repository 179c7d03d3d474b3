"""Learn "pictures like these", with a threshold from pictures that were held out."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.image_sets.estimators import (
    Scores,
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
SAME_SCORE = 1e-6  # of the range of the scores: what is nearer is equal
FEWEST_EQUAL = 3  # different pictures with the highest score: no chance


def fit_novelty(
    values: npt.NDArray[Any],
    method: str = "nearest_neighbours",
    *,
    scaler: str = "none",
    pca: float | None = None,
    whiten: bool = False,
    folds: int = 10,
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


def require_told_apart(
    values: npt.NDArray[Any], held_out: Scores, own: Scores, threshold: float
) -> None:
    """Refuse a detector that gives its highest score to normal pictures already.

    Nothing can be more unusual than its threshold then. A one-class SVM does so where its kernel
    vanishes between pictures that were held out and those that were learnt.

    Args:
        values: (N, D), the normal pictures.
        held_out: (N,), their held-out scores.
        own: (N,), their scores by the fit to all of them.
        threshold: that would be used.

    Raises:
        UserError: the threshold is a highest score that different pictures share.
    """
    both = np.concatenate([held_out, own])
    ceiling = held_out.max() - SAME_SCORE * np.ptp(both)
    equal = np.flatnonzero(held_out >= ceiling)
    if threshold < ceiling or len(np.unique(values[equal], axis=0)) < FEWEST_EQUAL:
        return
    raise UserError(
        f"held-out scores must be distinguishable, but {len(equal):,} of {len(held_out):,} "
        f"different pictures have the highest ({held_out.max():.4g}), so that no picture could "
        "be unusual; take another method=..., or scaler=l2 without pca"
    )


def calibration_of(raw: npt.NDArray[np.float64]) -> Calibration:
    """Held-out scores of pictures that have no pace and no order."""
    return Calibration(raw, np.zeros(len(raw), np.int64), 0.0, f"{datetime.now(UTC):%Y-%m-%d}")
