"""What several clusterings of the same pictures agree on, and where they disagree."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.image_sets.cluster_methods import OUTLIER, Labels
from tlae.image_sets.judging import agreement

MOST_PATTERNS = 3000  # of labels side by side; rarer ones join the pattern that is most alike
TOGETHER = 0.5  # share of the runs that must put pictures together, for one cluster


@dataclass(frozen=True)
class Consensus:
    """One clustering made of several.

    Attributes:
        labels: (N,), 0 the largest; ``OUTLIER`` where most runs say so.
        agreement: (N,), in [0, 1]: mean share of the runs that put a picture with the others of its
            cluster; of an outlier, share of the runs that call it one.
        torn_to: (N,), the other cluster that it is put with most often; ``OUTLIER``: none.
    """

    labels: Labels
    agreement: npt.NDArray[np.float64]
    torn_to: Labels


def consensus(runs: npt.NDArray[np.int64]) -> Consensus:
    """Evidence accumulation (Fred & Jain 2005), on the patterns of labels that occur.

    Two pictures are together as often as runs give them the same label; average linkage cuts where
    less than ``TOGETHER`` of the runs agree. Outliers of a run are together with nobody.

    Args:
        runs: (R, N), labels of R >= 2 runs.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    patterns, which, counts = np.unique(runs.T, axis=0, return_inverse=True, return_counts=True)
    which = which.reshape(-1)
    common = np.sort(np.argsort(-counts, kind="stable")[:MOST_PATTERNS])
    shared = _together(patterns[common], patterns[common])
    groups = np.zeros(len(common), np.int64)
    if len(common) > 1:
        apart = 1 - shared
        np.fill_diagonal(apart, 0)
        tree = linkage(squareform(apart, checks=False), "average")
        groups = fcluster(tree, 1 - TOGETHER, "distance").astype(np.int64) - 1
    nearest = np.concatenate(
        [
            _together(patterns[at : at + MOST_PATTERNS], patterns[common]).argmax(axis=1)
            for at in range(0, len(patterns), MOST_PATTERNS)
        ]
    )
    group = groups[nearest]  # (patterns,)
    outside = (patterns == OUTLIER).mean(axis=1)
    group[outside > TOGETHER] = OUTLIER
    return _with_agreement(patterns, counts, group, outside, which)


def _together(
    first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Share of the runs in which patterns (a, R) and (b, R) have the same label, (a, b)."""
    shared = np.zeros((len(first), len(second)))
    for one, other in zip(first.T, second.T, strict=True):
        shared += (one[:, None] == other) & (one != OUTLIER)[:, None]
    share: npt.NDArray[np.float64] = shared / first.shape[1]
    return share


def _with_agreement(
    patterns: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    group: Labels,
    outside: npt.NDArray[np.float64],
    which: npt.NDArray[np.intp],
) -> Consensus:
    sizes = pd.Series(counts).groupby(group).sum().drop(OUTLIER, errors="ignore")
    order = sizes.sort_values(ascending=False, kind="stable").index.to_numpy(np.int64)
    share = np.zeros((len(patterns), len(order)))  # with the members of each cluster
    for number, name in enumerate(order):
        members = np.flatnonzero(group == name)
        for run in range(patterns.shape[1]):
            weight = pd.Series(counts[members]).groupby(patterns[members, run]).sum()
            weight = weight.drop(OUTLIER, errors="ignore") / counts[members].sum()
            found = pd.Series(patterns[:, run]).map(weight).fillna(0).to_numpy()
            share[:, number] += found / patterns.shape[1]
    renumbered = {int(name): number for number, name in enumerate(order)} | {OUTLIER: OUTLIER}
    label = np.array([renumbered[int(name)] for name in group], np.int64)
    own = np.where(label == OUTLIER, outside, 0.0)
    inside = np.flatnonzero(label != OUTLIER)
    own[inside] = share[inside, label[inside]]
    others = share.copy()
    others[inside, label[inside]] = 0
    torn = np.full(len(patterns), OUTLIER, np.int64)
    if len(order):
        torn = np.where(others.max(axis=1) > 0, others.argmax(axis=1), OUTLIER)
    return Consensus(label[which], own[which], torn[which].astype(np.int64))


def agreement_table(runs: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Adjusted mutual information of every run with every other, 1: the same.

    Args:
        runs: name -> labels (N,) of the same pictures in the same order.
    """
    names = list(runs)
    table = pd.DataFrame(np.eye(len(names)), index=names, columns=names)
    for place, one in enumerate(names):
        for other in names[:place]:
            found = agreement(runs[one], runs[other]).ami
            table.loc[one, other] = table.loc[other, one] = found
    return table
