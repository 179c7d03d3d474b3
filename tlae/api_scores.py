"""What can be done with scores: each function is one command, without printing; see ``api.py``."""

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlae.budget import Budget, budget_words
from tlae.compose import settings_from
from tlae.errors import UserError
from tlae.progress import progress_shown
from tlae.scoring.results import Scores, held_results, read_results
from tlae.whole_file import require_path
from tlae.workflows import events as events_workflow
from tlae.workflows import render as rendering
from tlae.workflows import report as reporting
from tlae.workflows.answers import answer, is_answer

if TYPE_CHECKING:
    from tlae.evaluation.evaluation import Evaluation


def open_scores(folder: str | Path) -> Scores:
    """Open a folder written by ``score`` or `tlae score`.

    Raises:
        UserError: it is none, not finished, or damaged.

    Example:
        With the ``scores`` of the example of ``score``:

        >>> kept = scores.save("scores/today")
        >>> len(tlae.open_scores("scores/today").table)
        60
    """
    return read_results(require_path(folder, "scores"))


def find_events(
    scores: Scores,
    *,
    budget: Budget | None = None,
    zones: str | Path | None = None,
    normal: Sequence[str] = (),
    take_back: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
) -> Scores:
    """Find events anew with another budget, other zones or other rules; no net is run.

    The tables in the folder of the scores are written anew. With ``normal`` or ``take_back`` the
    events stay as they are, and only what is shown changes: see ``Scores.hidden``.

    Args:
        scores: of a footage.
        budget: what makes an alarm; None: as it was scored.
        zones: YAML file of places to watch and to ignore.
        normal: ids of events that are normal; what is alike is hidden from now on.
        take_back: answers that hold no longer, by their keys or by the ids of what they hide.
        settings: further settings of `tlae events`, such as ``min_duration_s``.

    Raises:
        UserError: zones, answers or settings do not fit, or the model has gone.

    Example:
        With the ``scores`` of the example of ``score``:

        >>> kept = scores.save("scores/strict")
        >>> tlae.find_events(kept, budget=tlae.Budget(threshold=9.0)).events
        []
    """
    words: dict[str, Any] = {"scores": _folder_of(scores), **budget_words(budget)}
    if zones is not None:
        words["zones"] = zones
    for name, ids in (("normal", normal), ("take_back", take_back)):
        if ids:
            words[name] = _ids(name, ids)
    cfg = settings_from("events", words, settings)
    with held_results(scores.folder):
        if is_answer(cfg):
            found = answer(cfg).scores
        else:
            found = events_workflow.find_anew(cfg, scores.footage).scores
    anew = replace(found, footage=scores.footage)
    weakref.finalize(anew, _let_go, scores)
    return anew


def render(
    scores: Scores,
    out: str | Path | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> list[Path]:
    """Draw scores over their footage as H.264 video.

    Args:
        scores: of a footage that is still there.
        out: of the video (.mp4), for scores of one clip, one of the clips that ``settings`` choose,
            or ``layout="timelapse"``; scores of several clips are refused otherwise. None: videos
            and a sheet of the most anomalous frames in the folder of the scores.
        settings: further settings of `tlae render`, such as ``layout`` or ``only_events``.
        progress: show a bar in a terminal and in Jupyter.

    Returns:
        Paths of what was written.

    Example:
        With the ``scores`` of the example of ``score``:

        >>> tlae.render(scores, "today.mp4")[0].name
        'today.mp4'
    """
    cfg = settings_from("render", {"scores": _folder_of(scores)}, settings)
    path = None if out is None else require_path(out, "out")
    with progress_shown(progress), held_results(scores.folder):
        return rendering.render(cfg, scores, path)


def report(
    scores: Scores,
    out: str | Path | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Path:
    """Write one HTML page that says what was unusual and when; it opens from disk.

    Args:
        scores: of a footage; where that is gone, the page has no pictures.
        out: of the page (.html); None: report.html in the folder of the scores.
        settings: further settings of `tlae report`, such as ``top``.
        progress: show a bar in a terminal and in Jupyter.

    Returns:
        Path of the page.

    Example:
        With the ``scores`` of the example of ``score``:

        >>> tlae.report(scores, "today.html").name
        'today.html'
    """
    cfg = settings_from("report", {"scores": _folder_of(scores)}, settings)
    path = reporting.page_path(cfg, None if out is None else str(out))
    with progress_shown(progress), held_results(scores.folder):
        reporting.report(cfg, scores, path)
    return path


def evaluate(
    scores: Scores | str | Path,
    labels: str | Path | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> "Evaluation":
    """Measure scores against labels under every protocol in use.

    Args:
        scores: of a footage; or a CSV or Parquet table with clip, frame, score and perhaps label.
        labels: see docs/datasets.md; None: the table's own column ``label``.
        settings: further settings of `tlae evaluate`.
        progress: show a bar in a terminal and in Jupyter.

    Returns:
        The figures: ``measures`` with their names and bases, and ``value_of`` by key, as shares.

    Example:
        >>> import pandas as pd, tlae
        >>> table = pd.DataFrame({"clip": "a", "frame": range(4), "score": [1, 2, 3, 4]})
        >>> table.assign(label=[0, 0, 1, 1]).to_csv("errors.csv", index=False)
        >>> tlae.evaluate("errors.csv").value_of("auc_raw")
        1.0
    """
    from tlae.workflows import evaluate as evaluation  # brings pandas

    place = scores.folder if isinstance(scores, Scores) else require_path(scores, "scores")
    words: dict[str, Any] = {"scores": place}
    if labels is not None:
        words["labels"] = require_path(labels, "labels")
    with progress_shown(progress):
        return evaluation.measured(settings_from("evaluate", words, settings))


def _folder_of(scores: Scores) -> Path:
    if not isinstance(scores, Scores):
        raise UserError(
            f"scores must be what tlae.score returned, got {scores!r:.80}; open a folder with "
            "tlae.open_scores"
        )
    return scores.folder


def _ids(name: str, ids: Sequence[str]) -> list[str]:
    """Ids of events as the command line takes them."""
    listed = [ids] if isinstance(ids, str) else ids
    if not isinstance(listed, Sequence) or not all(isinstance(one, str) for one in listed):
        raise UserError(f'{name} must be a list of ids such as ["E0012"], got {ids!r:.80}')
    return list(listed)


def _let_go(scores: Scores) -> None:
    """Until this is called the scores live, and with them a temporary folder."""
