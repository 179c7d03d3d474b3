"""What a descriptor is, and how one is built from its settings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError, require_known
from tlae.footage.frames import Image
from tlae.image_sets.colour_histogram import ColourHistogram
from tlae.image_sets.descriptor_settings import LITE0, NAMES, DescriptorSettings

if TYPE_CHECKING:  # torch comes only with the descriptors that need it
    import torch

Prepared = npt.NDArray[np.generic]
Rows = npt.NDArray[np.float32]


class Descriptor(Protocol):
    """From a picture to a row of numbers, in two steps so that the first runs beside the second."""

    @property
    def dimensions(self) -> int:
        """D, numbers per picture."""
        ...

    @property
    def min_hw(self) -> tuple[int, int] | None:
        """Pictures may be decoded at reduced size, not below this; None: only as they are."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the numbers depend on, beyond the settings: weights, versions."""
        ...

    def prepare(self, image: Image) -> Prepared:
        """RGB (H, W, 3) uint8 of any size to what ``describe`` takes; called in another thread."""
        ...

    def describe(self, prepared: Sequence[Prepared]) -> Rows:
        """Describe a batch: n prepared pictures to (n, D)."""
        ...


def build_descriptor(
    settings: DescriptorSettings, device: "torch.device | None" = None
) -> Descriptor:
    """Build a descriptor, ready to run.

    Args:
        settings: which one, and how.
        device: where a net runs; None: the processor.

    Raises:
        UserError: no such descriptor, weights or a library are missing, or a setting does not fit.
    """
    require_known(settings.descriptor, NAMES, "descriptor")
    if settings.descriptor == "colour_histogram":
        return ColourHistogram(settings.bins)
    if settings.descriptor in ("model", "error"):
        from tlae.image_sets.model_descriptors import ModelDescriptor

        if settings.model_file is None:
            raise UserError(
                f"descriptor={settings.descriptor} needs model_file=..., written by `tlae train`"
            )
        return ModelDescriptor(
            Path(settings.model_file).expanduser(),
            settings.descriptor,
            pool=settings.pool,
            precision=settings.precision,
            device=device,
        )
    from tlae.image_sets.net_descriptors import NetDescriptor

    if settings.descriptor == "clip":
        from tlae.image_sets.clip import open_clip_net

        return NetDescriptor(open_clip_net(settings), settings, device)
    if settings.descriptor == LITE0:
        from tlae.image_sets.efficientnet_lite import efficientnet_lite0

        return NetDescriptor(efficientnet_lite0(settings), settings, device)
    from tlae.image_sets.torchvision_nets import torchvision_net

    return NetDescriptor(torchvision_net(settings), settings, device)
