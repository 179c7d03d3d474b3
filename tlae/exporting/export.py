"""Export a trained model: trace one step, compare it with torch, write one file."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from tlae.camera.camera_file import camera_arrays
from tlae.errors import UserError
from tlae.exported.engines import Arrays
from tlae.exported.model import (
    CALIBRATION,
    CAMERA,
    MEASURER,
    WATCHED,
    ExportedModel,
    exported_bytes,
    load_exported,
    model_of,
)
from tlae.exporting.comparison import EngineCheck, check_engines, engines_at_hand
from tlae.exporting.graph import graph_of, step_facts
from tlae.exporting.settings import FASTEST, ExportConfig
from tlae.model_file import Model, differing_reading, load_model
from tlae.own_file import require_own
from tlae.scoring.calibration_file import calibration_arrays
from tlae.scoring.rule import ScoringRule
from tlae.tensor_file import EXPORTED_SUFFIX
from tlae.versions import versions
from tlae.whole_file import explain_os_errors, whole_file

MOST_DIFFERENCE = 1e-4  # of maps and scores to torch, see ``EngineCheck``


@dataclass(frozen=True)
class ExportReport:
    """What an export did.

    Attributes:
        model: as it was read back.
        engine: that runs it.
        checks: what each engine that was tried does with it.
        size: of the file [bytes].
    """

    model: ExportedModel
    engine: str
    checks: list[EngineCheck]
    size: int


def export(cfg: ExportConfig) -> ExportReport:
    """Export the model that settings name.

    Raises:
        UserError: the model cannot be exported, or the file must not be replaced.
    """
    path = Path(cfg.model_file).expanduser()
    out = Path(cfg.out).expanduser() if cfg.out else path.with_suffix(EXPORTED_SUFFIX)
    _require_place(out, overwrite=cfg.overwrite)
    model = load_model(path)
    content, checks, engine = exported(model, cfg.engine)
    with explain_os_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    with explain_os_errors(out), whole_file(out) as temporary:
        temporary.write_bytes(content)
    return ExportReport(load_exported(out), engine, checks, len(content))


def exported(model: Model, engine: str = "onnxruntime") -> tuple[bytes, list[EngineCheck], str]:
    """Content of the file, what each engine does with the net, and the engine that runs it.

    Args:
        model: trained.
        engine: one of ``engines.ENGINES``, or "fastest".

    Raises:
        UserError: the model cannot be exported, or no engine gives the answers of torch.
    """
    rule = causal_rule(model)
    detector = model.detector
    graph, facts = graph_of(detector, rule), step_facts(detector)
    asked = engines_at_hand() if engine == FASTEST else [engine]
    checks = check_engines(model, rule, graph, facts, asked)
    chosen = _chosen(checks)
    arrays, parts = _parts(model)
    described = {
        "net": detector.net_config,
        "preprocessing": asdict(detector.preprocessing),
        "step": asdict(facts),
        "gap_s": detector.gap_s,
        "rule": asdict(rule),
        "alarm": asdict(model.budget),
        "precision": "float32",
        "engine": chosen.name,
        "training": model.training,
        "source_hw": model.source_hw,
        "made_of": model.digest(),
        "checks": {check.name: asdict(check) for check in checks},
        "versions": versions() | {"torch": torch.__version__},
    }
    content = exported_bytes(described | parts, arrays, graph)
    model_of(content)
    return content, checks, chosen.name


def causal_rule(model: Model) -> ScoringRule:
    """The rule of a model, made causal.

    Raises:
        UserError: the model's calibration does not hold then.
    """
    if model.detector.precision != "float32" and not model.detector.net.measures:
        raise UserError(
            f"an exported net runs in float32, the model was calibrated in "
            f"{model.detector.precision}; calibrate it again on its normal footage: tlae calibrate "
            "precision=float32 model_file=... footage=..."
        )
    rule = model.rule.changed_by({"causal": True})
    if differ := differing_reading(model, rule):
        raise UserError(
            f"an exported model scores as frames arrive, this one was calibrated with another "
            f"{', '.join(differ)}; train with scoring.causal=true"
        )
    return rule


def _chosen(checks: list[EngineCheck]) -> EngineCheck:
    """The fastest engine that gives the answers of torch."""
    good = [
        check
        for check in checks
        if check.difference is not None and check.difference <= MOST_DIFFERENCE
    ]
    if good:
        return max(good, key=lambda check: check.frames_per_s or 0.0)
    shown = "; ".join(
        check.trouble or f"{check.name} differs by {check.difference:.2g}" for check in checks
    )
    raise UserError(
        f"an engine must run the net and differ from torch by at most {MOST_DIFFERENCE:g}: {shown}"
        "; give another engine=..., or score with the trained model"
    )


def _parts(model: Model) -> tuple[Arrays, dict[str, Any]]:
    """Arrays by name, and the facts that belong to them."""
    found, calibration = calibration_arrays(model.calibration)
    arrays = {CALIBRATION + name: array for name, array in found.items()}
    camera = None
    if model.camera is not None:
        found, camera = camera_arrays(model.camera)
        arrays |= {CAMERA + name: array for name, array in found.items()}
    if model.watched_places is not None:
        arrays[WATCHED] = model.watched_places
    facts: dict[str, Any] = {"calibration": calibration, "camera": camera}
    if (measurer := model.detector.net.measurer()) is not None:
        arrays |= {MEASURER + name: array for name, array in measurer.arrays().items()}
        facts["measurer"] = measurer.kind
    return arrays, facts


def _require_place(out: Path, *, overwrite: bool) -> None:
    if out.suffix != EXPORTED_SUFFIX:
        raise UserError(f"out must end in {EXPORTED_SUFFIX}, got {out}")
    require_own(out, load_exported, "an exported model of tlae", "out")
    if out.exists() and not overwrite:
        raise UserError(f"out must be a new file, {out} exists; give out=... or overwrite=true")
