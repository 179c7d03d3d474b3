"""The UCSD notebook's frame autoencoder as published: a dense bottleneck, 62 M parameters."""

from torch import Tensor, nn

from tlae.models.blocks import start_at_zero
from tlae.models.contract import Net

KERNEL_PX = 5


class DenseAutoencoder(Net):
    """Two unpadded 5x5 convolution + pooling stages, a dense code, mirrored decoder.

    At the published 100x100 grey, width 32 and code 2000 this has 62,022,385 parameters, nearly all
    of them in the two dense layers.

    Args:
        channels: of a frame.
        size_hw: of a frame [px].
        width: filters of each stage.
        code_size: width of the bottleneck.

    Shapes:
        clip, output: (B, C, T, H, W) with H, W = ``size_hw``; H - 12 and W - 12 multiples of 4.
    """

    def __init__(
        self,
        channels: int = 1,
        size_hw: tuple[int, int] = (100, 100),
        width: int = 32,
        code_size: int = 2000,
    ) -> None:
        super().__init__()
        for length in size_hw:
            if length < 16 or (length - 12) % 4:
                raise ValueError(
                    "footage.size_hw must be 16, 20, 24, ... for model=cae_dense (two unpadded 5x5 "
                    f"convolutions and poolings), got {length}; "
                    f"nearest is {max(16, length // 4 * 4)}"
                )
        # 100 -> 96 -> 48 -> 44 -> 22
        inner = tuple((((length - 4) // 2) - 4) // 2 for length in size_hw)
        flat = width * inner[0] * inner[1]
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, width, KERNEL_PX),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(width, width, KERNEL_PX),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(flat, code_size),
            nn.ReLU(),
        )
        last = nn.ConvTranspose2d(width, channels, KERNEL_PX)
        self.decoder = nn.Sequential(
            nn.Linear(code_size, flat),
            nn.ReLU(),
            nn.Unflatten(1, (width, *inner)),
            nn.Upsample(scale_factor=2),
            nn.ConvTranspose2d(width, width, KERNEL_PX),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            last,
        )
        start_at_zero(last)

    def forward(self, clip: Tensor) -> Tensor:
        """Rebuild every frame of the clip."""
        frames = clip.transpose(1, 2).flatten(0, 1)  # (B*T, C, H, W)
        rebuilt: Tensor = self.decoder(self.encoder(frames))
        return rebuilt.reshape(len(clip), -1, *rebuilt.shape[1:]).transpose(1, 2)

    def target(self, clip: Tensor) -> Tensor:
        """Every frame."""
        return clip
