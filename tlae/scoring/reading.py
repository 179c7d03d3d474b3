"""How the answers of a net are read: what a calibration depends on."""

from dataclasses import dataclass

import torch

from tlae.scoring.detector import Detector
from tlae.scoring.rule import ScoringRule


@dataclass(frozen=True)
class Reading:
    """How maps and their scores come about under a rule: what a calibration depends on.

    Two rules with the same reading give the same scores, but for the smoothing in time and for the
    first frames of a run, whose past is made up.

    Attributes:
        error, unit, kernel, reduction, background: of the rule.
        match_light: whether the light of the whole frame is no error.
        kernel_px: size of the kernel.
        kernel_frames: maps that the kernel averages in time.
        answers: answers of the net that a frame's map averages.
    """

    error: str
    unit: float
    kernel: str
    reduction: str
    background: bool
    match_light: bool
    kernel_px: int
    kernel_frames: int
    answers: int


def reading_of(detector: Detector, rule: ScoringRule) -> Reading:
    """How the answers of a detector's net are read under a rule."""
    net, size = detector.net, detector.preprocessing
    answers = 1
    if not (rule.causal or net.streams):
        probe = torch.zeros(1, size.channels, detector.window_frames, 1, 1)
        answers = int(net.target(probe).shape[2])
    return Reading(
        rule.error,
        rule.unit,
        rule.kernel,
        rule.reduction,
        rule.background,
        rule.match_light and not net.answers_maps,
        rule.kernel_size_px(size.size_hw[0]),
        1 if rule.causal else rule.kernel_frames,
        answers,
    )
