"""An exported model: one ``.onnx`` file with the net, and all that scoring needs in its metadata.

Key ``tlae``: JSON with the format number, preprocessing, window, scoring rule, calibration, camera
and versions. Key ``tlae.arrays``: the arrays of calibration, camera, watched places and measurer,
as ``.safetensors`` in base64. Key ``tlae.sha256``: of the graph, the JSON and the arrays.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tlae import __version__
from tlae.budget import Budget
from tlae.camera.calm import LONGEST_INTERVAL_S
from tlae.camera.camera import Camera
from tlae.camera.camera_file import camera_of
from tlae.errors import ModelFileError, UserError
from tlae.exported.engines import ENGINES, Arrays, Step, opened
from tlae.exported.measuring import MeasuringScorer, measurer_of
from tlae.exported.onnx_bytes import joined, split
from tlae.exported.scorer import StepFacts, StepScorer
from tlae.footage.frames import Image
from tlae.footage.preprocess import Preprocessing
from tlae.measuring import Measurer
from tlae.plain_values import from_plain, known_fields
from tlae.scoring.calibrate import Calibration
from tlae.scoring.calibration_file import calibration_of
from tlae.scoring.rule import ScoringRule, completed
from tlae.scoring.scored_frames import Scorer
from tlae.tensor_file import METADATA_KEY, UNFIT, damaged, require_finite
from tlae.versions import note_other_opencv

FORMAT = 2  # raise when older code could not read what is written
PLAIN_FORMAT = 1  # of a net without a measurer
FLOAT32, INT8 = "float32", "int8"
PRECISIONS = (FLOAT32, INT8)  # of the convolutions; all else is float32
ARRAYS_KEY, DIGEST_KEY = "tlae.arrays", "tlae.sha256"
# Names of arrays begin so:
CALIBRATION, CAMERA, WATCHED, MEASURER = "calibration.", "camera.", "watched", "measurer."
CURE = "export it again: tlae export model_file=<run>/model.safetensors"


@dataclass(frozen=True)
class ExportedFacts:
    """The JSON metadata.

    Attributes:
        net: class (``_target_``) and arguments of the net, for people.
        preprocessing: what a frame goes through before the net.
        step: how the net is stepped through a run of frames.
        gap_s: an interval longer than this ends a run [s]; 0: none does.
        rule: scoring rule that is built into the graph; causal.
        alarm: what makes an alarm, unless scoring asks for something else.
        precision: one of ``PRECISIONS``, of the net.
        engine: that runs it.
        calibration: facts of it, see ``calibration_file``.
        training: facts about the training, for people.
        camera: facts of it, see ``camera_file``; None: there is none.
        measurer: what looks at frames before the net, by its kind (``exported.measuring``); "":
            the net sees them itself.
        source_hw: size of the camera's pictures in training; None: not known.
        made_of: sha256 of the model file that was exported.
        checks: what was measured at export: of each engine, and of a net in 8 bits.
        versions: of what exported it.
    """

    net: dict[str, Any]
    preprocessing: Preprocessing
    step: StepFacts
    gap_s: float
    rule: ScoringRule
    alarm: Budget
    precision: str
    engine: str
    calibration: dict[str, Any]
    training: dict[str, Any]
    camera: dict[str, Any] | None = None
    measurer: str = ""
    source_hw: tuple[int, int] | None = None
    made_of: str = ""
    checks: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ExportedModel:
    """A ``scorable.Scorable`` that needs no torch.

    Attributes:
        facts: all that is not an array.
        calibration: scores of held-out normal footage, before smoothing in time.
        camera: what frames go through after the preprocessing; None: nothing.
        watched_places: (H, W), False where changes do not count; None: all count.
        graph: the net as the content of an ONNX file without metadata.
        measurer: what looks at frames before the net; None: the net sees them itself.
        file: where it lies; None: nowhere yet.
    """

    facts: ExportedFacts
    calibration: Calibration
    camera: Camera | None
    watched_places: npt.NDArray[np.bool_] | None
    graph: bytes
    measurer: Measurer | None = None
    file: Path | None = None

    def __repr__(self) -> str:
        net = self.facts.training.get("model") or self.facts.net.get("_target_", "")
        height, width = self.preprocessing.size_hw
        place = "in memory" if self.file is None else repr(str(self.file))
        return f"ExportedModel({place}: {net}, {height}x{width} px)"

    @property
    def rule(self) -> ScoringRule:
        """Scoring rule that is built into the graph."""
        return self.facts.rule

    @property
    def budget(self) -> Budget:
        """What makes an alarm, unless scoring asks for something else."""
        return self.facts.alarm

    @property
    def source_hw(self) -> tuple[int, int] | None:
        """Size of the camera's pictures in training."""
        return self.facts.source_hw

    @property
    def preprocessing(self) -> Preprocessing:
        """What a frame goes through before the net."""
        return self.facts.preprocessing

    @property
    def gap_s(self) -> float:
        """An interval longer than this ends a run [s]; 0: none does."""
        return self.facts.gap_s

    @property
    def span_frames(self) -> int:
        """Frames from the first to the last of a window."""
        return (self.facts.step.window_frames - 1) * self.facts.step.stride + 1

    @property
    def precision(self) -> str:
        """Of the graph."""
        return self.facts.precision

    @property
    def shows_expected(self) -> bool:
        """No graph gives the pictures that the net expected."""
        return False

    def digest(self) -> str:
        """What scores know the model by: sha256 of its file, or of its graph."""
        return sha256(self.graph if self.file is None else self.file.read_bytes()).hexdigest()

    @property
    def mean_picture(self) -> Image | None:
        """Background of the training footage, (H, W, C) uint8; None: the file does not hold it."""
        return None if self.measurer is None else self.measurer.arrays().get("background")

    def examples(self) -> Image:
        """Pictures of normal things, (n, h, w, C); empty where the model keeps none."""
        return (
            np.zeros((0, 1, 1, 1), np.uint8) if self.measurer is None else self.measurer.examples()
        )

    def differing(self, rule: ScoringRule) -> list[str]:
        """Nothing: ``scorer`` refuses a rule that the graph does not follow."""
        return []

    def scorer(
        self,
        rule: ScoringRule,
        device: str = "auto",
        *,
        precision: str | None = None,
        keep_rebuilt: bool = False,
        compiled: bool = False,
        skip_calm: bool = False,
    ) -> Scorer:
        """A scorer; see ``scorable.Scorable``.

        Raises:
            UserError: another rule, arithmetic or device than those of the file, or no such engine
                is there.
        """
        if precision not in (None, self.precision):
            raise UserError(
                f"precision must be calibrated or {self.precision} for this exported model, got "
                f"{precision!r}"
            )
        if compiled:
            raise UserError("compile must be false for an exported model, whose engine compiles")
        if device not in ("auto", "cpu"):
            raise UserError(f"device must be auto or cpu for an exported model, got {device!r}")
        if replace(rule, smooth_frames=0.0) != replace(self.rule, smooth_frames=0.0):
            raise UserError(
                "the scoring rule is built into an exported model, all but scoring.smooth_frames; "
                "train with other scoring settings, and export again"
            )
        facts = self.facts.step
        step = opened(self.facts.engine, self.graph, facts.outputs)
        skip_calm = skip_calm and self.calibration.interval_s <= LONGEST_INTERVAL_S
        return scorer_of(step, facts, self.measurer, skip_calm=skip_calm)


