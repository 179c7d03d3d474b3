"""What ``import tlae`` offers beside its classes: each function is one command, without printing.

Settings have the names and defaults of the command line: ``settings={"trainer.max_epochs": 3}`` is
``trainer.max_epochs=3`` there, and docs/settings.md lists them all. What a user should know, such
as frames without a time, is logged under ``tlae`` as a warning. Footage is a path, an array of
frames (N, H, W) or (N, H, W, 3) uint8, an iterable of frames, or what ``open_footage`` returned.
Bad input raises ``tlae.errors.UserError``, a ``ValueError`` of one line.
"""

import shutil
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae import compose
from tlae.budget import Budget
from tlae.config import ScoringConfig
from tlae.evaluation.evaluation import Evaluation
from tlae.folder_lock import held_folder
from tlae.footage.sources import IN_MEMORY, Footage, array_footage
from tlae.footage.sources import open_footage as open_path
from tlae.model_file import Model, load_model, run_name
from tlae.progress import AUTO, OFF, progress_as
from tlae.scoring.results import Scores, held_results, read_results
from tlae.workflows import evaluate as evaluation
from tlae.workflows import events as events_workflow
from tlae.workflows import render as rendering
from tlae.workflows import report as reporting
from tlae.workflows import score as scoring
from tlae.workflows.named_footage import require_pace_for

Frames = npt.NDArray[np.uint8] | Iterable[npt.NDArray[np.uint8]]
Source = str | Path | Frames | Footage


def open_footage(
    source: str | Path | Frames, *, started_at: datetime | None = None, **reading: Any
) -> Footage:
    """Find the clips of a folder, a video, a zip file or a pattern; or take frames in memory.

    Args:
        source: path, array of frames or iterable of frames.
        started_at: wall-clock time of the first frame in memory.
        reading: how to read: ``interval_s`` [s], and for paths the settings ``footage.*`` of the
            command line, such as ``every="10min"``, ``start``, ``end``, ``hours``, ``time_zone``.

    Raises:
        FootageError: nothing usable is there.

    Example:
        >>> import numpy as np, tlae
        >>> footage = tlae.open_footage(np.zeros((20, 48, 64), np.uint8), interval_s=0.04)
        >>> footage.clips[0].length
        20
    """
    if isinstance(source, str | Path):
        return open_path(str(source), **reading).settled()
    return array_footage(source, started_at=started_at, **reading)


