"""How fast the machine is at best: a large matrix product and a large convolution."""

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from tlae.lab.speed.timing import pace_of
from tlae.scoring.scorer import FrameScorer

EDGE = 2048  # of the matrices
CHANNELS, SIDE = 64, 192  # of the convolution


def peak_flops(repeats: int, *, edge: int = EDGE, side: int = SIDE) -> float:
    """Floating-point operations a second that the processor reaches in float32.

    Args:
        repeats: of each measurement.
        edge: of the matrices.
        side: of the square picture that is convolved.
    """
    left, right = torch.randn(edge, edge), torch.randn(edge, edge)
    convolution = torch.nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1).eval()
    convolution = convolution.to(memory_format=torch.channels_last)
    picture = torch.randn(1, CHANNELS, side, side).to(memory_format=torch.channels_last)
    found = []
    with torch.inference_mode():
        product = pace_of(lambda: left @ right, 1, repeats)
        found.append(2 * edge**3 * product.median)
        convolved = pace_of(lambda: convolution(picture), 1, repeats)
        found.append(2 * 9 * CHANNELS**2 * side**2 * convolved.median)
    return max(found)


def operations(scorer: FrameScorer, batch: Tensor) -> float:
    """Floating-point operations of a net for one batch (n, C, H, W)."""
    with FlopCounterMode(display=False) as counter:
        net_alone(scorer, batch)
    return float(counter.get_total_flops())


def net_alone(scorer: FrameScorer, batch: Tensor) -> None:
    """The error maps of one batch (n, C, H, W), as of a run that begins with it."""
    scorer.reset()
    with torch.inference_mode():
        scorer.errors(batch)