def scorer_of(
    step: Step, facts: StepFacts, measurer: Measurer | None, *, skip_calm: bool = False
) -> Scorer:
    """Steps a net through runs of frames."""
    if measurer is None:
        return StepScorer(step, facts, skip_calm=skip_calm)
    return MeasuringScorer(step, measurer, facts.blind_frames, skip_calm=skip_calm)


def exported_bytes(facts: Mapping[str, Any], arrays: Arrays, graph: bytes) -> bytes:
    """Content of the file of an exported model.

    Args:
        facts: fields of ``ExportedFacts`` as plain values.
        arrays: by name.
        graph: content of an ONNX file.
    """
    graph, _ = split(graph)
    number = FORMAT if facts.get("measurer") else PLAIN_FORMAT
    text = json.dumps({"format": number, "written_by": __version__, **facts})
    packed = base64.b64encode(save(dict(arrays))).decode()
    metadata = {METADATA_KEY: text, ARRAYS_KEY: packed}
    return joined(graph, metadata | {DIGEST_KEY: _digest(graph, text, packed)})


def load_exported(path: Path) -> ExportedModel:
    """Read the file of an exported model.

    Raises:
        ModelFileError: missing, foreign, damaged, changed, or of a newer format.
    """
    if not path.is_file():
        raise ModelFileError(
            f"model_file must be an existing file, got {path}; `tlae export` writes one"
        )
    try:
        model = model_of(path.read_bytes())
    except (*UNFIT, SafetensorError) as error:
        raise damaged(path, error, CURE) from error
    note_other_opencv(path, model.facts.versions)
    return replace(model, file=path)


def model_of(data: bytes) -> ExportedModel:
    """The model whose file has this content.

    Raises:
        ModelFileError: foreign, changed, or of a newer format.
        ValueError, KeyError, TypeError: damaged.
    """
    graph, metadata = split(data)
    facts = json.loads(metadata.get(METADATA_KEY, "null"))
    if not isinstance(facts, dict):
        raise ModelFileError("it was not written by `tlae export`; export a trained model")
    written = facts.get("format", 0)
    if isinstance(written, int) and written > FORMAT:
        raise ModelFileError(
            f"it has format {written}, this tlae {__version__} reads up to {FORMAT}; update tlae"
        )
    text, packed = metadata[METADATA_KEY], metadata[ARRAYS_KEY]
    if metadata.get(DIGEST_KEY) != _digest(graph, text, packed):
        raise ModelFileError(f"it was changed after it had been written; {CURE}")
    arrays = load(base64.b64decode(packed))
    require_finite(arrays)
    facts["rule"] = completed(facts.get("rule"))
    return _built(from_plain(ExportedFacts, known_fields(ExportedFacts, facts)), arrays, graph)


def _built(facts: ExportedFacts, arrays: Arrays, graph: bytes) -> ExportedModel:
    if facts.engine not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}, got {facts.engine!r}")
    if facts.precision not in PRECISIONS:
        raise ValueError(f"precision must be {' or '.join(PRECISIONS)}, got {facts.precision!r}")
    watched = arrays[WATCHED].astype(bool) if WATCHED in arrays else None
    if watched is not None and watched.shape != facts.preprocessing.size_hw:
        raise ValueError(f"{WATCHED} must be of the size of a frame, got {watched.shape}")
    measurer = None
    if facts.measurer:
        shape = (*facts.preprocessing.size_hw, facts.preprocessing.channels)
        measurer = measurer_of(facts.measurer, _named(MEASURER, arrays), shape)
    return ExportedModel(
        facts,
        calibration_of(_named(CALIBRATION, arrays), facts.calibration),
        None if facts.camera is None else camera_of(_named(CAMERA, arrays), facts.camera),
        watched,
        graph,
        measurer,
    )


def _digest(graph: bytes, text: str, packed: str) -> str:
    return sha256(b"\0".join([graph, text.encode(), packed.encode()])).hexdigest()


def _named(prefix: str, arrays: Arrays) -> Arrays:
    """Arrays whose names begin so, by the rest of their names."""
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
