"""Clusterers of scikit-learn behind one face; `clusters.py` is where to call them.

scikit-learn is imported plainly and late, so `python -m cuml.accel -m tlae ...` puts its GPU
versions in the place of those that it knows.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError, require_known
from tlae.image_sets.cluster_settings import ClusterSettings
from tlae.image_sets.estimators import CHUNK_ROWS, Scores, anomaly_scores

Labels = npt.NDArray[np.int64]

OUTLIER = -1  # label of rows that belong to no cluster


@dataclass(frozen=True)
class Clustering:
    """What a clusterer found.

    Attributes:
        labels: (N,), 0 the largest cluster, ``OUTLIER`` where in none.
        scores: (N,), higher is more anomalous; its unit depends on the method, see ``METHODS``.
        likely: (N,), most likely cluster of every row, outliers too; None: not known.
        membership: (N,), probability of ``likely`` in [0, 1]; None: not known.
        fitted_rows: rows that the method saw; labels of the others come from their nearest.
    """

    labels: Labels
    scores: Scores
    likely: Labels | None = None
    membership: Scores | None = None
    fitted_rows: int = 0

    @property
    def clusters(self) -> int:
        """Number of clusters, outliers apart."""
        return int(self.labels.max(initial=OUTLIER)) + 1


@dataclass(frozen=True)
class Method:
    """One line of the table of clusterers.

    Attributes:
        fit: clusters prepared values (N, d).
        needs_k: it must be given the number of clusters.
        most_rows: fitted to no more rows than this: its time or memory grows with their square.
        growth: its time grows with this power of the rows, between 2,000 and 20,000 of them (see
            `scripts/outlier_speed.py --announced`).
        finds_outliers: it leaves rows in no cluster.
        module: Python module that it needs beyond scikit-learn; None: none.
        install: what installs that.
    """

    fit: Callable[[npt.NDArray[Any], ClusterSettings], Clustering]
    needs_k: bool = False
    most_rows: int | None = None
    growth: float = 2.0
    finds_outliers: bool = False
    module: str | None = None
    install: str = ""

    @property
    def available(self) -> bool:
        """Whether all that it needs is installed."""
        return self.module is None or find_spec(self.module) is not None


@contextmanager
def _quiet_about_convergence() -> Iterator[None]:
    """Fewer distinct rows than clusters, or a mixture that still moves: the indices show it."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def _kmeans(values: npt.NDArray[Any], settings: ClusterSettings) -> Clustering:
    from sklearn.cluster import KMeans

    estimator = KMeans(settings.k, n_init="auto", random_state=settings.seed)
    with _quiet_about_convergence():
        fitted = estimator.fit(values)
    return by_centre(values, fitted.labels_)


def _minibatch_kmeans(values: npt.NDArray[Any], settings: ClusterSettings) -> Clustering:
    from sklearn.cluster import MiniBatchKMeans

    estimator = MiniBatchKMeans(settings.k, n_init="auto", random_state=settings.seed)
    with _quiet_about_convergence():
        fitted = estimator.fit(values)
    return by_centre(values, fitted.labels_)


def _agglomerative(values: npt.NDArray[Any], settings: ClusterSettings) -> Clustering:
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.neighbors import kneighbors_graph

    graph = kneighbors_graph(values, settings.dense(len(values)), include_self=False)
    graph = graph + graph.T  # else scikit-learn does it, with a warning
    with warnings.catch_warnings():  # far groups have no edge between them; Ward joins them last
        warnings.filterwarnings("ignore", "the number of connected components")
        fitted = AgglomerativeClustering(settings.k, connectivity=graph).fit(values)
    return by_centre(values, fitted.labels_)


def _gaussian_mixture(values: npt.NDArray[Any], settings: ClusterSettings) -> Clustering:
    from sklearn.mixture import GaussianMixture

    estimator = GaussianMixture(settings.k, reg_covar=1e-4, random_state=settings.seed)
    with _quiet_about_convergence():
        fitted = estimator.fit(values)
    shares = fitted.predict_proba(values)
    labels = shares.argmax(axis=1)
    return Clustering(labels, anomaly_scores(fitted, values), labels, shares.max(axis=1))


def _hdbscan(values: npt.NDArray[Any], settings: ClusterSettings) -> Clustering:
    from sklearn.cluster import HDBSCAN

    rows = len(values)
    fitted = HDBSCAN(settings.smallest(rows), min_samples=settings.dense(rows), copy=True)
    fitted.fit(values)
    return beyond_members(values, fitted.labels_, 1 - fitted.probabilities_)


def _hdbscan_soft(values: npt.NDArray[Any], settings: ClusterSettings) -> Clustering:
    try:
        import hdbscan
    except ImportError as error:
        raise UserError(
            "method=hdbscan_soft needs the package hdbscan, which is not installed; "
            "pip install 'tlae[hdbscan]' or take method=hdbscan"
        ) from error
    rows = len(values)
    fitted = hdbscan.HDBSCAN(
        settings.smallest(rows), min_samples=settings.dense(rows), prediction_data=True
    ).fit(values.astype(np.float64))
    shares = hdbscan.all_points_membership_vectors(fitted).reshape(rows, -1)
    found = beyond_members(values, fitted.labels_, fitted.outlier_scores_)
    if not shares.shape[1]:
        return found
    return replace(found, likely=shares.argmax(axis=1), membership=shares.max(axis=1))


