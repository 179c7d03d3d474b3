"""Frames in, smoothed error maps out, by the net of an exported model; causal, without torch.

The graph does one step: from the frames of a window, or one frame and what the net carries, to the
smoothed map and its score. Here stands what goes from step to step. Results are those of
``scoring.scorer.FrameScorer`` under a causal rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tlae.camera.calm import CalmWindows
from tlae.exported.engines import Arrays, Step
from tlae.footage.frames import Image
from tlae.scoring.scored_frames import Scored

Flags = npt.NDArray[np.bool_]

FRAMES = "frames"  # input: (1, T, H, W, C) uint8
MAP, SCORE, PEAK = "map", "score", "peak"  # outputs: (1, H, W), (1,), (1, 2)
AFTER = "next."  # before the name of a state, where it is an output
ANSWERED = "answered."  # before the name of an output, in what is carried on


def scored_of(answers: Sequence[Arrays], blind: Flags, skipped: Flags) -> Scored:
    """What the steps for n >= 1 frames answered, without reasons.

    Args:
        answers: ``MAP``, ``SCORE`` and ``PEAK`` of each.
        blind: (n,), which get no verdict.
        skipped: (n,), see ``Scored``.
    """
    score = np.concatenate([answer[SCORE].reshape(1) for answer in answers])
    peak = np.concatenate([answer[PEAK].reshape(1, 2) for answer in answers])
    return Scored(
        np.concatenate([answer[MAP] for answer in answers]),
        np.where(blind, np.nan, score.astype(np.float64)),
        np.where(blind[:, None], -1, peak),
        np.zeros((len(answers), 0, 0, 0), np.uint8),  # no graph gives what the net expected
        np.full(len(answers), "", dtype=object),
        np.full(len(answers), -1),
        skipped,
    )


def nothing_owed() -> Scored:
    """Results of no frames."""
    return Scored(
        np.zeros((0, 1, 1), np.float32),
        np.zeros(0),
        np.zeros((0, 2), np.int64),
        np.zeros((0, 0, 0, 0), np.uint8),
        np.zeros(0, dtype=object),
        np.zeros(0, np.int64),
        np.zeros(0, bool),
    )


@dataclass(frozen=True)
class StepFacts:
    """How a net is stepped through a run of frames.

    Attributes:
        window_frames: frames the net sees at once.
        stride: step between them.
        blind_frames: frames at the start of a run that get no verdict.
        states: shape of each state that the net carries; none: it sees the window itself.
    """

    window_frames: int
    stride: int
    blind_frames: int
    states: dict[str, list[int]]

    def __post_init__(self) -> None:
        """Refuse what no net can be stepped by."""
        least = {"window_frames": 1, "stride": 1, "blind_frames": 0}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise ValueError(f"{name} must be >= {lowest}, got {getattr(self, name)}")
        if any(size < 1 for shape in self.states.values() for size in shape):
            raise ValueError(f"states must have sizes >= 1, got {self.states}")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what a step gives."""
        return (MAP, SCORE, PEAK, *(AFTER + name for name in self.states))


class StepScorer:
    """Score a run of frames piece by piece; a ``scorable.Scorer``.

    Args:
        step: the net.
        facts: how it is stepped.
        skip_calm: whether windows in which nothing happens take over the answer before, see
            ``camera.calm``; never where the net carries a state.
    """

    framework: ClassVar[str] = "np"
    delay = 0

    def __init__(self, step: Step, facts: StepFacts, *, skip_calm: bool = False) -> None:
        self._step, self._facts = step, facts
        self._context = (facts.window_frames - 1) * facts.stride
        self._skip_calm = skip_calm and not facts.states
        self._calm = CalmWindows(self._context)
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next frame begins a run."""
        self._seen = 0
        self._past: Image | None = None  # (context, H, W, C)
        self._carried: dict[int, Arrays] = {}  # by phase of the stride
        self._answered: Arrays = {}  # for the last window
        self._calm.reset()

    def push(self, frames: Image) -> Scored:
        """Results of the next frames (n, H, W, C) uint8, preprocessed."""
        first = self._seen
        calm = np.array([self._skip_calm and self._calm.push(frame) for frame in frames], bool)
        results = [self._scored(frame, calm=one) for frame, one in zip(frames, calm, strict=True)]
        blind = np.arange(first, self._seen) < self._facts.blind_frames
        scored = scored_of(results, blind, calm)
        scored.maps[blind] = 0
        return scored

    def finish(self) -> Scored:
        """Nothing is owed at the end of a causal run; forget it."""
        self.reset()
        return nothing_owed()

    def state(self) -> Arrays:
        """The past as arrays."""
        arrays: Arrays = {"seen": np.array(self._seen)}
        if self._past is not None:
            arrays["past"] = self._past
        if self._skip_calm:
            arrays |= self._calm.state()
            arrays |= {ANSWERED + name: value for name, value in self._answered.items()}
        for phase, carried in self._carried.items():
            arrays |= {f"state.{phase}.{name}": value for name, value in carried.items()}
        return arrays

    def restore(self, tensors: Arrays) -> None:
        """Go on from what ``state`` returned."""
        self.reset()
        self._seen, self._past = int(tensors["seen"]), tensors.get("past")
        for name, value in tensors.items():
            kind, _, rest = name.partition(".")
            if name.startswith(ANSWERED):
                self._answered[name.removeprefix(ANSWERED)] = value
            elif kind == "state":
                phase, _, part = rest.partition(".")
                self._carried.setdefault(int(phase), {})[part] = value
        self._calm.restore(tensors if self._answered else {})

    def _scored(self, frame: Image, *, calm: bool) -> Arrays:
        phase = self._seen % self._facts.stride
        self._seen += 1
        if not self._facts.states:
            window = self._window(frame)
            if not calm:
                self._answered = self._step({FRAMES: window[None]})
            return self._answered
        carried = self._carried.get(phase)
        if carried is None:  # the first frame, repeated, fills the memory
            shapes = self._facts.states.items()
            carried = {name: np.zeros(shape, np.float32) for name, shape in shapes}
            for _ in range(max(self._facts.window_frames - 1, 1)):
                carried = self._carry(frame, carried)[1]
        result, self._carried[phase] = self._carry(frame, carried)
        return result

    def _carry(self, frame: Image, carried: Arrays) -> tuple[Arrays, Arrays]:
        result = self._step({FRAMES: frame[None, None], **carried})
        return result, {name: result[AFTER + name] for name in carried}

    def _window(self, frame: Image) -> Image:
        """The window (T, H, W, C) that ends at a frame; the first of a run stands for its past."""
        if self._past is None:
            self._past = np.repeat(frame[None], self._context, axis=0)
        line = np.concatenate([self._past, frame[None]])
        self._past = line[1:]
        return line[:: self._facts.stride]
