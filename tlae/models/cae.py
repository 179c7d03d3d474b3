"""Frame autoencoder: each frame rebuilt on its own through a narrow code."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from tlae.models.blocks import pad_to, round_up, start_at_zero
from tlae.models.contract import Net


class ConvAutoencoder(Net):
    """Convolution + pooling stages, a convolutional bottleneck, mirrored decoder.

    After the UCSD autoencoder notebook (two 5x5x32 stages), its dense bottleneck replaced by a 1x1
    convolution. ``code_channels`` is the setting that matters: too wide, and anomalies are rebuilt
    too.

    Args:
        channels: of a frame.
        widths: filters of each stage.
        code_channels: width of the bottleneck.

    Shapes:
        clip, output: (B, C, T, H, W), any H and W; frames do not see each other.
    """

    def __init__(
        self, channels: int = 1, widths: Sequence[int] = (32, 32), code_channels: int = 8
    ) -> None:
        super().__init__()
        self.shrink = 2 ** len(widths)
        sizes = [channels, *widths]
        down: list[nn.Module] = []
        for before, after in pairwise(sizes):
            down += [nn.Conv2d(before, after, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)]
        self.encoder = nn.Sequential(*down, nn.Conv2d(sizes[-1], code_channels, 1))
        up: list[nn.Module] = [nn.Conv2d(code_channels, sizes[-1], 1), nn.ReLU()]
        for after, before in reversed(list(pairwise(sizes))):
            up += [nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 5, padding=2), nn.ReLU()]
        self.decoder = nn.Sequential(*up[:-1])  # the answer is signed: no ReLU at the end
        start_at_zero(up[-2])  # type: ignore[arg-type]

    def forward(self, clip: Tensor) -> Tensor:
        """Rebuild every frame of the clip."""
        frames = clip.transpose(1, 2).flatten(0, 1)  # (B*T, C, H, W)
        height, width = frames.shape[-2:]
        padded = pad_to(frames, round_up((height, width), self.shrink))
        code = self.encoder(padded)  # (B*T, code_channels, H/shrink, W/shrink)
        rebuilt: Tensor = self.decoder(code)[..., :height, :width]
        return rebuilt.reshape(len(clip), -1, *rebuilt.shape[1:]).transpose(1, 2)

    def target(self, clip: Tensor) -> Tensor:
        """Every frame."""
        return clip
