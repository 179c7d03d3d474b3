"""One step of causal scoring as an ONNX graph: from frames to the smoothed map and its score.

It is traced from the code that scores with torch, so errors, smoothing and reduction have one home.
"""

import io
import math
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout

import numpy as np
import torch
from torch import Tensor, nn
from torch.onnx import OnnxExporterError

from tlae.errors import UserError
from tlae.exported.scorer import FRAMES, StepFacts
from tlae.models.contract import State
from tlae.scoring.detector import Detector
from tlae.scoring.error_map import background_weight, error_map, map_as_error, match_light
from tlae.scoring.reading import reading_of
from tlae.scoring.reduce import reduce_map
from tlae.scoring.rule import ScoringRule
from tlae.scoring.smooth import smooth_map

OPSET = 17  # what onnxruntime since 1.13, OpenVINO and OpenCV read


class _Ending(nn.Module):
    """From the error map of one frame to the smoothed map, its score, and the maximum's place.

    Args:
        detector: trained net with its preprocessing and window, on the CPU.
        rule: causal.
    """

    def __init__(self, detector: Detector, rule: ScoringRule) -> None:
        super().__init__()
        self.rule, self.kernel_px = rule, reading_of(detector, rule).kernel_px
        self.watched = detector.watched
        self.weight = background_weight(detector.typical_error) if rule.background else None

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of maps (1, H, W)."""
        if self.weight is not None:
            maps = maps * self.weight
        smoothed = smooth_map(maps, self.rule.kernel, self.kernel_px, self.watched)
        return smoothed, *reduce_map(smoothed, self.rule.reduction, self.watched)


class MeasuredStep(nn.Module):
    """The same of a net that measures, from what its measurer gives of one frame.

    Args:
        detector: trained net with its preprocessing, on the CPU.
        rule: causal.
        names: of the inputs.
    """

    def __init__(self, detector: Detector, rule: ScoringRule, names: Sequence[str]) -> None:
        super().__init__()
        self.net, self.rule, self.names = detector.net, rule, names
        self.size_hw, self.ending = detector.preprocessing.size_hw, _Ending(detector, rule)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One step."""
        maps = self.net.maps_of(dict(zip(self.names, inputs, strict=True)), self.size_hw)
        ended: tuple[Tensor, Tensor, Tensor] = self.ending(
            map_as_error(maps, self.rule.error, self.rule.unit)
        )
        return ended


class CausalStep(nn.Module):
    """What ``FrameScorer`` does for one frame under a causal rule.

    Args:
        detector: trained net with its preprocessing and window, on the CPU.
        rule: causal.

    Shapes:
        frames: (1, T, H, W, C) uint8, T = 1 for a net that streams.
        result: map (1, H, W), score (1,), place of the maximum (1, 2), states.
    """

    def __init__(self, detector: Detector, rule: ScoringRule) -> None:
        super().__init__()
        self.net, self.rule = detector.net, rule
        self.match_light = reading_of(detector, rule).match_light
        self.ending = _Ending(detector, rule)
        self.shapes = _state_shapes(detector)

    def forward(self, frames: Tensor, *carried: Tensor) -> tuple[Tensor, ...]:
        """One step."""
        clip = frames.permute(0, 4, 1, 2, 3).float() / 255  # (1, C, T, H, W)
        state: State = ()
        if self.net.streams:
            answers, state = self.net.carry(clip, self._whole(carried))
            targets, state = clip, tuple(part for part in state if part.numel())
        else:
            answers, targets = self.net(clip), self.net.target(clip)
        answer, target = answers[:, :, -1].float(), targets[:, :, -1]
        if self.match_light:
            answer = match_light(answer, target)
        maps = error_map(answer, target, self.rule.error, self.rule.unit)
        return *self.ending(maps), *state

    def _whole(self, carried: State) -> State:
        """All states of the net; empty ones are none of the graph."""
        parts = iter(carried)
        return tuple(
            next(parts) if math.prod(shape) else torch.zeros(shape) for shape in self.shapes
        )


def step_facts(detector: Detector) -> StepFacts:
    """How the graph of a detector is stepped through a run of frames."""
    net, window, stride = detector.net, detector.window_frames, detector.stride
    if net.measures:
        return StepFacts(window, stride, net.blind_frames, {})
    shapes = [list(shape) for shape in _state_shapes(detector) if math.prod(shape)]
    states = {f"state.{number}": shape for number, shape in enumerate(shapes)}
    blind = (window - 1) * stride if net.segments and not net.streams else 0
    return StepFacts(window, stride, blind, states)


def graph_of(detector: Detector, rule: ScoringRule) -> bytes:
    """Content of an ONNX file without metadata.

    Raises:
        UserError: the net is no graph at this size.
    """
    facts = step_facts(detector)
    if detector.net.measures:
        inputs = _measured(detector)
        step: nn.Module = MeasuredStep(detector, rule, list(inputs))
    else:
        states = {name: torch.zeros(shape) for name, shape in facts.states.items()}
        inputs, step = {FRAMES: _frames(detector)} | states, CausalStep(detector, rule)
    content = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # sizes are fixed on purpose; of the tracer itself
        try:
            torch.onnx.export(
                step.eval(),
                tuple(inputs.values()),
                content,  # type: ignore[arg-type]  # the older exporter takes a file in memory
                input_names=list(inputs),
                output_names=list(facts.outputs),
                opset_version=OPSET,
                dynamo=False,  # the other exporter needs onnxscript, and writes paths of the source
            )
        except OnnxExporterError as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"this net cannot be exported at this size ({reason})") from error
    return content.getvalue()


def _state_shapes(detector: Detector) -> list[tuple[int, ...]]:
    """Of all that a net carries from frame to frame; empty where it carries nothing."""
    if not detector.net.streams:
        return []
    size = detector.preprocessing
    with torch.no_grad():
        _, state = detector.net.carry(torch.zeros(1, size.channels, 1, *size.size_hw), None)
    return [tuple(part.shape) for part in state]


def _measured(detector: Detector) -> dict[str, Tensor]:
    """What the measurer of a net that measures gives of one frame."""
    measurer, size = detector.net.measurer(), detector.preprocessing
    if measurer is None:
        raise UserError("a net that measures must have learnt from footage to be exported")
    seen, _ = measurer.see(np.zeros((1, *size.size_hw, size.channels), np.uint8), ())
    return {name: torch.from_numpy(part) for name, part in seen.inputs.items()}


def _frames(detector: Detector) -> Tensor:
    """Frames (1, T, H, W, C) uint8."""
    size, frames = detector.preprocessing, 1 if detector.net.streams else detector.window_frames
    return torch.zeros(1, frames, *size.size_hw, size.channels, dtype=torch.uint8)
