"""Events from the lasting dips of a regularity score, as Hasan et al. count them.

Hasan et al., *Learning Temporal Regularity in Video Sequences*, CVPR 2016, and after them Chong and
Tay 2017: local minima of the regularity that persist (Persistence1D of Kozlov and Weinkauf) are
grouped within 50 frames; a group with its surroundings is an event.

Neither paper tells its persistence threshold. Persistence1D always keeps the lowest minimum of a
clip; here it has to pass the threshold too, so that a calm clip can be without events.
"""

import numpy as np
import numpy.typing as npt

from tlae.evaluation.frame_metrics import FrameScores, hasan_irregularity
from tlae.evaluation.ground_truth import Labels
from tlae.evaluation.measure import Measure
from tlae.evaluation.runs import Spans
from tlae.number_words import how_many

THRESHOLD = 0.1  # of regularity, in [0, 1]
GROUP_FRAMES = 50  # minima at most this far apart are one event
AROUND_FRAMES = 25  # an event starts so long before its first minimum and ends so long after
OVERLAP = 0.5  # of the shorter of two events: they are the same

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def persistence(values: Floats) -> Floats:
    """Topological persistence of each local minimum of a sequence.

    Water rises; each minimum opens a pool. Where two pools meet, the one with the higher bottom
    ends, and its minimum has persisted from its bottom to there. The lowest minimum persists to the
    maximum. Of equal bottoms, and on a plateau, the first is the lower one. O(n log n), by
    union-find over sorted values (Edelsbrunner, Letscher, Zomorodian 2002).

    Args:
        values: (n,), no NaN.

    Returns:
        (n,), 0 where there is no minimum.
    """
    heights = values.tolist()
    lasted = [0.0] * len(heights)
    pool = list(range(len(heights)))  # towards the bottom of its pool
    wet = [False] * len(heights)

    def bottom(row: int) -> int:
        while pool[row] != row:
            pool[row] = pool[pool[row]]
            row = pool[row]
        return row

    for row in np.argsort(values, kind="stable").tolist():
        wet[row] = True
        for beside in (row - 1, row + 1):
            if 0 <= beside < len(wet) and wet[beside]:
                lower, higher = sorted((bottom(row), bottom(beside)), key=lambda r: (heights[r], r))
                pool[higher] = lower
                lasted[higher] = heights[row] - heights[higher]
    if heights:
        lasted[int(np.argmin(values))] = max(heights) - min(heights)
    return np.array(lasted)


def persistent_events(irregularity: Floats, clips: Integers, threshold: float = THRESHOLD) -> Spans:
    """Events around the lasting peaks of irregularity, which are the lasting dips of regularity.

    Args:
        irregularity: (n,), one minus Hasan's regularity, in [0, 1].
        clips: (n,), number of the frame's clip; the frames of a clip stand together.
        threshold: a peak must persist for more than this.

    Returns:
        (events, 2), first and last row, inclusive, cut at the ends of the clip.
    """
    borders = np.flatnonzero(np.diff(clips)) + 1
    events = []
    start = 0
    for part in np.split(irregularity, borders):
        rows = np.flatnonzero(persistence(-part) > threshold)
        for group in np.split(rows, np.flatnonzero(np.diff(rows) > GROUP_FRAMES) + 1):
            if len(group):
                first = max(group[0] - AROUND_FRAMES, 0)
                last = min(group[-1] + AROUND_FRAMES, len(part) - 1)
                events.append((start + first, start + last))
        start += len(part)
    return np.array(events, dtype=np.int64).reshape(-1, 2)


def count_found(predicted: Spans, truth: Spans, overlap: float = OVERLAP) -> tuple[int, int]:
    """Count true events that are found, and predicted ones that find none.

    A predicted event finds a true one if they share at least ``overlap`` of the shorter of both.
    One event may find several, and several may find the same.

    Args:
        predicted: (events, 2), first and last row, inclusive.
        truth: the same for the labels.
        overlap: in (0, 1].

    Returns:
        True events found, and false events.
    """
    if not len(predicted) or not len(truth):
        return 0, len(predicted)
    first = np.maximum(predicted[:, None, 0], truth[None, :, 0])  # (predicted, true)
    last = np.minimum(predicted[:, None, 1], truth[None, :, 1])
    shared = np.maximum(last - first + 1, 0)
    lengths = [spans[:, 1] - spans[:, 0] + 1 for spans in (predicted, truth)]
    same = shared >= overlap * np.minimum(lengths[0][:, None], lengths[1][None, :])
    return int(same.any(axis=0).sum()), int((~same.any(axis=1)).sum())


def persistence_measures(
    scores: Floats, labels: Labels, clips: Integers, truth: Spans
) -> list[Measure]:
    """True events found and false events.

    Args:
        scores: (n,), errors >= 0; NaN for a frame without a score, which is as calm as can be.
        labels: (n,), True where anomalous.
        clips: (n,), number of the frame's clip; the frames of a clip stand together.
        truth: (events, 2), first and last row of the true events, inclusive.
    """
    counts: tuple[int | None, int | None] = (None, None)
    known = scores[~np.isnan(scores)]
    if not len(known):
        basis = "no frame has a score"
    elif known.min() < 0:
        basis = f"needs errors, which are never below 0; the lowest score is {known.min():.3g}"
    else:
        irregularity = hasan_irregularity(FrameScores(_calm(scores, clips), labels, clips))
        predicted = persistent_events(irregularity, clips)
        counts = count_found(predicted, truth)
        basis = f"{how_many(len(truth), 'event')}, {len(predicted):,} predicted"
    protocol = f"lasting dips of Hasan's regularity (persistence above {THRESHOLD:g})"
    names = {
        "persistence_found": f"events found by {protocol}",
        "persistence_false": f"false events among {protocol}",
    }
    return [
        Measure(key, name, "event", count, "count", basis)
        for (key, name), count in zip(names.items(), counts, strict=True)
    ]


def _calm(scores: Floats, clips: Integers) -> Floats:
    """Scores with the lowest of the clip where there is none; 0 in a clip without any."""
    there = np.where(np.isnan(scores), np.inf, scores)
    changes = np.diff(clips, prepend=np.nan) != 0
    lowest = np.minimum.reduceat(there, np.flatnonzero(changes))[np.cumsum(changes) - 1]
    filled = np.where(np.isnan(scores), lowest, scores)
    return np.where(np.isinf(filled), 0, filled)
