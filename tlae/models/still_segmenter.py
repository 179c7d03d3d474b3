"""Anomaly segmenter for stills, which looks at what the scene is like at other times."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlae.models.blocks import area_means
from tlae.models.contract import Net, NormalFrames
from tlae.models.light import in_the_light_of, in_the_local_light_of
from tlae.models.segmenter import INITIAL_LOGIT
from tlae.models.unet import UNet

BANK_LIMIT = 4.0  # spreads around the mean frame that banks hold, in 256 steps
THUMBNAIL_HW = (12, 16)
AMONG_NEAREST = 4  # backgrounds, of which training takes any
OTHER_TIMES = 6  # frames that tell how a place looks at other times
STRETCHES = 8  # of the footage; in training, the one that a frame is from tells it nothing


class StillSegmenter(Net):
    """Say of every pixel how surely it does not belong, beside the scene at other times.

    Between stills nothing can be followed, so motion says nothing. What helps is the scene without
    the thing: the frames next in time, and the most alike of a bank of backgrounds in its light
    (Breitenstein et al. 2009, *Hunting Nessie*: meaningful nearest neighbours). How restless a
    place is, some frames of other times that are most similar show: their mean, their standard
    deviation, and the difference to the nearest of them. Trained to distinguish things drawn into
    normal frames from what changes by itself (see ``training.still_anomalies``; DRAEM, Zavrtanik et
    al. 2021).

    Args:
        channels: of a frame.
        window_frames: frames seen at once.
        size_hw: of a frame [px].
        widths: channels of each level of the U-Net.
        bank_frames: backgrounds in the bank; each takes a byte per pixel and channel of the model
            file.
        seen_frames: frames kept at half the height and width.

    Shapes:
        clip: (B, C, T, H, W) with T = ``window_frames``; logits: (B, T, H, W).
    """

    planted = "still"
    bank: Tensor
    bank_thumbnails: Tensor
    seen: Tensor
    seen_thumbnails: Tensor

    def __init__(
        self,
        channels: int = 3,
        window_frames: int = 3,
        size_hw: Sequence[int] = (192, 256),
        widths: Sequence[int] = (32, 64, 128),
        bank_frames: int = 32,
        seen_frames: int = 128,
    ) -> None:
        super().__init__()
        for name, count in (("bank_frames", bank_frames), ("seen_frames", seen_frames)):
            if count < 1:
                raise ValueError(f"model.{name} must be >= 1, got {count}")
        self.window_frames = window_frames
        self.bank_frames, self.seen_frames = bank_frames, seen_frames
        half_hw = [side // 2 for side in size_hw]
        thumbnail = channels * math.prod(THUMBNAIL_HW)
        for name, count, hw in (("bank", bank_frames, size_hw), ("seen", seen_frames, half_hw)):
            held = torch.zeros(count, channels, *hw, dtype=torch.uint8)
            self.register_buffer(name, held)
            self.register_buffer(f"{name}_thumbnails", torch.zeros(count, thumbnail))
        inputs = (3 * channels + 2) * window_frames
        self.unet = UNet((inputs, window_frames), widths)
        nn.init.constant_(self.unet.head.bias, INITIAL_LOGIT)  # type: ignore[arg-type]

    def keep(self, footage: NormalFrames, mean_frame: Tensor, spread: float) -> None:
        """Keep what the scene looks like: its backgrounds, the last one repeated, and frames."""
        backgrounds = footage.backgrounds(self.bank_frames)
        seen = footage.of_all_times(self.seen_frames)
        repeats = backgrounds[-1:].expand(self.bank_frames - len(backgrounds), -1, -1, -1)
        for name, frames in (("bank", torch.cat([backgrounds, repeats])), ("seen", seen)):
            shown = (frames - mean_frame) / spread
            getattr(self, f"{name}_thumbnails").copy_(_thumbnails(shown))
            shown = shown if name == "bank" else F.avg_pool2d(shown, 2)
            steps = (shown.clamp(-BANK_LIMIT, BANK_LIMIT) + BANK_LIMIT) * 255 / (2 * BANK_LIMIT)
            getattr(self, name).copy_(steps.round())

    def logits(self, clip: Tensor) -> Tensor:
        """Anomaly maps (B, T, H, W), before the sigmoid."""
        frames = clip.transpose(1, 2).flatten(0, 1)  # (B*T, C, H, W)
        with torch.no_grad():
            beside = torch.cat([self.most_alike(frames), self.at_other_times(frames)], dim=1)
        beside = beside.reshape(len(clip), -1, *frames.shape[-2:])
        answer: Tensor = self.unet(torch.cat([clip.flatten(1, 2), beside], dim=1))
        return answer

    def most_alike(self, frames: Tensor) -> Tensor:
        """The background most alike each frame (N, C, H, W), in that frame's light.

        In training any of the few most alike: the footage to come has changed since the bank was
        made, so what differs between the two must not seem unusual by itself.
        """
        near = _nearest(_distances(frames, self.bank_thumbnails), AMONG_NEAREST)
        chosen = torch.zeros(len(near), dtype=torch.int64, device=near.device)
        if self.training:
            chosen = torch.randint_like(chosen, near.shape[1])
        return in_the_light_of(frames, _values(self.bank[near.gather(1, chosen[:, None])[:, 0]]))

    def at_other_times(self, frames: Tensor) -> Tensor:
        """How the places of each frame (N, C, H, W) look at other times in its light.

        Returns:
            (N, C + 2, H, W): mean, standard deviation, and difference to the nearest, of half
            the resolution.
        """
        apart = _distances(frames, self.seen_thumbnails)
        if self.training:
            stretch = torch.arange(len(self.seen), device=apart.device) * STRETCHES
            stretch = stretch // len(self.seen)
            own = stretch[apart.argmin(dim=1)][:, None] == stretch
            apart = apart.masked_fill(own, math.inf)
        of_other_stretches = len(self.seen) - math.ceil(len(self.seen) / STRETCHES)
        near = _nearest(apart, max(1, min(OTHER_TIMES, of_other_stretches)))
        features = []
        for frame, rows in zip(F.avg_pool2d(frames, 2), near, strict=True):
            others = in_the_local_light_of(frame[None], _values(self.seen[rows]))
            spread, mean = torch.std_mean(others, 0, correction=0)
            least = (others - frame).abs().mean(dim=1).amin(dim=0, keepdim=True)
            features.append(torch.cat([mean, spread.mean(dim=0, keepdim=True), least]))
        return F.interpolate(torch.stack(features), frames.shape[-2:])


def _thumbnails(frames: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, D)."""
    return area_means(frames.float(), THUMBNAIL_HW).flatten(1)


def _distances(frames: Tensor, thumbnails: Tensor) -> Tensor:
    """(N, known)."""
    return torch.cdist(_thumbnails(frames), thumbnails, p=1)


def _nearest(apart: Tensor, count: int) -> Tensor:
    """Numbers of the ``count`` nearest, or of all, (N, n), nearest first."""
    return apart.topk(min(count, apart.shape[1]), largest=False).indices


def _values(held: Tensor) -> Tensor:
    """What a bank holds, in spreads around the mean frame."""
    return held.float() * (2 * BANK_LIMIT / 255) - BANK_LIMIT
