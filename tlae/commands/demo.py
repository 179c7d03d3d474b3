"""tlae demo [out=demo] [model=convlstm_small].

Makes a synthetic street with known anomalies, trains on its normal part, scores and renders the
rest, and says how the planted anomalies rank. Needs no footage and no network.
"""

import importlib
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

from tlae import compose
from tlae.cli import COMMANDS
from tlae.config import DemoConfig
from tlae.errors import UserError
from tlae.footage.synthetic import SceneOptions, write_scene
from tlae.scoring.results import read_results


def run(cfg: DemoConfig) -> None:
    """Synthetic footage in, overlay video out."""
    started = time.monotonic()
    out = Path(cfg.out).expanduser()
    scene = out / "scene"
    print(f"1/4 making a street scene in {scene}", flush=True)
    write_scene(scene, SceneOptions(seed=cfg.seed))
    places = [f"paths.{key}={value}" for key, value in dict(cfg.paths).items()]  # type: ignore[call-overload]
    common = [f"name={cfg.name}", f"seed={cfg.seed}", *places]
    model_file = Path(cfg.paths.checkpoints) / cfg.name / "model.safetensors"
    scores = Path(cfg.paths.scores) / cfg.name
    print("2/4 learning what is normal", flush=True)
    _tlae("train", f"footage={scene / 'Train'}", f"model={cfg.model}", *cfg.train, *common)
    print("3/4 scoring new footage", flush=True)
    _tlae("score", f"model_file={model_file}", f"footage={scene / 'Test'}", *common)
    print("4/4 rendering", flush=True)
    _tlae("render", f"scores={scores}")
    print()
    _tell_ranks(read_results(scores).table, scene)
    print(f"\ndone in {time.monotonic() - started:.0f} s; look at")
    for path in [*sorted((scores / "overlay").glob("*.mp4")), scores / "top_frames.png"]:
        print(f"  {path}")


def _tlae(command: str, *words: str) -> None:
    """One command, as typed."""
    cfg = compose.compose(compose.parse(command, list(words)))
    importlib.import_module(COMMANDS[command].module).run(cfg)


def _tell_ranks(table: pd.DataFrame, scene: Path) -> None:
    """Where each planted event stands among the normal frames."""
    events = json.loads((scene / "scene.json").read_text())["events"]
    planted = np.zeros(len(table), dtype=bool)
    lines = []
    normal_kinds = {"light_flash"}
    for event in events:
        inside = (table["clip"] == event["clip"]) & table["frame"].between(
            event["first_frame"], event["last_frame"]
        )
        if not inside.any():
            raise UserError(f"{scene} and its scores do not fit together; remove {scene.parent}")
        if event["kind"] not in normal_kinds:
            planted |= inside.to_numpy()
        lines.append((event, inside.to_numpy()))
    normal = table["raw"].to_numpy()[~planted]
    print("planted event        clip      its worst frame is above      alarm")
    for event, inside in lines:
        worst = float(table["raw"].to_numpy()[inside].max())
        calmer = float((normal < worst).mean())
        alarm = "yes" if table["alarm"].to_numpy()[inside].any() else "no"
        note = "  (should be no)" if event["kind"] in normal_kinds else ""
        share = f"{100 * calmer:.1f} % of normal frames"
        print(f"{event['kind']:<20} {event['clip']:<9} {share:<29} {alarm}{note}")