def _optics(values: npt.NDArray[Any], settings: ClusterSettings) -> Clustering:
    from sklearn.cluster import OPTICS, cluster_optics_dbscan

    rows = len(values)
    fitted = OPTICS(min_samples=max(2, settings.dense(rows))).fit(values)
    radius = settings.eps or knee_radius(fitted.core_distances_)
    labels = cluster_optics_dbscan(
        reachability=fitted.reachability_,
        core_distances=fitted.core_distances_,
        ordering=fitted.ordering_,
        eps=radius,
    )
    return beyond_members(values, labels, np.zeros(rows))


def _dbscan(values: npt.NDArray[Any], settings: ClusterSettings) -> Clustering:
    from sklearn.cluster import DBSCAN
    from sklearn.neighbors import NearestNeighbors

    dense = max(2, settings.dense(len(values)))
    radius = settings.eps
    if radius is None:
        near = NearestNeighbors(n_neighbors=dense).fit(values)
        radius = knee_radius(near.kneighbors(values)[0][:, -1])
    labels = DBSCAN(radius, min_samples=dense).fit(values).labels_
    return beyond_members(values, labels, np.zeros(len(values)))


def knee_radius(distances: npt.NDArray[Any]) -> float:
    """The knee of the sorted distances to the n-th neighbour: beyond it rows stand alone.

    The point furthest below the straight line from the first to the last (Ester et al. 1996 read it
    off a plot; Satopaa et al. 2011).

    Args:
        distances: (N,), of each row to its n-th neighbour.
    """
    ordered = np.sort(distances[np.isfinite(distances)]).astype(np.float64)
    line = np.linspace(ordered[0], ordered[-1], len(ordered))
    radius = float(ordered[np.argmax(line - ordered)])
    return radius or float(np.finfo(np.float32).eps)


def by_centre(values: npt.NDArray[Any], labels: npt.NDArray[Any]) -> Clustering:
    """The score is the distance to the mean of the row's own cluster."""
    counts = np.bincount(labels)
    sums = np.zeros((len(counts), values.shape[1]))
    scores = np.empty(len(values))
    chunks = [slice(at, at + CHUNK_ROWS) for at in range(0, len(values), CHUNK_ROWS)]
    for rows in chunks:
        member = labels[rows] == np.arange(len(counts))[:, None]  # (clusters, rows)
        sums += member.astype(values.dtype) @ values[rows]
    centres = (sums / np.maximum(counts, 1)[:, None]).astype(values.dtype)
    for rows in chunks:
        away = values[rows] - centres[labels[rows]]
        scores[rows] = np.sqrt(np.einsum("nd,nd->n", away, away))
    return Clustering(labels.astype(np.int64), scores)


def beyond_members(
    values: npt.NDArray[Any], labels: npt.NDArray[Any], within: npt.NDArray[Any]
) -> Clustering:
    """Members keep their score in [0, 1]; an outlier's is 1 + its distance to the nearest member.

    Args:
        values: (N, d).
        labels: (N,), -1 for outliers.
        within: (N,), scores of the members.
    """
    from sklearn.neighbors import NearestNeighbors

    scores = within.astype(np.float64)
    members = labels >= 0
    if members.all() or not members.any():
        return Clustering(labels.astype(np.int64), np.maximum(scores, ~members))
    near = NearestNeighbors(n_neighbors=1).fit(values[members])
    scores[~members] = 1 + near.kneighbors(values[~members])[0][:, 0]
    return Clustering(np.where(members, labels, OUTLIER).astype(np.int64), scores)


METHODS = {
    "kmeans": Method(_kmeans, needs_k=True),
    "minibatch_kmeans": Method(_minibatch_kmeans, needs_k=True),
    "gaussian_mixture": Method(_gaussian_mixture, needs_k=True),
    "agglomerative": Method(_agglomerative, needs_k=True, most_rows=20_000, growth=1.6),
    "hdbscan": Method(_hdbscan, most_rows=100_000, finds_outliers=True),
    "hdbscan_soft": Method(
        _hdbscan_soft,
        most_rows=20_000,
        growth=1.7,
        finds_outliers=True,
        module="hdbscan",
        install="pip install 'tlae[hdbscan]'",
    ),
    "optics": Method(_optics, most_rows=5_000, finds_outliers=True),
    "dbscan": Method(_dbscan, most_rows=50_000, growth=1.8, finds_outliers=True),
}


def method_named(method: str) -> Method:
    """The line of the table.

    Raises:
        UserError: there is none of that name; says the nearest.
    """
    require_known(method, METHODS, "method")
    return METHODS[method]
