"""Model file: one ``.safetensors`` with everything that scoring needs, and no code.

Tensors: ``net.*`` (weights), ``mean_frame``, ``spread``, ``typical_error``, ``watched``,
``calibration.*``, ``camera.*``. Metadata under the key ``tlae``: JSON with the format number, the
net's class and arguments, preprocessing, window, scoring rule, calibration, camera and versions.
"""

import importlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from tlae import __version__
from tlae.camera.camera import Camera
from tlae.camera.camera_file import camera_of, camera_tensors
from tlae.errors import ModelFileError
from tlae.footage.preprocess import Preprocessing
from tlae.models.standardised import Standardised
from tlae.scoring.calibrate import Calibration
from tlae.scoring.calibration_file import calibration_of, calibration_tensors
from tlae.scoring.rule import ScoringRule
from tlae.whole_file import whole_file

FORMAT = 1  # raise when older code could not read what is written
METADATA_KEY = "tlae"
CALIBRATION = "calibration."  # before the names of its tensors
CAMERA = "camera."  # before the names of its tensors
TRUSTED_PACKAGE = "tlae.models."  # a model file may name only classes from here


@dataclass
class Model:
    """A trained net with all that belongs to it.

    Attributes:
        net: the net, with the camera's mean frame around it.
        net_config: class (``_target_``) and arguments of the inner net.
        preprocessing: what a frame goes through before the net.
        window_frames: frames the net sees at once.
        stride: step between them.
        gap_s: an interval longer than this starts anew; 0: none does.
        rule: scoring rule that the calibration was made with.
        alarm: what makes an alarm: threshold, false_alarm_rate, alarms_per_day.
        precision: "float32" or "bfloat16", that the calibration was made with.
        calibration: scores of held-out normal footage, before smoothing in time.
        typical_error: (H, W), mean error of normal footage.
        watched: (H, W) bool, False where ignored; None: all watched.
        camera: what frames go through after the preprocessing; None: nothing.
        training: facts about the training, for people.
    """

    net: Standardised
    net_config: dict[str, Any]
    preprocessing: Preprocessing
    window_frames: int
    stride: int
    gap_s: float
    rule: ScoringRule
    alarm: dict[str, float | None]
    precision: str
    calibration: Calibration
    typical_error: Tensor
    watched: Tensor | None = None
    camera: Camera | None = None
    training: dict[str, Any] = field(default_factory=dict)


def build_net(config: Mapping[str, Any]) -> nn.Module:
    """Build a net from ``_target_`` and its arguments.

    Raises:
        ModelFileError: the class is not one of ours.
        ValueError: its arguments do not fit together.
    """
    arguments = dict(config)
    target = str(arguments.pop("_target_", ""))
    module, _, name = target.rpartition(".")
    if not target.startswith(TRUSTED_PACKAGE):
        raise ModelFileError(f"a net's class must be in {TRUSTED_PACKAGE}*, got {target!r}")
    try:
        net: nn.Module = getattr(importlib.import_module(module), name)(**arguments)
    except (ImportError, AttributeError, TypeError) as error:
        raise ModelFileError(
            f"net {target} cannot be built by tlae {__version__}: {error}"
        ) from error
    return net


def save_model(model: Model, path: Path) -> None:
    """Write ``model`` under a temporary name, then rename."""
    tensors = {f"net.{name}": value for name, value in model.net.net.state_dict().items()}
    tensors |= {
        "mean_frame": model.net.mean_frame,
        "spread": model.net.spread,
        "typical_error": model.typical_error,
    }
    parts, calibration_facts = calibration_tensors(model.calibration)
    tensors |= {f"{CALIBRATION}{name}": tensor for name, tensor in parts.items()}
    if model.watched is not None:
        tensors["watched"] = model.watched.to(torch.uint8)
    camera_facts = None
    if model.camera is not None:
        parts, camera_facts = camera_tensors(model.camera)
        tensors |= {f"{CAMERA}{name}": tensor for name, tensor in parts.items()}
    facts = {
        "format": FORMAT,
        "net": model.net_config,
        "preprocessing": asdict(model.preprocessing),
        "window_frames": model.window_frames,
        "stride": model.stride,
        "gap_s": model.gap_s,
        "rule": asdict(model.rule),
        "alarm": model.alarm,
        "precision": model.precision,
        "calibration": calibration_facts,
        "camera": camera_facts,
        "training": model.training,
        "versions": {
            "tlae": __version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
    }
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with whole_file(path) as temporary:
        temporary.write_bytes(save(plain, {METADATA_KEY: json.dumps(facts)}))


def load_model(path: Path) -> Model:
    """Read a model file.

    Raises:
        ModelFileError: missing, foreign, damaged, or of a newer format.
    """
    facts, tensors = _read(path)
    try:
        net = build_net(facts["net"])
        net.load_state_dict(_named("net.", tensors))
        size_hw = facts["preprocessing"]["size_hw"]
        return Model(
            net=Standardised(net, tensors["mean_frame"], float(tensors["spread"])).eval(),
            net_config=facts["net"],
            preprocessing=Preprocessing(tuple(size_hw), facts["preprocessing"]["channels"]),
            window_frames=facts["window_frames"],
            stride=facts["stride"],
            gap_s=facts["gap_s"],
            rule=ScoringRule(**facts["rule"]),
            alarm=facts["alarm"],
            precision=facts["precision"],
            calibration=calibration_of(_named(CALIBRATION, tensors), facts["calibration"]),
            typical_error=tensors["typical_error"],
            watched=tensors["watched"].bool() if "watched" in tensors else None,
            camera=_camera(facts.get("camera"), tensors),  # files of older versions have none
            training=facts["training"],
        )
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, ModelFileError):
            raise
        reason = " ".join(str(error).split())[:200]
        raise ModelFileError(f"model file {path} is damaged ({reason}); train it again") from error


def _camera(facts: dict[str, Any] | None, tensors: Mapping[str, Tensor]) -> Camera | None:
    if facts is None:
        return None
    return camera_of(_named(CAMERA, tensors), facts)


def _named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors whose names begin so, by the rest of their names."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    if not path.is_file():
        folder = path / "model.safetensors"
        hint = f"did you mean {folder}?" if folder.is_file() else "`tlae train` writes one"
        raise ModelFileError(f"model_file must be an existing file, got {path}; {hint}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            facts = json.loads(metadata.get(METADATA_KEY, "null"))
            if not isinstance(facts, dict):
                raise ModelFileError(
                    f"model file {path} was not written by tlae; give one that was"
                )
            if facts.get("format", 0) > FORMAT:
                raise ModelFileError(
                    f"model file {path} has format {facts['format']}, this tlae {__version__} "
                    f"reads up "
                    f"to {FORMAT}; update tlae"
                )
            return facts, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError, OSError) as error:
        raise ModelFileError(
            f"model file {path} must be a .safetensors file written by tlae, this is not one or is "
            f"damaged ({str(error).splitlines()[0]})"
        ) from error
