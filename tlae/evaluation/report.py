"""The report of one evaluation: one HTML page that opens from disk, without network."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from tlae.evaluation.evaluation import Evaluation
from tlae.evaluation.frame_metrics import min_max
from tlae.evaluation.roc import roc_curve
from tlae.footage.frames import Image
from tlae.html_page import fill_template, picture_uri
from tlae.number_words import how_many
from tlae.palette import themed
from tlae.rendering.charts import ChartedClip, roc_chart, score_chart

LEVELS = {
    "frame": "Frames: when",
    "pixel": "Pixels: where",
    "region": "Regions: things found",
    "event": "Events and alarms",
}

MOST_CHARTS = 60  # clips that are drawn
FIRST = ("auc_raw", "auc_clock", "delay_s", "pixel_auroc")  # shown unfolded


@dataclass(frozen=True)
class Gallery:
    """Some frames with their maps.

    Attributes:
        title: what they have in common.
        note: a sentence on how they were chosen.
        pictures: RGB (H, W, 3), and a caption each.
    """

    title: str
    note: str
    pictures: Sequence[tuple[Image, str]]


def report_html(evaluation: Evaluation, galleries: Sequence[Gallery] = ()) -> str:
    """The page as text.

    Args:
        evaluation: figures, scores, labels.
        galleries: pictures to show, empty ones are left out.
    """
    measures, chosen = evaluation.measures, _charted(evaluation)
    values = {
        "title": f"Evaluation of {evaluation.scored.name}",
        "subtitle": evaluation.subject,
        "verdict": evaluation.verdict,
        "advice": evaluation.advice,
        "first": [m for m in measures if m.key in FIRST and m.value is not None],
        "notes": evaluation.notes,
        "levels": [
            (LEVELS[level], list(group)) for level, group in groupby(measures, lambda m: m.level)
        ],
        "roc": _roc(evaluation),
        "clips": _clips(evaluation, chosen),
        "which_clips": _which(evaluation, chosen),
        "has_threshold": evaluation.scored.threshold is not None,
        "has_alarm": evaluation.timeline.alarmed is not None,
        "pictures": [
            {
                "title": gallery.title,
                "note": gallery.note,
                "pictures": [
                    {"source": picture_uri(image), "caption": caption}
                    for image, caption in gallery.pictures
                ],
            }
            for gallery in galleries
            if gallery.pictures
        ],
    }
    return fill_template("tlae.evaluation", "report.html.jinja", values)


def _roc(evaluation: Evaluation) -> str:
    """ROC of the raw scores, and after rescaling each clip; nothing if a class is missing."""
    frames = evaluation.frames
    if frames.labels.all() or not frames.labels.any():
        return ""
    curves = {}
    for name, scores in (
        ("raw scores", frames.scores),
        ("after per-clip min-max", min_max(frames)),
    ):
        fpr, tpr, _ = roc_curve(scores, frames.labels)
        curves[name] = (fpr, tpr)
    return themed(roc_chart(curves))


def _charted(evaluation: Evaluation) -> list[int]:
    """Numbers of the clips that get a chart: all, or those with the most to see."""
    wrong = evaluation.truth.anomalous
    if evaluation.timeline.alarmed is not None:
        wrong = wrong != evaluation.timeline.alarmed
    counts = [int(part.sum()) for part in np.split(wrong, _ends(evaluation))]
    order = np.argsort(-np.array(counts), kind="stable")
    return sorted(map(int, order[:MOST_CHARTS]))


def _which(evaluation: Evaluation, chosen: Sequence[int]) -> str:
    """The clips with a chart, in words."""
    everything = len(evaluation.truth.clips)
    if len(chosen) == everything:
        return "each clip"
    wrong = "anomalous" if evaluation.timeline.alarmed is None else "judged wrongly"
    return f"{len(chosen)} of {how_many(everything, 'clip')}, those with the most frames {wrong}"


def _ends(evaluation: Evaluation) -> npt.NDArray[np.int64]:
    """Where all clips but the first begin."""
    return np.cumsum(list(evaluation.scored.lengths.values()))[:-1]


def _clips(evaluation: Evaluation, chosen: Sequence[int]) -> list[dict[str, str]]:
    """Name, counts and chart of clips; the score in thresholds where one is known."""
    scored, alarmed = evaluation.scored, evaluation.timeline.alarmed
    raw = scored.table["raw"].to_numpy(dtype=np.float64)
    threshold, unit = scored.threshold, "score"
    if threshold is not None and 0 < threshold < np.inf:
        raw, threshold, unit = raw / threshold, 1.0, "\u00d7 threshold"
    highest = max(float(np.nanmax(raw)), threshold or 0.0)
    limits = (min(0.0, float(np.nanmin(raw))), 1.08 * highest if highest > 0 else 1.0)
    ends = _ends(evaluation)
    alarms = [None] * (len(ends) + 1) if alarmed is None else np.split(alarmed, ends)
    found = list(zip(evaluation.truth.clips, np.split(raw, ends), alarms, strict=True))
    clips = []
    for truth, values, alarm in (found[number] for number in chosen):
        anomalous = int(truth.anomalous.sum())
        clips.append(
            {
                "name": truth.clip,
                "note": f"{how_many(len(values), 'frame')}, {anomalous:,} anomalous",
                "chart": themed(
                    score_chart(
                        [ChartedClip(truth.clip, {"score": values}, truth.anomalous, alarm)],
                        threshold,
                        limits,
                        unit,
                    )
                ),
            }
        )
    return clips
