"""Events of footage that was drawn or planted, whoever wrote it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.lab.scenes.options import AnomalyKind


def read_events(folder: Path) -> list[dict[str, Any]]:
    """Events with kind, clip, first and last frame; those that count as normal are left out.

    Args:
        folder: written by `tlae plant` or `tlae scene`.
    """
    if (folder / "planted.json").is_file():
        clips = json.loads((folder / "planted.json").read_text(encoding="utf-8"))["clips"]
        return [clip for clip in clips if clip["first_frame"] is not None]
    scene = json.loads((folder / "scene.json").read_text(encoding="utf-8"))
    return [event for event in scene["events"] if event["kind"] != AnomalyKind.LIGHT_FLASH]


def frames_of(event: Mapping[str, Any], table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which rows of a table of scores show an event."""
    inside = table["frame"].between(event["first_frame"], event["last_frame"])
    return np.asarray((table["clip"] == event["clip"]) & inside)
