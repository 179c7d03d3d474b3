"""Train each model on each scene once, score it there and on other days, and collect figures."""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.budget import Budget
from tlae.compose import settings_of_words
from tlae.config_scores import EvaluateConfig
from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.lab.compare.days import require_days, write_day
from tlae.lab.compare.table import CLEAN, RATES, Row, write_comparison
from tlae.lab.settings import CompareConfig
from tlae.model_file import load_model
from tlae.scoring.calibrate import Calibration, threshold_of
from tlae.scoring.results import Scores, read_results
from tlae.whole_file import explain_os_errors, read_facts, require_plain_name, write_json
from tlae.workflows.evaluate import measured
from tlae.workflows.score import score_named
from tlae.workflows.train import train_named

SETTINGS = "settings.json"  # what the figures in a folder depend on
CALM_FRAMES = 15  # normal frames so near an event do not count: smoothing reaches them
FIGURES = ("auc_raw", "auc_macro", "rbdc", "tbdc", "aupro_05", "recall_1_per_hour")

logger = logging.getLogger(__name__)
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Run:
    """One model on one scene.

    Attributes:
        scene: its folder, with Train and Test.
        model: a choice of `tlae train`.
        seed: of the training.
        folder: where everything of the scene is written.
    """

    scene: Path
    model: str
    seed: int
    folder: Path

    @property
    def name(self) -> str:
        """Of the model and its scores."""
        return f"{self.model}-seed{self.seed}"

    @property
    def file(self) -> Path:
        """Of the model."""
        return self.folder / "checkpoints" / self.name / "model.safetensors"

    def figures(self, day: str) -> Path:
        """Where the figures of a day lie."""
        return self.folder / "figures" / f"{self.name}-{day}.json"


def compare(cfg: CompareConfig) -> None:
    """All models on all scenes; what is done is not done again."""
    require_days(cfg.days)
    scenes = [_scene_of(path) for path in cfg.scenes]
    names = [scene.name for scene in scenes]
    if len(set(names)) < len(names):
        raise UserError(f"scenes must be folders of different names, got {', '.join(names)}")
    if not (scenes and cfg.models and cfg.seeds):
        raise UserError("scenes, models and seeds must name at least one each, got none")
    out = Path(cfg.out).expanduser()
    runs = [
        _Run(scene, model, seed, out / require_plain_name(scene.name, "scene"))
        for scene in scenes
        for model in cfg.models
        for seed in cfg.seeds
    ]
    for run in runs:  # a wrong word in the last of them is said before the first one trains
        settings_of_words("train", _training(cfg, run))
        settings_of_words("score", _scoring(cfg, run, CLEAN))
    with held_folder(out, "give another out=..."):
        _require_alike(cfg, scenes, out / SETTINGS)
        for run in runs:
            _finish(cfg, run)
        rows = [_read(path) for path in sorted(out.glob("*/figures/*.json"))]
        write_comparison(out, rows, names, cfg.models)


def _scene_of(path: str) -> Path:
    """A folder with what a scene needs."""
    scene = Path(path).expanduser()
    for split in ("Train", "Test"):
        if not (scene / split).is_dir():
            raise UserError(f"a scene must hold the folders Train and Test, {scene} has no {split}")
    return scene.resolve()


def _require_alike(cfg: CompareConfig, scenes: list[Path], file: Path) -> None:
    """Refuse a folder whose figures are of other settings or scenes, and note those of this one."""
    asked = {"train": list(cfg.train), "score": list(cfg.score), "maps": cfg.maps}
    places = {scene.name: str(scene) for scene in scenes}
    known = read_facts(file)
    before = known.get("scenes", {})
    other = [name for name in asked if name in known and known[name] != asked[name]]
    other += [f"scene {name}" for name in places if before.get(name, places[name]) != places[name]]
    if other:
        raise UserError(
            f"out={file.parent} holds a comparison with another {' and '.join(other)}; "
            "give another out=..."
        )
    with explain_os_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, asked | {"scenes": before | places})


