"""Distances to the nearest of many vectors."""

import cv2
import numpy as np

from tlae.attributes.background import Plane
from tlae.attributes.kinds import Vectors

EXACT_TREE = 4  # of FLANN: one k-d tree, searched to the end (Friedman et al. 1977)
LEAF = 10  # vectors that are compared one by one


class Neighbours:
    """A search tree of OpenCV: exact, and faster than SciPy's.

    Args:
        vectors: (n, d), finite.
    """

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = np.ascontiguousarray(vectors, np.float32)  # the tree does not copy them
        self._tree = None
        if len(vectors):
            self._tree = cv2.flann.Index(
                self._vectors, {"algorithm": EXACT_TREE, "leaf_max_size": LEAF}
            )

    def distances(self, queries: Vectors, count: int) -> Plane:
        """Distances of queries (m, d) to the nearest vectors, the nearest first.

        Returns:
            (m, k), k = ``count``, or n if that is less.
        """
        nearest = min(count, len(self._vectors))
        if self._tree is None or not len(queries):
            return np.zeros((len(queries), nearest), np.float32)
        queries = np.ascontiguousarray(queries, np.float32)
        _, squares = self._tree.knnSearch(queries, nearest, params={"checks": -1, "eps": 0.0})
        return np.asarray(np.sqrt(squares), np.float32)
