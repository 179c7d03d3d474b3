"""ROC figures written plainly: one threshold, one pair after the other."""

from itertools import pairwise

import numpy as np


def naive_vertices(scores: np.ndarray, labels: np.ndarray) -> list[tuple[float, float, float]]:
    """False-positive rate, true-positive rate and precision, one threshold after the other."""
    vertices = [(0.0, 0.0, 1.0)]
    for threshold in sorted(set(scores), reverse=True):
        alarm = scores >= threshold
        true, false = (alarm & labels).sum(), (alarm & ~labels).sum()
        vertices.append((false / (~labels).sum(), true / labels.sum(), true / (true + false)))
    return vertices


def naive_auc(scores: np.ndarray, labels: np.ndarray) -> float:
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[labels] for b in scores[~labels]]
    return float(np.mean(pairs))


def naive_ap(scores: np.ndarray, labels: np.ndarray) -> float:
    vertices = naive_vertices(scores, labels)
    return sum((after[1] - before[1]) * after[2] for before, after in pairwise(vertices))


def naive_eer(scores: np.ndarray, labels: np.ndarray) -> float:
    vertices = naive_vertices(scores, labels)
    for (x0, y0, _), (x1, y1, _) in pairwise(vertices):
        before, after = x0 - (1 - y0), x1 - (1 - y1)
        if after >= 0:
            return x0 + (x1 - x0) * -before / (after - before)
    raise AssertionError("the last vertex is (1, 1)")


def naive_corner(scores: np.ndarray, labels: np.ndarray) -> float:
    points = [(x, y) for x, y, _ in naive_vertices(scores, labels)][1:]
    steps = [
        (round((x1 - x0) * (~labels).sum()), round((y1 - y0) * labels.sum()))
        for (x0, y0), (x1, y1) in pairwise(points)
    ]
    inner = [points[n + 1] for n, (s0, s1) in enumerate(pairwise(steps)) if s0 != s1]
    corners = [points[0], *inner, points[-1]]
    x, y = min(corners, key=lambda point: round(abs(point[0] - (1 - point[1])), 9))
    return (x + 1 - y) / 2


def arrays(data: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([float(score) for score, _ in data]), np.array([label for _, label in data])


def single(labels: np.ndarray) -> bool:
    return bool(labels.all() or not labels.any())
