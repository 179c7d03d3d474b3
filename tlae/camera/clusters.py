"""k-means, small and repeatable."""

import numpy as np
import numpy.typing as npt

from tlae.camera.measures import Values

Labels = npt.NDArray[np.int64]

RESTARTS, STEPS = 4, 50


def k_means(points: Values, count: int) -> Values:
    """Centres (count, D) of points (n, D): the best of a few runs, started far apart.

    k-means++ (Arthur and Vassilvitskii 2007).
    """
    best, lowest = points[:count], np.inf
    for seed in range(RESTARTS):
        centres = _start(points, count, np.random.default_rng(seed))
        for _ in range(STEPS):
            label = nearest(points, centres)
            means = [
                points[label == k].mean(axis=0) if (label == k).any() else centres[k]
                for k in range(count)
            ]
            before, centres = centres, np.stack(means)
            if np.allclose(before, centres, atol=1e-6):
                break
        cost = float(((points - centres[nearest(points, centres)]) ** 2).sum())
        if cost < lowest:
            best, lowest = centres, cost
    return best


def _start(points: Values, count: int, generator: np.random.Generator) -> Values:
    chosen = [int(generator.integers(len(points)))]
    while len(chosen) < count:
        far = ((points[:, None] - points[chosen]) ** 2).sum(axis=2).min(axis=1) + 1e-12
        chosen.append(int(generator.choice(len(points), p=far / far.sum())))
    return points[chosen]


def nearest(points: Values, centres: Values) -> Labels:
    """Number of the centre nearest to each point (n, D): (n,)."""
    squares = (centres**2).sum(axis=1) - 2 * points @ centres.T  # less |points|^2, equal for all
    return np.asarray(squares.argmin(axis=1), np.int64)
