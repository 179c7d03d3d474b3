"""Anomaly segmenter: learnt from normal footage with pseudo-anomalies planted into it."""

from collections.abc import Sequence

from torch import Tensor, nn

from tlae.models.contract import Net
from tlae.models.unet import UNet

INITIAL_LOGIT = -4.0  # where training starts: nearly nothing is anomalous


class AnomalySegmenter(Net):
    """Give every pixel of a clip the probability that it is anomalous; nothing is rebuilt.

    Trained to distinguish what plays too fast or backwards, is out of place or stands where others
    walk from normal footage (see ``training.moving_anomalies``). Detecting planted anomalies
    instead of rebuilding: DRAEM (Zavrtanik et al. 2021) for pictures; speed as a free label:
    SpeedNet (Benaim et al. 2020).

    Args:
        channels: of a frame.
        window_frames: frames seen at once, >= 2.
        widths: channels of each level of the U-Net.
        fastest: how many times the normal speed pseudo-anomalies reach, >= 2.

    Shapes:
        clip: (B, C, T, H, W) with T = ``window_frames``, any H and W; logits: (B, T, H, W).
    """

    planted = "moving"

    def __init__(
        self,
        channels: int = 1,
        window_frames: int = 5,
        widths: Sequence[int] = (32, 64, 128),
        fastest: int = 3,
    ) -> None:
        super().__init__()
        if window_frames < 2:
            raise ValueError(f"footage.window_frames must be >= 2 for speed, got {window_frames}")
        if fastest < 2:
            raise ValueError(f"model.fastest must be >= 2, got {fastest}")
        self.window_frames, self.fastest = window_frames, fastest
        self.unet = UNet((channels * window_frames, window_frames), widths)
        nn.init.constant_(self.unet.head.bias, INITIAL_LOGIT)  # type: ignore[arg-type]

    def logits(self, clip: Tensor) -> Tensor:
        """Anomaly maps (B, T, H, W), before the sigmoid."""
        answer: Tensor = self.unet(clip.flatten(1, 2))
        return answer
