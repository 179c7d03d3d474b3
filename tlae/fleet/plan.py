"""The jobs of a fleet: a day of a camera each, with its model; what is done is told by its note."""

import hashlib
import json
import logging
import os
from dataclasses import asdict, replace
from pathlib import Path

from tlae.config import ScoreConfig
from tlae.config_parts import FootageConfig, PathsConfig
from tlae.errors import FootageError, ModelFileError, UserError
from tlae.fleet.job import DONE, Job, read_outcome
from tlae.fleet.settings import FleetConfig
from tlae.fleet.shards import parse_shard
from tlae.footage.sources import ARCHIVE_SUFFIX
from tlae.footage.sources.listing import is_hidden, is_image, is_video, natural_key, walk
from tlae.number_words import how_many
from tlae.tensor_file import EXPORTED_SUFFIX
from tlae.whole_file import require_plain_name

PARTS, NOTES = "parts", "jobs"  # in the folder of a fleet
MODEL_SUFFIXES = (".safetensors", EXPORTED_SUFFIX)
PASSED_ON = ("scoring", "events", "batch_frames", "device", "precision", "keep_rebuilt")

logger = logging.getLogger(__name__)


def plan(cfg: FleetConfig) -> list[Job]:
    """All jobs of a fleet or of its share, cameras and days in natural order.

    Raises:
        UserError: there are no days, a camera has no model, or a part is of another model.
    """
    shard = parse_shard(cfg.shard)
    jobs: list[Job] = []
    for camera, days in find_days(Path(cfg.footage.path).expanduser()).items():
        model_file = find_model(Path(cfg.models).expanduser(), camera)
        digest = hashlib.sha256(model_file.read_bytes()).hexdigest()
        for day, place in days.items():
            if shard is None or shard.takes(f"{camera}/{day}"):
                jobs.append(_job(cfg, camera, day, place, model_file, digest))
    if not cfg.overwrite:
        _require_own_parts(jobs)
    return jobs


def find_days(footage: Path) -> dict[str, dict[str, Path]]:
    """Days of each camera: the folders, videos and zip files in the camera's folder.

    Raises:
        FootageError: there are none, or two have the same name.
    """
    if not footage.is_dir():
        raise FootageError(f"footage must be a folder of cameras, got {footage}")
    cameras = {}
    for camera in _sorted(footage):
        if camera.is_dir() and (days := _days(camera)):
            cameras[require_plain_name(camera.name, "camera")] = days
    if not cameras:
        raise FootageError(
            f"footage must hold <camera>/<day>/ or a video <camera>/<day>.mp4, got none in "
            f"{footage}; put the pictures of each day into a folder"
        )
    return cameras


def find_model(models: Path, camera: str) -> Path:
    """The model file of a camera.

    Raises:
        ModelFileError: there is none.
    """
    tried = [models / camera / "model", models / camera]  # trained first, then exported
    found = [path.parent / (path.name + end) for path in tried for end in MODEL_SUFFIXES]
    for path in (models, *found):
        if path.is_file():
            return path
    raise ModelFileError(
        f"models must be a model file, or hold one for each camera; camera {camera} has none, "
        f"looked for {found[0]} and {camera}.safetensors, or .onnx for both"
    )


def _days(camera: Path) -> dict[str, Path]:
    days: dict[str, Path] = {}
    loose = 0
    for entry in _sorted(camera):
        is_file = is_video(entry.name) or entry.suffix.lower() == ARCHIVE_SUFFIX
        loose += entry.is_file() and is_image(entry.name)
        if not (entry.is_dir() or is_file):
            continue
        day = require_plain_name(entry.stem if is_file else entry.name, "day")
        if day in days:
            raise FootageError(
                f"days of a camera must have different names, {days[day]} and {entry} are both "
                f"day {day}; rename one"
            )
        days[day] = entry
    if loose:
        logger.warning("%s: %s beside its days left out", camera, how_many(loose, "picture"))
    return days


def _sorted(folder: Path) -> list[Path]:
    found = (entry for entry in folder.iterdir() if not is_hidden(entry.name))
    return sorted(found, key=lambda entry: natural_key(entry.name))


def _job(
    cfg: FleetConfig, camera: str, day: str, place: Path, model_file: Path, digest: str
) -> Job:
    out = Path(cfg.out).expanduser().absolute()
    cache = Path(cfg.paths.cache).expanduser() / "fleet" / _digest([str(place.absolute())])[:16]
    passed = {name: getattr(cfg, name) for name in PASSED_ON}
    reading = replace(cfg.footage, path=str(place.absolute()))
    score = ScoreConfig(
        model_file=str(model_file.absolute()),
        footage=reading,
        name=day,
        paths=PathsConfig(scores=str(out / PARTS / camera), cache=str(cache)),
        overwrite=cfg.overwrite,
        **passed,
    )
    facts = {"model": digest, "footage": _files_digest(place), "settings": _settings_digest(score)}
    return Job(camera, day, score, facts, out / NOTES / camera / f"{day}.json", cfg.threads)


def _settings_digest(score: ScoreConfig) -> str:
    """Of what changes scores or events, wherever the footage lies."""
    reading: FootageConfig = replace(score.footage, path="")
    parts = [asdict(reading), asdict(score.scoring), asdict(score.events)]
    return _digest([*parts, score.batch_frames, score.precision, score.keep_rebuilt])


def _files_digest(place: Path) -> str:
    """Of name, size and modification time of each file; nothing is opened."""
    names = [""]
    if place.is_dir():
        tree = walk(place)
        names = sorted(f"{folder}/{name}" for folder, files in tree.items() for name in files)
    facts = ((name, (place / name.lstrip("/")).stat()) for name in names)
    return _digest([[os.fsencode(n).hex(), f.st_size, f.st_mtime_ns] for n, f in facts])


def _digest(facts: list[object]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _require_own_parts(jobs: list[Job]) -> None:
    """Refuse parts of another model before any job begins."""
    for job in jobs:
        before = read_outcome(job.note)
        if before is None or before.state != DONE:
            continue
        other, own = before.facts.get("model", ""), job.facts["model"]
        if other != own:
            raise UserError(
                f"parts must be written by the model that is given, {job.name} was written by "
                f"another one (sha256 {other[:12]}, given {own[:12]}); give another out=... or "
                "overwrite=true"
            )
