"""Frame predictor: from the frames before, the next one (idea of Liu et al. 2018, no GAN)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from tlae.models.blocks import activation, pad_to, round_up, start_at_zero


class FramePredictor(nn.Module):
    """A small U-Net over the stacked past answers with what changes since its last frame.

    Skip connections help a predictor (they carry what stays) and would ruin a rebuilding net.

    Args:
        channels: of a frame.
        window_frames: the past and the frame to predict, >= 2.
        widths: channels of each level; the first works on half the picture's size.
        residual: unit of the answer's change, in spreads around the mean frame.

    Shapes:
        clip: (B, C, T, H, W) with T = ``window_frames``, any H and W; output: (B, C, 1, H, W).
    """

    def __init__(
        self,
        channels: int = 1,
        window_frames: int = 5,
        widths: Sequence[int] = (32, 64, 128),
        residual: float = 0.5,
    ) -> None:
        super().__init__()
        if window_frames < 2:
            raise ValueError(f"footage.window_frames must be >= 2 to predict, got {window_frames}")
        self.residual, self.shrink = residual, 2 ** len(widths)
        self.stem = nn.Conv2d(channels * (window_frames - 1), widths[0], 4, 2, padding=1)
        self.down = nn.ModuleList(
            _stage(before, after)
            for before, after in zip((widths[0], *widths), widths, strict=False)
        )
        self.shrinkers = nn.ModuleList(nn.Conv2d(w, w, 2, 2) for w in widths[:-1])
        self.growers = nn.ModuleList(
            nn.ConvTranspose2d(below, above, 2, 2)
            for below, above in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.up = nn.ModuleList(_stage(2 * width, width) for width in widths[-2::-1])
        self.head = nn.ConvTranspose2d(widths[0], channels, 4, 2, padding=1)
        start_at_zero(self.head)

    def forward(self, clip: Tensor) -> Tensor:
        """Predict the last frame from those before it."""
        past = clip[:, :, :-1]
        height, width = clip.shape[-2:]
        stacked = pad_to(past.flatten(1, 2), round_up((height, width), self.shrink))
        change: Tensor = self.head(self._features(stacked))[..., :height, :width]
        return (past[:, :, -1] + self.residual * change)[:, :, None]

    def target(self, clip: Tensor) -> Tensor:
        """The last frame."""
        return clip[:, :, -1:]

    def _features(self, stacked: Tensor) -> Tensor:
        """(B, C*(T-1), H, W) -> (B, widths[0], H/2, W/2)."""
        level: Tensor = self.stem(stacked)
        kept = []
        for number, stage in enumerate(self.down):
            level = stage(level)
            if number < len(self.shrinkers):
                kept.append(level)
                level = self.shrinkers[number](level)
        for grow, stage in zip(self.growers, self.up, strict=True):
            level = stage(torch.cat([grow(level), kept.pop()], dim=1))
        return level


def _stage(before: int, after: int) -> nn.Sequential:
    """Two 3x3 convolutions with group norm and GELU."""
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1),
        *activation(after, modern=True),
        nn.Conv2d(after, after, 3, padding=1),
        *activation(after, modern=True),
    )
