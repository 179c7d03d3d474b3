"""How well frame scores separate anomalous frames from normal ones, under every common protocol.

The same scores earn very different figures once they are rescaled inside each test clip, which
looks at the whole future of the clip and promises it a 0 and a 1. Raw scores come first: only they
can be compared with one threshold while the camera runs.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.evaluation.bootstrap import (
    DRAWS,
    bootstrap_intervals,
    clip_draws,
    percentile_interval,
)
from tlae.evaluation.ground_truth import Labels
from tlae.evaluation.measure import Measure
from tlae.evaluation.roc import (
    Ranking,
    area_under_roc,
    average_precision,
    corner_error_rate,
    equal_error_rate,
)
from tlae.number_words import how_many

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FrameScores:
    """Scored and labelled frames, clip after clip.

    Attributes:
        scores: (n,), finite, higher is more anomalous.
        labels: (n,), True where anomalous.
        clips: (n,), number of the frame's clip; the frames of a clip stand together.

    Raises:
        UserError: lengths differ, a score is missing or infinite, or a clip is torn apart.
    """

    scores: Floats
    labels: Labels
    clips: Integers

    def __post_init__(self) -> None:
        lengths = [len(self.scores), len(self.labels), len(self.clips)]
        if len(set(lengths)) > 1:
            raise UserError(
                "scores, labels and clips must have one entry per frame, got {} scores, {} labels "
                "and {} clips; bring them to one length".format(*lengths)
            )
        wrong = int((~np.isfinite(self.scores)).sum())
        if wrong:
            raise UserError(
                f"scores must be finite, {wrong:,} of {lengths[0]:,} are not; leave these frames "
                "out or score them"
            )
        if len(np.unique(self.clips)) < len(self.clip_starts):
            raise UserError("frames of a clip must stand together; sort them by clip")

    @property
    def clip_starts(self) -> Integers:
        """First row of each clip, in order of the rows."""
        return np.flatnonzero(np.diff(self.clips, prepend=np.nan) != 0)

    @property
    def clip_numbers(self) -> Integers:
        """(n,), 0 for the frames of the first clip, 1 for those of the second, ..."""
        sizes = np.diff(self.clip_starts, append=len(self.clips))
        return np.repeat(np.arange(len(sizes)), sizes)


# ---- scores rescaled inside each clip ----


def min_max(frames: FrameScores) -> Floats:
    """(s - min) / (max - min) of each clip (Liu et al. 2018, and most since); constant clip: 0."""
    lowest, highest = _extremes(frames)
    return (frames.scores - lowest) / _divisor(highest - lowest)


def hasan_irregularity(frames: FrameScores) -> Floats:
    """(e - min) / max of each clip, one minus the regularity score of Hasan et al. 2016.

    Its divisor is the maximum, not the range, so a clip of high but even errors stays low. Made for
    errors: scores must not be below 0. A clip whose maximum is 0: 0.
    """
    lowest, highest = _extremes(frames)
    return (frames.scores - lowest) / _divisor(highest)


def z_score(frames: FrameScores) -> Floats:
    """(s - mean) / standard deviation of each clip; constant clip: 0."""
    sizes = np.diff(frames.clip_starts, append=len(frames.clips))
    numbers = frames.clip_numbers
    lowest, highest = _extremes(frames)
    means = np.bincount(numbers, frames.scores, len(sizes)) / sizes
    centred = np.where(highest > lowest, frames.scores - means[numbers], 0)
    deviations = np.sqrt(np.bincount(numbers, centred**2, len(sizes)) / sizes)
    return centred / _divisor(deviations[numbers])


def _extremes(frames: FrameScores) -> tuple[Floats, Floats]:
    """Lowest and highest score of each frame's clip, (n,) each."""
    starts, numbers = frames.clip_starts, frames.clip_numbers
    lowest = np.minimum.reduceat(frames.scores, starts)[numbers]
    highest = np.maximum.reduceat(frames.scores, starts)[numbers]
    return lowest, highest


def _divisor(values: Floats) -> Floats:
    return np.where(values > 0, values, 1)


# ---- figures ----


def _raw(frames: FrameScores) -> Floats:
    return frames.scores


FIGURES = {
    "auc": ("ROC AUC", area_under_roc),
    "ap": ("average precision", average_precision),
    "eer": ("equal error rate, linear between vertices", equal_error_rate),
    "eer_corner": ("equal error rate as often coded, at the nearest corner", corner_error_rate),
}
SCALINGS = {
    "raw": ("raw scores", _raw, ("auc", "ap", "eer", "eer_corner")),
    "minmax": ("min-max per clip", min_max, ("auc", "eer", "eer_corner")),
    "hasan": ("(e - min) / max per clip (Hasan et al. 2016)", hasan_irregularity, ("auc",)),
    "z": ("z-score per clip", z_score, ("auc",)),
}
MACRO = {
    "auc_macro": "ROC AUC, macro (mean of the clips that hold both classes), raw scores",
    "auc_macro_padded": "ROC AUC, macro, every clip padded with one easy frame of either class",
}


