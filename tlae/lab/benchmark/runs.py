"""Runs of a benchmark folder: a net, or a baseline that learns nothing, trained and scored."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from tlae.commands import score, train
from tlae.config import BenchmarkConfig, ScoreConfig, TrainConfig
from tlae.whole_file import require_plain_name


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
            print(f"baseline {baseline.run}", flush=True)
            run(as_baseline(cfg, baseline), baseline.run)
    name = run_name(cfg)
    print(f"run {name}", flush=True)
    run(cfg, name)


def as_baseline(cfg: BenchmarkConfig, baseline: Baseline) -> BenchmarkConfig:
    """The same footage and scoring with a net that learns nothing."""
    assert isinstance(cfg, DictConfig)
    changed = cfg.copy()
    changed.model = dict(baseline.net)
    changed.model_name = baseline.run
    changed.footage.window_frames, changed.footage.strides = 1, [1]
    changed.scoring = OmegaConf.merge(changed.scoring, baseline.scoring)
    return changed  # type: ignore[return-value]


def train_run(cfg: BenchmarkConfig, folder: Path, name: str) -> Path:
    """Train on the train split under that name, unless done; returns the model file."""
    train.run(_train_config(cfg, folder, name))
    return model_file(folder, name)


def model_file(folder: Path, name: str) -> Path:
    """Where a run's model lies."""
    return folder / "checkpoints" / name / "model.safetensors"


def is_measured(measures: Path, model: Path) -> bool:
    """Whether figures were written since the model was trained."""
    return measures.is_file() and measures.stat().st_mtime > model.stat().st_mtime


def score_run(cfg: BenchmarkConfig, folder: Path, name: str, **settings: object) -> Path:
    """Score the test split with a run's model; returns the results folder.

    Args:
        cfg: of the benchmark.
        folder: of the benchmark.
        name: of the run.
        settings: further ones of `tlae score`.
    """
    test = str(Path(cfg.footage.path) / cfg.test_split)
    score.run(
        OmegaConf.merge(
            OmegaConf.structured(ScoreConfig),
            {
                "model_file": str(model_file(folder, name)),
                "footage": {
                    "path": test,
                    "interval_s": cfg.footage.interval_s,
                    "time_source": cfg.footage.time_source,
                    "time_pattern": cfg.footage.time_pattern,
                },
                "name": name,
                "overwrite": cfg.overwrite,
                "paths": {"scores": str(folder / "scores"), "cache": cfg.paths.cache},
            },
            settings,
        )  # type: ignore[arg-type]
    )
    return folder / "scores" / name


def _train_config(cfg: BenchmarkConfig, folder: Path, name: str) -> TrainConfig:
    """The settings of `tlae train` for the train split."""
    assert isinstance(cfg, DictConfig)
    settings = OmegaConf.masked_copy(cfg, [field.name for field in fields(TrainConfig)])
    settings.footage.path = str(Path(cfg.footage.path) / cfg.train_split)
    settings.paths.checkpoints = str(folder / "checkpoints")
    settings.name, settings.suffix = name, ""
    return settings  # type: ignore[return-value]
