"""Spatio-temporal autoencoder: a stack of frames as channels (Hasan et al., CVPR 2016)."""

from collections.abc import Sequence

from torch import Tensor, nn

from tlae.models.blocks import pad_to, start_at_zero
from tlae.models.contract import Net


class StackedAutoencoder(Net):
    """Unpadded convolutions with pooling and batch norm over T frames at once, mirrored decoder.

    Published size (defaults): 10 grey frames of 227x227; 512 filters 15x15 at stride 4, 256 of 4x4,
    128 of 3x3.

    Args:
        channels: of a frame.
        window_frames: frames seen at once.
        widths: filters of each stage.
        kernels_px: side of the kernel of each stage.
        stride_px: of the first convolution.

    Shapes:
        clip, output: (B, C, T, H, W) with T = ``window_frames``; other H and W than those that pass
        the unpadded stages without remainder are extended by their border and cropped after.
    """

    def __init__(
        self,
        channels: int = 1,
        window_frames: int = 10,
        widths: Sequence[int] = (512, 256, 128),
        kernels_px: Sequence[int] = (15, 4, 3),
        stride_px: int = 4,
    ) -> None:
        super().__init__()
        self.kernels_px, self.stride_px = tuple(kernels_px), stride_px
        stacked, (first, second, third), (k1, k2, k3) = channels * window_frames, widths, kernels_px
        self.encoder = nn.Sequential(
            nn.Conv2d(stacked, first, k1, stride_px),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(first, second, k2),
            nn.BatchNorm2d(second),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(second, third, k3),
            nn.BatchNorm2d(third),
            nn.ReLU(),
        )
        last = nn.ConvTranspose2d(first, stacked, k1, stride_px)
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(third, second, k3),
            nn.BatchNorm2d(second),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.ConvTranspose2d(second, first, k2),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            last,
        )
        start_at_zero(last)

    def forward(self, clip: Tensor) -> Tensor:
        """Rebuild the whole stack."""
        frames = clip.flatten(1, 2)  # (B, C*T, H, W)
        height, width = frames.shape[-2:]
        padded = pad_to(frames, (self._fitting(height), self._fitting(width)))
        rebuilt: Tensor = self.decoder(self.encoder(padded))[..., :height, :width]
        return rebuilt.reshape(clip.shape)

    def target(self, clip: Tensor) -> Tensor:
        """The whole stack."""
        return clip

    def _fitting(self, length_px: int) -> int:
        """Smallest length >= ``length_px`` that all stages pass without remainder."""
        k1, k2, k3 = self.kernels_px
        inside = 1
        while True:
            halves = 2 * (2 * (inside + k3 - 1) + k2 - 1)  # back through both poolings
            fitting = (halves - 1) * self.stride_px + k1
            if fitting >= length_px:
                return fitting
            inside += 1
