"""Anomaly segmenter for stills, which looks at what the scene is like at other times."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlae.models.segmenter import USUAL_LOGIT
from tlae.models.standardised import Standardised
from tlae.models.unet import UNet

BANK_LIMIT = 4.0  # spreads around the mean frame that the bank holds, in 256 steps
THUMBNAIL_HW = (12, 16)
AMONG_NEAREST = 4  # backgrounds, of which training takes any
LEAST_SPREAD = 1e-3  # of a picture, in spreads: a black one has no contrast to match


class StillSegmenter(nn.Module):
    """Say of every pixel how surely it does not belong, beside the most alike of a bank.

    Between stills nothing can be followed, so motion says nothing. What helps is the scene without
    the thing: the frames next in time, and the most alike of a bank of backgrounds in its light
    (Breitenstein et al. 2009, *Hunting Nessie*: meaningful nearest neighbours). Trained to tell
    things drawn into normal frames from what changes by itself (see ``training.still_anomalies``;
    DRAEM, Zavrtanik et al. 2021).

    Args:
        channels: of a frame.
        window_frames: frames seen at once.
        size_hw: of a frame [px].
        widths: channels of each level of the U-Net.
        bank_frames: backgrounds in the bank; each takes a byte per pixel and channel of the model
            file.

    Shapes:
        clip: (B, C, T, H, W) with T = ``window_frames``; logits: (B, T, H, W).
    """

    judges = True
    bank: Tensor

    def __init__(
        self,
        channels: int = 3,
        window_frames: int = 3,
        size_hw: Sequence[int] = (192, 256),
        widths: Sequence[int] = (32, 64, 128),
        bank_frames: int = 32,
    ) -> None:
        super().__init__()
        if bank_frames < 1:
            raise ValueError(f"model.bank_frames must be >= 1, got {bank_frames}")
        self.window_frames, self.bank_frames = window_frames, bank_frames
        bank = torch.zeros(bank_frames, channels, *size_hw, dtype=torch.uint8)
        self.register_buffer("bank", bank)
        self.unet = UNet((2 * channels * window_frames, window_frames), widths)
        nn.init.constant_(self.unet.head.bias, USUAL_LOGIT)  # type: ignore[arg-type]

    def learn_bank(self, backgrounds: Tensor, around: Standardised) -> None:
        """Keep up to ``bank_frames`` backgrounds (n, C, H, W) in [0, 1]; the last is repeated."""
        seen = around.standardise(backgrounds.transpose(0, 1)[None])[0].transpose(0, 1)
        steps = (seen.clamp(-BANK_LIMIT, BANK_LIMIT) + BANK_LIMIT) * 255 / (2 * BANK_LIMIT)
        kept = steps.round().to(torch.uint8)[: self.bank_frames]
        repeats = kept[-1:].expand(self.bank_frames - len(kept), -1, -1, -1)
        self.bank.copy_(torch.cat([kept, repeats]))

    def logits(self, clip: Tensor) -> Tensor:
        """Anomaly maps (B, T, H, W), before the sigmoid."""
        frames = clip.transpose(1, 2).flatten(0, 1)  # (B*T, C, H, W)
        beside = self.most_alike(frames).reshape(len(clip), -1, *frames.shape[1:])
        answer: Tensor = self.unet(torch.cat([clip.flatten(1, 2), beside.flatten(1, 2)], dim=1))
        return answer

    def target(self, clip: Tensor) -> Tensor:
        """Nothing unusual."""
        return torch.zeros_like(clip)

    def most_alike(self, frames: Tensor) -> Tensor:
        """The background most alike each frame (N, C, H, W), in that frame's light.

        In training any of the few most alike: the footage to come has changed since the bank was
        made, so what differs between the two must not seem unusual by itself.
        """
        with torch.no_grad():
            bank = self.bank.to(frames) * (2 * BANK_LIMIT / 255) - BANK_LIMIT
            small = F.adaptive_avg_pool2d(frames, THUMBNAIL_HW).flatten(1)
            known = F.adaptive_avg_pool2d(bank, THUMBNAIL_HW).flatten(1)
            apart = torch.cdist(small.float(), known.float(), p=1)
            near = apart.topk(min(AMONG_NEAREST, len(bank)), largest=False).indices  # (N, k)
            chosen = torch.zeros(len(near), dtype=torch.int64, device=near.device)
            if self.training:
                chosen = torch.randint_like(chosen, near.shape[1])
            return in_the_light_of(frames, bank[near.gather(1, chosen[:, None])[:, 0]])


def in_the_light_of(frames: Tensor, others: Tensor) -> Tensor:
    """Give ``others`` (N, C, H, W) each frame's mean and spread of every channel."""
    pixels = (-2, -1)
    spread, mean = torch.std_mean(frames, pixels, keepdim=True)
    other_spread, other_mean = torch.std_mean(others, pixels, keepdim=True)
    gain = (spread / other_spread.clamp_min(LEAST_SPREAD)).clamp(0.25, 4.0)
    return (others - other_mean) * gain + mean
