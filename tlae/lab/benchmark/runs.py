"""Runs of a benchmark folder: a net, or a trivial baseline, trained and scored."""

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from tlae.config import ScoreConfig, TrainConfig
from tlae.config_parts import FootageConfig
from tlae.lab.settings import BenchmarkConfig
from tlae.whole_file import require_plain_name
from tlae.workflows.score import score_named
from tlae.workflows.train import train_named

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Baseline:
    """A net without weights, and what the settings of the run are changed to for it.

    Attributes:
        run: its name.
        net: class (``_target_``) and arguments.
        scoring: settings that replace those of the run.
    """

    run: str
    net: dict[str, Any]
    scoring: dict[str, Any]


def run_name(cfg: BenchmarkConfig) -> str:
    """Name of the net's run: the model, what a sweep varies, the seed."""
    return f"{cfg.model_name}{re.sub('-seed[0-9]+', '', cfg.suffix)}-seed{cfg.seed}"


def benchmark_folder(cfg: BenchmarkConfig, footage: str) -> Path:
    """Where a benchmark lies: called as asked, or like its footage."""
    return Path(cfg.out).expanduser() / require_plain_name(cfg.name or footage, "name")


def model_of(run: str) -> str:
    """Name of a run without its seed."""
    return re.sub(r"-seed\d+$", "", run)


def run_all(
    cfg: BenchmarkConfig,
    baselines: Iterable[Baseline],
    is_done: Callable[[str], bool],
    run: Callable[[BenchmarkConfig, str], None],
) -> None:
    """Run the baselines that are not done, then the net.

    Args:
        cfg: of the net's run.
        baselines: to stand beside it.
        is_done: whether the baseline of that name has its figures.
        run: trains, scores and measures under a name.
    """
    for baseline in baselines:
        if not is_done(baseline.run):
            logger.info(f"baseline {baseline.run}")
            run(as_baseline(cfg, baseline), baseline.run)
    name = run_name(cfg)
    logger.info(f"run {name}")
    run(cfg, name)


def as_baseline(cfg: BenchmarkConfig, baseline: Baseline) -> BenchmarkConfig:
    """The same footage and scoring with a trivial baseline."""
    return replace(
        cfg,
        model=dict(baseline.net),
        model_name=baseline.run,
        footage=replace(cfg.footage, window_frames=1, strides=[1]),
        scoring=replace(cfg.scoring, **baseline.scoring),
    )


def train_run(cfg: BenchmarkConfig, folder: Path, name: str) -> Path:
    """Train on the train split under that name, unless done; returns the model file."""
    settings = {field.name: getattr(cfg, field.name) for field in fields(TrainConfig)}
    settings |= {
        "footage": replace(cfg.footage, path=str(Path(cfg.footage.path) / cfg.train_split)),
        "paths": replace(cfg.paths, checkpoints=str(folder / "checkpoints")),
        "name": name,
        "suffix": "",
    }
    train_named(TrainConfig(**settings))
    return model_file(folder, name)


def model_file(folder: Path, name: str) -> Path:
    """Where a run's model lies."""
    return folder / "checkpoints" / name / "model.safetensors"


def is_measured(measures: Path, model: Path) -> bool:
    """Whether figures were written since the model was trained."""
    return measures.is_file() and measures.stat().st_mtime > model.stat().st_mtime


def score_run(cfg: BenchmarkConfig, folder: Path, name: str, **settings: Any) -> Path:
    """Score the test split with a run's model; returns the results folder.

    Args:
        cfg: of the benchmark.
        folder: of the benchmark.
        name: of the run.
        settings: further ones of `tlae score`.
    """
    read = ("interval_s", "time_source", "time_pattern")
    footage = FootageConfig(
        path=str(Path(cfg.footage.path) / cfg.test_split),
        **{key: getattr(cfg.footage, key) for key in read},
    )
    score_named(
        ScoreConfig(
            model_file=str(model_file(folder, name)),
            footage=footage,
            name=name,
            overwrite=cfg.overwrite,
            paths=replace(cfg.paths, scores=str(folder / "scores")),
            **settings,
        )
    )
    return folder / "scores" / name
