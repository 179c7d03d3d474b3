"""Export a trained model: trace one step, compare it with torch, write one file.

A net in 8 bits has other scores, so its file holds a calibration that was made with them.
"""

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
    FLOAT32,
    INT8,
    MEASURER,
    WATCHED,
    ExportedModel,
    exported_bytes,
    load_exported,
    model_of,
)
from tlae.exporting.comparison import EngineCheck, check_engines, engines_at_hand
from tlae.exporting.graph import graph_of, step_facts
from tlae.exporting.int8 import ENGINE, Int8Check, compared, quantised, require_gain
from tlae.exporting.normal import calibration_by, normal_of, some_runs
from tlae.exporting.settings import FASTEST, ExportConfig
from tlae.model_file import Model, differing_reading, load_model
from tlae.own_file import require_own
from tlae.scoring.calibrate import Calibration
from tlae.scoring.calibration_file import calibration_arrays
from tlae.scoring.rule import ScoringRule
from tlae.tensor_file import EXPORTED_SUFFIX
from tlae.training.calibration import Normal
from tlae.versions import versions
from tlae.whole_file import explain_os_errors, whole_file

MOST_DIFFERENCE = 1e-4  # of maps and scores to torch, see ``EngineCheck``


@dataclass(frozen=True)
class ExportReport:
    """What an export did.

    Attributes:
        model: as it was read back.
        engine: that runs it.
        checks: what each engine that was tried does with it, in float32.
        size: of the file [bytes].
        trained: the model that was exported.
        int8: what 8 bits changed; None: the net is in float32.
    """

    model: ExportedModel
    engine: str
    checks: list[EngineCheck]
    size: int
    trained: Model
    int8: Int8Check | None = None


def export(cfg: ExportConfig) -> ExportReport:
    """Export the model that settings name.

    Raises:
        UserError: the model cannot be exported, or the file must not be replaced.
    """
    path = Path(cfg.model_file).expanduser()
    ending = f"-{INT8}{EXPORTED_SUFFIX}" if cfg.precision == INT8 else EXPORTED_SUFFIX
    out = Path(cfg.out).expanduser() if cfg.out else path.with_name(path.stem + ending)
    _require_place(out, overwrite=cfg.overwrite)
    model, check = load_model(path), None
    if cfg.precision == INT8:
        _require_seeing(model)
        content, checks, check = exported_int8(model, normal_of(cfg, model))
        engine = ENGINE
    else:
        content, checks, engine = exported(model, cfg.engine)
    with explain_os_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    with explain_os_errors(out), whole_file(out) as temporary:
        temporary.write_bytes(content)
    return ExportReport(load_exported(out), engine, checks, len(content), model, check)


def exported(model: Model, engine: str = ENGINE) -> tuple[bytes, list[EngineCheck], str]:
    """Content of the file, what each engine does with the net, and the engine that runs it.

    Args:
        model: trained.
        engine: one of ``engines.ENGINES``, or "fastest".

    Raises:
        UserError: the model cannot be exported, or no engine gives the answers of torch.
    """
    graph, checks = _checked(model, engine)
    chosen = _chosen(checks)
    noted = {check.name: asdict(check) for check in checks}
    facts = {"precision": FLOAT32, "engine": chosen.name, "checks": noted}
    return _content(model, graph, facts, model.calibration), checks, chosen.name


def exported_int8(model: Model, normal: Normal) -> tuple[bytes, list[EngineCheck], Int8Check]:
    """Content of the file of a net in 8 bits, what the engine does with it in float32, the change.

    Args:
        model: trained, of a net that sees frames itself.
        normal: footage that the net did not learn from.

    Raises:
        UserError: the model cannot be exported, or 8 bits do not pay.
    """
    graph, checks = _checked(model, ENGINE)
    _chosen(checks)
    facts, runs = step_facts(model.detector), some_runs(normal)
    eight = quantised(graph, facts, runs)
    check = compared(graph, eight, facts, runs)
    require_gain(check)
    noted = {one.name: asdict(one) for one in checks} | {INT8: asdict(check)}
    described = {"precision": INT8, "engine": ENGINE, "checks": noted}
    calibration = calibration_by(eight, facts, model, normal)
    return _content(model, eight, described, calibration), checks, check


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


def _checked(model: Model, engine: str) -> tuple[bytes, list[EngineCheck]]:
    """The graph in float32, and what engines do with it."""
    rule, detector = causal_rule(model), model.detector
    graph, facts = graph_of(detector, rule), step_facts(detector)
    asked = engines_at_hand() if engine == FASTEST else [engine]
    return graph, check_engines(model, rule, graph, facts, asked)


def _content(model: Model, graph: bytes, facts: dict[str, Any], calibration: Calibration) -> bytes:
    """Content of the file, which can be read back.

    Args:
        model: trained.
        graph: of its net.
        facts: of the graph.
        calibration: made with it.
    """
    detector = model.detector
    arrays, parts = _parts(model, calibration)
    described = {
        "net": detector.net_config,
        "preprocessing": asdict(detector.preprocessing),
        "step": asdict(step_facts(detector)),
        "gap_s": detector.gap_s,
        "rule": asdict(causal_rule(model)),
        "alarm": asdict(model.budget),
        "training": model.training,
        "source_hw": model.source_hw,
        "made_of": model.digest(),
        "versions": versions() | {"torch": torch.__version__},
    }
    content = exported_bytes(described | facts | parts, arrays, graph)
    model_of(content)
    return content


def _require_seeing(model: Model) -> None:
    """Refuse 8 bits where a net takes hardly any of the time."""
    if model.detector.net.measures:
        raise UserError(
            "precision must be float32 for a net that measures, got int8: its time goes into "
            "looking at frames, not into the net; leave precision out"
        )


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


def _parts(model: Model, calibrated: Calibration) -> tuple[Arrays, dict[str, Any]]:
    """Arrays by name, and the facts that belong to them."""
    found, calibration = calibration_arrays(calibrated)
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
