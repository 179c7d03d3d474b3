"""A small U-Net (Ronneberger et al. 2015) that works on half the picture's size."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tlae.models.blocks import activation, pad_to, round_up, start_at_zero


class UNet(nn.Module):
    """Strided stem, two 3x3 convolutions per level with group norm and GELU, skips, zero head.

    Args:
        channels: in and out.
        widths: channels of each level; the first works on half the picture's size.

    Shapes:
        (B, channels[0], H, W) -> (B, channels[1], H, W), any H and W.
    """

    def __init__(self, channels: tuple[int, int], widths: Sequence[int]) -> None:
        super().__init__()
        self.shrink = 2 ** len(widths)
        self.stem = nn.Conv2d(channels[0], widths[0], 4, 2, padding=1)
        before = (widths[0], *widths[:-1])
        self.down = nn.ModuleList(_stage(*pair) for pair in zip(before, widths, strict=True))
        self.shrinkers = nn.ModuleList(nn.Conv2d(above, above, 2, 2) for above in widths[:-1])
        self.growers = nn.ModuleList(
            nn.ConvTranspose2d(below, above, 2, 2)
            for below, above in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.up = nn.ModuleList(_stage(2 * width, width) for width in widths[-2::-1])
        self.head = nn.ConvTranspose2d(widths[0], channels[1], 4, 2, padding=1)
        start_at_zero(self.head)

    def forward(self, stacked: Tensor) -> Tensor:
        """One pass down and up."""
        height, width = stacked.shape[-2:]
        level: Tensor = self.stem(pad_to(stacked, round_up((height, width), self.shrink)))
        kept = []
        for number, stage in enumerate(self.down):
            level = stage(level)
            if number < len(self.shrinkers):
                kept.append(level)
                level = self.shrinkers[number](level)
        for grow, stage in zip(self.growers, self.up, strict=True):
            level = stage(torch.cat([grow(level), kept.pop()], dim=1))
        answer: Tensor = self.head(level)[..., :height, :width]
        return answer


def _stage(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1),
        *activation(after, modern=True),
        nn.Conv2d(after, after, 3, padding=1),
        *activation(after, modern=True),
    )
