"""A judge of pictures, and the one ``.safetensors`` file that holds it: arrays, JSON, no pickle."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from tlae import __version__
from tlae.errors import ModelFileError, UserError
from tlae.outliers.estimator_arrays import Arrays, pack_estimator, unpack_estimator
from tlae.outliers.estimators import Scores, anomaly_scores
from tlae.outliers.filters import bad_probability
from tlae.outliers.preparation import Preparation
from tlae.scoring.calibrate import Calibration
from tlae.whole_file import explain_os_errors, whole_file

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

FORMAT = 1  # raise when older code could not read what is written
METADATA_KEY = "tlae"
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
        quadrants: the descriptors of a picture's four quadrants, side by side.
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

    def require_same_descriptor(self, facts: dict[str, Any]) -> None:
        """Refuse descriptors that differ from those it learnt from.

        Raises:
            UserError: names what differs.
        """
        for key in COMPARED:
            mine, other = self.descriptor.get(key), facts.get(key)
            if key == "settings":
                mine, other = _given(mine), _given(other)
            if mine != other:
                raise UserError(
                    f"descriptors must be those that the model learnt from ({key} {mine}), got "
                    f"{key} {other}; describe the pictures as then, or give images=..."
                )


def _given(settings: Any) -> dict[str, Any]:
    return {key: value for key, value in dict(settings or {}).items() if value is not None}


def save_judge(judge: Judge, path: Path) -> None:
    """Write under a temporary name, then rename."""
    estimator_facts, estimator_arrays = pack_estimator(judge.estimator)
    preparation = judge.preparation
    arrays: Arrays = {f"estimator.{name}": array for name, array in estimator_arrays.items()}
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
        "calibrated": judge.calibration.created,
        "threshold": judge.threshold,
        "training": judge.training,
        "versions": {"tlae": __version__},
    }
    plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with explain_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as temporary:
            temporary.write_bytes(save(plain, {METADATA_KEY: json.dumps(facts, default=str)}))


def load_judge(path: Path, kind: str) -> Judge:
    """Read what ``save_judge`` wrote.

    Args:
        path: the file.
        kind: one of ``KINDS``, that is wanted.

    Raises:
        ModelFileError: missing, foreign, damaged, of a newer format or another kind.
    """
    facts, arrays = _read(path, kind)
    parts = {k.removeprefix("estimator."): v for k, v in arrays.items() if "estimator." in k}
    try:
        raw = arrays["calibration.raw"]
        return Judge(
            kind=kind,
            method=facts["method"],
            preparation=Preparation(
                facts["preparation"]["l2"],
                arrays["preparation.shift"],
                arrays["preparation.factor"],
                arrays.get("preparation.components"),
                facts["preparation"]["explained"],
            ),
            estimator=unpack_estimator(facts["estimator"], parts),
            descriptor=facts["descriptor"],
            settings=facts["settings"],
            quadrants=facts["quadrants"],
            calibration=Calibration(raw, np.zeros(len(raw), np.int64), 0.0, facts["calibrated"]),
            threshold=float(facts["threshold"]),
            training=facts["training"],
        )
    except ModelFileError as error:
        raise ModelFileError(f"model file {path}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelFileError(f"model file {path} is damaged ({reason}); fit it again") from error


def _read(path: Path, kind: str) -> tuple[dict[str, Any], Arrays]:
    if not path.is_file():
        raise ModelFileError(
            f"model_file must be an existing file, got {path}; `tlae {kind} fit` writes one"
        )
    try:
        with safe_open(path, framework="np") as file:
            facts = json.loads((file.metadata() or {}).get(METADATA_KEY, "null"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError, OSError) as error:
        raise ModelFileError(
            f"model file {path} must be a .safetensors file written by `tlae {kind} fit`, this is "
            f"not one or is damaged ({str(error).splitlines()[0]})"
        ) from error
    found = facts.get("kind") if isinstance(facts, dict) else None
    if found != kind:
        what = f"`tlae {found} fit`" if found in KINDS else "another program or command"
        raise ModelFileError(
            f"model file {path} must be written by `tlae {kind} fit`, this one is by {what}"
        )
    if facts.get("format", 0) > FORMAT:
        raise ModelFileError(
            f"model file {path} has format {facts['format']}, this tlae {__version__} reads up to "
            f"{FORMAT}; update tlae"
        )
    return facts, arrays
