"""Model file: one ``.safetensors`` with everything that scoring needs, and no code.

Tensors: ``net.*`` (weights), ``mean_frame``, ``spread``, ``typical_error``, ``watched``,
``calibration.*``, ``camera.*``. Metadata under the key ``tlae``: JSON with the format number, the
net's class and arguments, preprocessing, window, scoring rule, calibration, camera and versions.
"""

import importlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save
from torch import Tensor

from tlae import __version__
from tlae.budget import Budget
from tlae.camera.calm import LONGEST_INTERVAL_S
from tlae.camera.camera import Camera
from tlae.camera.camera_file import camera_arrays, camera_of
from tlae.device import pick_device
from tlae.errors import ModelFileError
from tlae.footage.frames import Image
from tlae.footage.preprocess import Preprocessing
from tlae.models.contract import Net
from tlae.models.standardised import Standardised
from tlae.plain_values import from_plain, known_fields
from tlae.scoring.calibrate import Calibration
from tlae.scoring.calibration_file import calibration_arrays, calibration_of
from tlae.scoring.detector import Detector
from tlae.scoring.reading import reading_of
from tlae.scoring.rule import ScoringRule, completed
from tlae.scoring.scorer import FrameScorer
from tlae.tensor_file import METADATA_KEY, UNFIT, damaged, read_tensor_file, require_finite
from tlae.versions import note_other_opencv, versions
from tlae.whole_file import whole_file

FORMAT = 1  # raise when older code could not read what is written
CALIBRATION = "calibration."  # before the names of its tensors
CAMERA = "camera."  # before the names of its tensors
TRUSTED_PACKAGE = "tlae.models."  # a model file may name only nets from here
CURE = "give training a lower training.learning_rate, or training.compute=float32"
MOST_VALUES = 2**30  # pixels and channels of all frames that a window spans: 4 GB


@dataclass(frozen=True, eq=False)
class Model:
    """A detector with all that makes its errors alarms.

    Attributes:
        detector: the trained net, and how its answers become error maps.
        rule: scoring rule that the calibration was made with.
        budget: what makes an alarm, unless scoring asks for something else.
        calibration: scores of held-out normal footage, before smoothing in time.
        camera: what frames go through after the preprocessing; None: nothing.
        training: facts about the training, for people.
        source_hw: size of the camera's pictures in training; None: not known, of older files.
        file: where it lies; None: nowhere yet.
    """

    detector: Detector
    rule: ScoringRule
    budget: Budget
    calibration: Calibration
    camera: Camera | None = None
    training: dict[str, Any] = field(default_factory=dict)
    source_hw: tuple[int, int] | None = None
    file: Path | None = None

    def __repr__(self) -> str:
        net = self.training.get("model") or self.detector.net_config["_target_"]
        height, width = self.preprocessing.size_hw
        place = "in memory" if self.file is None else repr(str(self.file))
        return f"Model({place}: {net}, {height}x{width} px)"

    def digest(self) -> str:
        """What scores know their model by, wherever it lies: sha256 of its file."""
        if self.file is None:
            return sha256(model_bytes(self)).hexdigest()
        return sha256(self.file.read_bytes()).hexdigest()

    # What ``scorable.Scorable`` asks for, besides:

    @property
    def preprocessing(self) -> Preprocessing:
        """What a frame goes through before the net."""
        return self.detector.preprocessing

    @property
    def gap_s(self) -> float:
        """An interval longer than this ends a run [s]; 0: none does."""
        return self.detector.gap_s

    @property
    def span_frames(self) -> int:
        """Frames from the first to the last of a window."""
        return self.detector.span_frames

    @property
    def precision(self) -> str:
        """Of the arithmetic that the calibration was made with."""
        return self.detector.precision

    @property
    def shows_expected(self) -> bool:
        """Whether the net expects a picture, rather than answering with a map."""
        return not self.detector.net.answers_maps

    @property
    def watched_places(self) -> npt.NDArray[np.bool_] | None:
        """(H, W), False where changes do not count; None: all count."""
        watched = self.detector.watched
        return None if watched is None else np.asarray(watched.cpu().numpy())

    @property
    def mean_picture(self) -> Image:
        """Mean of the training footage, (H, W, C) uint8."""
        mean = self.detector.net.mean_frame.cpu().numpy().transpose(1, 2, 0)
        return np.asarray(np.rint(255 * mean.clip(0, 1)), np.uint8)

    def examples(self) -> Image:
        """Pictures of normal things, (n, h, w, C); empty where the net keeps none."""
        return np.asarray(self.detector.net.examples().cpu().numpy())

    def differing(self, rule: ScoringRule) -> list[str]:
        """See ``differing_reading``."""
        return differing_reading(self, rule)

    def scorer(
        self,
        rule: ScoringRule,
        device: str = "auto",
        *,
        precision: str | None = None,
        keep_rebuilt: bool = False,
        compiled: bool = False,
        skip_calm: bool = False,
    ) -> FrameScorer:
        """A scorer under a rule; see ``scorable.Scorable``."""
        return FrameScorer(
            self.detector,
            rule,
            pick_device(device),
            precision or self.precision,
            keep_rebuilt=keep_rebuilt,
            compiled=compiled,
            skip_calm=skip_calm and self.calibration.interval_s <= LONGEST_INTERVAL_S,
        )


