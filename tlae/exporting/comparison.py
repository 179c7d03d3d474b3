"""An exported net beside the trained one: how far they are apart, and how fast each engine is."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tlae.errors import ModelFileError, UserError
from tlae.exported.engines import ENGINES, Step, is_installed, opened
from tlae.exported.model import scorer_of
from tlae.exported.scorer import StepFacts
from tlae.footage.frames import Image
from tlae.measuring import Measurer
from tlae.model_file import Model
from tlae.scoring.rule import ScoringRule
from tlae.scoring.scored_frames import Scored

FRAMES = 24  # compared, after as many as the net looks back
ROUNDS = 5  # of the timing
THING_PX = 0.2  # side of what moves through made frames, in frame heights


@dataclass(frozen=True)
class EngineCheck:
    """What an engine does with a net.

    Attributes:
        name: of the engine.
        difference: largest difference of map or score to torch, in shares of the largest value,
            or of 1 where that is larger; None: the engine cannot run the net.
        frames_per_s: median over ``ROUNDS``; None: it cannot.
        trouble: why it cannot; "": it can.
    """

    name: str
    difference: float | None
    frames_per_s: float | None
    trouble: str = ""


@dataclass(frozen=True, eq=False)
class _Exported:
    """A net as it is written.

    Attributes:
        graph: content of the ONNX file.
        facts: how it is stepped.
        measurer: what looks at frames before it, if that is not the net itself.
    """

    graph: bytes
    facts: StepFacts
    measurer: Measurer | None


def made_frames(model: Model, count: int) -> Image:
    """The camera's mean frame with noise, and a thing that passes through; (n, H, W, C) uint8."""
    mean = model.detector.net.mean_frame.cpu().numpy().transpose(1, 2, 0) * 255
    rng = np.random.default_rng(0)
    frames = mean[None] + rng.normal(0, 4, (count, *mean.shape))
    side = max(2, round(THING_PX * mean.shape[0]))
    for number, frame in enumerate(frames):
        left = number * (mean.shape[1] - side) // max(count - 1, 1)
        frame[side : 2 * side, left : left + side] = 255 - mean[side : 2 * side, left : left + side]
    return np.asarray(np.clip(np.rint(frames), 0, 255), np.uint8)


def check_engines(
    model: Model, rule: ScoringRule, graph: bytes, facts: StepFacts, names: Sequence[str]
) -> list[EngineCheck]:
    """Run each engine beside torch.

    Args:
        model: that was exported.
        rule: causal.
        graph: content of the ONNX file.
        facts: how it is stepped.
        names: of engines.
    """
    look_back = facts.window_frames * facts.stride
    frames = made_frames(model, FRAMES + look_back)
    expected = model.scorer(rule, "cpu").push(frames)
    net = _Exported(graph, facts, model.detector.net.measurer())
    return [_check(name, net, frames, expected) for name in names]


def engines_at_hand() -> list[str]:
    """Engines whose library is installed."""
    return [name for name in ENGINES if is_installed(name)]


def _check(name: str, net: _Exported, frames: Image, expected: Scored) -> EngineCheck:
    try:
        step = opened(name, net.graph, net.facts.outputs)
        found = scorer_of(step, net.facts, net.measurer).push(frames)
    except (UserError, ModelFileError) as error:
        return EngineCheck(name, None, None, str(error))
    except Exception as error:  # each library raises classes of its own
        return EngineCheck(name, None, None, " ".join(str(error).split())[:200])
    return EngineCheck(name, _difference(found, expected), _pace(step, net, frames))


def _difference(found: Scored, expected: Scored) -> float:
    if found.maps.shape != expected.maps.shape:
        return float("inf")
    maps = np.abs(found.maps - expected.maps).max()
    scores = np.nan_to_num(np.abs(found.instant - expected.instant)).max()
    differ = np.isnan(found.instant) != np.isnan(expected.instant)
    scale = max(1.0, float(np.nanmax(np.abs(expected.maps))))
    return float("inf") if differ.any() else float(max(maps, scores) / scale)


def _pace(step: Step, net: _Exported, frames: Image) -> float:
    """Frames a second, one after the other as they arrive from a camera."""
    paces = []
    for _ in range(ROUNDS):
        scorer, begun = scorer_of(step, net.facts, net.measurer), time.perf_counter()
        scorer.push(frames)
        paces.append(len(frames) / (time.perf_counter() - begun))
    return float(np.median(paces))
