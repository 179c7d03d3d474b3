"""Models of pictures of one colour, small and quick to fit."""

from pathlib import Path

import numpy as np
import pytest

from tests.image_sets.test_judging_commands import FOREST, SEA, write_pictures
from tlae.cli import main

FEW_TREES = 40  # a forest is fitted for every fold, and read whenever a command starts


def fit_judges(folder: Path) -> tuple[Path, Path]:
    """Files of a novelty model that knows forest, and of a filter against a bright stamp."""
    forest = write_pictures(folder / "forest-pictures", FOREST, 20)
    bad = write_pictures(folder / "bad-pictures", FOREST, 12, stamped=True)
    place = f"paths.checkpoints={folder}/models"
    # A stamp must pass the first model, so that the second has something to do.
    words = [f"images={forest}", "name=forest", "threshold=0.62", "method=isolation_forest"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tlae.image_sets.estimators.FOREST_TREES", FEW_TREES)
        assert main(["novelty", "fit", *words, place]) == 0
    words = [f"good={forest}", f"bad={bad}", "quadrants=true", "name=clean"]
    assert main(["filter", "fit", *words, place]) == 0
    models = folder / "models"
    return models / "forest/model.safetensors", models / "clean/model.safetensors"


def picture(kind: str, number: int, side: int) -> np.ndarray:
    """(side, side, 3) uint8: forest, sea, or forest with a stamp in its lower right quarter."""
    rng = np.random.default_rng([number, len(kind)])
    colour = SEA if kind == "sea" else FOREST
    image = np.clip(rng.normal(colour, 14, (side, side, 3)), 0, 255).astype(np.uint8)
    if kind == "stamp":
        image[side * 5 // 6 : side * 15 // 16, side * 5 // 8 : side * 31 // 32] = 250
    return image
