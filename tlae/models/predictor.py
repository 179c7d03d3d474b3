"""Frame predictor: from the frames before, the next one (idea of Liu et al. 2018, no GAN)."""

from collections.abc import Sequence

from torch import Tensor

from tlae.models.contract import Net
from tlae.models.unet import UNet


class FramePredictor(Net):
    """A small U-Net over the stacked past answers with what changes since its last frame.

    Skip connections help a predictor (they carry what stays) and would ruin a rebuilding net.

    Args:
        channels: of a frame.
        window_frames: the past and the frame to predict, >= 2.
        widths: channels of each level of the U-Net.
        residual: unit of the predicted change, in spreads around the mean frame.

    Shapes:
        clip: (B, C, T, H, W) with T = ``window_frames``, any H and W; output: (B, C, 1, H, W).
    """

    ahead: int = 1

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
        self.residual = residual
        self.unet = UNet((channels * (window_frames - 1), channels), widths)

    def forward(self, clip: Tensor) -> Tensor:
        """Predict the last frame from those before it."""
        past = clip[:, :, :-1]
        change: Tensor = self.unet(past.flatten(1, 2))
        return (past[:, :, -1] + self.residual * change)[:, :, None]

    def target(self, clip: Tensor) -> Tensor:
        """The last frame."""
        return clip[:, :, -1:]