@dataclass(frozen=True)
class _Facts:
    """The JSON metadata, as far as a model is built from it; see ``Model``."""

    net: dict[str, Any]
    preprocessing: Preprocessing
    window_frames: int
    stride: int
    gap_s: float
    rule: ScoringRule
    alarm: Budget
    precision: str
    calibration: dict[str, Any]
    training: dict[str, Any]
    camera: dict[str, Any] | None = None  # files of older versions have none
    source_hw: tuple[int, int] | None = None  # nor this

    def __post_init__(self) -> None:
        frame = self.preprocessing
        values = frame.channels * frame.size_hw[0] * frame.size_hw[1]
        most = MOST_VALUES // values
        if not (self.window_frames >= 1 and self.stride >= 1):
            raise ValueError(
                f"window_frames and stride must be >= 1, got {self.window_frames}, {self.stride}"
            )
        if self.window_frames * self.stride > most:
            raise ValueError(
                f"a window must span at most {most} frames of this size, "
                f"got {self.window_frames * self.stride}"
            )
        if self.precision not in ("float32", "bfloat16"):
            raise ValueError(f"precision must be float32 or bfloat16, got {self.precision!r}")


def differing_reading(model: Model, rule: ScoringRule) -> list[str]:
    """What makes scores under a rule others than those that the model was calibrated on.

    Returns:
        Names of fields of ``scorer.Reading``; none: the calibration holds.
    """
    made, asked = (asdict(reading_of(model.detector, one)) for one in (model.rule, rule))
    return [key for key in made if made[key] != asked[key]]


def build_net(config: Mapping[str, Any]) -> Net:
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
        kind = getattr(importlib.import_module(module), name)
        if not (isinstance(kind, type) and issubclass(kind, Net) and kind is not Net):
            raise TypeError("it is not a net")
        net: Net = kind(**arguments)
    except (ImportError, AttributeError, TypeError) as error:
        raise ModelFileError(
            f"net {target} cannot be built by tlae {__version__}: {error}"
        ) from error
    return net


def save_model(model: Model, path: Path) -> Model:
    """Write ``model`` under a temporary name, then rename.

    Returns:
        The model, which knows its file.

    Raises:
        ModelFileError: a number of it is not finite; nothing is written.
    """
    try:
        content = model_bytes(model)
    except ValueError as error:
        raise ModelFileError(f"model {path} cannot be written: {error}; {CURE}") from error
    with whole_file(path) as temporary:
        temporary.write_bytes(content)
    return replace(model, file=path)


