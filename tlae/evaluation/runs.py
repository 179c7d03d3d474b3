"""Runs of frames: events of the labels, alarms of the scores, and how they meet."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import grey_closing

from tlae.evaluation.ground_truth import Labels
from tlae.scoring.event_rule import default_merge_s

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
UNTIMED_MERGE_FRAMES = 10  # where the time between frames is not known: 1 s at 10 frames a second

Spans = npt.NDArray[np.int64]  # (runs, 2): first and last row, inclusive, in order


def merge_frames_of(interval_s: float | None) -> int:
    """Frames from one alarm to the next up to which they are one event, as the event rule has it.

    Args:
        interval_s: time between frames [s]; None where it is not known.
    """
    if interval_s is None:
        return UNTIMED_MERGE_FRAMES
    return max(1, int(default_merge_s(interval_s) / interval_s + 1e-6))


def spans_of(flags: Labels, clips: Integers, merge_frames: int = 1) -> Spans:
    """First and last row (inclusive) of each run of True; short pauses in it are bridged.

    Args:
        flags: (n,).
        clips: (n,), no run goes from one clip to the next.
        merge_frames: pauses of fewer frames than this do not end a run.

    Returns:
        (runs, 2); of frames at even times the same as ``tlae.scoring.event_rule.event_runs``.
    """
    rows = np.flatnonzero(flags)
    if not len(rows):
        return np.empty((0, 2), np.int64)
    apart = (np.diff(rows) > merge_frames) | (np.diff(clips[rows]) != 0)
    return np.stack([rows[np.append(True, apart)], rows[np.append(apart, True)]], axis=1)


def count_matches(predicted: Spans, truth: Spans, min_iou: float) -> int:
    """Size of the largest one-to-one matching of runs of at least a temporal IoU.

    Both lists are in order and without overlap, so going through them from the left, and taking
    each pair that fits, is optimal.

    Args:
        predicted: (runs, 2), first and last row, inclusive.
        truth: the same for the labels.
        min_iou: in (0, 1].
    """
    matches = i = j = 0
    while i < len(predicted) and j < len(truth):
        (first, last), (true_first, true_last) = predicted[i], truth[j]
        shared = min(last, true_last) - max(first, true_first) + 1
        union = max(last, true_last) - min(first, true_first) + 1
        if shared >= min_iou * union:
            matches, i, j = matches + 1, i + 1, j + 1
        elif last < true_last:
            i += 1
        else:
            j += 1
    return matches


def count_false(predicted: Spans, labels: Labels) -> int:
    """Runs that hold no anomalous frame."""
    before = np.append(0, np.cumsum(labels))
    return int((before[predicted[:, 1] + 1] == before[predicted[:, 0]]).sum())


def alarm_sweep(
    scores: Floats, labels: Labels, clips: Integers, merge_frames: int = UNTIMED_MERGE_FRAMES
) -> tuple[Floats, Integers, Integers]:
    """False alarms and found events at every threshold, exactly, in O(n log n).

    Bridging pauses is a grey-scale closing of the scores in time: an alarm at some threshold covers
    the frames whose closed score reaches it. On a line, pieces = nodes - links. With every event as
    one node that is always there, the pieces without an event are the false alarms: covered normal
    frames - covered links of a normal frame + neighbouring events that an alarm joins.

    Args:
        scores: (n,), higher is more anomalous; NaN for a frame without a score.
        labels: (n,), True where anomalous.
        clips: (n,), no alarm goes from one clip to the next.
        merge_frames: pauses of fewer frames than this do not end an alarm.

    Returns:
        Distinct scores, rising, as thresholds (alarm: score >= threshold); alarms that touch no
        event; events with a frame in alarm; each (thresholds,).
    """
    known = np.where(np.isnan(scores), -np.inf, scores)
    thresholds = np.unique(known[known > -np.inf])
    number = np.cumsum(np.diff(clips, prepend=clips[:1]) != 0)
    place = np.arange(len(known)) + merge_frames * (number + 1)  # other clips are out of reach
    spaced = np.full(len(known) + merge_frames * (len(np.unique(clips)) + 1), -np.inf)
    spaced[place] = known
    closed = grey_closing(spaced, size=(merge_frames,), mode="constant", cval=-np.inf)
    normal = np.full(len(spaced), True)
    normal[place] = ~labels
    links = np.minimum(closed[:-1], closed[1:])
    events = spans_of(labels, clips)
    gaps = zip(place[events[:-1, 1]], place[events[1:, 0]], strict=True)

    def reaching(values: Floats) -> Integers:
        return len(values) - np.searchsorted(np.sort(values), thresholds)

    joins = np.array([links[last:first].min() for last, first in gaps])
    peaks = np.array([known[first : last + 1].max() for first, last in events])
    outer = links[normal[:-1] | normal[1:]]
    return thresholds, reaching(closed[normal]) - reaching(outer) + reaching(joins), reaching(peaks)


def best_within(false: Integers, found: Integers, allowed: float) -> int | None:
    """Strictest threshold that finds the most events without too many false alarms.

    The threshold comes down from the highest score, and stays above the first one with too many
    false alarms: further down alarms grow together, at last to one that covers the whole clip and,
    if the clip has an event, is not even false.

    Args:
        false: (thresholds,), false alarms, thresholds rising.
        found: (thresholds,), events found.
        allowed: number of false alarms.

    Returns:
        Number of the threshold; None if even the highest gives too many false alarms.
    """
    worst = np.maximum.accumulate(false[::-1])[::-1]
    within = np.flatnonzero(worst <= allowed)
    return int(within[found[within] == found[within[0]]][-1]) if len(within) else None
