"""The most alike frame of the past as what is expected: a memory without weights."""

from typing import Any

import torch
from torch import Tensor

from tlae.models.blocks import area_means
from tlae.models.contract import Net, NormalFrames
from tlae.models.light import in_the_local_light_of

THUMBNAIL_PX = 16  # height


class MostAlike(Net):
    """Expect every frame to look like the training frame that is most alike.

    Alike is what has the smallest mean absolute difference between thumbnails. The difference to
    the nearest of a camera's normal pictures is a strong and light-robust rule (Kleinsteuber 2022,
    with hourly pictures of camera traps; Breitenstein et al. 2009, *Hunting Nessie*).

    Args:
        local_light: give the answer the frame's local brightness and contrast; what the sun and
            shadows change over wide areas is then no error.
        light_fraction: side of that box in frame heights, in (0, 1].

    Shapes:
        clip, output: (B, C, T, H, W).
    """

    bank: Tensor  # (N, C, H, W) uint8
    thumbnails: Tensor  # (N, D)

    def __init__(self, local_light: bool = False, light_fraction: float = 0.33) -> None:
        super().__init__()
        if not 0 < light_fraction <= 1:
            raise ValueError(f"model.light_fraction must be in (0, 1], got {light_fraction}")
        self.local_light, self.light_fraction = local_light, light_fraction
        self.register_buffer("bank", torch.zeros(0, dtype=torch.uint8))
        self.register_buffer("thumbnails", torch.zeros(0))
        self.register_buffer("mean_frame", torch.zeros(0))
        self.register_buffer("spread", torch.ones(()))

    def keep(self, footage: NormalFrames, mean_frame: Tensor, spread: float) -> None:
        """Keep the training frames."""
        frames = footage.every()
        self.bank, self.mean_frame = frames, mean_frame.float()
        self.spread = torch.tensor(float(spread))
        parts = torch.split(frames, 64)  # as floats they would fill the memory
        self.thumbnails = torch.cat([self._thumbnails(self._standardised(p)) for p in parts])

    def forward(self, clip: Tensor) -> Tensor:
        """The most alike frame for each frame of the clip; before any is known, the mean frame."""
        if not len(self.bank):
            return torch.zeros_like(clip)
        frames = clip.transpose(1, 2).flatten(0, 1)  # (B*T, C, H, W)
        distance = torch.cdist(self._thumbnails(frames), self.thumbnails, p=1)
        answer = self._standardised(self.bank[distance.argmin(dim=1)])
        if self.local_light:
            answer = in_the_local_light_of(frames, answer, self.light_fraction)
        return answer.reshape(clip.transpose(1, 2).shape).transpose(1, 2)

    def target(self, clip: Tensor) -> Tensor:
        """Every frame."""
        return clip

    def _standardised(self, frames: Tensor) -> Tensor:
        return (frames.float() / 255 - self.mean_frame) / self.spread

    def _thumbnails(self, frames: Tensor) -> Tensor:
        """(n, C, H, W) -> (n, D)."""
        height, width = (int(length) for length in frames.shape[-2:])
        size = (min(THUMBNAIL_PX, height), max(1, round(THUMBNAIL_PX * width / height)))
        return area_means(frames.float(), size).flatten(1)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """The bank takes the size that was saved."""
        for name in ("bank", "thumbnails", "mean_frame"):
            if f"{prefix}{name}" in state_dict:
                setattr(self, name, torch.empty_like(state_dict[f"{prefix}{name}"]))
        super()._load_from_state_dict(state_dict, prefix, *args)
