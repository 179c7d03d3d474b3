"""What `tlae cluster` leaves behind: tables, lists of files, sheets of samples, indices."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tlae.footage.frames import Image
from tlae.image_sets.cluster_methods import OUTLIER
from tlae.image_sets.item_pictures import item_text
from tlae.image_sets.pictures import read_pictures
from tlae.number_words import how_many
from tlae.palette import DARK, INK
from tlae.rendering.contact_sheet import GAP_PX, contact_sheet
from tlae.rendering.png import write_png
from tlae.rendering.text import draw_text, fit_text

MAP_FILE = "map.png"
COMPARED = "compared.csv"
INDICES = "indices.json"  # marks the folder as ours
CLUSTER_FILES = (  # all that such a folder consists of
    *("labels.parquet", "labels.csv", INDICES, "indices.svg", MAP_FILE, COMPARED),
    *("clusters/*.txt", "sheets/*.png"),
)
SHEET_COLUMNS = 5
SHEET_TILE_PX = 200
HEADLINE_PX = 20


def group_name(label: int) -> str:
    """How a cluster's files are called."""
    return "outliers" if label == OUTLIER else f"{label}"


def write_tables(folder: Path, table: pd.DataFrame, indices: Mapping[str, Any]) -> None:
    """Write labels, one list of files per cluster, and the indices.

    Args:
        folder: exists.
        table: path, label (missing where there is none), score and more.
        indices: plain values.
    """
    table.to_parquet(folder / "labels.parquet", index=False)
    table.to_csv(folder / "labels.csv", index=False)
    lists = folder / "clusters"
    lists.mkdir()
    for label, rows in table.groupby("label"):
        names = "".join(f"{_one_line(path)}\n" for path in rows["path"])
        (lists / f"{group_name(int(str(label)))}.txt").write_text(names, encoding="utf-8")
    text = json.dumps(_without_nan(dict(indices)), indent=1, default=str)
    (folder / INDICES).write_text(f"{text}\n", encoding="utf-8")


def _one_line(path: object) -> str:
    """A path in a list of paths, one a line: a line break in a name is written as in C."""
    return str(path).replace("\n", "\\n").replace("\r", "\\r")


def write_sheets(
    folder: Path,
    table: pd.DataFrame,
    images: str,
    samples: int,
    tiles_hw: tuple[int, int] | None = None,
    seed: int = 0,
) -> int:
    """Draw a sheet of random samples of each cluster; of the outliers, those with highest scores.

    Args:
        folder: exists; sheets go to <folder>/sheets.
        table: path, clip, frame, label, score.
        images: footage that the items were described from.
        samples: most pictures on a sheet.
        tiles_hw: number of tiles down and across, where the items are tiles.
        seed: of the samples.

    Returns:
        Number of sheets drawn; clusters of which no picture can be read have none.
    """
    parts = []
    for label, rows in table.groupby("label"):
        if int(str(label)) == OUTLIER:
            parts.append(rows.nlargest(samples, "score"))
        else:
            parts.append(rows.sample(min(samples, len(rows)), random_state=seed))
    chosen = pd.concat(parts, ignore_index=True)
    pictures = dict(read_pictures(images, chosen, tiles_hw))
    sheets = folder / "sheets"
    sheets.mkdir()
    drawn = 0
    for label, rows in chosen.groupby("label", sort=True):
        cells = [(pictures[n], _caption(chosen.iloc[n])) for n in rows.index if n in pictures]
        if cells:
            sheet = contact_sheet(cells, SHEET_COLUMNS, SHEET_TILE_PX)
            of_all = table[table["label"] == label]
            sheet = np.concatenate([_headline(of_all, int(str(label)), len(cells), sheet), sheet])
            write_png(sheets / f"{group_name(int(str(label)))}.png", sheet)
            drawn += 1
    return drawn


def _headline(rows: pd.DataFrame, label: int, shown: int, sheet: Image) -> Image:
    """A strip for above a sheet: which cluster, how many pictures, their scores."""
    name = "outliers" if label == OUTLIER else f"cluster {label}"
    which = "the highest scores" if label == OUTLIER else "drawn at random"
    scores = rows["score"]
    text = (
        f"{name}: {how_many(len(rows), 'picture')}, {shown} shown ({which}); score "
        f"{scores.median():.3g}, {scores.min():.3g} to {scores.max():.3g}"
    )
    strip = np.full((HEADLINE_PX + 2 * GAP_PX, sheet.shape[1], 3), DARK, np.uint8)
    shortened = fit_text(text, HEADLINE_PX, sheet.shape[1] - 2 * GAP_PX, bold=True)
    draw_text(strip, shortened, (GAP_PX, GAP_PX), HEADLINE_PX, INK, bold=True)
    return strip


def _caption(row: "pd.Series[Any]") -> str:
    taken_at = row.get("taken_at")
    if taken_at is not None and not pd.isna(taken_at):
        name = f"{pd.Timestamp(taken_at):%Y-%m-%d %H:%M}"
    else:
        name = item_text(row["path"], row["frame"]).replace("\\", "/").rpartition("/")[2]
    return f"{row['score']:.3g}  {name}"


def _without_nan(value: Any) -> Any:
    """JSON knows no NaN: null stands for it."""
    if isinstance(value, dict):
        return {str(key): _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
