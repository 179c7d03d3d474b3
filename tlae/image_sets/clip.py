"""OpenCLIP's picture encoder as a descriptor; the library is an extra."""

import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn

from tlae.errors import UserError, did_you_mean, nearest
from tlae.image_sets.descriptor_settings import RANDOM, DescriptorSettings
from tlae.image_sets.net_descriptors import PictureNet
from tlae.image_sets.torchvision_nets import WEIGHT_SUFFIXES, read_weights


class _PictureEncoder(nn.Module):
    """Only the half of CLIP that sees pictures."""

    def __init__(self, clip: nn.Module) -> None:
        super().__init__()
        self.visual = clip.visual

    def forward(self, pictures: Tensor) -> Tensor:
        code: Tensor = self.visual(pictures)  # type: ignore[operator]
        return code


def open_clip_net(settings: DescriptorSettings) -> PictureNet:
    """Build the picture encoder of ``settings.clip_model``.

    Raises:
        UserError: OpenCLIP is not installed, or the model or its weights are not there.
    """
    if importlib.util.find_spec("open_clip") is None:
        raise UserError(
            "descriptor=clip needs OpenCLIP, which is not installed; pip install 'tlae[clip]'"
        )
    import open_clip

    architectures = open_clip.list_models()
    if settings.clip_model not in architectures:
        hint = f"{did_you_mean(settings.clip_model, architectures)} see its list_models".lstrip()
        raise UserError(f"OpenCLIP has no model {settings.clip_model!r}; {hint}")
    path = Path(settings.weights).expanduser()
    local = path.suffix in WEIGHT_SUFFIXES or path.exists()
    if local:
        origin, _ = read_weights(path)
    else:
        origin = f"{RANDOM} (seed {settings.seed})" if settings.has_random_weights else ""
    if not origin:
        origin = _hub_tag(settings, open_clip.list_pretrained_tags_by_model(settings.clip_model))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        try:
            clip = open_clip.create_model(
                settings.clip_model,
                pretrained=None if settings.has_random_weights else str(path if local else origin),
            )
        except (OSError, RuntimeError) as error:
            raise UserError(
                f"weights={settings.weights} do not fit {settings.clip_model} or could not be "
                f"fetched ({str(error).splitlines()[0][:150]})"
            ) from error
    seen = open_clip.get_model_preprocess_cfg(clip)
    size = seen["size"]
    size_px = size if isinstance(size, int) else size[0]
    if settings.image_size not in (None, size_px):
        raise UserError(
            f"image_size must be {size_px} for {settings.clip_model}, got {settings.image_size}"
        )
    return PictureNet(
        _PictureEncoder(clip),
        size_px,
        crop_share=1.0,
        mean=tuple(seen["mean"]),
        spread=tuple(seen["std"]),
        facts={
            "weights": f"{settings.clip_model} {origin}",
            "versions": {"torch": torch.__version__, "open_clip": open_clip.__version__},
        },
    )


def _hub_tag(settings: DescriptorSettings, known: list[str]) -> str:
    if settings.weights not in known:
        raise UserError(
            f"weights must be {RANDOM}, an existing file, or of {settings.clip_model} one of the "
            f"hub's, got {settings.weights!r}; {nearest(settings.weights, known)}"
        )
    if not settings.download:
        raise UserError(
            f"weights={settings.weights} lie on the hub and nothing is downloaded unless asked; "
            f"give download=true, a local file, or {RANDOM}"
        )
    return settings.weights
