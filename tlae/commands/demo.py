"""tlae demo [out=demo] [model=segmenter].

Makes a synthetic street with known anomalies, trains on its normal part, scores and renders the
rest, and says how the planted anomalies rank. Needs no footage and no network.
"""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tlae import compose
from tlae.config import DemoConfig, ScoreConfig, TrainConfig
from tlae.errors import UserError
from tlae.lab.scenes import AnomalyKind, SceneOptions, write_scene
from tlae.scoring.results import held_results
from tlae.workflows.render import render
from tlae.workflows.report import report
from tlae.workflows.score import score_named
from tlae.workflows.train import train_named


def run(cfg: DemoConfig) -> None:
    """Synthetic footage in, report and overlay videos out."""
    started = time.monotonic()
    out = Path(cfg.out).expanduser()
    scene = out / "scene"
    places = [f"paths.{key}={value}" for key, value in vars(cfg.paths).items()]
    common = [f"name={cfg.name}", f"seed={cfg.seed}", *places]
    model_file = Path(cfg.paths.checkpoints) / cfg.name / "model.safetensors"
    train: TrainConfig = _settings(
        "train", f"footage={scene / 'Train'}", f"model={cfg.model}", *cfg.train, *common
    )
    score: ScoreConfig = _settings(
        "score", f"model_file={model_file}", f"footage={scene / 'Test'}", *common
    )
    print(f"1/4 making a street scene in {scene}", flush=True)
    write_scene(scene, SceneOptions(seed=cfg.seed))
    print("2/4 learning what is normal", flush=True)
    train_named(train)
    print("3/4 scoring new footage", flush=True)
    scores = score_named(score).scores
    print("4/4 rendering", flush=True)
    with held_results(scores.folder):
        render(_settings("render", f"scores={scores.folder}"), scores)
        page = scores.folder / "report.html"
        report(_settings("report", f"scores={scores.folder}"), scores, page)
    print()
    _print_ranks(scores.table, scene)
    print(f"\ndone in {time.monotonic() - started:.0f} s; look at")
    videos = sorted((scores.folder / "overlay").glob("*.mp4"))
    for path in [page, scores.folder / "top_frames.png", *videos]:
        print(f"  {path}")


def _settings(command: str, *words: str) -> Any:
    """Settings of a command, as typed; they are checked now."""
    return compose.settings_of(compose.compose(compose.parse(command, list(words))))


def _print_ranks(table: pd.DataFrame, scene: Path) -> None:
    """Where each event stands among the frames in which nothing was planted."""
    events = json.loads((scene / "scene.json").read_text(encoding="utf-8"))["events"]
    rows = [
        ((table["clip"] == e["clip"]) & table["frame"].between(e["first_frame"], e["last_frame"]))
        for e in events
    ]
    planted = np.zeros(len(table), dtype=bool)
    for event, inside in zip(events, rows, strict=True):
        if not inside.any():
            raise UserError(f"{scene} and its scores do not fit together; remove {scene.parent}")
        if event["kind"] != AnomalyKind.LIGHT_FLASH:
            planted |= inside.to_numpy()
    raw, alarm = table["raw"].to_numpy(), table["alarm"].to_numpy()
    print("event                clip      its worst frame is above      alarm")
    for event, inside in zip(events, rows, strict=True):
        is_flash = event["kind"] == AnomalyKind.LIGHT_FLASH  # normal: no alarm is right
        chosen = inside.to_numpy() & ~planted if is_flash else inside.to_numpy()
        if not chosen.any():
            continue  # a flash during a planted event tells nothing
        calmer = 100 * float((raw[~planted] < raw[chosen].max()).mean())
        verdict = "yes" if alarm[chosen].any() else "no"
        if is_flash:
            verdict += ", rightly" if verdict == "no" else ", wrongly"
        share = f"{calmer:.1f} % of normal frames"
        print(f"{event['kind']:<20} {event['clip']:<9} {share:<29} {verdict}")
