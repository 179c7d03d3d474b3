"""How good a clustering is without labels, how many clusters to take, who agrees with whom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.errors import UserError
from tlae.image_sets.cluster_methods import OUTLIER, Labels

SILHOUETTE_ROWS = 5_000  # drawn at random: the silhouette compares every row with every other
RESAMPLED_SHARE = 0.8  # of the rows, in each of the two fits that are compared


@dataclass(frozen=True)
class Quality:
    """Indices of one clustering; outliers do not count. NaN where fewer than two clusters are left.

    Attributes:
        clusters: number of clusters.
        outliers: number of rows in none.
        calinski_harabasz: spread between clusters over spread within, >= 0, higher is better
            (Caliński & Harabasz 1974).
        davies_bouldin: mean overlap of each cluster with its worst neighbour, >= 0, lower is better
            (Davies & Bouldin 1979).
        silhouette: how much nearer rows are to their own cluster than to the next, in [-1, 1],
            higher is better (Rousseeuw 1987); of ``SILHOUETTE_ROWS`` rows drawn at random.
    """

    clusters: int
    outliers: int
    calinski_harabasz: float
    davies_bouldin: float
    silhouette: float


def quality(values: npt.NDArray[Any], labels: Labels, seed: int = 0) -> Quality:
    """Judge a clustering by its geometry.

    Args:
        values: (N, d), as they were clustered.
        labels: (N,), ``OUTLIER`` where in no cluster.
        seed: of the rows drawn for the silhouette.
    """
    from sklearn import metrics

    inside = labels != OUTLIER
    clusters, outliers = len(np.unique(labels[inside])), int((~inside).sum())
    rows = values if not outliers else values[inside]
    names = labels[inside]
    if not 2 <= clusters < len(names):
        return Quality(clusters, outliers, np.nan, np.nan, np.nan)
    sample = np.random.default_rng(seed).permutation(len(names))[:SILHOUETTE_ROWS]
    enough = 2 <= len(np.unique(names[sample])) < len(sample)
    return Quality(
        clusters,
        outliers,
        float(metrics.calinski_harabasz_score(rows, names)),
        float(metrics.davies_bouldin_score(rows, names)),
        float(metrics.silhouette_score(rows[sample], names[sample])) if enough else np.nan,
    )


def best_k(by_k: Mapping[int, Quality]) -> int:
    """Number of clusters with the best mean rank over the three indices; the smallest of equals.

    Args:
        by_k: quality for each number of clusters tried, at least one.
    """
    ks = sorted(by_k)
    signed = [
        [-by_k[k].calinski_harabasz for k in ks],
        [by_k[k].davies_bouldin for k in ks],
        [-by_k[k].silhouette for k in ks],
    ]
    ranks = pd.DataFrame(signed).rank(axis=1, na_option="bottom").mean()
    return ks[int(ranks.to_numpy().argmin())]


def at_the_end(k: int, ks: range) -> bool:
    """Whether the best number of clusters bounds the span: a better one may lie beyond."""
    return len(ks) > 1 and (k == ks[-1] or (k == ks[0] and k > 2))


def parse_k(text: str | None) -> range | None:
    """`8` -> 8 alone, `2..20` -> all from 2 to 20.

    Raises:
        UserError: it is neither.
    """
    if text is None:
        return None
    first, dots, last = text.partition("..")
    try:
        low = int(first)
        high = int(last) if dots else low
    except ValueError as error:
        raise UserError(f"k must be a number or a span such as 2..20, got {text!r}") from error
    if not 2 <= low <= high:
        raise UserError(
            f"k must be >= 2 and a span must go from the smaller to the larger number, got {text}"
        )
    return range(low, high + 1)


def stability(
    values: npt.NDArray[Any],
    cluster: Callable[[npt.NDArray[Any]], Labels],
    repeats: int,
    seed: int = 0,
) -> list[float]:
    """How alike the clusters of two random parts of the rows are, where the parts overlap.

    Outliers count as a group of their own (Ben-Hur, Elisseeff & Guyon 2002, with the adjusted Rand
    index as similarity).

    Args:
        values: (N, d).
        cluster: gives labels (n,) to rows (n, d).
        repeats: number of pairs of parts.
        seed: of the parts.

    Returns:
        Adjusted Rand index of each pair: 1 the same clusters, about 0 chance.
    """
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(seed)
    taken = round(RESAMPLED_SHARE * len(values))
    found = []
    for _ in range(repeats):
        labels = np.full((2, len(values)), OUTLIER)
        seen = np.zeros((2, len(values)), bool)
        for part in range(2):
            rows = np.sort(rng.choice(len(values), taken, replace=False))
            labels[part, rows], seen[part, rows] = cluster(values[rows]), True
        both = seen.all(axis=0)
        found.append(float(adjusted_rand_score(labels[0, both], labels[1, both])))
    return found


@dataclass(frozen=True)
class Agreement:
    """How far two labelings of the same rows say the same.

    Attributes:
        rows: number of rows compared.
        ari: adjusted Rand index: 1 equal, about 0 chance (Hubert & Arabie 1985).
        ami: adjusted mutual information: 1 equal, about 0 chance (Vinh et al. 2010).
        table: counts, one row per label of the first, one column per label of the second.
    """

    rows: int
    ari: float
    ami: float
    table: pd.DataFrame


def agreement(first: pd.Series, second: pd.Series) -> Agreement:
    """Compare two labelings row by row; labels need not be numbers, outliers are a group.

    Args:
        first: (N,), no missing labels.
        second: (N,), in the same order.
    """
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    one, two = first.to_numpy(), second.to_numpy()
    return Agreement(
        len(one),
        float(adjusted_rand_score(one, two)),
        float(adjusted_mutual_info_score(one, two)),
        pd.crosstab(pd.Series(one, name=first.name), pd.Series(two, name=second.name)),
    )
