"""The whole measurement, its table and its plot."""

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd
import torch

from tlae.compose import settings_of_words
from tlae.errors import UserError
from tlae.lab.markdown import table_head, table_row
from tlae.lab.settings import SpeedConfig
from tlae.lab.speed.costs import Cost, measure_costs
from tlae.lab.speed.footage import write_footage
from tlae.lab.speed.models import plain_pace, short_training, training_pace
from tlae.lab.speed.peak import peak_flops
from tlae.lab.speed.stages import Bench, Stage, measure_stages, shares_of_slowest
from tlae.lab.speed.timing import Pace
from tlae.palette import CURVES
from tlae.rendering.charts import svg_element, svg_figure
from tlae.whole_file import explain_os_errors, write_text

AXES = {
    "frames": "frames of a run",
    "pixels": "pixels of a frame",
    "window": "frames of a window",
}
FEWEST_FRAMES = 64
TABLE = "speed.csv"  # the mark of our folders

logger = logging.getLogger(__name__)

Step = TypeVar("Step")


@dataclass(frozen=True)
class SpeedReport:
    """What was measured.

    Attributes:
        peak: floating-point operations a second of the machine, float32.
        stages: each alone, and the whole.
        trainings: name of the net, windows a second of `tlae train` and of the plain loop.
        costs: of a frame.
    """

    peak: float
    stages: list[Stage]
    trainings: list[tuple[str, Pace, Pace]]
    costs: list[Cost]


def measure_speed(cfg: SpeedConfig) -> SpeedReport:
    """Measure, and write speed.md, speed.csv and speed.svg.

    Raises:
        UserError: a setting is out of its range.
    """
    for name, value, least in (("frames", cfg.frames, FEWEST_FRAMES), ("repeats", cfg.repeats, 1)):
        if value < least:
            raise UserError(f"{name} must be at least {least}, got {value}; raise it")
    if not cfg.models:
        raise UserError("models must name at least one net, got none; for example [cae_small]")
    for model in cfg.models:
        settings_of_words("train", [f"model={model}", "footage=."])  # refuses what is no net
    out = Path(cfg.out).expanduser()
    _require_ours(out)
    peak = peak_flops(cfg.repeats)
    logger.info(f"{torch.get_num_threads()} threads reach {peak / 1e9:,.0f} GFLOP/s in float32")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        footage = write_footage(folder, cfg.frames)
        made = ((model, short_training(folder, footage, model)) for model in cfg.models)
        models = dict(_quietly(made))
        bench = Bench(folder, footage, models, cfg.repeats, peak)
        stages = []
        for stage in _quietly(measure_stages(bench)):
            stages.append(stage)
            logger.info(_line(stage))
        trainings = list(_quietly(_trainings(bench)))
        report = SpeedReport(peak, stages, trainings, list(_quietly(measure_costs(bench))))
    _write(report, out)
    return report


def _require_ours(out: Path) -> None:
    """Make the folder, before anything is measured."""
    with explain_os_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()) and not (out / TABLE).is_file():
            raise UserError(
                f"out must be a new folder or one of `tlae benchmark speed`, {out} holds something "
                "else; choose another"
            )


def _trainings(bench: Bench) -> Iterator[tuple[str, Pace, Pace]]:
    """Of nets that rebuild or predict: what others learn from, a plain loop does not make."""
    for name, (model, _) in bench.models.items():
        net = model.detector.net.net
        if not net.measures and net.planted is None:
            ours = training_pace(bench.folder, bench.footage, name, bench.repeats)
            yield name, ours, plain_pace(model, bench.footage, bench.repeats)


def _quietly(steps: Iterator[Step]) -> Iterator[Step]:
    """The same steps, each of them made without a line in the log."""
    log = logging.getLogger("tlae")
    while True:
        before = log.level
        log.setLevel(logging.ERROR)
        try:
            step = next(steps, None)
        finally:
            log.setLevel(before)
        if step is None:
            return
        yield step


def _write(report: SpeedReport, out: Path) -> None:
    text = "\n".join(markdown_of(report)) + "\n"
    rows = [
        {"stage": s.name, "footage": s.footage, "model": s.model, **vars(s.pace), "note": s.note}
        for s in report.stages
    ]
    rows += [{"stage": f"ms by {c.of}", "model": c.amount, "median": c.ms} for c in report.costs]
    write_text(out / "speed.md", text)
    write_text(out / TABLE, pd.DataFrame(rows).to_csv(index=False))
    write_text(out / "speed.svg", _plot(report.costs))
    logger.info(text)
    logger.info(f"wrote speed.md, speed.csv and speed.svg into {out}")


def markdown_of(report: SpeedReport) -> list[str]:
    """The tables, line by line."""
    lines = table_head("stage", "footage", "model", "frames/s, median (range)", "note")
    lines += [_line(stage) for stage in report.stages]
    lines += ["", *table_head("model", "footage", "slowest stage alone", "the whole reaches")]
    for model, footage, slowest, share in shares_of_slowest(report.stages):
        lines.append(table_row(model, footage, slowest, f"{share:.2f} of it"))
    if report.trainings:
        lines += ["", *table_head("training", "windows/s", "plain loop", "ratio")]
    for name, ours, plain in report.trainings:
        lines.append(table_row(name, str(ours), str(plain), f"{ours.median / plain.median:.2f}"))
    lines += ["", *table_head("net and maps by", "amount", "ms a frame")]
    lines += [table_row(c.of, f"{c.amount:,}", f"{c.ms:.2f}") for c in report.costs]
    return lines


def _line(stage: Stage) -> str:
    return table_row(stage.name, stage.footage, stage.model, str(stage.pace), stage.note)


def _plot(costs: list[Cost]) -> str:
    with svg_figure(5.2, 6.6, rows=len(AXES)) as (panels, svg):
        for axes, (of, words), colour in zip(panels, AXES.items(), CURVES, strict=False):
            points = [cost for cost in costs if cost.of == of]
            amounts, ms = [cost.amount for cost in points], [cost.ms for cost in points]
            axes.plot(amounts, ms, marker="o", color=colour, clip_on=False)
            axes.set(xlabel=words, ylabel="ms a frame", xlim=(0, None), ylim=(0, None))
    return svg_element(svg)