def model_bytes(model: Model) -> bytes:
    """Content of the file of a model.

    Raises:
        ValueError: a number of it is not finite.
    """
    detector, net = model.detector, model.detector.net
    tensors = {f"net.{name}": value for name, value in net.net.state_dict().items()}
    tensors |= {
        "mean_frame": net.mean_frame,
        "spread": net.spread,
        "typical_error": detector.typical_error,
    }
    parts, calibration_facts = calibration_arrays(model.calibration)
    tensors |= {f"{CALIBRATION}{name}": torch.from_numpy(one) for name, one in parts.items()}
    if detector.watched is not None:
        tensors["watched"] = detector.watched.to(torch.uint8)
    camera_facts = None
    if model.camera is not None:
        parts, camera_facts = camera_arrays(model.camera)
        tensors |= {f"{CAMERA}{name}": torch.from_numpy(one) for name, one in parts.items()}
    facts = {
        "format": FORMAT,
        "net": detector.net_config,
        "preprocessing": asdict(detector.preprocessing),
        "window_frames": detector.window_frames,
        "stride": detector.stride,
        "gap_s": detector.gap_s,
        "rule": asdict(model.rule),
        "alarm": asdict(model.budget),
        "precision": detector.precision,
        "calibration": calibration_facts,
        "camera": camera_facts,
        "training": model.training,
        "source_hw": model.source_hw,
        "versions": versions() | {"torch": torch.__version__},
    }
    # Copies, for a net may know one tensor under two names.
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    require_finite(plain)
    from_plain(_Facts, known_fields(_Facts, facts))
    return save(plain, {METADATA_KEY: json.dumps(facts)})


def load_model(path: Path) -> Model:
    """Read a model file, and try the net on an empty clip.

    Raises:
        ModelFileError: missing, foreign, damaged, not finite, or of a newer format.
    """
    facts, tensors = read_tensor_file(path, "pt", "tlae train", FORMAT)
    if "kind" in facts:
        raise ModelFileError(
            f"model file {path} was written by `tlae {facts['kind']} fit`, for "
            f"`tlae {facts['kind']} score`; `tlae train` writes models of a camera"
        )
    try:
        require_finite(tensors)
        facts["rule"] = completed(facts.get("rule"))
        model = _model_of(from_plain(_Facts, known_fields(_Facts, facts)), tensors)
        _try(model)
    except UNFIT as error:
        raise damaged(path, error, "train it again") from error
    note_other_opencv(path, facts.get("versions"))
    return replace(model, file=path)


def _model_of(facts: _Facts, tensors: Mapping[str, Tensor]) -> Model:
    size_hw = facts.preprocessing.size_hw
    of_shape = {"mean_frame": (facts.preprocessing.channels, *size_hw), "spread": ()}
    of_shape |= {"typical_error": size_hw, "watched": size_hw}
    for name, shape in of_shape.items():
        if name in tensors and tuple(tensors[name].shape) != shape:
            raise ValueError(f"{name} must be of shape {shape}, got {tuple(tensors[name].shape)}")
    net = _filled_net(facts.net, _named("net.", tensors))
    detector = Detector(
        net=Standardised(net, tensors["mean_frame"], float(tensors["spread"])).eval(),
        net_config=facts.net,
        preprocessing=facts.preprocessing,
        window_frames=facts.window_frames,
        stride=facts.stride,
        gap_s=facts.gap_s,
        precision=facts.precision,
        typical_error=tensors["typical_error"],
        watched=tensors["watched"].bool() if "watched" in tensors else None,
    )
    return Model(
        detector,
        facts.rule,
        facts.alarm,
        calibration_of(_arrays(CALIBRATION, tensors), facts.calibration),
        _camera(facts.camera, tensors),
        facts.training,
        facts.source_hw,
    )


def _filled_net(config: dict[str, Any], weights: dict[str, Tensor]) -> Net:
    """The net with its weights; a config that asks for other sizes than these costs no memory."""
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sizes that the weights then refute
        net = build_net(config)
    net.load_state_dict(weights, assign=True)
    return net


def _try(model: Model) -> None:
    """Answer for one empty window: parts of different sizes are found now, not while scoring."""
    detector, frame = model.detector, model.detector.preprocessing
    clip = torch.zeros(1, frame.channels, detector.window_frames, *frame.size_hw)
    with torch.inference_mode():
        answer, target = detector.net(clip), detector.net.target(clip)
    if answer.shape != target.shape:
        raise ValueError(f"answers of shape {tuple(answer.shape)}, {tuple(target.shape)} expected")
    require_finite({"its answers": answer})
    if model.camera is not None:
        shape = (1, *frame.size_hw, frame.channels)
        model.camera.see(np.zeros(shape, np.uint8), [0])


def _camera(facts: dict[str, Any] | None, tensors: Mapping[str, Tensor]) -> Camera | None:
    return None if facts is None else camera_of(_arrays(CAMERA, tensors), facts)


def _arrays(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, npt.NDArray[Any]]:
    return {name: tensor.numpy() for name, tensor in _named(prefix, tensors).items()}


def _named(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors whose names begin so, by the rest of their names."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
