"""How well frame scores tell anomalous frames from normal ones."""

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from tlae.errors import UserError
from tlae.evaluation.labels import Labels


def roc_auc(scores: npt.NDArray[np.float64], labels: Labels) -> float:
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
    positive = int(labels.sum())
    negative = len(labels) - positive
    if not positive or not negative:
        raise UserError(
            f"an AUC needs normal and anomalous frames, got {negative} and {positive} of them"
        )
    if np.isnan(scores).any():
        raise UserError(f"an AUC needs a score for every frame, {np.isnan(scores).sum()} are empty")
    ranks = rankdata(scores)
    return float((ranks[labels].sum() - positive * (positive + 1) / 2) / (positive * negative))
