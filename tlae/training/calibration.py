"""After the fit: how large are errors here, and how do scores of normal footage spread?

A run that was cut out of longer footage is scored with the frames around it in view, so that its
scores are those of frames amid a long run. Frames whose past is made up do not count.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from tlae.errors import UserError
from tlae.footage.store import FrameStore
from tlae.footage.windows import Rows, median_interval_s, segments
from tlae.models.contract import State
from tlae.number_words import how_many
from tlae.progress import Advance, quiet
from tlae.scoring.calibrate import Calibration
from tlae.scoring.detector import Detector
from tlae.scoring.rule import ScoringRule
from tlae.scoring.scored_frames import Scored, Scorer
from tlae.scoring.scorer import FrameScorer

BATCH_FRAMES = 16
CALIBRATION_FRAMES = 20_000  # more would only cost time and file size
TYPICAL_FRAMES = 1_000
SETTLING_FRAMES = 2_000  # of each part
STRETCHES = 20  # that long footage is cut down to
SHORTEST_STRETCH = 50  # frames
HIGHEST = 3  # moments that are named
APART_FRAMES = 25  # between them
LEAD_IN_FRAMES = 64  # before a held-out run, for nets that carry a state
FEW_HELD_OUT = 1_000  # frames; fewer are added to by training frames that were left out
FOLDS = 5  # parts of the footage, each weighed by what is restless in the others

FloatMap = npt.NDArray[np.float64]


class Normal(NamedTuple):
    """Normal footage to calibrate on.

    Attributes:
        store: decoded frames.
        runs: rows of the held-out runs, in order.
        rule: scoring rule to calibrate for.
        device: where the net runs.
    """

    store: FrameStore
    runs: list[Rows]
    rule: ScoringRule
    device: torch.device


class Stepped(NamedTuple):
    """Who scores the footage.

    Attributes:
        scorer: of the net.
        context: frames that its window reaches back.
        streams: whether the net carries a state from frame to frame.
        gap_s: an interval longer than this ends a run [s]; 0: none does.
    """

    scorer: Scorer
    context: int
    streams: bool
    gap_s: float


class Fitted(NamedTuple):
    """What held-out normal footage says.

    Attributes:
        typical_error: (H, W).
        calibration: its scores.
        highest: clip, frame and score before smoothing of its highest moments, the highest first.
    """

    typical_error: torch.Tensor
    calibration: Calibration
    highest: list[tuple[str, int, float]]


class _Scores(NamedTuple):
    """Rows (n,) that count, their scores and the means of their maps."""

    rows: Rows
    instant: FloatMap
    frame_mean: FloatMap


def fit_to_normal(
    detector: Detector,
    normal: Normal,
    advance: Advance = quiet,
    *,
    learnt: bool | None = None,
    train: list[Rows] | None = None,
) -> Fitted:
    """Typical error of normal footage, and its scores; a net that settles is settled.

    Where the rule weighs places by their typical error, or the net settles, each part of the
    footage is scored with what the other parts say (cross-conformal prediction, Vovk 2015): a frame
    that shared in its own weights would score lower than a new one.

    Args:
        detector: net with its preprocessing; its typical error is not used.
        normal: held-out footage.
        advance: called with the number of frames done.
        learnt: whether the training got well below a constant answer, for a net that settles; None:
            it stays as it was settled.
        train: rows of the runs that the net learnt from. Where little is held out, their scores are
            added that the net gave to them while they were left out; None: they are not.

    Raises:
        UserError: the net gives no verdict for any frame.
    """
    runs = shortened(normal.runs, CALIBRATION_FRAMES)
    net = detector.net
    settles = net.settles and bool(learnt)
    parts = _parts(runs, FOLDS if normal.rule.background or settles else 1)
    evidence = [_evidence(detector, normal._replace(runs=part)) for part in parts if settles]
    if net.settles and learnt is False:
        net.settle(torch.zeros(0), learnt=False)
    errors = [_summed_error(detector, normal._replace(runs=part)) for part in parts]
    total, count = sum(error for error, _ in errors), sum(count for _, count in errors)
    typical = torch.from_numpy(np.asarray(total) / max(count, 1)).float()
    scores = []
    for number, (part, (error, inside)) in enumerate(zip(parts, errors, strict=True)):
        if settles:
            others_say = evidence[:number] + evidence[number + 1 :] or evidence
            net.settle(torch.cat(others_say), learnt=True)
        others = (np.asarray(total) - error) / max(count - inside, 1)
        weighed = torch.from_numpy(others).float() if len(parts) > 1 else typical
        of_part = normal._replace(runs=part)
        stepped = _stepped(replace(detector, typical_error=weighed), of_part, normal.rule)
        scores.append(_scores_of(stepped, of_part, advance))
    if settles:
        net.settle(torch.cat(evidence), learnt=True)
    if train and sum(len(run) for run in runs) < FEW_HELD_OUT:
        left_out = net.left_out()
        if [len(part) for part in left_out] == [len(run) for run in train]:
            scores = _with_left_out(scores, train, left_out)
            runs = segments(normal.store.index, detector.gap_s)  # no longer cut into parts
    return Fitted(typical, _calibration(normal.store, runs, scores), _highest(normal.store, scores))


def _with_left_out(
    scores: list[_Scores], train: list[Rows], left_out: list[torch.Tensor]
) -> list[_Scores]:
    """Scores with those of the training frames that a net left out; in order of time."""
    for run, part in zip(train, left_out, strict=True):
        values = part.numpy()
        known = ~np.isnan(values)
        means = np.full(int(known.sum()), np.nan)  # of whole maps, which nobody made
        scores = [*scores, _Scores(run[known], values[known], means)]
    rows, instant, frame_mean = (np.concatenate(part) for part in zip(*scores, strict=True))
    order = np.argsort(rows)
    return [_Scores(rows[order], instant[order], frame_mean[order])]


def _evidence(detector: Detector, normal: Normal) -> torch.Tensor:
    """What a net that settles needs of some held-out frames, (n,)."""
    found = [torch.zeros(0)]
    net = detector.net.to(normal.device).eval()
    reach = (detector.window_frames - 1) * detector.stride
    whole = segments(normal.store.index, detector.gap_s)
    for run in shortened(normal.runs, SETTLING_FRAMES):
        view, _ = _in_view(run, whole, reach, 0)
        state: State | None = None
        for start in range(0, len(view), BATCH_FRAMES):
            frames = torch.from_numpy(normal.store.read(view[start : start + BATCH_FRAMES]))
            frames = frames.permute(0, 3, 1, 2).to(normal.device).float() / 255
            with torch.inference_mode():
                values, state = net.evidence_of(frames, state)
            found.append(values[max(0, reach - start) :].cpu())
    return torch.cat(found)


def calibrate(detector: Detector, normal: Normal, advance: Advance = quiet) -> Calibration:
    """Score normal footage as new footage will be scored, with the detector as it is.

    Args:
        detector: net with its preprocessing and typical error.
        normal: footage that the net was not fitted to.
        advance: called with the number of frames done.

    Raises:
        UserError: the net gives no verdict for any frame.
    """
    return calibrate_by(_stepped(detector, normal, normal.rule), normal, advance)


def calibrate_by(stepped: Stepped, normal: Normal, advance: Advance = quiet) -> Calibration:
    """The same with any scorer, whose rule is that of the calibration.

    Raises:
        UserError: the net gives no verdict for any frame.
    """
    runs = shortened(normal.runs, CALIBRATION_FRAMES)
    scores = _scores_of(stepped, normal._replace(runs=runs), advance)
    return _calibration(normal.store, runs, [scores])


def shortened(runs: list[Rows], at_most: int) -> list[Rows]:
    """Stretches evenly spread over the runs, so that about ``at_most`` rows remain.

    The first hours of a day alone would make the night stand for all of it, and the first frames of
    short clips are those without a past.
    """
    total = sum(len(run) for run in runs)
    if total <= at_most:
        return runs
    length = max(at_most // STRETCHES, SHORTEST_STRETCH)
    parts = [part for run in runs for part in np.array_split(run, max(1, len(run) // length))]
    count = max(1, round(len(parts) * at_most / total))
    return [parts[(2 * number + 1) * len(parts) // (2 * count)] for number in range(count)]


def _calibration(store: FrameStore, runs: list[Rows], scores: list[_Scores]) -> Calibration:
    rows, instant, means = (np.concatenate(part) for part in zip(*scores, strict=True))
    if not len(rows):
        longest = max(len(run) for run in runs)
        raise UserError(
            "normal footage must have runs without a gap that are longer than the net's window, "
            f"got a longest run of {how_many(longest, 'frame')}; add footage, or lower "
            "footage.window_frames or footage.strides in training"
        )
    starts = np.array([run[0] for run in runs])
    has_modes = "mode" in store.index
    return Calibration(
        instant,
        np.searchsorted(starts, rows, side="right") - 1,
        median_interval_s(store.index),
        datetime.now(UTC).isoformat(timespec="seconds"),
        store.index["mode"][rows] if has_modes else None,
        None if np.isnan(means).any() else means,
    )


def _highest(store: FrameStore, scores: list[_Scores]) -> list[tuple[str, int, float]]:
    """The highest moments, which are apart in time: they set the threshold."""
    rows, instant = (np.concatenate(part) for part in list(zip(*scores, strict=True))[:2])
    found: list[int] = []
    for place in np.argsort(-instant, kind="stable"):
        if all(abs(int(rows[place]) - int(rows[other])) > APART_FRAMES for other in found):
            found.append(int(place))
        if len(found) == HIGHEST:
            break
    index = store.index
    return [
        (
            str(index["clip"][rows[place]]),
            int(index["frame"][rows[place]]),
            round(float(instant[place]), 4),
        )
        for place in found
    ]


def _stepped(detector: Detector, normal: Normal, rule: ScoringRule) -> Stepped:
    scorer = FrameScorer(detector, rule, normal.device, detector.precision)
    return Stepped(scorer, scorer.context, scorer.streams, detector.gap_s)


def _scores_of(stepped: Stepped, normal: Normal, advance: Advance) -> _Scores:
    """Scores of the frames that count."""
    found = [_Scores(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))]
    for rows, scored, counts in _score(stepped, normal):
        known = counts & ~np.isnan(scored.instant)
        found.append(_Scores(rows[known], scored.instant[known], scored.frame_mean[known]))
        advance(int(counts.sum()))
    return _Scores(*(np.concatenate(part) for part in zip(*found, strict=True)))


def _summed_error(detector: Detector, normal: Normal) -> tuple[FloatMap, int]:
    """Sum of the errors (H, W) of some normal frames, in the unit of the rule, and how many."""
    plain = replace(normal.rule, background=False, kernel="box_mean", kernel_px=1, kernel_frames=1)
    total: FloatMap = np.zeros(normal.store.shape[1:3])
    count = 0
    some = normal._replace(runs=shortened(normal.runs, TYPICAL_FRAMES))
    for _, scored, counts in _score(_stepped(detector, some, plain), some):
        known = counts & ~np.isnan(scored.instant)
        total += scored.maps[known].sum(axis=0)
        count += int(known.sum())
    return total, count


def _parts(runs: list[Rows], count: int) -> list[list[Rows]]:
    """The runs cut into so many stretches of time, of about as many rows each."""
    ends = np.cumsum([len(run) for run in runs])
    cuts = [round(int(ends[-1]) * part / count) for part in range(1, count)]
    parts: list[list[Rows]] = [[] for _ in range(count)]
    for run, end in zip(runs, ends, strict=True):
        places = np.clip(np.array(cuts, np.int64) - (end - len(run)), 0, len(run))
        for part, piece in zip(parts, np.split(run, places), strict=True):
            if len(piece):
                part.append(piece)
    return [part for part in parts if part]


def _score(
    stepped: Stepped, normal: Normal
) -> Iterator[tuple[Rows, Scored, npt.NDArray[np.bool_]]]:
    """Rows, their results, and which of them count: of a run, with a past in view."""
    scorer, context, streams, gap_s = stepped
    whole = segments(normal.store.index, gap_s)
    made_up = max(context, 1) if streams else context
    for run in normal.runs:
        lead_in = LEAD_IN_FRAMES if streams else scorer.delay
        view, first = _in_view(run, whole, made_up + lead_in, scorer.delay)
        inside = np.zeros(len(view), bool)
        inside[max(first, made_up) : first + len(run)] = True
        done = 0
        for start in range(0, len(view), BATCH_FRAMES):
            scored = scorer.push(normal.store.read(view[start : start + BATCH_FRAMES]))
            ready = slice(done, done + len(scored.instant))
            yield view[ready], scored, inside[ready]
            done = ready.stop
        yield view[done:], scorer.finish(), inside[done:]


def _in_view(run: Rows, whole: list[Rows], before: int, after: int) -> tuple[Rows, int]:
    """A run with so many frames before and after it, and the place of its first one."""
    starts = [segment[0] for segment in whole]  # rising, as rows are
    segment = whole[max(0, int(np.searchsorted(starts, run[0], side="right")) - 1)]
    first = int(np.searchsorted(segment, run[0]))
    last = first + len(run)
    if not np.array_equal(segment[first:last], run):
        return run, 0
    start = max(0, first - before)
    return segment[start : last + after], first - start
