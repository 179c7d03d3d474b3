"""Cluster chosen items again, and put the new clusters in the place of the old."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError, refusing_bad_values
from tlae.explorer.job_store import Labels
from tlae.image_sets.cluster_methods import METHODS, OUTLIER, method_named
from tlae.image_sets.cluster_settings import FEWEST, ClusterSettings
from tlae.image_sets.clusters import find_clusters, without_small
from tlae.image_sets.preparation import SCALERS, fit_preparation
from tlae.number_words import how_many

UNPLACED = OUTLIER  # label of items whose descriptors are not finite


@dataclass(frozen=True)
class Parameter:
    """A setting that a person may change.

    Attributes:
        name: key in a request.
        title: for people.
        kind: ``whole``, ``number`` or ``choice``.
        default: None: the method finds one.
        minimum: smallest value of a number.
        choices: values of a choice.
    """

    name: str
    title: str
    kind: str
    default: float | str | None
    minimum: float | None = None
    choices: tuple[str, ...] = ()


_PARAMETERS = {
    "k": Parameter("k", "clusters", "whole", 8, 2),
    "min_size": Parameter("min_size", "smallest cluster", "whole", None, 2),
    "neighbours": Parameter("neighbours", "neighbours", "whole", 10, 1),
    "eps": Parameter("eps", "radius", "number", None, 0),
    "fewest": Parameter("fewest", "smaller ones are outliers", "whole", FEWEST, 1),
    "scaler": Parameter("scaler", "scaling", "choice", "none", choices=SCALERS),
    "pca": Parameter("pca", "PCA dimensions", "whole", 50, 1),
}
_TITLES = {
    "kmeans": "k-means",
    "minibatch_kmeans": "k-means in mini-batches",
    "gaussian_mixture": "Gaussian mixture",
    "agglomerative": "agglomerative",
    "hdbscan": "HDBSCAN",
    "hdbscan_soft": "HDBSCAN with soft clusters",
    "optics": "OPTICS",
    "dbscan": "DBSCAN",
}


def parameters_of(method: str) -> list[Parameter]:
    """Parameters of a method.

    Raises:
        UserError: there is no such method.
    """
    names = ["k"] if method_named(method).needs_k else ["min_size", "neighbours"]
    if method in ("optics", "dbscan"):
        names.append("eps")
    return [_PARAMETERS[name] for name in (*names, "fewest", "scaler", "pca")]


def methods() -> dict[str, str]:
    """Title of every method, the ones that find their number of clusters first."""
    named = {name: _TITLES.get(name, name) for name in METHODS}
    return dict(sorted(named.items(), key=lambda pair: METHODS[pair[0]].needs_k))


def checked(method: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with their defaults filled in, so that equal requests look equal.

    Raises:
        UserError: a method, parameter or value that there is not.
    """
    known = {parameter.name: parameter for parameter in parameters_of(method)}
    for name in given:
        if name not in known:
            raise UserError(f"{method} has no parameter {name!r}; known: {', '.join(known)}")
    return {name: _value(known[name], given.get(name)) for name in known}


def regroup(
    values: npt.NDArray[Any],
    method: str,
    parameters: Mapping[str, Any],
    tell: Callable[[float | None, str], None] = lambda share, what: None,
) -> Labels:
    """Cluster descriptors.

    Args:
        values: (n, D); rows that are not finite become ``UNPLACED``.
        method: a clusterer.
        parameters: from ``checked``.
        tell: hears what is being done.

    Returns:
        (n,) int32, 0 for the largest cluster, -1 for outliers.

    Raises:
        UserError: too few items, or all are equal.
    """
    settings = dict(parameters)
    scaler, pca, fewest = (settings.pop(name) for name in ("scaler", "pca", "fewest"))
    values = np.asarray(values, np.float32)
    finite = np.isfinite(values).all(axis=1)
    labels = np.full(len(values), UNPLACED, np.int32)
    used = values[finite]
    tell(None, f"scaling and PCA of {how_many(len(used), 'item')}")
    if pca is not None and used.size:
        pca = min(pca, *used.shape)
    alike = len(used) < 2 or bool((used == used[0]).all())  # refused below, in plain words
    prepared = used if alike else fit_preparation(used, scaler, pca).apply(used)
    tell(None, f"clustering {how_many(len(used), 'item')}")
    with refusing_bad_values():
        options = ClusterSettings(method, **settings)
    found, _ = without_small(find_clusters(prepared, options), prepared, fewest)
    labels[finite] = found.labels
    return labels


def merged(before: Labels, rows: npt.NDArray[np.int64] | None, found: Labels) -> Labels:
    """A labeling in which some items have new clusters.

    Args:
        before: (N,), labels of all items.
        rows: (n,), items clustered again; None: all.
        found: (n,), their new clusters, which get numbers of their own.

    Returns:
        (N,).
    """
    if rows is None:
        return found.copy()
    after = before.copy()
    kept = np.delete(before, rows)
    free = int(kept.max(initial=-1)) + 1
    after[rows] = np.where(found >= 0, found + free, OUTLIER)
    return after


def _value(parameter: Parameter, given: object) -> float | str | None:
    if given is None or given == "":
        return parameter.default
    if parameter.kind == "choice":
        if given not in parameter.choices:
            allowed = ", ".join(parameter.choices)
            raise UserError(f"{parameter.name} must be one of {allowed}, got {given!r}")
        return str(given)
    rule = f"{'a whole number' if parameter.kind == 'whole' else 'a number'}"
    if isinstance(given, bool) or not isinstance(given, int | float) or not np.isfinite(given):
        raise UserError(f"{parameter.name} must be {rule}, got {given!r}")
    if parameter.kind == "whole" and given != int(given):
        raise UserError(f"{parameter.name} must be {rule}, got {given!r}")
    if parameter.minimum is not None and given < parameter.minimum:
        raise UserError(f"{parameter.name} must be >= {parameter.minimum:g}, got {given}")
    return int(given) if parameter.kind == "whole" else float(given)
