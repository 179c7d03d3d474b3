"""Verdicts: a table, and a copy of each picture with its verdict drawn on it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.footage.frames import Image
from tlae.footage.sources.listing import is_video
from tlae.image_sets.pictures import read_pictures
from tlae.palette import ALARM, DARK, INK, NORMAL
from tlae.rendering.marks import Caption, draw_caption
from tlae.rendering.overlay import display_hw, resize_picture
from tlae.rendering.png import write_png
from tlae.rendering.text import draw_plate, line_height

INLIER, OUTLIER = 1, -1  # as scikit-learn calls them


def verdicts(scores: npt.NDArray[np.float64], threshold: float) -> npt.NDArray[np.int64]:
    """``INLIER`` up to the threshold, ``OUTLIER`` above it."""
    return np.where(scores > threshold, OUTLIER, INLIER)


def draw_verdict(image: Image, verdict: int, words: str, detail: str) -> Image:
    """A copy with a coloured border, the verdict at the top left and a detail below.

    Args:
        image: RGB (H, W, 3); small ones grow until text is readable.
        verdict: ``INLIER`` or ``OUTLIER``.
        words: beside the verdict, e.g. "like forest".
        detail: at the bottom.
    """
    size_hw = display_hw((image.shape[0], image.shape[1]))
    canvas = np.array(resize_picture(image, size_hw))
    colour = NORMAL if verdict == INLIER else ALARM
    thick = max(3, round(min(size_hw) / 120))
    for side in (canvas[:thick], canvas[-thick:], canvas[:, :thick], canvas[:, -thick:]):
        side[:] = colour
    ink = DARK if verdict == INLIER else INK
    line_px = line_height(size_hw)
    draw_plate(canvas, f"{verdict:d}  {words}", (0, 0), line_px, ink, ground=colour)
    draw_caption(canvas, Caption(detail))
    return canvas


def write_verdict_pictures(
    folder: Path,
    table: pd.DataFrame,
    images: str | None,
    words: dict[int, str],
    threshold: float,
    most: int,
) -> int:
    """Draw the pictures with the highest scores, at most ``most``.

    Args:
        folder: is made.
        table: path, clip, frame, score, verdict.
        images: footage that the items come from; None: their paths lead to them.
        words: beside each verdict.
        threshold: shown beside the score.
        most: number of pictures.

    Returns:
        Number of pictures drawn.
    """
    chosen = table.nlargest(most, "score").reset_index(drop=True)
    folder.mkdir(parents=True)
    taken: set[str] = set()
    for position, image in read_pictures(images, chosen):
        row = chosen.iloc[position]
        detail = f"score {row['score']:.4f}, threshold {threshold:.4f}"
        picture = draw_verdict(image, int(row["verdict"]), words[int(row["verdict"])], detail)
        name = next(one for one in _names(row) if one not in taken)
        taken.add(name)
        write_png(folder / f"{name}.png", picture)
    return len(taken)


def _names(row: "pd.Series[str]") -> Iterator[str]:
    """File names for a picture: its own, then with clip and frame; of a video, the latter."""
    stem = Path(str(row["path"]).rpartition("::")[2]).stem
    clip = str(row["clip"]).replace("/", "_")
    yield f"{clip}-{row['frame']:06d}" if is_video(str(row["path"])) else stem
    yield f"{clip}-{stem}-{row['frame']}"
    for number in range(2, 1_000_000):
        yield f"{clip}-{stem}-{row['frame']}-{number}"
