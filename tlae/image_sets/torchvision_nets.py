"""Nets of torchvision without their last layer; weights from a file, the hub, or random."""

from collections.abc import Mapping
from hashlib import file_digest
from pathlib import Path
from typing import Any

import torch
import torchvision  # type: ignore[import-untyped]
from safetensors.torch import load_file
from torch import Tensor, nn

from tlae.errors import UserError, nearest
from tlae.image_sets.descriptor_settings import RANDOM, DescriptorSettings
from tlae.image_sets.net_descriptors import PictureNet

WEIGHT_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
TOLD_KEYS = 3  # names in a message


def torchvision_net(settings: DescriptorSettings) -> PictureNet:
    """Build the net that ``settings.descriptor`` names.

    Raises:
        UserError: the weights are missing, are of another net, or may not be downloaded.
    """
    name = settings.descriptor
    published = torchvision.models.get_model_weights(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        net = torchvision.models.get_model(name, weights=None)
    last = _without_last_layer(net)
    origin = f"{RANDOM} (seed {settings.seed})"
    if not settings.has_random_weights:
        origin, weights = _weights(settings, published)
        load_weights(net, weights, last, f"{name} from {origin}")
    shown = published["DEFAULT"].transforms()  # sizes and means only; nothing is fetched
    size_px = settings.image_size or shown.crop_size[0]
    return PictureNet(
        net,
        size_px,
        crop_share=shown.crop_size[0] / shown.resize_size[0],
        mean=tuple(shown.mean),
        spread=tuple(shown.std),
        facts={
            "weights": origin,
            "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__},
        },
    )


def _without_last_layer(net: nn.Module) -> str:
    """Take the layer of class answers away; returns the start of its weights' names."""
    if isinstance(net, torchvision.models.ResNet):
        net.fc = nn.Identity()
        return "fc."
    layers = net.classifier
    assert isinstance(layers, nn.Sequential)
    layers[-1] = nn.Identity()
    return f"classifier.{len(layers) - 1}."


def _weights(settings: DescriptorSettings, published: Any) -> tuple[str, Mapping[str, Tensor]]:
    """What to call the weights, and the weights."""
    path = Path(settings.weights).expanduser()
    if path.suffix in WEIGHT_SUFFIXES or path.exists():
        return read_weights(path)
    known = list(published.__members__)
    if settings.weights not in known:
        raise UserError(
            f"weights must be {RANDOM}, an existing file, or of {settings.descriptor} one of the "
            f"hub's, got {settings.weights!r}; {nearest(settings.weights, known)}"
        )
    chosen = published[settings.weights]
    kept = Path(torch.hub.get_dir()) / "checkpoints" / Path(chosen.url).name
    if not kept.is_file() and not settings.download:
        raise UserError(
            f"weights={settings.weights} are not in {kept.parent} and nothing is downloaded unless "
            f"asked; give download=true, a local file, or {RANDOM}"
        )
    try:
        return f"{settings.descriptor} {chosen.name}", chosen.get_state_dict(check_hash=True)
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"weights={settings.weights} could not be downloaded from {chosen.url} ({error}); "
            "give a local file"
        ) from error


def read_weights(path: Path) -> tuple[str, Mapping[str, Tensor]]:
    """Read a state_dict without running code from it.

    Returns:
        The file's name with the start of its sha256, and its tensors by name.

    Raises:
        UserError: it is missing or holds anything but tensors.
    """
    if not path.is_file():
        raise UserError(f"weights must be an existing file, got {path}; check the path")
    try:
        with path.open("rb") as file:
            origin = f"{path.name} sha256:{file_digest(file, 'sha256').hexdigest()[:16]}"
        if path.suffix == ".safetensors":
            return origin, load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises errors of every kind on foreign files
        raise UserError(
            f"weights must be a .safetensors file or a state_dict saved by torch, {path} is not "
            f"({type(error).__name__}: {str(error).splitlines()[0][:120]})"
        ) from error
    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]  # as training scripts save it, beside other things
    if not isinstance(found, dict) or not all(isinstance(v, Tensor) for v in found.values()):
        raise UserError(
            f"weights must be a state_dict (names to tensors), {path} holds "
            f"{type(found).__name__}; save net.state_dict()"
        )
    return origin, {str(k).removeprefix("module."): v for k, v in found.items()}


def load_weights(net: nn.Module, weights: Mapping[str, Tensor], last: str, what: str) -> None:
    """Load all but the last layer, whose number of classes does not matter here.

    Args:
        net: without its last layer.
        weights: of the whole net.
        last: start of the names of the last layer's tensors.
        what: for messages: the net, and where the weights come from.

    Raises:
        UserError: they are of another net.
    """
    kept = {name: value for name, value in weights.items() if not name.startswith(last)}
    wanted = net.state_dict()
    missing = [name for name in wanted if name not in kept]
    foreign = [name for name in kept if name not in wanted]
    shaped = [n for n in kept if n in wanted and kept[n].shape != wanted[n].shape]
    for label, names in (("lack", missing), ("also have", foreign), ("differ in shape at", shaped)):
        if names:
            some = ", ".join(names[:TOLD_KEYS])
            raise UserError(
                f"weights must be those of the net, {what} {label} {len(names)} of {len(wanted)} "
                f"tensors ({some}{', ...' if len(names) > TOLD_KEYS else ''}); give another file "
                "or descriptor"
            )
    net.load_state_dict(kept)
