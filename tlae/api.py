"""From footage to a model and scores: each function is one command, without printing.

Settings have the names and defaults of the command line: ``settings={"trainer.max_epochs": 3}`` is
``trainer.max_epochs=3`` there, and docs/settings.md lists them all; ``footage.*`` say how a path is
read. What a user should know, such as frames without a time, is logged under ``tlae`` as a warning.
Footage is a path, an array of frames (N, H, W) or (N, H, W, 3) uint8, an iterable of frames, or
what ``open_footage`` returned.
Bad input raises ``tlae.errors.UserError``, a ``ValueError`` of one line.
"""

import shutil
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tlae.budget import Budget, budget_words
from tlae.compose import settings_from
from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.footage.sources import IN_MEMORY, Footage, array_footage
from tlae.footage.sources import open_footage as open_path
from tlae.own_file import require_own
from tlae.progress import progress_shown
from tlae.scorable import Scorable, load_scorable, run_name
from tlae.scoring.answers import carry_answers
from tlae.scoring.results import Scores
from tlae.whole_file import require_path
from tlae.workflows import score as scoring
from tlae.workflows.named_footage import READING, open_named, require_pace_for

if TYPE_CHECKING:
    from tlae.exported.model import ExportedModel
    from tlae.model_file import Model

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
        if started_at is not None:
            raise UserError(
                f"started_at must be None for a path, got {started_at!r}; it is for frames in "
                "memory, files have times of their own (time_source, time_pattern)"
            )
        return open_path(str(source), **reading).settled()
    return array_footage(source, started_at=started_at, **reading)


def train(
    footage: Source,
    model: str | None = None,
    *,
    out: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> "Model":
    """Learn what is normal from normal footage.

    A training that was interrupted continues when it is called again; one that is done is loaded.

    Args:
        footage: normal footage of one camera.
        model: name of a net; `tlae train --help` lists them. None: joint, or what an ``experiment``
            among the settings takes.
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
    from tlae.model_file import load_model
    from tlae.training.fitting import require_trainer_settings  # brings Lightning
    from tlae.training.run_folder import RunFolder
    from tlae.workflows import train as training

    source, cfg = _opened("train", footage, {} if model is None else {"model": model}, settings)
    require_trainer_settings(cfg.trainer)
    require_pace_for(Budget.of(vars(cfg.scoring)), source)
    name = cfg.name or f"{source.name}-{cfg.model_name}"
    default = Path(cfg.paths.checkpoints) / name
    folder = RunFolder(require_path(default if out is None else out, "out"))
    with (
        progress_shown(progress),
        _cache(cfg, source),
        held_folder(folder.path, "give another out"),
    ):
        report = training.train(cfg, source, folder)
    return load_model(folder.model) if report is None else report.model


def load(path: str | Path) -> "Model | ExportedModel":
    """Read the file of a trained model, or of an exported one (.onnx).

    Raises:
        ModelFileError: it is missing, damaged, or written by something else.

    Example:
        >>> import tlae
        >>> tlae.load("missing.safetensors")
        Traceback (most recent call last):
        ...
        tlae.errors.ModelFileError: model_file must be an existing file, got missing.safetensors...
    """
    return load_scorable(require_path(path, "model_file"))


def score(
    model: "Model | ExportedModel | str | Path",
    footage: Source,
    *,
    budget: Budget | None = None,
    out: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Scores:
    """Say of every frame how unusual it is, where, and whether that is an alarm.

    Args:
        model: a trained or exported model, or its file.
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
    model = model if isinstance(model, Scorable) else load(model)
    path = "model in memory" if model.file is None else str(model.file)
    source, cfg = _opened("score", footage, {"model_file": path, **budget_words(budget)}, settings)
    temporary = Path(mkdtemp(prefix="tlae-")) if out is None else None
    folder = require_path(out, "out") if temporary is None else temporary / _name(model, source)
    try:
        with progress_shown(progress), _cache(cfg, source), held_folder(folder, "give another out"):
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


def calibrate(
    model: "Model | str | Path",
    footage: Source | None = None,
    *,
    marks: str | Path | None = None,
    budget: Budget | None = None,
    out: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> "Model":
    """Rest thresholds on footage that is declared normal; the net is not trained again.

    Args:
        model: a trained model, or its file.
        footage: normal; None: the calibration stays, and the marks are added to it.
        marks: ``marks.json`` of `tlae serve`: events marked normal count as normal footage.
        budget: what makes an alarm from now on; None: as the model was trained.
        out: new model file; None: it is not written.
        settings: further settings of `tlae calibrate`, such as ``add``.
        progress: show a bar in a terminal and in Jupyter.

    Raises:
        UserError: the footage shows too little for the budget, or marks or settings do not fit.

    Example:
        >>> import numpy as np, tlae
        >>> frames = np.random.default_rng(0).integers(0, 99, (120, 32, 48), np.uint8)
        >>> small = {"footage.size_hw": [32, 48]}
        >>> model = tlae.train(frames, "copy_last", out="gate", settings=small)
        >>> anew = tlae.calibrate(model, frames, budget=tlae.Budget(false_alarm_rate=0.1))
        >>> anew.budget.given()
        {'false_alarm_rate': 0.1}
    """
    from tlae.model_file import Model, load_model, save_model  # brings torch
    from tlae.workflows.calibrate import recalibrate

    model = model if isinstance(model, Model) else load_model(require_path(model, "model_file"))
    words: dict[str, Any] = {
        "model_file": "model in memory" if model.file is None else str(model.file)
    }
    words |= budget_words(budget) | ({} if marks is None else {"marks": marks})
    source = None
    if footage is None:
        cfg = settings_from("calibrate", words, settings)
    else:
        source, cfg = _opened("calibrate", footage, words, settings)
    with progress_shown(progress), nullcontext() if source is None else _cache(cfg, source):
        found = recalibrate(cfg, model, source).model
    if out is None:
        return found
    path = require_path(out, "out")
    require_own(path, load_model, "a model file of tlae", "out")
    saved = save_model(found, path)
    if model.file is not None:
        carry_answers(model.file, path)
    return saved


def _opened(
    command: str,
    footage: Source,
    arguments: Mapping[str, Any],
    settings: Mapping[str, Any] | None,
) -> tuple[Footage, Any]:
    """Footage, and the settings of a command; those of reading hold for a path."""
    if isinstance(footage, str | Path):
        cfg = settings_from(command, {"footage": footage, **arguments}, settings)
        return open_named(cfg.footage), cfg
    source = footage if isinstance(footage, Footage) else open_footage(footage)
    for key in READING:
        if f"footage.{key}" in (settings or {}):
            raise UserError(
                f"footage.{key} must be given where footage is opened, this is open already; "
                f"give {key}=... to tlae.open_footage"
            )
    reading = {f"footage.{key}": value for key, value in source.reading.items()}
    return source, settings_from(
        command, {"footage": source.spec, **reading, **arguments}, settings
    )


def _name(model: Scorable, source: Footage) -> str:
    name = "model" if model.file is None else run_name(model.file)
    return f"{name}-{source.name}"


@contextmanager
def _cache(cfg: Any, source: Footage) -> Iterator[None]:
    """Decoded frames of footage in memory are not kept."""
    if source.spec != IN_MEMORY:
        yield
        return
    with TemporaryDirectory(prefix="tlae-") as folder:
        cfg.paths = replace(cfg.paths, cache=folder)
        yield
