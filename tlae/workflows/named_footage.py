"""Footage as settings name it, and as a results folder remembers it."""

from dataclasses import fields
from pathlib import Path, PurePosixPath
from typing import Any

from tlae.budget import Budget
from tlae.config_parts import FootageConfig
from tlae.errors import FootageError
from tlae.footage.images import Levels
from tlae.footage.sources import IN_MEMORY, Footage, open_footage, require_pace

READING = tuple(field.name for field in fields(FootageConfig) if field.name != "path")


def open_named(cfg: FootageConfig) -> Footage:
    """Open footage as the settings say, without files that are still being written."""
    return open_footage(cfg.path, **{key: getattr(cfg, key) for key in READING}).settled()


def require_pace_for(budget: Budget, footage: Footage) -> None:
    """Refuse a budget of alarms a day for footage of which nobody knows how long a day is."""
    if budget.alarms_per_day is not None and budget.threshold is None:
        require_pace(footage.clips, "scoring.alarms_per_day")


def saved(cfg: FootageConfig, levels: Levels | None) -> dict[str, Any]:
    """What ``summary.json`` remembers: where the footage lies and how it was read."""
    place = cfg.path
    if place != IN_MEMORY:
        place = str(Path(place).expanduser().absolute())
    return {"path": place, **{key: getattr(cfg, key) for key in READING}, "levels": levels}


def open_saved(remembered: dict[str, Any], path: str | None = None) -> Footage:
    """Open the same frames again.

    Args:
        remembered: what ``saved`` returned; older ones know fewer settings.
        path: where the footage lies now, if it moved since.

    Raises:
        FootageError: nothing usable is there, or it was in memory.
    """
    place = path or remembered["path"]
    if place == IN_MEMORY:
        raise FootageError(
            "footage must be given where scores are of frames in memory, which are not kept; give "
            "footage=..., or use the scores that tlae.score returned"
        )
    reading = {key: remembered[key] for key in READING if key in remembered}
    footage = open_footage(place, **reading)
    return footage.with_levels(remembered.get("levels"))


def file_stem(path: str) -> str:
    """Name of a file without its ending; smaller copies may be of another format."""
    return PurePosixPath(path.replace("::", "/").replace("\\", "/")).stem
