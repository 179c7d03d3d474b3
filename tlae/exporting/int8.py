"""Convolutions in 8 bits: a graph quantised on normal frames, and what that changes.

Weights have a scale for each channel. What goes into a convolution and comes out of it has one
scale, from the range that it takes on the frames (static quantisation). All else stays float32.
"""

import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tlae.errors import UserError
from tlae.exported.engines import Arrays, Step, opened
from tlae.exported.model import scorer_of
from tlae.exported.scorer import StepFacts
from tlae.footage.frames import Image
from tlae.missing_library import explaining_imports

ENGINE = "onnxruntime"  # that quantises, and runs what it quantised
LEAST_GAIN = 1.05  # in speed; below it is not worth other scores
ROUNDS = 5  # of the timing
TIMED_FRAMES = 64  # of each


@dataclass(frozen=True)
class Int8Check:
    """A quantised net beside the one in float32.

    Attributes:
        frames: normal ones, that both scored.
        difference: largest one between the scores of a frame.
        highest: score of them in float32.
        gain: processor time of a frame in float32, by that of the quantised net; median.
    """

    frames: int
    difference: float
    highest: float
    gain: float


def quantised(graph: bytes, facts: StepFacts, runs: Sequence[Image]) -> bytes:
    """Content of an ONNX file whose convolutions calculate in 8 bits.

    Args:
        graph: content of an ONNX file, of a net that sees frames itself.
        facts: how it is stepped.
        runs: normal frames (n, H, W, C) that follow each other.

    Raises:
        UserError: a library is missing, or the graph cannot be quantised.
    """
    with explaining_imports("precision=int8"):
        import onnx
        from onnxruntime.quantization import quantize_static
        from onnxruntime.quantization.shape_inference import quant_pre_process
    asked = _asked(graph, facts, runs)
    with tempfile.TemporaryDirectory() as name, _without_advice():
        before, after = Path(name) / "before.onnx", Path(name) / "after.onnx"
        try:
            quant_pre_process(onnx.load_from_string(graph), before, skip_symbolic_shape=True)
            quantize_static(
                before, after, _Reader(asked), op_types_to_quantize=["Conv"], per_channel=True
            )
        except Exception as error:  # the library raises classes of its own
            reason = " ".join(str(error).split())[:200]
            raise UserError(
                f"precision must be float32 for this net, which cannot be quantised ({reason})"
            ) from error
        return after.read_bytes()


def compared(graph: bytes, eight: bytes, facts: StepFacts, runs: Sequence[Image]) -> Int8Check:
    """Score normal frames with both nets, and time them in turn.

    Args:
        graph: in float32.
        eight: quantised.
        facts: how both are stepped.
        runs: normal frames (n, H, W, C) that follow each other.
    """
    steps = [opened(ENGINE, one, facts.outputs) for one in (graph, eight)]
    scores, other = (np.concatenate([_scores(step, facts, run) for run in runs]) for step in steps)
    known = ~np.isnan(scores)
    timed = max(runs, key=len)[:TIMED_FRAMES]
    seconds = np.array([[_seconds(step, facts, timed) for step in steps] for _ in range(ROUNDS)])
    return Int8Check(
        len(scores),
        float(np.abs(scores - other)[known].max(initial=0.0)),
        float(scores[known].max(initial=0.0)),
        float(np.median(seconds[:, 0] / seconds[:, 1])),
    )


def require_gain(check: Int8Check) -> None:
    """Refuse a quantised net that saves nothing.

    Raises:
        UserError: it does not.
    """
    if check.gain < LEAST_GAIN:
        raise UserError(
            f"precision=int8 must be at least {LEAST_GAIN:g} times as fast as float32 to be worth "
            f"other scores, got {check.gain:.2f} times for this net on this machine; leave it out"
        )


class _Reader:
    """Inputs one after the other, as the library wants them."""

    def __init__(self, asked: Sequence[Arrays]) -> None:
        self._asked: Iterator[Arrays] = iter(asked)

    def get_next(self) -> Arrays | None:
        """The next inputs; None at the end."""
        return next(self._asked, None)


def _asked(graph: bytes, facts: StepFacts, runs: Sequence[Image]) -> list[Arrays]:
    """What the net is asked for normal frames, with all that it carries."""
    step, asked = opened(ENGINE, graph, facts.outputs), list[Arrays]()

    def recorded(inputs: Arrays) -> Arrays:
        asked.append(inputs)
        return step(inputs)

    for run in runs:
        _scores(recorded, facts, run)
    return asked


def _scores(step: Step, facts: StepFacts, run: Image) -> np.ndarray:
    return scorer_of(step, facts, None).push(run).instant


def _seconds(step: Step, facts: StepFacts, run: Image) -> float:
    """Processor time: other work on the machine does not count."""
    begun = time.process_time()
    _scores(step, facts, run)
    return time.process_time() - begun


@contextmanager
def _without_advice() -> Iterator[None]:
    """The library advises through the root logger what is done here already."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
