"""Measure scores against labels, and write the report of it."""

import json
import logging
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from tlae.config_scores import EvaluateConfig
from tlae.errors import FootageError, UserError
from tlae.evaluation.evaluation import Evaluation, evaluate, truth_in_table
from tlae.evaluation.labels import open_labels
from tlae.evaluation.measure import Measure
from tlae.evaluation.report import Gallery, report_html
from tlae.evaluation.scored import read_scored
from tlae.folder_lock import held_folder
from tlae.footage.frames import Image
from tlae.progress import progress
from tlae.rendering.strength import share_text, strength_text
from tlae.scoring.results import MEASURES
from tlae.table import Table
from tlae.whole_file import explain_os_errors, whole_file
from tlae.workflows.pictures import Drawing, open_drawing, worst_rows

logger = logging.getLogger(__name__)

TABLE, REPORT = "measures.csv", "report.html"
MARKED = "Outlined in violet: what is labelled. A red border: in alarm."
GALLERIES = (  # title, note, label, highest scores first
    ("Anomalous, highest scores", f"What is found most easily. {MARKED}", True, True),
    ("Anomalous, lowest scores", f"What is missed first. {MARKED}", True, False),
    ("Normal, highest scores", "What alarms falsely first. A red border: in alarm.", False, True),
)


def measured(cfg: EvaluateConfig) -> Evaluation:
    """Read scores and labels, and measure."""
    scored = read_scored(Path(cfg.scores).expanduser(), cfg.column, cfg.interval_s)
    truth = open_labels(cfg.labels, scored.lengths) if cfg.labels else truth_in_table(scored)
    if not (cfg.maps and scored.map_of is not None and truth.has_regions):
        return evaluate(scored, truth, maps=False)
    with progress("measuring maps", len(scored.table)) as advance:
        return evaluate(scored, truth, advance)


def write_report(evaluation: Evaluation, cfg: EvaluateConfig) -> Path:
    """Write measures.csv, measures.json and report.html, each whole or not at all.

    Returns:
        Path of the report.
    """
    scores = Path(cfg.scores).expanduser()
    beside = scores / "evaluation" if scores.is_dir() else _beside(scores)
    folder = Path(cfg.out).expanduser() if cfg.out else beside
    with explain_os_errors(folder):
        _require_own(folder)
    facts = {
        "scores": evaluation.scored.name,
        "verdict": evaluation.verdict,
        "frames": len(evaluation.truth.anomalous),
        "normal_frames": int((~evaluation.truth.anomalous).sum()),
        "clips": len(evaluation.truth.clips),
        "notes": list(evaluation.notes),
        "measures": [asdict(measure) for measure in evaluation.measures],
    }
    texts = {
        MEASURES: json.dumps(facts, indent=1, allow_nan=False) + "\n",
        TABLE: _as_table(evaluation.measures).to_csv(index=False),
        REPORT: report_html(evaluation, _galleries(evaluation, cfg)),
    }
    with held_folder(folder, "give another out=..."), explain_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with whole_file(folder / name) as temporary:
                temporary.write_text(text, encoding="utf-8")
    return folder / REPORT


def _require_own(folder: Path) -> None:
    """Refuse a folder whose files of the same names were written by others."""
    if (folder / MEASURES).is_file():
        return
    for name in (TABLE, REPORT):
        if (folder / name).exists():
            raise UserError(
                f"{folder} holds a {name} that `tlae evaluate` did not write; give another out=..."
            )


def _beside(table: Path) -> Path:
    return table.with_name(f"{table.stem}-evaluation")


def _as_table(measures: tuple[Measure, ...]) -> pd.DataFrame:
    rows = []
    for measure in measures:
        row = asdict(measure)
        row["low"], row["high"] = row.pop("interval") or (None, None)
        rows.append(row)
    return pd.DataFrame(rows)


def _galleries(evaluation: Evaluation, cfg: EvaluateConfig) -> list[Gallery]:
    """Best and worst frames with their maps; nothing where the pictures are gone."""
    results = evaluation.scored.results
    if results is None or not cfg.pictures:
        return []
    drawing = open_drawing(results, cfg.footage)
    try:
        drawing.require_clips([clip.clip for clip in evaluation.truth.clips])
        return [
            Gallery(
                title, note, _pictures(drawing, evaluation, wanted, cfg.pictures, highest=highest)
            )
            for title, note, wanted, highest in GALLERIES
        ]
    except FootageError as error:
        logger.warning(f"note: the report has no pictures: {error}")
        return []


def _pictures(
    drawing: Drawing, evaluation: Evaluation, wanted: bool, count: int, *, highest: bool
) -> list[tuple[Image, str]]:
    """Extreme frames of one label, the most extreme first; annotated regions are outlined."""
    scored, truth = evaluation.scored, evaluation.truth
    rows = worst_rows(Table.of(scored.table), count, truth.anomalous == wanted, highest=highest)
    starts = np.cumsum([0, *scored.lengths.values()])
    masks = {}
    for row in rows:
        clip = truth.clips[scored.clip_codes[row]]
        if wanted and clip.has_regions:
            masks[row] = clip.mask_of(row - int(starts[scored.clip_codes[row]]))
    pictures = drawing.stills_of_rows(rows, masks)
    raw, calmer = (scored.table[name].to_numpy(np.float64) for name in ("raw", "score"))
    level = math.inf if scored.threshold is None else scored.threshold
    return [
        (pictures[row], _caption(raw[row], level, calmer[row])) for row in rows if row in pictures
    ]


def _caption(raw: float, level: float, calmer: float) -> str:
    """How strong a frame is, as the report of the scores says it."""
    known = [] if math.isnan(calmer) else [share_text(calmer)]
    return ", ".join([strength_text(raw, level), *known])
