"""Which descriptors there are, and every setting of one."""

import re
from dataclasses import dataclass
from typing import Any

from tlae.errors import UserError
from tlae.setting_rules import one_of, within

RANDOM = "random"
RANDOM_ORIGIN = re.compile(r"random \(seed (\d+)\)")  # what a store calls such weights
AUTO = "auto"  # weights: learnt ones where an installed package holds them
LITE0 = "efficientnet_lite0"
TORCHVISION = (
    "vgg16",
    "efficientnet_b7",
    "efficientnet_v2_s",
    "efficientnet_v2_m",
    "efficientnet_v2_l",
    "resnet18",
    "resnet50",
)
NEEDS_TORCH = (LITE0, *TORCHVISION, "clip", "model", "error")
NAMES = ("colour_histogram", *NEEDS_TORCH)


@dataclass(frozen=True)
class DescriptorSettings:
    """Which descriptor, with which settings.

    Attributes:
        descriptor: one of ``NAMES``; where descriptors are stored already, any of their names.
        weights: of a net: a local file (.safetensors, or a state_dict as .pth), a hub name (e.g.
            DEFAULT), "random", or "auto": learnt for efficientnet_lite0, random for the others.
        download: whether a hub name may be fetched from the internet.
        image_size: side of the net's square input in pixels; None: as published.
        fit: "stretch" shows the net the whole picture, "crop" its centre, as published.
        bins: of the colour histogram, for hue, saturation and value.
        clip_model: architecture that OpenCLIP knows.
        model_file: written by ``tlae train``, for the descriptors model and error.
        pool: their maps are averaged over this many places down and across.
        precision: "float32", or "bfloat16": faster on recent chips, less exact.
        seed: of random weights.
    """

    descriptor: str = "colour_histogram"
    weights: str = AUTO
    download: bool = False
    image_size: int | None = None
    fit: str = "stretch"
    bins: tuple[int, ...] = (4, 6, 3)
    clip_model: str = "ViT-B-32"
    model_file: str | None = None
    pool: int = 4
    precision: str = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("fit", self.fit, ("stretch", "crop"))
        one_of("precision", self.precision, ("float32", "bfloat16"))
        within("image_size", self.image_size, 16, 2048)
        if len(self.bins) != 3:
            raise UserError(f"bins must be three numbers (hue, saturation, value), got {self.bins}")
        for bins in self.bins:
            within("bins", bins, 1, 256)
        within("pool", self.pool, 1, 64)
        within("seed", self.seed, 0, 2**32 - 1)

    def relevant(self) -> dict[str, Any]:
        """The settings that this descriptor's numbers depend on."""
        if self.descriptor == "colour_histogram":
            return {"bins": list(self.bins)}
        if self.descriptor in ("model", "error"):
            return {"pool": self.pool, "precision": self.precision}
        clip = {"clip_model": self.clip_model} if self.descriptor == "clip" else {}
        sizes = {"image_size": self.image_size, "fit": self.fit}
        return clip | sizes | {"precision": self.precision}

    @property
    def has_random_weights(self) -> bool:
        """Whether this is a net that has learnt nothing."""
        if self.descriptor == LITE0:
            return self.weights == RANDOM
        return self.weights in (RANDOM, AUTO) and self.descriptor in (*TORCHVISION, "clip")
