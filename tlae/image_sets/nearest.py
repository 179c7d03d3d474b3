"""Novelty as the distance to the nearest normal pictures."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt

NEIGHBOURS = 5


class NearestNeighbours:
    """Mean Euclidean distance to the nearest rows that were learnt.

    Ramaswamy, Rastogi & Shim 2000, with the mean instead of the last distance (Angiulli & Pizzuti
    2002). It has the interface of scikit-learn's novelty detectors.

    Args:
        n_neighbors: rows whose distance counts; no more than there are.

    Attributes:
        rows_: (N, d) float32, what was learnt.
        n_features_in_: d.
    """

    def __init__(self, n_neighbors: int = NEIGHBOURS) -> None:
        self.n_neighbors = n_neighbors
        self._index: Any = None  # made at the first question

    def get_params(self) -> dict[str, int]:
        """What ``__init__`` was given."""
        return {"n_neighbors": self.n_neighbors}

    def fit(self, values: npt.NDArray[Any]) -> Self:
        """Keep the rows (N, d)."""
        self.rows_ = np.ascontiguousarray(values, np.float32)
        self.n_features_in_ = self.rows_.shape[1]
        self._index = None
        return self

    def score_samples(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Higher is more normal, as scikit-learn has it: the mean distance, negative; (n,)."""
        from sklearn.neighbors import NearestNeighbors as Index

        if self._index is None:
            self._index = Index(n_neighbors=min(self.n_neighbors, len(self.rows_))).fit(self.rows_)
        distances = np.asarray(self._index.kneighbors(values)[0], np.float64)
        scores: npt.NDArray[np.float64] = -distances.mean(axis=1)
        return scores
