"""The weights of the first layers of EfficientNet-Lite0, from the package that holds them."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tlae.learnt_package import packaged_weights
from tlae.patches.early_net import BLOCKS, layers_of

NORM_EPSILON = 1e-3


def learnt_layers(needed_by: str, otherwise: str) -> npt.NDArray[np.float32]:
    """All weights of ``early_net``, one layer after the other; batch norms are part of them.

    Args:
        needed_by: setting that asks for them, for messages.
        otherwise: what can be set instead.

    Raises:
        UserError: see ``packaged_weights``.
    """
    file = packaged_weights(needed_by, otherwise)
    found: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    parts = [*_layer(found, "_conv_stem", "_bn0")]
    for number, block in enumerate(BLOCKS):
        name = f"_blocks.{number}."
        if block.wide > block.given:
            parts += _layer(found, f"{name}_expand_conv", f"{name}_bn0")
        parts += _layer(found, f"{name}_depthwise_conv", f"{name}_bn1")
        parts += _layer(found, f"{name}_project_conv", f"{name}_bn2")
    weights = torch.cat([part.flatten() for part in parts]).numpy().astype(np.float32)
    layers_of(weights)  # refuses another number
    return weights


def _layer(found: dict[str, Tensor], convolution: str, norm: str) -> tuple[Tensor, Tensor]:
    """Weights (k, k, given, channels) and bias of a convolution and the norm after it."""
    mean, variance, gain, shift = (
        found[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
    )
    scale = gain / (variance + NORM_EPSILON).sqrt()
    weights = found[f"{convolution}.weight"] * scale[:, None, None, None]
    return weights.permute(2, 3, 1, 0).contiguous(), shift - mean * scale
