"""Normal footage for a net in 8 bits: frames to quantise it on, and a calibration by itself."""

from dataclasses import replace
from pathlib import Path

import torch

from tlae.exported.engines import opened
from tlae.exported.model import scorer_of
from tlae.exported.scorer import StepFacts
from tlae.exporting.int8 import ENGINE
from tlae.exporting.settings import ExportConfig
from tlae.footage.frames import Image
from tlae.footage.windows import segments
from tlae.model_file import Model
from tlae.progress import progress
from tlae.scoring.calibrate import Calibration
from tlae.training.calibration import Normal, Stepped, calibrate_by, shortened
from tlae.workflows.calibrate import normal_store, require_frames
from tlae.workflows.named_footage import open_named, require_pace_for

RANGE_FRAMES = 200  # that ranges are taken from


def normal_of(cfg: ExportConfig, model: Model) -> Normal:
    """The footage that settings name, ready to be scored.

    Raises:
        UserError: it cannot be read, or has no frame that can be judged.
    """
    footage = open_named(cfg.footage)
    require_pace_for(model.budget, footage)
    store = normal_store(footage, model, Path(cfg.paths.cache))
    runs = segments(store.index, model.gap_s)
    require_frames(runs, store, footage)
    return Normal(store, runs, model.rule, torch.device("cpu"))


def some_runs(normal: Normal) -> list[Image]:
    """Frames (n, H, W, C) of stretches that are spread evenly over the footage."""
    return [normal.store.read(run) for run in shortened(normal.runs, RANGE_FRAMES)]


def calibration_by(graph: bytes, facts: StepFacts, model: Model, normal: Normal) -> Calibration:
    """Scores of normal footage by a graph; what people declared normal stays so.

    Args:
        graph: content of an ONNX file.
        facts: how it is stepped.
        model: that was exported.
        normal: footage that the net did not learn from.

    Raises:
        UserError: the net gives no verdict for any frame.
    """
    scorer = scorer_of(opened(ENGINE, graph, facts.outputs), facts, None)
    context = (facts.window_frames - 1) * facts.stride
    stepped = Stepped(scorer, context, bool(facts.states), model.gap_s)
    with progress("scoring normal footage", sum(len(run) for run in normal.runs)) as advance:
        calibration = calibrate_by(stepped, normal, advance)
    return replace(calibration, floor=model.calibration.floor)