def _finish(cfg: CompareConfig, run: _Run) -> None:
    """Measure one model on every day of one scene that is not measured."""
    missing = [day for day in (CLEAN, *cfg.days) if not run.figures(day).is_file()]
    if not missing:
        return
    logger.info(f"{run.scene.name}: {run.name}")
    train_named(settings_of_words("train", _training(cfg, run)))
    for day in missing:
        row = _measured(cfg, run, day)
        run.figures(day).parent.mkdir(parents=True, exist_ok=True)
        write_json(run.figures(day), asdict(row))


def _training(cfg: CompareConfig, run: _Run) -> list[str]:
    """Words of `tlae train`."""
    mask = run.scene / "mask.png"
    return [
        f"footage={run.scene / 'Train'}",
        f"model={run.model}",
        f"seed={run.seed}",
        f"paths.checkpoints={run.folder / 'checkpoints'}",
        *([f"footage.mask={mask}"] if mask.is_file() else []),
        *cfg.train,
        *_places(cfg, run),
    ]


def _scoring(cfg: CompareConfig, run: _Run, day: str) -> list[str]:
    """Words of `tlae score`."""
    footage = run.scene / "Test" if day == CLEAN else run.folder / "days" / day
    return [
        f"model_file={run.file}",
        f"footage={footage}",
        f"paths.scores={run.folder / 'scores' / day}",
        *cfg.score,
        *_places(cfg, run),
    ]


def _places(cfg: CompareConfig, run: _Run) -> list[str]:
    return [f"paths.cache={cfg.paths.cache}", f"name={run.name}"]


def _measured(cfg: CompareConfig, run: _Run, day: str) -> Row:
    labels = run.scene / "Test"
    if day != CLEAN:
        write_day(labels, day, run.folder / "days" / day)
    score_named(settings_of_words("score", _scoring(cfg, run, day)))
    scores = read_results(run.folder / "scores" / day / run.name)
    with_maps = cfg.maps and day == CLEAN
    evaluation = measured(
        EvaluateConfig(scores=str(scores.folder), labels=str(labels), maps=with_maps)
    )
    trained = load_model(run.file)
    calibration = trained.calibration.smoothed(scores.rule.smooth_frames, causal=scores.rule.causal)
    realised, calm = _realised(scores, evaluation.truth.anomalous, calibration)
    return Row(
        scene=run.scene.name,
        model=run.model,
        day=day,
        seed=run.seed,
        figures={key: evaluation.value_of(key) for key in FIGURES}
        | {"clock": evaluation.value_of("auc_clock")},
        realised=realised,
        calm_frames=calm,
        moments=calibration.tail.moments,
        train_s=float(trained.training["seconds"]),
        frames_per_s=float(scores.summary["frames_per_s"] or 0.0),
    )


def _realised(
    scores: Scores, anomalous: Flags, calibration: Calibration
) -> tuple[dict[str, float], int]:
    """Share of calm normal frames in alarm for each rate asked for, and how many these are."""
    table = scores.table
    calm = table["raw"].notna().to_numpy() & ~_near(anomalous, table["clip"])
    modes = table["mode"].to_numpy(dtype=object)
    raw = table["raw"].to_numpy(np.float64)
    shares = {}
    for rate in RATES:
        threshold = threshold_of(calibration, Budget(false_alarm_rate=rate)).of(modes)
        above = raw[calm] > threshold[calm]
        shares[f"{rate:g}"] = float(above.mean()) if len(above) else float("nan")
    return shares, int(calm.sum())


def _near(anomalous: Flags, clips: pd.Series) -> Flags:
    """Frames within ``CALM_FRAMES`` of an anomalous one of their clip."""
    near = np.zeros(len(anomalous), bool)
    for rows in clips.groupby(clips, sort=False).indices.values():
        width = 2 * CALM_FRAMES + 1
        spread = np.convolve(anomalous[rows], np.ones(width), mode="full")
        near[rows] = spread[CALM_FRAMES : CALM_FRAMES + len(rows)] > 0
    return near


def _read(path: Path) -> Row:
    return Row(**json.loads(path.read_text(encoding="utf-8")))
