"""ROC and precision of scores at every threshold, with weights for resampled clips."""

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.evaluation.ground_truth import Labels

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Ranking:
    """Frames from the most to the least anomalous, ready to be counted with weights.

    Args:
        scores: (n,), no NaN.
        labels: (n,), True where anomalous.
        clip_numbers: (n,), 0-based; None: all of one clip.
    """

    def __init__(
        self, scores: Floats, labels: Labels, clip_numbers: Integers | None = None
    ) -> None:
        order = np.argsort(-scores, kind="stable")
        ranked = scores[order]
        self._labels = labels[order].astype(np.int64)
        self._clips = np.zeros_like(order) if clip_numbers is None else clip_numbers[order]
        self._ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # of equal scores
        self.thresholds = ranked[self._ends]

    def counts(self, clip_counts: Integers | None = None) -> tuple[Integers, Integers]:
        """True and false positives at ``score >= threshold``, for each distinct score.

        Args:
            clip_counts: (clips,), how often the frames of each clip count; None: once.

        Returns:
            Two of (thresholds + 1,), rising, both from 0 (no alarm) to all.
        """
        weights = np.ones_like(self._clips) if clip_counts is None else clip_counts[self._clips]
        true = self._summed(weights * self._labels)
        return true, self._summed(weights) - true

    def _summed(self, weights: Integers) -> Integers:
        sums = np.zeros(len(weights) + 1, np.int64)
        np.cumsum(weights, out=sums[1:])
        if len(self._ends) == len(weights):
            return sums  # no ties: spares the copy
        at_steps: Integers = sums[np.append(0, self._ends + 1)]
        return at_steps


def area_under_roc(true: Integers, false: Integers) -> float:
    """Area under the ROC curve by trapezoids, so ties count half; NaN for a single class."""
    if not true[-1] or not false[-1]:
        return np.nan
    doubled = np.dot(np.diff(false), true[1:] + true[:-1])
    return float(doubled / (2 * true[-1] * false[-1]))


def average_precision(true: Integers, false: Integers) -> float:
    """Sum of precision times the gain in recall over thresholds, without interpolation.

    NaN for a single class.
    """
    if not true[-1] or not false[-1]:
        return np.nan
    precision = true / np.maximum(true + false, 1)
    return float(np.dot(np.diff(true), precision[1:]) / true[-1])


def equal_error_rate(true: Integers, false: Integers) -> float:
    """False-positive rate where it equals the miss rate, linear between the vertices of the ROC.

    NaN for a single class.
    """
    positive, negative = int(true[-1]), int(false[-1])
    if not positive or not negative:
        return np.nan
    excess = true * negative + false * positive - positive * negative  # ~ fpr - miss rate
    after = int(np.searchsorted(excess, 0))
    before = after - 1
    way = -excess[before] / (excess[after] - excess[before])
    return float((false[before] + way * (false[after] - false[before])) / negative)


def corner_error_rate(true: Integers, false: Integers) -> float:
    """Mean of false-positive and miss rate at the corner of the ROC where they are closest.

    Much published code means this by EER: the nearest vertex of a curve from which points on
    straight stretches were dropped, as scikit-learn's ``roc_curve`` does. It depends on where the
    corners happen to lie (MemAE on UCSD Ped2: 48.0 against 47.7 %). NaN for a single class.
    """
    positive, negative = int(true[-1]), int(false[-1])
    if not positive or not negative:
        return np.nan
    # Without the threshold at which nothing is positive, and those of frames that do not count.
    moved = np.flatnonzero(np.diff(true) + np.diff(false)) + 1
    true, false = true[moved], false[moved]
    turns = (np.diff(true, 2) != 0) | (np.diff(false, 2) != 0)
    corner = np.concatenate([[True], turns, [True]])[-len(true) :]
    missed, alarmed = (positive - true[corner]) * negative, false[corner] * positive
    nearest = int(np.argmin(np.abs(missed - alarmed)))
    return float((missed[nearest] + alarmed[nearest]) / (2 * positive * negative))


def roc_auc(scores: Floats, labels: Labels) -> float:
    """Area under the ROC curve: the share of (anomalous, normal) pairs that are ranked right.

    Ties count half (Mann-Whitney). On all frames of all clips at once, without any rescaling, this
    is the "micro" AUC on raw scores.

    Args:
        scores: (n,), higher is more anomalous, no NaN.
        labels: (n,), True where anomalous.

    Returns:
        In [0, 1]; 0.5 is chance.

    Raises:
        UserError: only one class, or a score is missing.
    """
    _check_both_classes(scores, labels, "an AUC")
    return area_under_roc(*Ranking(scores, labels).counts())


def roc_curve(scores: Floats, labels: Labels) -> tuple[Floats, Floats, Floats]:
    """Vertices of the ROC curve.

    Args:
        scores: (n,), higher is more anomalous, no NaN.
        labels: (n,), True where anomalous.

    Returns:
        False-positive rate, true-positive rate, and the threshold that gives them (a frame is
        positive at or above it), each (distinct scores + 1,); the first threshold is infinite.

    Raises:
        UserError: only one class, or a score is missing.
    """
    _check_both_classes(scores, labels, "a ROC curve")
    ranking = Ranking(scores, labels)
    true, false = ranking.counts()
    return false / false[-1], true / true[-1], np.append(np.inf, ranking.thresholds)


def _check_both_classes(scores: Floats, labels: Labels, figure: str) -> None:
    positive = int(labels.sum())
    negative = len(labels) - positive
    if not positive or not negative:
        raise UserError(
            f"{figure} needs normal and anomalous frames, got {negative} and {positive} of them"
        )
    if np.isnan(scores).any():
        raise UserError(
            f"{figure} needs a score for every frame, {np.isnan(scores).sum()} are empty"
        )
