"""Fitted estimators as plain arrays and JSON; where scikit-learn hides too much, as skops.

Nothing here is pickled: a file from somewhere else can name only the classes below.
"""

import importlib
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tlae.errors import ModelFileError

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

Arrays = dict[str, npt.NDArray[Any]]

SKOPS = "skops"  # name of the array that holds the bytes of a skops file
# Classes that are stored as arrays: where they live, and what they learn.
PLAIN = {
    "GaussianMixture": (
        "sklearn.mixture",
        ("weights_", "means_", "covariances_", "precisions_cholesky_"),
    ),
    "EllipticEnvelope": ("sklearn.covariance", ("location_", "covariance_", "precision_")),
    "NearestNeighbours": ("tlae.image_sets.nearest", ("rows_",)),
    "LogisticRegression": ("sklearn.linear_model", ("coef_", "intercept_", "classes_")),
}
SQUARE = ("covariance_", "precision_")  # read without a look at their shape
# Compiled parts of the others, beside what skops trusts by itself.
TRUSTED = (
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.EuclideanDistance32",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.tree._tree.Tree",
)


def pack_estimator(estimator: "BaseEstimator") -> tuple[dict[str, Any], Arrays]:
    """Split a fitted estimator into plain values and arrays."""
    name = type(estimator).__name__
    if name in PLAIN:
        arrays = {key: np.atleast_1d(getattr(estimator, key)) for key in PLAIN[name][1]}
        width = int(estimator.n_features_in_)
        return {"class": name, "parameters": estimator.get_params(), "width": width}, arrays
    from skops.io import dumps

    return {"class": name}, {SKOPS: np.frombuffer(dumps(estimator), np.uint8)}


def unpack_estimator(facts: dict[str, Any], arrays: Arrays) -> "BaseEstimator":
    """Put an estimator together again.

    Raises:
        ModelFileError: it names a class that is not one of ours, or its arrays do not fit.
    """
    if SKOPS in arrays:
        return _from_skops(arrays[SKOPS].tobytes())
    if facts["class"] not in PLAIN:
        raise ModelFileError(f"an estimator must be one of {', '.join(PLAIN)}, got {facts}")
    module, keys = PLAIN[facts["class"]]
    estimator = getattr(importlib.import_module(module), facts["class"])(**facts["parameters"])
    for key in keys:
        if key in SQUARE and arrays[key].shape != (facts["width"],) * 2:
            raise ModelFileError(f"{key} must be a square of {facts['width']} rows")
        setattr(estimator, key, arrays[key])
    estimator.n_features_in_ = facts["width"]
    return estimator


def _from_skops(content: bytes) -> "BaseEstimator":
    from skops.io import get_untrusted_types, loads

    foreign = sorted(set(get_untrusted_types(data=content)) - set(TRUSTED))
    if foreign:
        raise ModelFileError(
            f"an estimator may hold only types of scikit-learn, got {', '.join(foreign)}; "
            "it is not opened"
        )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)  # of another scikit-learn version
        estimator: BaseEstimator = loads(content, trusted=list(TRUSTED))
    return estimator