def train(
    footage: Source,
    model: str = "segmenter",
    *,
    out: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Model:
    """Learn what is normal from normal footage.

    A training that was interrupted continues when it is called again; one that is done is loaded.

    Args:
        footage: normal footage of one camera.
        model: name of a net; `tlae train --help` lists them.
        out: run folder; None: checkpoints/<footage>-<model>.
        settings: further settings of `tlae train`.
        progress: show a bar in a terminal and in Jupyter.

    Returns:
        The model, which lies in <out>/model.safetensors.

    Raises:
        UserError: the footage teaches nothing, or settings do not fit.

    Example:
        >>> import numpy as np, tlae
        >>> frames = np.random.default_rng(0).integers(0, 99, (120, 32, 48), np.uint8)
        >>> small = {"footage.size_hw": [32, 48]}
        >>> model = tlae.train(frames, "copy_last", out="gate", settings=small)
        >>> len(model.calibration.raw) > 0
        True
    """
    from tlae.training.fitting import require_trainer_settings  # brings Lightning
    from tlae.training.run_folder import RunFolder
    from tlae.workflows import train as training

    source = _opened(footage)
    cfg = _settings("train", {"footage": source.spec, "model": model, **(settings or {})})
    require_trainer_settings(cfg.trainer)
    require_pace_for(Budget.of(vars(cfg.scoring)), source)
    name = f"{source.name}-{model}"
    folder = RunFolder(Path(out or Path(cfg.paths.checkpoints) / name).expanduser())
    with _shown(progress), _cache(cfg, source), held_folder(folder.path, "give another out"):
        report = training.train(cfg, source, folder)
    return load_model(folder.model) if report is None else report.model


def load(path: str | Path) -> Model:
    """Read a model file.

    Raises:
        ModelFileError: it is missing, damaged, or written by something else.

    Example:
        >>> import tlae
        >>> tlae.load("missing.safetensors")
        Traceback (most recent call last):
        ...
        tlae.errors.ModelFileError: model_file must be an existing file, got missing.safetensors...
    """
    return load_model(Path(path).expanduser())


def score(
    model: Model | str | Path,
    footage: Source,
    *,
    budget: Budget | None = None,
    out: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Scores:
    """Say of every frame how unusual it is, where, and whether that is an alarm.

    Args:
        model: a trained model, or its file.
        footage: of the same camera.
        budget: what makes an alarm; None: as the model was trained.
        out: folder for the results, continued where it was begun; None: a temporary one, which
            goes with the scores.
        settings: further settings of `tlae score`.
        progress: show a bar in a terminal and in Jupyter.

    Raises:
        UserError: the footage cannot be read, or settings do not fit.

    Example:
        >>> import numpy as np, tlae
        >>> frames = np.random.default_rng(0).integers(0, 99, (120, 32, 48), np.uint8)
        >>> small = {"footage.size_hw": [32, 48]}
        >>> model = tlae.train(frames, "copy_last", out="gate", settings=small)
        >>> today = frames[:60].copy()
        >>> today[40:50, 8:24, 8:24] = 255  # something bright comes
        >>> scores = tlae.score(model, today, budget=tlae.Budget(false_alarm_rate=0.05))
        >>> int(scores.table["raw"].argmax()) in range(38, 53)
        True
        >>> scores.map_of(42).shape
        (32, 48)
    """
    model = model if isinstance(model, Model) else load(model)
    source = _opened(footage)
    path = "" if model.file is None else str(model.file)
    cfg = _settings("score", {"footage": source.spec, "model_file": path, **(settings or {})})
    if budget is not None:
        cfg = replace(cfg, scoring=_with_budget(cfg.scoring, budget))
    temporary = Path(mkdtemp(prefix="tlae-")) if out is None else None
    folder = Path(out or "").expanduser() if temporary is None else temporary / _name(model, source)
    try:
        with _shown(progress), _cache(cfg, source), held_folder(folder, "give another out"):
            scores = scoring.score(cfg, model, source, folder).scores
    except BaseException:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        raise
    if source.spec == IN_MEMORY:
        scores = replace(scores, footage=source)
    if temporary is not None:
        weakref.finalize(scores, shutil.rmtree, temporary, ignore_errors=True)
    return scores


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
    return read_results(Path(folder).expanduser())


def find_events(
    scores: Scores,
    *,
    budget: Budget | None = None,
    zones: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Scores:
    """Find events anew with another budget, other zones or other rules; no net is run.

    The tables in the folder of the scores are written anew.

    Args:
        scores: of a footage.
        budget: what makes an alarm; None: as it was scored.
        zones: YAML file of places to watch and to ignore.
        settings: further settings of `tlae events`, such as ``min_duration_s``.

    Raises:
        UserError: zones or settings do not fit, or the model has gone.

    Example:
        With the ``scores`` of the example of ``score``:

        >>> kept = scores.save("scores/strict")
        >>> tlae.find_events(kept, budget=tlae.Budget(threshold=9.0)).events
        []
    """
    words = {"scores": scores.folder, **(settings or {})}
    if zones is not None:
        words["zones"] = zones
    cfg = _settings("events", words)
    if budget is not None:
        cfg = replace(cfg, scoring=replace(cfg.scoring, **asdict(budget)))
    with held_results(scores.folder):
        found = events_workflow.find_anew(cfg).scores
    return replace(found, footage=scores.footage)


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
        out: of the video (.mp4), for scores of one clip; None: videos and a sheet of the most
            anomalous frames in the folder of the scores.
        settings: further settings of `tlae render`, such as ``layout`` or ``only_events``.
        progress: show a bar in a terminal and in Jupyter.

    Returns:
        Paths of what was written.

    Example:
        With the ``scores`` of the example of ``score``:

        >>> tlae.render(scores, "today.mp4")[0].name
        'today.mp4'
    """
    cfg = _settings("render", {"scores": scores.folder, **(settings or {})})
    path = None if out is None else Path(out).expanduser()
    with _shown(progress), held_results(scores.folder):
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
    cfg = _settings("report", {"scores": scores.folder, **(settings or {})})
    path = reporting.page_path(cfg, None if out is None else str(out))
    with _shown(progress), held_results(scores.folder):
        reporting.report(cfg, scores, path)
    return path


def evaluate(
    scores: Scores | str | Path,
    labels: str | Path | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Evaluation:
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
    place = scores.folder if isinstance(scores, Scores) else scores
    words = {"scores": place, **(settings or {})}
    if labels is not None:
        words["labels"] = labels
    with _shown(progress):
        return evaluation.measured(_settings("evaluate", words))


def _opened(footage: Source) -> Footage:
    return footage if isinstance(footage, Footage) else open_footage(footage)


def _name(model: Model, source: Footage) -> str:
    name = "model" if model.file is None else run_name(model.file)
    return f"{name}-{source.name}"


def _with_budget(scoring_settings: ScoringConfig, budget: Budget) -> ScoringConfig:
    return replace(scoring_settings, **asdict(budget))


def _settings(command: str, values: Mapping[str, Any]) -> Any:
    """Settings of a command, as its words would give them."""
    words = [f"{key}={compose.as_word(value)}" for key, value in values.items()]
    return compose.settings_of(command, compose.compose(compose.parse(command, words)))


def _shown(progress: bool) -> Any:
    return progress_as(AUTO if progress else OFF)


@contextmanager
def _cache(cfg: Any, source: Footage) -> Iterator[None]:
    """Decoded frames of footage in memory are not kept."""
    if source.spec != IN_MEMORY:
        yield
        return
    with TemporaryDirectory(prefix="tlae-") as folder:
        cfg.paths = replace(cfg.paths, cache=folder)
        yield
