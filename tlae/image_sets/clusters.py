"""A label and an outlier score for every described picture."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.image_sets.cluster_methods import (
    OUTLIER,
    Clustering,
    Labels,
    beyond_members,
    by_centre,
    method_named,
)
from tlae.image_sets.cluster_settings import ClusterSettings
from tlae.image_sets.estimators import CHUNK_ROWS, require_different
from tlae.progress import progress


def find_clusters(values: npt.NDArray[Any], settings: ClusterSettings) -> Clustering:
    """Cluster prepared descriptors.

    Args:
        values: (N, d), finite.
        settings: method and its numbers.

    Raises:
        UserError: see ``require_clusterable``.
    """
    method = method_named(settings.method)
    require_clusterable(values, settings)
    most = rows_seen(settings, len(values))
    if len(values) <= most:
        found = replace(method.fit(values, settings), fitted_rows=len(values))
        return _largest_first(found)
    rng = np.random.default_rng(settings.seed)
    seen = np.sort(rng.choice(len(values), most, replace=False))
    found = _largest_first(method.fit(values[seen], settings))
    return _spread(found, values, seen, finds_outliers=method.finds_outliers)


def rows_seen(settings: ClusterSettings, rows: int) -> int:
    """How many of so many rows the method is fitted to."""
    own = method_named(settings.method).most_rows
    return rows if own is None else min(rows, settings.most_rows or own)


def require_clusterable(values: npt.NDArray[Any], settings: ClusterSettings) -> None:
    """Refuse settings and descriptors, prepared or not, of which no clusters can come.

    Raises:
        UserError: no such method, too few rows, rows all equal, a ``k`` that cannot be.
    """
    method = method_named(settings.method)
    rows = len(values)
    if rows < 3:
        raise UserError(f"clusters need at least 3 pictures, got {rows}; describe more")
    if method.needs_k:
        if settings.k is None:
            raise UserError(f"{settings.method} must be given k: give k=8, or k=2..20 to choose it")
        fitted = rows_seen(settings, rows)
        if not 2 <= settings.k < fitted:
            raise UserError(
                f"k must be >= 2 and less than the pictures clustered ({fitted:,}), "
                f"got {settings.k}; lower it or describe more"
            )
    require_different(values)


def without_small(
    found: Clustering, values: npt.NDArray[Any], fewest: int
) -> tuple[Clustering, int]:
    """Call clusters of fewer than ``fewest`` rows outliers, and number the others anew.

    Such a row's score becomes its distance to the nearest mean of a cluster that stays; that
    cluster is its most likely one, where the method says so.

    Args:
        found: clusters of ``values``.
        values: (N, d), as they were clustered.
        fewest: 1 leaves all as they are.

    Returns:
        The clustering, and how many clusters are gone; where none would stay, all do.
    """
    from sklearn.metrics import pairwise_distances

    sizes = np.bincount(found.labels[found.labels != OUTLIER], minlength=found.clusters)
    small = np.flatnonzero(sizes < fewest)
    if not len(small) or len(small) == len(sizes):
        return found, 0
    kept = [values[found.labels == name].mean(axis=0) for name in range(len(sizes) - len(small))]
    rows = np.isin(found.labels, small)  # the last labels: they fall by size
    apart = pairwise_distances(values[rows], np.stack(kept))
    scores, likely = found.scores.copy(), found.likely
    scores[rows] = apart.min(axis=1)
    labels = np.where(rows, OUTLIER, found.labels)
    if likely is not None:
        likely = likely.copy()
        likely[rows] = apart.argmin(axis=1)
    return replace(found, labels=labels, scores=scores, likely=likely), len(small)


def _largest_first(found: Clustering) -> Clustering:
    """Number the clusters by falling size, so that labels mean the same in every run."""
    names, sizes = np.unique(found.labels[found.labels != OUTLIER], return_counts=True)
    numbers = np.full(int(names.max(initial=OUTLIER)) + 2, OUTLIER)
    numbers[names[np.argsort(-sizes, kind="stable")]] = np.arange(len(names))
    likely = None if found.likely is None else numbers[found.likely]
    return replace(found, labels=numbers[found.labels], likely=likely)


def _spread(
    found: Clustering, values: npt.NDArray[Any], seen: Labels, *, finds_outliers: bool
) -> Clustering:
    """Give every row the label of the nearest row that the method saw.

    Where the method finds outliers, so is a row that lies further from the nearest than any
    clustered row lay from its own neighbour.
    """
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=2).fit(values[seen])
    rest = np.setdiff1d(np.arange(len(values)), seen)
    distance, index = np.empty((len(rest), 1)), np.empty((len(rest), 1), np.int64)
    with progress("labelling the other pictures", len(rest), "pictures") as advance:
        for at in range(0, len(rest), CHUNK_ROWS):
            rows = slice(at, at + CHUNK_ROWS)
            distance[rows], index[rows] = near.kneighbors(values[rest[rows]], n_neighbors=1)
            advance(len(rest[rows]))
    labels = np.full(len(values), OUTLIER)
    scores = np.empty(len(values))
    labels[seen], scores[seen] = found.labels, found.scores
    labels[rest], scores[rest] = found.labels[index[:, 0]], found.scores[index[:, 0]]
    members = found.labels != OUTLIER
    if finds_outliers and members.any():
        farthest = near.kneighbors(values[seen][members])[0][:, 1].max()
        labels[rest[distance[:, 0] > farthest]] = OUTLIER
    spread = beyond_members(values, labels, scores) if finds_outliers else by_centre(values, labels)
    likely = membership = None
    if found.likely is not None and found.membership is not None:
        likely, membership = np.empty_like(labels), np.empty_like(scores)
        likely[seen], membership[seen] = found.likely, found.membership
        likely[rest], membership[rest] = found.likely[index[:, 0]], found.membership[index[:, 0]]
    return replace(spread, likely=likely, membership=membership, fitted_rows=len(seen))
