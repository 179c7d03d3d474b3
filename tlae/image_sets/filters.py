"""Tell good pictures from bad ones, learnt from labels."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError, require_known
from tlae.evaluation.roc import roc_auc
from tlae.image_sets.estimators import Scores, require_different
from tlae.image_sets.preparation import Preparation, fit_preparation

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

FILTERS = ("logistic_regression", "gradient_boosting")
# How freely the logistic regression may weigh (scikit-learn's C), by scaler: rows of unit length
# vary so little that the usual penalty would keep all weights near nought.
FREEDOM = {"l2": 1000.0}
BAD = 1  # class of pictures to keep out; good ones are 0
RESAMPLES = 1000
INTERVAL = (2.5, 97.5)  # percentiles


@dataclass(frozen=True)
class Estimate:
    """A figure of held-out pictures with its 95 % interval over resampled pictures."""

    value: float
    low: float
    high: float


def fit_filter(
    good: npt.NDArray[Any],
    bad: npt.NDArray[Any],
    method: str = "logistic_regression",
    *,
    scaler: str = "standard",
    pca: float | None = None,
    whiten: bool = False,
    folds: int = 5,
    seed: int = 0,
) -> tuple[Preparation, "BaseEstimator", Scores]:
    """Fit to all pictures, and score each by a fit without it.

    Args:
        good: (n, D), descriptors of pictures to keep, n >= 2.
        bad: (m, D), of pictures to keep out, m >= 2.
        method: one of ``FILTERS``.
        scaler: see ``fit_preparation``, as are ``pca`` and ``whiten``.
        pca: components or share of variance.
        whiten: components of equal spread.
        folds: parts of the cross-validation, >= 2; no more than the pictures of either kind.
        seed: of the folds and the estimator.

    Returns:
        Preparation, classifier, and held-out scores (n + m,), good pictures first.

    Raises:
        UserError: too few pictures of a kind, or a setting out of its range.
    """
    from sklearn.model_selection import StratifiedKFold

    require_known(method, FILTERS, "method")
    for name, rows in (("good", good), ("bad", bad)):
        if len(rows) < 2:
            raise UserError(f"{name} must hold at least 2 pictures, got {len(rows)}; give more")
    if folds < 2:
        raise UserError(f"folds must be >= 2, got {folds}")
    values = np.concatenate([good, bad])
    require_different(values)
    kinds = np.repeat([1 - BAD, BAD], [len(good), len(bad)])

    def fitted(rows: npt.NDArray[Any]) -> tuple[Preparation, "BaseEstimator"]:
        preparation = fit_preparation(values[rows], scaler, pca, whiten=whiten, seed=seed)
        estimator = _classifier(method, scaler, seed)
        return preparation, estimator.fit(preparation.apply(values[rows]), kinds[rows])

    held_out = np.empty(len(values))
    parts = StratifiedKFold(min(folds, len(good), len(bad)), shuffle=True, random_state=seed)
    for train, test in parts.split(values, kinds):
        preparation, estimator = fitted(train)
        held_out[test] = bad_probability(estimator, preparation.apply(values[test]))
    return *fitted(np.arange(len(values))), held_out


def bad_probability(estimator: "BaseEstimator", values: npt.NDArray[Any]) -> Scores:
    """Scores (N,) of prepared values (N, d): probability of being bad, in [0, 1]."""
    return np.asarray(estimator.predict_proba(values)[:, BAD], np.float64)


def measure_filter(
    held_out: Scores, goods: int, threshold: float, seed: int = 0
) -> dict[str, Estimate]:
    """How well held-out scores tell the kinds apart.

    Args:
        held_out: (n + m,), good pictures first.
        goods: n.
        threshold: scores above it mean bad.
        seed: of the resamples.

    Returns:
        "AUROC", "good kept" and "bad found" (shares), each with its interval; pictures of each
        kind are resampled by themselves.
    """
    good, bad = held_out[:goods], held_out[goods:]
    rng = np.random.default_rng(seed)
    drawn = np.array(
        [
            _figures(rng.choice(good, len(good)), rng.choice(bad, len(bad)), threshold)
            for _ in range(RESAMPLES)
        ]
    )
    low, high = np.percentile(drawn, INTERVAL, axis=0)
    names = ("AUROC", "good kept", "bad found")
    values = _figures(good, bad, threshold)
    return {
        name: Estimate(values[n], float(low[n]), float(high[n])) for n, name in enumerate(names)
    }


def _figures(good: Scores, bad: Scores, threshold: float) -> tuple[float, float, float]:
    labels = np.repeat([False, True], [len(good), len(bad)])
    auroc = roc_auc(np.concatenate([good, bad]), labels)
    return auroc, float((good <= threshold).mean()), float((bad > threshold).mean())


def _classifier(method: str, scaler: str, seed: int) -> "BaseEstimator":
    if method == "logistic_regression":
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(
            C=FREEDOM.get(scaler, 1.0),
            class_weight="balanced",
            max_iter=2000,
            random_state=seed,
        )
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(class_weight="balanced", random_state=seed)