def frame_measures(frames: FrameScores, draws: int = DRAWS) -> list[Measure]:
    """All frame-level figures, each with its 95 % interval over resampled clips.

    Args:
        frames: scored and labelled frames.
        draws: resampled sets of clips per interval.

    Returns:
        Raw scores first, then those rescaled per clip, then means over clips. With a single class
        none has a value.
    """
    reason = _single_class(frames.labels)
    drawn = clip_draws(max(1, len(frames.clip_starts)), draws)
    measures = [m for scaling in SCALINGS for m in _micro(frames, drawn, scaling, reason)]
    if reason:
        macro = [Measure(key, name, "frame", None, basis=reason) for key, name in MACRO.items()]
        return measures + macro
    return measures + _macro(frames, drawn)


def _single_class(labels: Labels) -> str:
    """Why no figure is defined, or nothing."""
    if len(labels) == 0:
        return "no frame has a score"
    if labels.all() or not labels.any():
        kind = "anomalous" if labels.all() else "normal"
        return f"all {len(labels):,} frames are {kind}: needs both classes"
    return ""


def _micro(frames: FrameScores, drawn: Integers, scaling: str, reason: str) -> list[Measure]:
    """Figures on all frames of all clips at once; without values if there is a reason for it."""
    words, rescale, wanted = SCALINGS[scaling]
    titles = [(f"{key}_{scaling}", f"{FIGURES[key][0]}, micro, {words}") for key in wanted]
    if scaling == "hasan" and not reason and frames.scores.min() < 0:
        lowest = frames.scores.min()
        reason = f"needs errors, which are never below 0; the lowest score is {lowest:.3g}"
    if reason:
        return [Measure(key, name, "frame", None, basis=reason) for key, name in titles]
    ranking = Ranking(rescale(frames), frames.labels, frames.clip_numbers)

    def figures(clip_counts: Integers | None = None) -> list[float]:
        counts = ranking.counts(clip_counts)
        return [FIGURES[key][1](*counts) for key in wanted]

    basis = f"{how_many(len(frames.labels), 'frame')}, {int((~frames.labels).sum()):,} normal"
    return [
        Measure(key, name, "frame", value, basis=basis, interval=interval)
        for (key, name), value, interval in zip(
            titles, figures(), bootstrap_intervals(figures, drawn), strict=True
        )
    ]


def _macro(frames: FrameScores, drawn: Integers) -> list[Measure]:
    """Means over clips, as they are and padded.

    Padded: each clip is given (label 0, -inf) and (label 1, +inf), as in the code of AI-VAD (Reiss
    and Hoshen 2022: 0 and +inf); padding with 0 and 1 after scaling to [0, 1] is the same up to
    ties. It flatters: every added pair is ranked right, and a clip of one class gets 1 (MemAE on
    UCSD Ped2: 97.1 over 7 clips becomes 98.4 over 12).
    """
    parts = [
        Ranking(scores, labels).counts()
        for scores, labels in zip(
            np.split(frames.scores, frames.clip_starts[1:]),
            np.split(frames.labels, frames.clip_starts[1:]),
            strict=True,
        )
    ]
    areas = np.array([area_under_roc(*counts) for counts in parts])  # NaN for a single class
    pairs = np.array([true[-1] * false[-1] for true, false in parts])
    easy = np.bincount(frames.clip_numbers) + 1  # an added frame beats, or is below, all others
    padded = (np.nan_to_num(areas) * pairs + easy) / (pairs + easy)
    values = {"auc_macro": areas, "auc_macro_padded": padded}
    defined = int((~np.isnan(areas)).sum())
    basis = {
        "auc_macro": f"both classes in {defined:,} of {how_many(len(areas), 'clip')}",
        "auc_macro_padded": f"{how_many(len(areas), 'clip')}",
    }
    return [_mean(key, values[key], drawn, basis[key]) for key in MACRO]


def _mean(key: str, values: Floats, drawn: Integers, basis: str) -> Measure:
    """Mean of the clips that have a value."""
    defined = ~np.isnan(values)
    if not defined.any():
        return Measure(key, MACRO[key], "frame", None, basis=basis)
    with np.errstate(invalid="ignore"):  # no clip with a value drawn: 0 / 0
        means = drawn @ np.nan_to_num(values) / (drawn @ defined)
    interval = percentile_interval(means) if defined.sum() > 1 else None
    value = float(values[defined].mean())
    return Measure(key, MACRO[key], "frame", value, basis=basis, interval=interval)
