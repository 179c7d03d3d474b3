"""One benchmark folder: its runs put side by side, as a table and as pictures."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.evaluation.ground_truth import GroundTruth, Mask
from tlae.evaluation.labels import open_labels
from tlae.evaluation.roc import roc_curve
from tlae.evaluation.scored import ScoredTable, read_scored
from tlae.footage.frames import Image
from tlae.lab.benchmark.runs import model_file, model_of
from tlae.lab.markdown import table_head, table_row
from tlae.model_file import load_model
from tlae.rendering.charts import ChartedClip, roc_chart, score_chart
from tlae.rendering.contact_sheet import contact_sheet
from tlae.rendering.png import write_png
from tlae.whole_file import explain_os_errors, whole_file
from tlae.workflows.pictures import open_drawing

logger = logging.getLogger(__name__)

# Columns of the Markdown table; the CSV holds every figure.
COLUMNS = {
    "auc_raw": "raw AUC",
    "eer_raw": "raw EER",
    "auc_minmax": "min-max AUC",
    "auc_macro": "macro AUC",
    "pixel_40_auc": "pixel, 40 %",
    "aupro_05": "AUPRO 0.05",
    "rbdc": "RBDC",
    "tbdc": "TBDC",
    "event_f1_iou10": "event F1",
    "normal_alarm_rate": "normal in alarm",
}
COSTS = {
    "weights": "weights",
    "train_s": "training [s]",
    "frames_per_s": "scoring [frames/s]",
    "size_mb": "model file [MB]",
}
CURVES_SHOWN = 6  # more cannot be distinguished
MAPS_SHOWN = 4  # frames on the sheet of maps, from as many clips


@dataclass(frozen=True)
class Run:
    """One trained, scored and evaluated net.

    Attributes:
        name: of its folders.
        model: its name without the seed.
        figures: key -> value, None where not defined; costs among them.
        names: key -> full name of the protocol.
        subject: frames and normal frames evaluated.
    """

    name: str
    model: str
    figures: dict[str, float | None]
    names: dict[str, str]
    subject: tuple[int, int]


def write_benchmark(folder: Path, baselines: Sequence[str], labels: str) -> None:
    """Write benchmark.md, benchmark.csv, roc.svg, scores.svg and maps.png.

    Args:
        folder: of the benchmark.
        baselines: names of the trivial baselines, first in the table.
        labels: ground truth of the test split.
    """
    runs = _runs(folder, baselines)
    groups = [(model, list(group)) for model, group in groupby(runs, lambda run: run.model)]
    text = _markdown(groups, folder.name)
    texts = {"benchmark.md": text, "benchmark.csv": _table(groups).to_csv(index=False)}
    shown = _shown([group[0] for _, group in groups], set(baselines))
    scored = {run.model: read_scored(folder / "scores" / run.name) for run in shown}
    truth = open_labels(labels, next(iter(scored.values())).lengths)
    texts["roc.svg"] = _roc(scored, truth.anomalous)
    texts["scores.svg"] = _curves(scored, truth)
    with explain_os_errors(folder):
        for name, content in texts.items():
            with whole_file(folder / name) as temporary:
                temporary.write_text(content, encoding="utf-8")
    tiles = _maps(scored, truth)
    if tiles:
        write_png(folder / "maps.png", contact_sheet(tiles, MAPS_SHOWN))
    logger.info(text)
    logger.info(f"wrote {', '.join(texts)} and maps.png into {folder}")


def _runs(folder: Path, baselines: Sequence[str]) -> list[Run]:
    """Finished runs, the baselines first, seeds of a model together."""
    names = [path.parent.parent.name for path in folder.glob("scores/*/evaluation/measures.json")]
    order = {name: number for number, name in enumerate(baselines)}
    return [_read(folder, name) for name in sorted(names, key=lambda n: (order.get(n, 99), n))]


def _read(folder: Path, name: str) -> Run:
    scores = folder / "scores" / name
    model_path = model_file(folder, name)
    facts = json.loads((scores / "evaluation" / "measures.json").read_text(encoding="utf-8"))
    summary = json.loads((scores / "summary.json").read_text(encoding="utf-8"))
    model = load_model(model_path)
    costs = {
        "weights": sum(weights.numel() for weights in model.detector.net.parameters()),
        "train_s": model.training["seconds"],
        "frames_per_s": summary["frames_per_s"],
        "size_mb": model_path.stat().st_size / 1e6,
    }
    return Run(
        name,
        model_of(name),
        {m["key"]: m["value"] for m in facts["measures"]} | costs,
        {m["key"]: m["name"] for m in facts["measures"]},
        (facts["frames"], facts["normal_frames"]),
    )


def _spread(runs: list[Run], key: str) -> tuple[float, float]:
    """Mean and standard deviation over seeds; NaN where a figure is not defined."""
    values = [run.figures.get(key) for run in runs]
    if any(value is None for value in values):
        return float("nan"), float("nan")
    known = np.array(values, dtype=np.float64)
    return float(known.mean()), float(known.std(ddof=1)) if len(known) > 1 else float("nan")


def _table(groups: list[tuple[str, list[Run]]]) -> pd.DataFrame:
    """One row per model, every figure as mean and standard deviation."""
    rows = []
    for model, runs in groups:
        row: dict[str, object] = {"model": model, "seeds": len(runs)}
        for key in runs[0].figures:
            row[key], row[f"{key}_std"] = _spread(runs, key)
        rows.append(row)
    return pd.DataFrame(rows)


def _markdown(groups: list[tuple[str, list[Run]]], name: str) -> str:
    first = groups[0][1][0]
    frames, normal = first.subject
    keys = [key for key in COLUMNS if key in first.figures]
    lines = [
        f"# Benchmark: {name}",
        "",
        f"{frames:,} test frames, {normal:,} of them normal. In %, mean ± standard deviation over "
        "seeds. Nets of the last epoch; nothing chosen on the test split.",
        "",
        *table_head("model", "seeds", *(COLUMNS[key] for key in keys)),
    ]
    clock = first.figures.get("auc_clock")
    if clock is not None:
        lines.append(table_row("the clock", "-", f"{100 * clock:.1f}", *["-"] * (len(keys) - 1)))
    for model, runs in groups:
        values = (_percent(*_spread(runs, key)) for key in keys)
        lines.append(table_row(model, str(len(runs)), *values))
    lines += ["", *table_head("model", *COSTS.values())]
    for model, runs in groups:
        lines.append(table_row(model, *(_cost(_spread(runs, key)[0], key) for key in COSTS)))
    lines += ["", *(f"- {COLUMNS[key]}: {first.names[key]}" for key in keys), ""]
    return "\n".join(lines)


def _percent(mean: float, deviation: float) -> str:
    if np.isnan(mean):
        return "-"
    return f"{100 * mean:.1f}" + ("" if np.isnan(deviation) else f" ± {100 * deviation:.1f}")


def _cost(value: float, key: str) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:.1f}" if key == "size_mb" else f"{value:,.0f}"


def _shown(firsts: list[Run], baselines: set[str]) -> list[Run]:
    """The best nets, and the best baseline, by raw AUC."""

    def raw(run: Run) -> float:
        return run.figures.get("auc_raw") or 0.0

    nets = sorted((r for r in firsts if r.model not in baselines), key=raw, reverse=True)
    still = sorted((r for r in firsts if r.model in baselines), key=raw, reverse=True)
    return [*nets[: CURVES_SHOWN - 1], *still[:1]]


def _roc(scored: dict[str, ScoredTable], anomalous: npt.NDArray[np.bool_]) -> str:
    if anomalous.all() or not anomalous.any():
        return roc_chart({})
    curves = {}
    for model, one in scored.items():
        there = one.has_score
        fpr, tpr, _ = roc_curve(one.table["raw"].to_numpy(np.float64)[there], anomalous[there])
        curves[model] = (fpr, tpr)
    return roc_chart(curves)


def _curves(scored: dict[str, ScoredTable], truth: GroundTruth) -> str:
    """Scores in units of each net's alarm threshold (without one: of its highest score)."""
    relative = {}
    for model, one in scored.items():
        raw = one.table["raw"].to_numpy(np.float64)
        relative[model] = raw / (one.threshold or max(float(np.nanmax(raw)), 1e-12))
    ends = np.cumsum([len(clip.anomalous) for clip in truth.clips])[:-1]
    parts = {model: np.split(values, ends) for model, values in relative.items()}
    clips = [
        ChartedClip(clip.clip, {m: part[number] for m, part in parts.items()}, clip.anomalous)
        for number, clip in enumerate(truth.clips)
    ]
    highest = max(float(np.nanmax(values)) for values in relative.values())
    return score_chart(clips, 1.0, (0.0, 1.05 * highest))


def _maps(scored: dict[str, ScoredTable], truth: GroundTruth) -> list[tuple[Image, str]]:
    """The same frames with the map of each net: the middle of the first event of some clips."""
    starts = np.cumsum([0, *(len(clip.anomalous) for clip in truth.clips)])
    rows: list[int] = []
    masks: dict[int, Mask] = {}
    for clip, start in zip(truth.clips, starts, strict=False):
        if clip.anomalous.any() and len(rows) < MAPS_SHOWN:
            frame = int(np.median(np.flatnonzero(clip.anomalous)))
            rows.append(int(start) + frame)
            if clip.has_regions:
                masks[rows[-1]] = clip.mask_of(frame)
    tiles = []
    for model, one in scored.items():
        assert one.results is not None
        pictures = open_drawing(one.results).stills_of_rows(rows, masks)
        tiles += [(pictures[row], model) for row in rows if row in pictures]
    return tiles
