"""Frames in, smoothed maps out, by an exported net that measures; causal, without torch.

A measurer looks at each frame with numpy and OpenCV, and the graph makes the smoothed map and its
score of what it gives. Results are those of ``scoring.scorer.FrameScorer`` under a causal rule.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np

from tlae.attributes.measurer import AttributeMeasurer
from tlae.attributes.windows import JointMeasurer
from tlae.exported.engines import Arrays, Step
from tlae.exported.scorer import ANSWERED, nothing_owed, scored_of
from tlae.footage.frames import Image
from tlae.measuring import Carried, Measurer
from tlae.patches.measurer import PatchMeasurer
from tlae.scoring.scored_frames import Scored

MEASURERS: Mapping[str, Callable[[Arrays], Measurer]] = {
    AttributeMeasurer.kind: AttributeMeasurer,
    JointMeasurer.kind: JointMeasurer.of,
    PatchMeasurer.kind: PatchMeasurer,
}
"""Made of the arrays of an exported model, by their kind."""

ASKED = "asked."  # before the name of an input of the last step, in what is carried on
CARRIED = "carried."  # before the number of what the measurer carries on


def measurer_of(kind: str, arrays: Arrays, shape: tuple[int, int, int]) -> Measurer:
    """The measurer of an exported model; what does not fit is found now, not while scoring.

    Args:
        kind: one of ``MEASURERS``.
        arrays: that it is made of, by name.
        shape: (H, W, C) of the frames of the model.

    Raises:
        ValueError: another kind, arrays that do not fit each other, or frames of another shape.
        KeyError: an array is missing.
    """
    if kind not in MEASURERS:
        raise ValueError(f"measurer must be one of {', '.join(MEASURERS)}, got {kind!r}")
    measurer = MEASURERS[kind](arrays)
    try:
        measurer.see(np.zeros((1, *shape), np.uint8), ())
    except Exception as error:  # OpenCV raises a class of its own
        raise ValueError(f"measurer {kind} is not made for frames of shape {shape}") from error
    return measurer


class MeasuringScorer:
    """Score a run of frames piece by piece; a ``scorable.Scorer``.

    Args:
        step: the net.
        measurer: gives its inputs.
        blind_frames: frames at the start of a run that get no verdict.
        skip_calm: whether the measurer may pass over frames in which nothing happens. Where the
            net's inputs are those of the frame before, its answer is as well.
    """

    framework: ClassVar[str] = "np"
    delay = 0

    def __init__(
        self, step: Step, measurer: Measurer, blind_frames: int, *, skip_calm: bool = False
    ) -> None:
        self._step, self._measurer = step, measurer
        self._blind_frames, self._skip_calm = blind_frames, skip_calm
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next frame begins a run."""
        self._seen = 0
        self._carried: Carried = ()
        self._asked: Arrays = {}  # of the last step
        self._answered: Arrays = {}

    def push(self, frames: Image) -> Scored:
        """Results of the next frames (n, H, W, C) uint8, preprocessed."""
        first, size_hw = self._seen, frames.shape[1:3]
        self._seen += len(frames)
        seen, self._carried = self._measurer.see(frames, self._carried, skip_calm=self._skip_calm)
        answers = [
            self._answer({name: part[number : number + 1] for name, part in seen.inputs.items()})
            for number in range(len(frames))
        ]
        blind = np.arange(first, self._seen) < self._blind_frames
        scored = scored_of(answers, blind, seen.skipped)
        places = (scored.peak + 0.5) / size_hw
        for number in np.flatnonzero(scored.instant > 0):  # where it is 0, nothing is unusual
            row, column = places[number]
            found = self._measurer.reason(seen.evidence[number], (row, column))
            scored.reason[number], scored.example[number] = found
        return scored

    def finish(self) -> Scored:
        """Nothing is owed at the end of a causal run; forget it."""
        self.reset()
        return nothing_owed()

    def state(self) -> Arrays:
        """The past as arrays."""
        arrays: Arrays = {"seen": np.array(self._seen)}
        arrays |= {f"{CARRIED}{number}": part for number, part in enumerate(self._carried)}
        arrays |= {ASKED + name: part for name, part in self._asked.items()}
        return arrays | {ANSWERED + name: part for name, part in self._answered.items()}

    def restore(self, tensors: Arrays) -> None:
        """Go on from what ``state`` returned."""
        count = sum(name.startswith(CARRIED) for name in tensors)
        self._seen = int(tensors["seen"])
        self._carried = tuple(tensors[f"{CARRIED}{number}"] for number in range(count))
        self._asked, self._answered = (
            {k.removeprefix(kind): v for k, v in tensors.items() if k.startswith(kind)}
            for kind in (ASKED, ANSWERED)
        )

    def _answer(self, inputs: Arrays) -> Arrays:
        """What the net makes of the inputs (1, ...) of a frame."""
        if not self._asked or any(
            not np.array_equal(part, self._asked[name]) for name, part in inputs.items()
        ):
            self._asked = inputs
            self._answered = self._step(inputs)
        return self._answered
