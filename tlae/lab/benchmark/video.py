"""Nets beside trivial baselines on footage with a train and a test split."""

import logging
from pathlib import Path

from tlae.config_scores import EvaluateConfig
from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.lab.benchmark import stills as benchmark_stills
from tlae.lab.benchmark.runs import (
    Baseline,
    benchmark_folder,
    is_measured,
    run_all,
    score_run,
    train_run,
)
from tlae.lab.benchmark.table import write_benchmark
from tlae.lab.settings import BenchmarkConfig
from tlae.workflows.evaluate import measured, write_report

logger = logging.getLogger(__name__)

WORST_PLACE = {"kernel_fraction": 0.1, "kernel_frames": 1}  # whatever the net's own kernel is
FRAME_MEAN = {"kernel_px": 1, "kernel_frames": 1, "reduction": "mean"}
COPY_LAST = {"_target_": "tlae.models.untrained.CopyLast"}
RUNNING_MEDIAN = {"_target_": "tlae.models.untrained.RunningMedian"}
BASELINES = (
    Baseline("frame_difference", COPY_LAST, WORST_PLACE),
    Baseline("frame_difference_mean", COPY_LAST, FRAME_MEAN),
    Baseline("running_median", RUNNING_MEDIAN, WORST_PLACE),
    Baseline("running_median_mean", RUNNING_MEDIAN, FRAME_MEAN),
)


def benchmark(cfg: BenchmarkConfig) -> None:
    """One net beside the baselines."""
    if cfg.planted:
        benchmark_stills.run(cfg)
        return
    root = Path(cfg.footage.path).expanduser()
    for split in (cfg.train_split, cfg.test_split):
        if not (root / split).is_dir():
            raise UserError(
                f"footage must hold the folders {cfg.train_split} and {cfg.test_split}, {root} has "
                f"no {split}; give train_split=... and test_split=..., or planted=true for a "
                "time-lapse of normal days"
            )
    folder = benchmark_folder(cfg, root.resolve().name)
    with held_folder(folder, "give another name=..."):
        run_all(
            cfg,
            BASELINES,
            lambda name: _measures(folder, name).is_file(),
            lambda settings, name: _run(settings, folder, name),
        )
        labels = cfg.labels or str(root / cfg.test_split)
        write_benchmark(folder, [baseline.run for baseline in BASELINES], labels)


def _measures(folder: Path, name: str) -> Path:
    return folder / "scores" / name / "evaluation" / "measures.json"


def _run(cfg: BenchmarkConfig, folder: Path, name: str) -> None:
    """Train, score and evaluate under that name; what is done is not done again."""
    model = train_run(cfg, folder, name)
    if is_measured(_measures(folder, name), model):
        return
    scores = score_run(cfg, folder, name)
    labels = cfg.labels or str(Path(cfg.footage.path) / cfg.test_split)
    settings = EvaluateConfig(scores=str(scores), labels=labels)
    logger.info(f"report: {write_report(measured(settings), settings)}\n")
