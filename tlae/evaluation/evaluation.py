"""All figures of one scored footage against its labels."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tlae.errors import UserError
from tlae.evaluation.event_metrics import LabelledTimeline, event_measures
from tlae.evaluation.frame_metrics import FrameScores, frame_measures
from tlae.evaluation.ground_truth import ClipTruth, GroundTruth
from tlae.evaluation.map_pass import map_measures
from tlae.evaluation.measure import Measure
from tlae.evaluation.roc import roc_auc
from tlae.evaluation.scored import ScoredTable
from tlae.evaluation.verdict import advice, verdict
from tlae.number_words import how_many
from tlae.progress import Advance, quiet


@dataclass(frozen=True)
class Evaluation:
    """Scores, labels, and how they agree.

    Attributes:
        scored: what was evaluated.
        truth: labels of the same clips, in the same order.
        measures: level by level, the ROC AUC of raw scores first.
    """

    scored: ScoredTable
    truth: GroundTruth
    measures: tuple[Measure, ...]

    @property
    def subject(self) -> str:
        """How much was evaluated, in words."""
        anomalous = self.truth.anomalous
        return (
            f"{how_many(len(anomalous), 'frame')} in {how_many(len(self.truth.clips), 'clip')}, "
            f"{int((~anomalous).sum()):,} of them normal"
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know."""
        return (*self.scored.notes, *_without_score(self.scored, self.truth), *self.truth.notes)

    @cached_property
    def timeline(self) -> LabelledTimeline:
        """Scores, labels and alarms, clip after clip."""
        table = self.scored.table
        return LabelledTimeline(
            table["raw"].to_numpy(np.float64),
            self.truth.anomalous,
            self.scored.clip_codes,
            table["alarm"].to_numpy(bool) if "alarm" in table else None,
            self.scored.interval_s,
        )

    @property
    def verdict(self) -> str:
        """The one sentence to remember."""
        return verdict(self.timeline, self.scored.asked, self.value_of("auc_raw"))

    @property
    def advice(self) -> str:
        """What to do where the threshold does not hold; "" where it does."""
        return advice(self.timeline, self.scored.asked)

    @cached_property
    def frames(self) -> FrameScores:
        """Scores and labels of the frames that have a score."""
        return _frames(self.scored, self.truth)

    def value_of(self, key: str) -> float | None:
        """One figure by its key; None where it is not defined or was not measured."""
        return next((m.value for m in self.measures if m.key == key), None)


def evaluate(
    scored: ScoredTable, truth: GroundTruth, advance: Advance = quiet, *, maps: bool = True
) -> Evaluation:
    """Measure frames, and where maps and regions are known pixels and regions, then events.

    Args:
        scored: frames with their scores.
        truth: labels of the same clips, in the same order.
        advance: called with the number of maps done.
        maps: measure pixels and regions.
    """
    frames = _frames(scored, truth)
    if not len(frames.scores):
        frames_there = how_many(len(scored.table), "frame")
        raise UserError(f"{scored.name} must hold scores, got none in {frames_there}")
    measures = [*frame_measures(frames), _clock(scored, truth)]
    if maps and scored.map_of is not None and truth.has_regions:
        measures += map_measures(scored.map_of, scored.has_score, truth, advance)
    table = scored.table
    measures += event_measures(
        scores=table["raw"].to_numpy(np.float64),
        labels=truth.anomalous,
        clips=scored.clip_codes,
        alarm=table["alarm"].to_numpy(bool) if "alarm" in table else None,
        interval_s=scored.interval_s,
        asked=scored.asked,
    )
    return Evaluation(scored, truth, tuple(measures))


def truth_in_table(scored: ScoredTable) -> GroundTruth:
    """Labels that stand beside the scores.

    Raises:
        UserError: there are none.
    """
    table = scored.table
    if "label" not in table:
        raise UserError(
            f"labels=... must be given: {scored.name} has no column 'label' "
            "(a UCSD folder or .m file, mask folders, .mat, .csv, COCO .json, or the word normal)"
        )
    return GroundTruth(
        tuple(
            ClipTruth(str(clip), lines["label"].to_numpy(bool))
            for clip, lines in table.groupby("clip", sort=False)
        )
    )


def _frames(scored: ScoredTable, truth: GroundTruth) -> FrameScores:
    there = scored.has_score
    return FrameScores(
        scored.table["raw"].to_numpy(np.float64)[there],
        truth.anomalous[there],
        scored.clip_codes[there],
    )


def _without_score(scored: ScoredTable, truth: GroundTruth) -> tuple[str, ...]:
    missing = ~scored.has_score
    if not missing.any():
        return ()
    anomalous = int(truth.anomalous[missing].sum())
    return (
        f"{int(missing.sum()):,} of {len(missing):,} frames have no score ({anomalous:,} of them "
        "anomalous): they are in no frame figure, and never in alarm",
    )


def _clock(scored: ScoredTable, truth: GroundTruth) -> Measure:
    """A baseline without pixels: how far into its clip a frame is."""
    labels = truth.anomalous
    clips = scored.table.groupby("clip", sort=False)["clip"]
    position = (clips.cumcount() + 1) / clips.transform("size")
    both = labels.any() and not labels.all()
    return Measure(
        "auc_clock",
        "ROC AUC, micro, of the clock alone (how far into its clip a frame is, no pixels)",
        "frame",
        roc_auc(position.to_numpy(np.float64), labels) if both else None,
        basis=f"{how_many(len(labels), 'frame')}, {int((~labels).sum()):,} normal",
    )
