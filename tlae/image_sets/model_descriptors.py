"""Descriptors trained on this camera: the code of its own net, or what that net gets wrong.

A picture is shown to the net as a still: all frames of its window are this picture.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tlae import __version__
from tlae.errors import UserError
from tlae.footage.frames import Image
from tlae.model_file import Model, load_model
from tlae.scoring.error_map import error_map

ERROR_SHARES = (0.5, 0.9, 0.99)  # quantiles of the error map


class ModelDescriptor:
    """Describe pictures by a net of ``tlae train``.

    Args:
        model_file: its file.
        kind: "model": the encoder's output; "error": statistics of the error map.
        pool: maps are averaged over pool x pool places (errors: also their maxima), then flattened.
        precision: "float32" or "bfloat16".
        device: where it runs; None: the processor.
    """

    def __init__(
        self,
        model_file: Path,
        kind: str,
        *,
        pool: int = 4,
        precision: str = "float32",
        device: torch.device | None = None,
    ) -> None:
        self.device = device or torch.device("cpu")
        self.kind, self.pool, self.precision = kind, pool, precision
        self.model = load_model(model_file)
        self.encoder = _encoder(self.model, model_file)
        detector = self.model.detector
        self.net = detector.net.eval().to(self.device).to(memory_format=torch.channels_last)
        self.preprocessing = detector.preprocessing
        digest = sha256(model_file.read_bytes()).hexdigest()
        self.facts: Mapping[str, Any] = {
            "weights": f"{model_file.name} sha256:{digest[:16]}",
            "versions": {"tlae": __version__, "torch": torch.__version__},
        }
        blank = np.zeros((*self.preprocessing.size_hw, self.preprocessing.channels), np.uint8)
        self.dimensions = int(self.describe([blank]).shape[1])

    @property
    def min_hw(self) -> tuple[int, int]:
        """Size of the net's input."""
        return self.preprocessing.size_hw

    def prepare(self, image: Image) -> Image:
        """RGB of any size to what the net was trained on."""
        return self.preprocessing(image)

    def describe(self, prepared: Sequence[npt.NDArray[np.generic]]) -> npt.NDArray[np.float32]:
        """Describe n pictures (h, w, C) uint8, (n, D)."""
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"),
        ):
            pictures = torch.from_numpy(np.stack(prepared)).to(self.device)
            pictures = pictures.permute(0, 3, 1, 2).float() / 255  # (n, C, h, w)
            still = pictures[:, :, None].expand(-1, -1, self.model.detector.window_frames, -1, -1)
            described = self._code(still) if self.kind == "model" else self._errors(still)
        return described.cpu().numpy()

    def _code(self, still: Tensor) -> Tensor:
        """The encoder's output (n, D); the net is left there, before it rebuilds anything."""

        def leave(_encoder: nn.Module, _inputs: object, code: Tensor) -> None:
            raise _Encoded(code)

        hook = self.encoder.register_forward_hook(leave)
        try:
            self.net(still)
        except _Encoded as encoded:
            code = encoded.code.float()
        finally:
            hook.remove()
        code = code.reshape(len(still), -1, *code.shape[1:])[:, -1]  # of several frames the last
        if code.ndim == 4:  # (n, C', h', w')
            code = F.adaptive_avg_pool2d(code, _places(code, self.pool))
        return code.flatten(1)

    def _errors(self, still: Tensor) -> Tensor:
        """Statistics of the error map of each still's last frame, (n, D)."""
        answer, target = self.net(still)[:, :, -1], self.net.target(still)[:, :, -1]
        return error_statistics(error_map(answer, target, self.model.rule.error), self.pool)


class _Encoded(Exception):
    """Carries the code out of the net."""

    def __init__(self, code: Tensor) -> None:
        super().__init__()
        self.code = code


def _encoder(model: Model, model_file: Path) -> nn.Module:
    """The part of the net that ends in its code."""
    encoder = getattr(model.detector.net.net, "encoder", None)
    if not isinstance(encoder, nn.Module):
        raise UserError(
            f"model_file must hold a net that encodes and rebuilds pictures (cae, cae_dense, stae, "
            f"convlstm), {model_file} holds {type(model.detector.net.net).__name__}; train another"
        )
    return encoder


def error_statistics(error: Tensor, pool: int) -> Tensor:
    """Summarise error maps.

    Args:
        error: (n, h, w).
        pool: places down and across.

    Returns:
        (n, D): mean, standard deviation, quantiles ``ERROR_SHARES``, then the mean of each place
        and the maximum of each place, row by row.
    """
    flat = error.flatten(1).float()
    shares = torch.tensor(ERROR_SHARES, device=flat.device)
    whole = torch.stack([flat.mean(1), flat.std(1), *flat.quantile(shares, dim=1)], dim=1)
    places = _places(error, pool)
    means = F.adaptive_avg_pool2d(error[:, None].float(), places).flatten(1)
    maxima = F.adaptive_max_pool2d(error[:, None].float(), places).flatten(1)
    return torch.cat([whole, means, maxima], dim=1)


def _places(maps: Tensor, pool: int) -> tuple[int, int]:
    """Places down and across, no more than the map has."""
    return min(pool, maps.shape[-2]), min(pool, maps.shape[-1])
