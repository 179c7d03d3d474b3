"""Parts that several nets are built from."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvLSTMCell(nn.Module):
    """LSTM whose gates are convolutions (Shi et al. 2015, section 3.1, without peepholes).

    Shapes:
        frame: (B, in_channels, H, W); hidden, cell: (B, hidden_channels, H, W).
    """

    def __init__(self, in_channels: int, hidden_channels: int, kernel_px: int = 3) -> None:
        super().__init__()
        self.hidden_channels = hidden_channels
        self.gates = nn.Conv2d(
            in_channels + hidden_channels, 4 * hidden_channels, kernel_px, padding=kernel_px // 2
        )
        with (
            torch.no_grad()
        ):  # remember by default: forget gate starts open (Jozefowicz et al. 2015)
            self.gates.bias[hidden_channels : 2 * hidden_channels].fill_(1.0)  # type: ignore[index]

    def forward(self, frame: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor]:
        """Take one step; ``state`` is (hidden, cell), None for zeros."""
        if state is None:
            zeros = frame.new_zeros(len(frame), self.hidden_channels, *frame.shape[-2:])
            state = (zeros, zeros)
        hidden, cell = state
        gates = self.gates(torch.cat([frame, hidden], dim=1))
        enter, forget, leave, new = gates.chunk(4, dim=1)  # each (B, hidden_channels, H, W)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
        return torch.sigmoid(leave) * torch.tanh(cell), cell


def activation(channels: int, *, modern: bool) -> list[nn.Module]:
    """ReLU, as most published nets have it, or group norm and GELU.

    Group norm is over one frame, so it does not mix moments or clips (Wu & He 2018).
    """
    if not modern:
        return [nn.ReLU()]
    return [nn.GroupNorm(math.gcd(channels, 8), channels), nn.GELU()]


def pad_to(frames: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Extend (N, C, H, W) at the bottom and right by repeating the border, up to ``size_hw``."""
    extra_h, extra_w = size_hw[0] - int(frames.shape[-2]), size_hw[1] - int(frames.shape[-1])
    if extra_h == extra_w == 0:
        return frames
    return F.pad(frames, (0, extra_w, 0, extra_h), mode="replicate")


def round_up(size_hw: tuple[int, int], multiple: int) -> tuple[int, int]:
    """Smallest multiples of ``multiple`` that hold ``size_hw``."""
    # ints, as ONNX rounds the quotient of a traced size the other way
    height, width = (-(-int(length) // multiple) * multiple for length in size_hw)
    return height, width


def start_at_zero(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """Make a last layer answer 0, so that training starts at the trivial answer."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def area_means(frames: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Adaptive mean pooling of (N, C, H, W); ONNX has it only for sizes that divide."""
    if not torch.onnx.is_in_onnx_export():
        return F.adaptive_avg_pool2d(frames, size_hw)
    down, across = (
        _pooling(int(length), count)
        for length, count in zip(frames.shape[-2:], size_hw, strict=True)
    )
    return down @ frames @ across.T


def _pooling(length: int, count: int) -> Tensor:
    """Weights (count, length) of the means."""
    spans = [(n * length // count, -(-(n + 1) * length // count)) for n in range(count)]
    return torch.tensor([[float(a <= x < b) / (b - a) for x in range(length)] for a, b in spans])
