"""tlae demo [out=demo] [model=segmenter].

Makes a synthetic street with known anomalies, trains on its normal part, scores and renders the
rest, and says how the planted anomalies rank. Needs no footage and no network.
"""

import importlib
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from tlae import compose
from tlae.cli import COMMANDS
from tlae.config import DemoConfig
from tlae.errors import UserError
from tlae.lab.scenes import AnomalyKind, SceneOptions, write_scene
from tlae.scoring.results import read_results


def run(cfg: DemoConfig) -> None:
    """Synthetic footage in, report and overlay videos out."""
    started = time.monotonic()
    out = Path(cfg.out).expanduser()
    scene = out / "scene"
    places = [f"paths.{key}={value}" for key, value in dict(cfg.paths).items()]  # type: ignore[call-overload]
    common = [f"name={cfg.name}", f"seed={cfg.seed}", *places]
    model_file = Path(cfg.paths.checkpoints) / cfg.name / "model.safetensors"
    scores = Path(cfg.paths.scores) / cfg.name
    train = _ready("train", f"footage={scene / 'Train'}", f"model={cfg.model}", *cfg.train, *common)
    score = _ready("score", f"model_file={model_file}", f"footage={scene / 'Test'}", *common)
    print(f"1/4 making a street scene in {scene}", flush=True)
    write_scene(scene, SceneOptions(seed=cfg.seed))
    print("2/4 learning what is normal", flush=True)
    train()
    print("3/4 scoring new footage", flush=True)
    score()
    print("4/4 rendering", flush=True)
    _ready("render", f"scores={scores}")()
    _ready("report", f"scores={scores}")()
    print()
    _tell_ranks(read_results(scores).table, scene)
    print(f"\ndone in {time.monotonic() - started:.0f} s; look at")
    pages = [scores / "report.html", scores / "top_frames.png"]
    for path in [*pages, *sorted((scores / "overlay").glob("*.mp4"))]:
        print(f"  {path}")


def _ready(command: str, *words: str) -> Callable[[], None]:
    """One command, as typed: its settings are checked now, it runs when called."""
    cfg = compose.compose(compose.parse(command, list(words)))
    compose.require_valid(cfg)
    return partial(importlib.import_module(COMMANDS[command].module).run, cfg)


def _tell_ranks(table: pd.DataFrame, scene: Path) -> None:
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
