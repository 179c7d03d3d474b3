"""Nets without weights: the answers that every trained net must beat, through the same door."""

import torch
from torch import Tensor

from tlae.models.contract import Net, State


class CopyLast(Net):
    """Expect every frame to look like the one before: its error is the frame difference.

    Shapes:
        clip: (B, C, T, H, W); output: (B, C, max(1, T - 1), H, W). The first frame of a clip is
        expected as it is.
    """

    streams = True

    def forward(self, clip: Tensor) -> Tensor:
        """Each frame but the last, in place of its successor."""
        return clip[:, :, :-1] if clip.shape[2] > 1 else clip

    def target(self, clip: Tensor) -> Tensor:
        """Each frame but the first."""
        return clip[:, :, 1:] if clip.shape[2] > 1 else clip

    def carry(self, clip: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Go on from the last frame; see ``contract.Net.carry``."""
        (last,) = state or (clip[:, :, :1],)
        answer = torch.cat([last, clip[:, :, :-1]], dim=2)
        return answer, (clip[:, :, -1:].clone(),)


class RunningMedian(Net):
    """Expect the running median of the footage so far: its error is what stands out from it.

    The median is followed a fixed step up or down per frame (McFarlane & Schofield 1995,
    *Segmentation and tracking of piglets in images*), from the mean frame of the training footage.

    Args:
        step: per frame, in units of what surrounds the net (spreads around the mean frame), > 0.

    Shapes:
        clip, output: (B, C, T, H, W).
    """

    streams = True

    def __init__(self, step: float = 0.02) -> None:
        super().__init__()
        if not step > 0:
            raise ValueError(f"model.step must be > 0, got {step}")
        self.step = step

    def forward(self, clip: Tensor) -> Tensor:
        """The median before each frame of the clip."""
        return self.carry(clip, None)[0]

    def target(self, clip: Tensor) -> Tensor:
        """Every frame."""
        return clip

    def carry(self, clip: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Go on from the median so far; see ``contract.Net.carry``."""
        (median,) = state or (torch.zeros_like(clip[:, :, 0]),)  # 0 is the mean frame
        answers = []
        for frame in clip.unbind(dim=2):
            answers.append(median)
            median = median + self.step * (frame - median).sign()
        return torch.stack(answers, dim=2), (median,)
