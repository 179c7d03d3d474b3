"""Many small pictures on one sheet, each with its caption below it."""

import math
from collections.abc import Sequence

import numpy as np

from tlae.footage.frames import Image
from tlae.palette import DARK, FAINT, INK
from tlae.rendering.overlay import resize_picture
from tlae.rendering.text import draw_text, fit_text

GAP_PX = 10
LINE_PX = 22


def contact_sheet(
    tiles: Sequence[tuple[Image, str]], columns: int = 4, tile_width_px: int = 320
) -> Image:
    """Lay pictures out in rows.

    Args:
        tiles: pictures, RGB (H, W, 3) or grey (H, W, 1) of any sizes, and their captions. The first
            sets the shape of all cells; others keep their proportions within theirs. A caption
            may have several lines.
        columns: pictures in a row, >= 1; fewer if there are fewer.
        tile_width_px: width of a cell.

    Returns:
        RGB.
    """
    if not tiles or columns < 1:
        raise ValueError(
            f"a contact sheet needs tiles and columns >= 1, got {len(tiles)} and {columns}"
        )
    columns = min(columns, len(tiles))
    first = tiles[0][0]
    cell_hw = (max(1, round(tile_width_px * first.shape[0] / first.shape[1])), tile_width_px)
    lines = max(caption.count("\n") + 1 for _, caption in tiles)
    step_y, step_x = cell_hw[0] + lines * LINE_PX + 4 + GAP_PX, cell_hw[1] + GAP_PX
    rows = math.ceil(len(tiles) / columns)
    sheet = np.full((rows * step_y + GAP_PX, columns * step_x + GAP_PX, 3), DARK, np.uint8)
    for number, (image, caption) in enumerate(tiles):
        row, column = divmod(number, columns)
        top, left = GAP_PX + row * step_y, GAP_PX + column * step_x
        share = min(cell_hw[0] / image.shape[0], cell_hw[1] / image.shape[1])
        height, width = (max(1, round(share * pixels)) for pixels in image.shape[:2])
        y, x = top + (cell_hw[0] - height) // 2, left + (cell_hw[1] - width) // 2
        sheet[y : y + height, x : x + width] = resize_picture(image, (height, width))
        for line, words in enumerate(caption.split("\n")):
            text = fit_text(words, LINE_PX, cell_hw[1])
            below = top + cell_hw[0] + 3 + line * LINE_PX
            draw_text(sheet, text, (left, below), LINE_PX, FAINT if line else INK)
    return sheet
