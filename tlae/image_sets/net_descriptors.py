"""A picture net as a descriptor: one square picture in, the layer before its answer out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tlae.footage.frames import Image
from tlae.image_sets.descriptor_settings import DescriptorSettings


@dataclass(frozen=True)
class PictureNet:
    """A net with what it expects of its pictures.

    Attributes:
        net: (B, 3, S, S) standardised to (B, D).
        size_px: S.
        crop_share: share of the shorter side that is kept where the centre is cut out, in (0, 1].
        mean, spread: of each channel, in [0, 1], that pictures are standardised with.
        facts: weights and versions, for the store.
    """

    net: nn.Module
    size_px: int
    crop_share: float
    mean: tuple[float, float, float]
    spread: tuple[float, float, float]
    facts: Mapping[str, Any]


class NetDescriptor:
    """Describe pictures by a net.

    Args:
        picture_net: the net.
        settings: ``fit`` and ``precision`` count here.
        device: where it runs; None: the processor.
    """

    def __init__(
        self,
        picture_net: PictureNet,
        settings: DescriptorSettings,
        device: torch.device | None = None,
    ) -> None:
        self.device = device or torch.device("cpu")
        self.facts = picture_net.facts
        self.size_px, self.crop_share = picture_net.size_px, picture_net.crop_share
        self.crops, self.precision = settings.fit == "crop", settings.precision
        self.net = picture_net.net.eval().to(self.device).to(memory_format=torch.channels_last)
        self.mean = torch.tensor(picture_net.mean, device=self.device)[:, None, None]
        self.spread = torch.tensor(picture_net.spread, device=self.device)[:, None, None]
        blank = np.zeros((self.size_px, self.size_px, 3), np.uint8)
        self.dimensions = int(self.describe([blank]).shape[1])

    @property
    def min_hw(self) -> tuple[int, int]:
        """The size at which pictures are shown to the net, before the centre is cut out."""
        side = round(self.size_px / self.crop_share) if self.crops else self.size_px
        return side, side

    def prepare(self, image: Image) -> Image:
        """RGB (H, W, 3) of any size to (S, S, 3)."""
        if self.crops:
            height, width = image.shape[:2]
            side = max(1, round(self.crop_share * min(height, width)))
            top, left = (height - side) // 2, (width - side) // 2
            image = image[top : top + side, left : left + side]
        smaller = min(image.shape[:2]) >= self.size_px
        method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        resized: Image = cv2.resize(image, (self.size_px, self.size_px), interpolation=method)
        return resized

    def describe(self, prepared: Sequence[npt.NDArray[np.generic]]) -> npt.NDArray[np.float32]:
        """Describe n pictures (S, S, 3) uint8, (n, D)."""
        pixels = torch.from_numpy(np.stack(prepared)).to(self.device)
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"),
        ):
            clip = (pixels.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.spread
            answer: Tensor = self.net(clip.contiguous(memory_format=torch.channels_last))
        return answer.float().flatten(1).cpu().numpy()
