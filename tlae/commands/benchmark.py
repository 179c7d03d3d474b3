"""tlae benchmark footage=FOLDER [-m model=cae_small,convlstm_small seed=0,1,2].

Trains a net on the train split alone (weights of the last epoch, nothing chosen after the fact),
scores the test split, evaluates, and puts the figures beside those of baselines that learn nothing.
Runs into one folder add up to one table, mean and spread over seeds; a killed benchmark continues.
Writes <out>/<name>/: benchmark.md, benchmark.csv, roc.svg, scores.svg, maps.png, and each run's
model (checkpoints/), scores and report (scores/<run>/evaluation/report.html).
"""

import re
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from tlae.commands import evaluate, score, train
from tlae.commands.benchmark_table import write_benchmark
from tlae.config import BenchmarkConfig, EvaluateConfig, ScoreConfig, TrainConfig
from tlae.errors import UserError


@dataclass(frozen=True)
class Baseline:
    """A net without weights, and what the scoring of the run is changed to for it."""

    run: str
    target: str
    scoring: dict[str, Any]


WORST_PLACE = {"kernel_fraction": 0.1, "kernel_frames": 1}  # whatever the net's own kernel is
FRAME_MEAN = {"kernel_px": 1, "kernel_frames": 1, "reduction": "mean"}
BASELINES = (
    Baseline("frame_difference", "tlae.models.untrained.CopyLast", WORST_PLACE),
    Baseline("frame_difference_mean", "tlae.models.untrained.CopyLast", FRAME_MEAN),
    Baseline("running_median", "tlae.models.untrained.RunningMedian", WORST_PLACE),
    Baseline("running_median_mean", "tlae.models.untrained.RunningMedian", FRAME_MEAN),
)


def run(cfg: BenchmarkConfig) -> None:
    """One net beside the baselines."""
    root = Path(cfg.footage.path).expanduser()
    for split in (cfg.train_split, cfg.test_split):
        if not (root / split).is_dir():
            raise UserError(
                f"footage must hold the folders {cfg.train_split} and {cfg.test_split}, {root} has "
                f"no {split}; give train_split=... and test_split=..."
            )
    folder = Path(cfg.out).expanduser() / (cfg.name or root.resolve().name)
    for baseline in BASELINES:
        if not _measures(folder, baseline.run).is_file():
            print(f"baseline {baseline.run}", flush=True)
            _run(_as_baseline(cfg, baseline), folder, baseline.run)
    name = f"{cfg.model_name}{re.sub('-seed[0-9]+', '', cfg.suffix)}-seed{cfg.seed}"
    print(f"run {name}", flush=True)
    _run(cfg, folder, name)
    labels = cfg.labels or str(root / cfg.test_split)
    write_benchmark(folder, [baseline.run for baseline in BASELINES], labels)


def _measures(folder: Path, name: str) -> Path:
    return folder / "scores" / name / "evaluation" / "measures.json"


def _run(cfg: BenchmarkConfig, folder: Path, name: str) -> None:
    """Train, score and evaluate under that name; what is done is not done again."""
    train.run(_train_config(cfg, folder, name))
    model_file = folder / "checkpoints" / name / "model.safetensors"
    measures = _measures(folder, name)
    if measures.is_file() and measures.stat().st_mtime > model_file.stat().st_mtime:
        return
    test = str(Path(cfg.footage.path) / cfg.test_split)
    score.run(
        OmegaConf.merge(
            OmegaConf.structured(ScoreConfig),
            {
                "model_file": str(model_file),
                "footage": {
                    "path": test,
                    "interval_s": cfg.footage.interval_s,
                    "time_source": cfg.footage.time_source,
                    "time_pattern": cfg.footage.time_pattern,
                },
                "name": name,
                "paths": {"scores": str(folder / "scores"), "cache": cfg.paths.cache},
            },
        )  # type: ignore[arg-type]
    )
    settings: EvaluateConfig = OmegaConf.merge(
        OmegaConf.structured(EvaluateConfig),
        {"scores": str(folder / "scores" / name), "labels": cfg.labels or test},
    )  # type: ignore[assignment]
    evaluation = evaluate.measured(settings)
    print(f"report: {evaluate.write_report(evaluation, settings)}\n", flush=True)


def _train_config(cfg: BenchmarkConfig, folder: Path, name: str) -> TrainConfig:
    """The settings of `tlae train` for the train split."""
    assert isinstance(cfg, DictConfig)
    settings = OmegaConf.masked_copy(cfg, [field.name for field in fields(TrainConfig)])
    settings.footage.path = str(Path(cfg.footage.path) / cfg.train_split)
    settings.paths.checkpoints = str(folder / "checkpoints")
    settings.name, settings.suffix = name, ""
    return settings  # type: ignore[return-value]


def _as_baseline(cfg: BenchmarkConfig, baseline: Baseline) -> BenchmarkConfig:
    """The same footage and scoring with a net that learns nothing."""
    assert isinstance(cfg, DictConfig)
    changed = cfg.copy()
    changed.model = {"_target_": baseline.target}
    changed.model_name = baseline.run
    changed.footage.window_frames, changed.footage.strides = 1, [1]
    changed.scoring = OmegaConf.merge(changed.scoring, baseline.scoring)
    return changed  # type: ignore[return-value]
