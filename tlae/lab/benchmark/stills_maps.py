"""Pictures of a benchmark of planted stills: what was found, what was missed, what was nothing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tlae.evaluation.ground_truth import Mask
from tlae.evaluation.labels.masks import read_mask
from tlae.footage.frames import Image
from tlae.lab.benchmark.runs import model_of
from tlae.lab.planting.stills import CLEAN, StillSummary
from tlae.lab.still_figures.figures import PRIMARY_BUDGET
from tlae.rendering.contact_sheet import contact_sheet
from tlae.rendering.png import write_png
from tlae.scoring.results import read_results
from tlae.workflows.pictures import open_drawing, worst_rows

SHOWN = 4  # frames of each sort
OBJECTS_FOUND = "objects.csv"  # of a run: its objects, and whether they were found


def write_maps(folder: Path, runs: Sequence[str], stills: StillSummary) -> None:
    """Write maps.png: frames of some runs under their maps, objects outlined.

    Args:
        folder: of the benchmark.
        runs: names of the runs.
        stills: what was scored.
    """
    tiles = [tile for run in runs for tile in _tiles(folder, run, stills)]
    write_png(folder / "maps.png", contact_sheet(tiles, SHOWN))


def _tiles(folder: Path, run: str, stills: StillSummary) -> list[tuple[Image, str]]:
    """Objects that were found, the clearest that were missed, and the worst clean frames."""
    results = read_results(folder / "scores" / run)
    table = results.table
    objects = pd.read_csv(folder / "scores" / run / "planted" / OBJECTS_FOUND)
    clear = objects.sort_values(["contrast", "size"], ascending=False, kind="stable")
    found = clear[f"found_{PRIMARY_BUDGET}"]
    sorts = {
        "found": _frames_of(table, clear[found].iloc[::-1].head(SHOWN)),
        "missed": _frames_of(table, clear[~found].head(SHOWN)),
        "without an object": worst_rows(results.columns, SHOWN, results.columns["clip"] == CLEAN),
    }
    drawing, tiles = open_drawing(results), []
    for label, rows in sorts.items():
        planted = [row for row in rows if table["clip"].iloc[row] != CLEAN]
        masks = {row: _mask(stills.folder, table, row) for row in planted}
        pictures = drawing.stills_of_rows(rows, masks)
        tiles += [(pictures[row], f"{model_of(run)}: {label}") for row in rows if row in pictures]
    return tiles


def _frames_of(table: pd.DataFrame, objects: pd.DataFrame) -> list[int]:
    """Row of the highest score of each object."""
    rows = []
    for clip, first, last in zip(
        objects["clip"], objects["first_frame"], objects["last_frame"], strict=True
    ):
        span = table[(table["clip"] == clip) & table["frame"].between(first, last)]
        rows.append(int(span["raw"].fillna(-np.inf).idxmax()))
    return rows


def _mask(footage: Path, table: pd.DataFrame, row: int) -> Mask:
    """Mask of a planted frame, by its name."""
    name = Path(str(table["path"].iloc[row])).stem
    return read_mask(footage / "Test" / f"{table['clip'].iloc[row]}_gt" / f"{name}.png")
