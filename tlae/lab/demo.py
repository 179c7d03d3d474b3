"""The whole way on a drawn street, with what is known of its anomalies."""

import json
import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tlae.compose import settings_of_words
from tlae.config import ScoreConfig, TrainConfig
from tlae.config_scores import EvaluateConfig
from tlae.errors import UserError
from tlae.lab.known_events import frames_of
from tlae.lab.scenes import AnomalyKind, SceneOptions, write_scene
from tlae.lab.settings import DemoConfig
from tlae.scoring.results import held_results
from tlae.workflows.evaluate import measured, write_report
from tlae.workflows.render import render
from tlae.workflows.report import report
from tlae.workflows.score import score_named
from tlae.workflows.train import train_named

# Eight clips of each kind: a matter of minutes.
STREET = SceneOptions(train_clips=8, train_frames=200, test_clips=8, test_frames=200)

RATE = 0.01  # of false alarms; two minutes of footage cannot show the default of a thousandth

logger = logging.getLogger(__name__)


def demo(cfg: DemoConfig) -> None:
    """Synthetic footage in, report and overlay videos out."""
    started = time.monotonic()
    out = Path(cfg.out).expanduser()
    scene = out / "scene"
    places = [f"paths.{key}={value}" for key, value in vars(cfg.paths).items()]
    common = [f"name={cfg.name}", *places]
    model_file = Path(cfg.paths.checkpoints) / cfg.name / "model.safetensors"
    train: TrainConfig = _settings(
        "train",
        f"footage={scene / 'Train'}",
        f"model={cfg.model}",
        f"seed={cfg.seed}",
        *cfg.train,
        *common,
    )
    score: ScoreConfig = _settings(
        "score",
        f"model_file={model_file}",
        f"footage={scene / 'Test'}",
        f"scoring.false_alarm_rate={RATE}",
        *common,
    )
    logger.info(f"1/4 making a street scene in {scene}")
    write_scene(scene, replace(STREET, seed=cfg.seed))
    logger.info("2/4 learning what is normal")
    train_named(train)
    logger.info("3/4 scoring new footage")
    scores = score_named(score).scores
    measure: EvaluateConfig = _settings(
        "evaluate", f"scores={scores.folder}", f"labels={scene / 'Test'}", "maps=false"
    )
    evaluation = measured(measure)
    measures = write_report(evaluation, measure)
    logger.info("4/4 rendering")
    with held_results(scores.folder):
        render(_settings("render", f"scores={scores.folder}"), scores)
        page = scores.folder / "report.html"
        report(_settings("report", f"scores={scores.folder}"), scores, page)
    logger.info(f"\n{evaluation.verdict}\n")
    _print_ranks(scores.table, scene)
    logger.info(f"\ndone in {time.monotonic() - started:.0f} s; look at")
    videos = sorted((scores.folder / "overlay").glob("*.mp4"))
    for path in [page, measures, scores.folder / "top_frames.png", *videos]:
        logger.info(f"  {path}")


def _settings(command: str, *words: str) -> Any:
    """Settings of a command, as typed; they are checked now."""
    return settings_of_words(command, list(words))


def _print_ranks(table: pd.DataFrame, scene: Path) -> None:
    """Where each event stands among the frames in which nothing was planted."""
    events = json.loads((scene / "scene.json").read_text(encoding="utf-8"))["events"]
    rows = [frames_of(event, table) for event in events]
    planted = np.zeros(len(table), dtype=bool)
    for event, inside in zip(events, rows, strict=True):
        if not inside.any():
            raise UserError(f"{scene} and its scores do not fit together; remove {scene.parent}")
        if event["kind"] != AnomalyKind.LIGHT_FLASH:
            planted |= inside
    raw, alarm = table["raw"].to_numpy(), table["alarm"].to_numpy()
    logger.info("Things that were planted; those that overlap in time are one event above.\n")
    logger.info("thing                clip      its worst frame is above      alarm")
    for event, inside in zip(events, rows, strict=True):
        is_flash = event["kind"] == AnomalyKind.LIGHT_FLASH  # normal: no alarm is right
        chosen = inside & ~planted if is_flash else inside
        if not chosen.any():
            continue  # a flash during a planted event tells nothing
        calmer = 100 * float((raw[~planted] < raw[chosen].max()).mean())
        verdict = "yes" if alarm[chosen].any() else "no"
        if is_flash:
            verdict += ", rightly" if verdict == "no" else ", wrongly"
        share = f"{calmer:.1f} % of normal frames"
        logger.info(f"{event['kind']:<20} {event['clip']:<9} {share:<29} {verdict}")
