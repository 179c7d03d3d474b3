"""A judge of pictures, and the one ``.safetensors`` file that holds it: arrays, JSON, no pickle."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from tlae import __version__
from tlae.errors import ModelFileError, UserError
from tlae.image_sets.descriptor_settings import DescriptorSettings
from tlae.image_sets.estimator_arrays import Arrays, pack_estimator, unpack_estimator
from tlae.image_sets.estimators import Scores, anomaly_scores
from tlae.image_sets.filters import bad_probability
from tlae.image_sets.preparation import Preparation
from tlae.own_file import require_own
from tlae.plain_values import from_plain, known_fields
from tlae.scoring.calibrate import Calibration
from tlae.tensor_file import METADATA_KEY, UNFIT, damaged, read_tensor_file, require_finite
from tlae.whole_file import explain_os_errors, require_plain_name, whole_file

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

MODEL = "model.safetensors"  # in a judge's folder
FORMAT = 1  # raise when older code could not read what is written
ESTIMATOR = "estimator."  # before the names of its arrays
POOLED = "pooled"  # fact of a judge whose quadrants are pooled; once they stood side by side
KINDS = ("novelty", "filter")
COMPARED = ("descriptor", "dimensions", "settings", "weights")  # facts that must be the same


@dataclass(frozen=True)
class Judge:
    """What `novelty fit` and `filter fit` learn.

    Attributes:
        kind: "novelty" (unlike what was learnt) or "filter" (like the bad ones).
        method: name of the estimator.
        preparation: what descriptors go through before it.
        estimator: fitted.
        descriptor: facts of the descriptors that it was fitted to, see ``Descriptors.facts``.
        settings: of the descriptor, so that new pictures can be described; empty where not known.
        quadrants: it learnt from the four quadrants of each picture, see ``pooled_quadrants``.
        calibration: held-out scores of normal (good) pictures.
        threshold: pictures with a higher score are outliers.
        training: facts for people.
    """

    kind: str
    method: str
    preparation: Preparation
    estimator: "BaseEstimator"
    descriptor: dict[str, Any]
    settings: dict[str, Any]
    quadrants: bool
    calibration: Calibration
    threshold: float
    training: dict[str, Any] = field(default_factory=dict)

    def scores(self, values: npt.NDArray[Any]) -> Scores:
        """Scores (N,) of descriptors (N, D): higher is more anomalous."""
        prepared = self.preparation.apply(values)
        score = bad_probability if self.kind == "filter" else anomaly_scores
        return score(self.estimator, prepared)

    @property
    def descriptor_settings(self) -> DescriptorSettings | None:
        """How to describe new pictures; None: it learnt from stored descriptors, nobody knows."""
        if not self.settings:
            return None
        return DescriptorSettings(**self.settings | {"bins": tuple(self.settings["bins"])})

    def accepts(self, facts: dict[str, Any]) -> bool:
        """Whether descriptors are like those it learnt from."""
        return self._differing(facts) is None

    def _differing(self, facts: dict[str, Any]) -> tuple[str, Any, Any] | None:
        """The first fact that differs: its name, mine and the other; None: none does."""
        for key in COMPARED:
            mine, other = self.descriptor.get(key), facts.get(key)
            if key == "settings":
                mine, other = _given(mine), _given(other)
            if mine != other:
                return key, mine, other
        return None

    def require_same_descriptor(self, facts: dict[str, Any]) -> None:
        """Refuse descriptors that differ from those it learnt from.

        Raises:
            UserError: names what differs.
        """
        if (differing := self._differing(facts)) is not None:
            key, mine, other = differing
            raise UserError(
                f"descriptors must be those that the model learnt from ({key} {mine}), got "
                f"{key} {other}; describe the pictures as then, or give images=..."
            )


def _given(settings: Any) -> dict[str, Any]:
    return {key: value for key, value in dict(settings or {}).items() if value is not None}


def save_judge(judge: Judge, path: Path) -> None:
    """Write under a temporary name, then rename.

    Raises:
        ModelFileError: a number of it is not finite; nothing is written.
        UserError: the file cannot be written.
    """
    estimator_facts, estimator_arrays = pack_estimator(judge.estimator)
    preparation = judge.preparation
    arrays: Arrays = {f"{ESTIMATOR}{name}": array for name, array in estimator_arrays.items()}
    arrays |= {
        "preparation.shift": preparation.shift,
        "preparation.factor": preparation.factor,
        "calibration.raw": judge.calibration.raw,
    }
    if preparation.components is not None:
        arrays["preparation.components"] = preparation.components
    facts = {
        "format": FORMAT,
        "kind": judge.kind,
        "method": judge.method,
        "estimator": estimator_facts,
        "preparation": {"l2": preparation.l2, "explained": preparation.explained},
        "descriptor": judge.descriptor,
        "settings": judge.settings,
        "quadrants": judge.quadrants,
        POOLED: judge.quadrants,
        "calibrated": judge.calibration.created,
        "threshold": judge.threshold,
        "training": judge.training,
        "versions": {"tlae": __version__},
    }
    plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    try:
        require_finite(plain)
        from_plain(_JudgeFacts, known_fields(_JudgeFacts, facts))
    except ValueError as error:
        raise ModelFileError(
            f"model {path} cannot be written: {error}; take another method or scaler"
        ) from error
    with explain_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            temporary.write_bytes(save(plain, {METADATA_KEY: json.dumps(facts, default=str)}))


def load_judge(path: Path, kind: str, setting: str = "model_file") -> Judge:
    """Read what ``save_judge`` wrote, and try it on an empty picture.

    Args:
        path: the file.
        kind: one of ``KINDS``, that is wanted.
        setting: that names the file.

    Raises:
        ModelFileError: missing, foreign, damaged, of a newer format or another kind.
    """
    facts, arrays = read_tensor_file(path, "np", f"tlae {kind} fit", FORMAT, setting)
    if (found := facts.get("kind")) != kind:
        what = f"`tlae {found} fit`" if found in KINDS else "another program or command"
        raise ModelFileError(
            f"model file {path} must be written by `tlae {kind} fit`, this one is by {what}"
        )
    if facts.get("quadrants") and not facts.get(POOLED):
        raise ModelFileError(
            f"model file {path} must have learnt from pooled quadrants, this one learnt from "
            "quadrants side by side, as earlier versions did; fit it again"
        )
    try:
        require_finite(arrays)
        judge = _judge_of(from_plain(_JudgeFacts, known_fields(_JudgeFacts, facts)), arrays)
        (score,) = judge.scores(np.zeros((1, judge.preparation.width), np.float32))
        require_finite({"its scores": score})
    except (*UNFIT, BadZipFile) as error:
        raise damaged(path, error, "fit it again") from error
    return judge


@dataclass(frozen=True)
class _JudgeFacts:
    """The JSON metadata, as far as a judge is built from it; see ``Judge``."""

    kind: str
    method: str
    estimator: dict[str, Any]
    preparation: dict[str, Any]
    descriptor: dict[str, Any]
    settings: dict[str, Any]
    quadrants: bool
    calibrated: str
    threshold: float
    training: dict[str, Any]


def _judge_of(facts: _JudgeFacts, arrays: Arrays) -> Judge:
    estimator = {
        name.removeprefix(ESTIMATOR): array
        for name, array in arrays.items()
        if name.startswith(ESTIMATOR)
    }
    raw = arrays["calibration.raw"]
    return Judge(
        kind=facts.kind,
        method=facts.method,
        preparation=Preparation(
            bool(facts.preparation["l2"]),
            arrays["preparation.shift"],
            arrays["preparation.factor"],
            arrays.get("preparation.components"),
            float(facts.preparation["explained"]),
        ),
        estimator=unpack_estimator(facts.estimator, estimator),
        descriptor=facts.descriptor,
        settings=facts.settings,
        quadrants=facts.quadrants,
        calibration=Calibration(raw, np.zeros(len(raw), np.int64), 0.0, facts.calibrated),
        threshold=facts.threshold,
        training=facts.training,
    )


def judge_folder(checkpoints: str, name: str, kind: str) -> Path:
    """Folder of a judge of pictures to be fitted.

    Args:
        checkpoints: folder around it.
        name: of the folder.
        kind: of the judge, see ``KINDS``.

    Raises:
        UserError: the name is no plain one, or another model lies there.
    """
    folder = Path(checkpoints).expanduser() / require_plain_name(name, "name")
    model = folder / MODEL
    require_own(model, lambda path: load_judge(path, kind), f"a {kind} model", "name")
    return folder
