"""One step of causal scoring as an ONNX graph: from frames to the smoothed map and its score.

It is traced from the code that scores with torch, so errors, smoothing and reduction have one home.
"""

import io
import math
import warnings
from contextlib import redirect_stdout

import torch
from torch import Tensor, nn
from torch.onnx import OnnxExporterError

from tlae.errors import UserError
from tlae.exported.scorer import FRAMES, StepFacts
from tlae.models.contract import State
from tlae.scoring.detector import Detector
from tlae.scoring.error_map import background_weight, error_map, match_light
from tlae.scoring.reading import reading_of
from tlae.scoring.reduce import reduce_map
from tlae.scoring.rule import ScoringRule
from tlae.scoring.smooth import smooth_map

OPSET = 17  # what onnxruntime since 1.13, OpenVINO and OpenCV read


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
        self.reading = reading_of(detector, rule)
        self.watched = detector.watched
        self.weight = background_weight(detector.typical_error) if rule.background else None
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
        if self.reading.match_light:
            answer = match_light(answer, target)
        maps = error_map(answer, target, self.rule.error, self.rule.unit)
        if self.weight is not None:
            maps = maps * self.weight
        smoothed = smooth_map(maps, self.rule.kernel, self.reading.kernel_px, self.watched)
        score, peak = reduce_map(smoothed, self.rule.reduction, self.watched)
        return smoothed, score, peak, *state

    def _whole(self, carried: State) -> State:
        """All states of the net; empty ones are none of the graph."""
        parts = iter(carried)
        return tuple(
            next(parts) if math.prod(shape) else torch.zeros(shape) for shape in self.shapes
        )


def step_facts(detector: Detector) -> StepFacts:
    """How the graph of a detector is stepped through a run of frames."""
    context = (detector.window_frames - 1) * detector.stride
    shapes = [list(shape) for shape in _state_shapes(detector) if math.prod(shape)]
    states = {f"state.{number}": shape for number, shape in enumerate(shapes)}
    blind = context if detector.net.segments and not detector.net.streams else 0
    return StepFacts(detector.window_frames, detector.stride, blind, states)


def graph_of(detector: Detector, rule: ScoringRule) -> bytes:
    """Content of an ONNX file without metadata.

    Raises:
        UserError: the net, or a part of it, is no graph.
    """
    require_graph(detector)
    facts, content = step_facts(detector), io.BytesIO()
    states = [torch.zeros(shape) for shape in facts.states.values()]
    with torch.no_grad(), warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # sizes are fixed on purpose; of the tracer itself
        try:
            torch.onnx.export(
                CausalStep(detector, rule).eval(),
                (_example(detector), *states),
                content,  # type: ignore[arg-type]  # the older exporter takes a file in memory
                input_names=[FRAMES, *facts.states],
                output_names=list(facts.outputs),
                opset_version=OPSET,
                dynamo=False,  # the other exporter needs onnxscript, and writes paths of the source
            )
        except OnnxExporterError as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"this net cannot be exported at this size ({reason})") from error
    return content.getvalue()


def require_graph(detector: Detector) -> None:
    """Refuse a net of which a part is not a graph.

    Raises:
        UserError: says which.
    """
    net = detector.net
    if net.measures or net.net.view_hw is not None:
        name = type(net.net).__name__
        raise UserError(
            f"a net that measures with OpenCV is no graph, got {name}; train another one, such as "
            "model=segmenter or model=cae_small, or score with the trained model"
        )


def _state_shapes(detector: Detector) -> list[tuple[int, ...]]:
    """Of all that a net carries from frame to frame; empty where it carries nothing."""
    if not detector.net.streams:
        return []
    size = detector.preprocessing
    with torch.no_grad():
        _, state = detector.net.carry(torch.zeros(1, size.channels, 1, *size.size_hw), None)
    return [tuple(part.shape) for part in state]


def _example(detector: Detector) -> Tensor:
    """Frames (1, T, H, W, C) uint8."""
    size, frames = detector.preprocessing, 1 if detector.net.streams else detector.window_frames
    return torch.zeros(1, frames, *size.size_hw, size.channels, dtype=torch.uint8)
