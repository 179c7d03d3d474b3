"""Text on pictures: one anti-aliased font, measured, shortened and placed on dark plates.

OpenCV 5 draws these fonts as outlines in every script, OpenCV 4 as strokes and ASCII only; capital
letters have the same height in both.
"""

from dataclasses import dataclass
from datetime import datetime

import cv2

from tlae.footage.frames import Image
from tlae.palette import DARK, INK, Colour

DOTS = "..."  # ASCII: OpenCV 4 knows nothing else
PLATE_SHARE = 0.62  # how much a plate covers the picture

_LINE_PX = 36  # height of a line of text at font scale 1, from ascender to descender
_BASELINE = 0.75  # of the line height, from its top


@dataclass(frozen=True)
class Rect:
    """Upright rectangle in pixels; right and bottom are exclusive."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column beyond it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """First row below it."""
        return self.top + self.height

    def overlaps(self, other: "Rect") -> bool:
        """Whether the two share a pixel."""
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom

    def within(self, size_hw: tuple[int, int]) -> bool:
        """Whether it lies wholly in a picture of this size."""
        return (
            min(self.left, self.top) >= 0 and self.right <= size_hw[1] and self.bottom <= size_hw[0]
        )


def clock_text(time_s: float, taken_at: datetime | None = None) -> str:
    """Wall-clock time if known, else time in the clip as mm:ss.s."""
    if taken_at is not None:
        return taken_at.strftime("%Y-%m-%d %H:%M:%S")
    tenths = round(time_s * 10)
    minutes, tenths = divmod(tenths, 600)
    seconds = f"{tenths // 10:02d}.{tenths % 10}"
    if minutes < 60:
        return f"{minutes:02d}:{seconds}"
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds}"


def in_ascii(text: str) -> str:
    """The multiplication sign as x, which every font of pictures has."""
    return text.replace("\u00d7", "x")


def line_height(size_hw: tuple[int, int]) -> int:
    """Height of a line of text that reads well in a picture of this size, in pixels."""
    return round(min(max(min(size_hw) / 28, 15), 40))


def text_width(text: str, line_px: int, *, bold: bool = False) -> int:
    """Width of a text drawn by ``draw_text``, in pixels."""
    return int(cv2.getTextSize(text, _font(bold), line_px / _LINE_PX, _stroke(line_px))[0][0])


def fit_text(text: str, line_px: int, width_px: int, *, bold: bool = False) -> str:
    """Shorten a text at its end until it is no wider than ``width_px``; may end up empty."""
    if text_width(text, line_px, bold=bold) <= width_px:
        return text
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if text_width(text[:middle] + DOTS, line_px, bold=bold) <= width_px:
            fits = middle
        else:
            too_long = middle
    return text[:fits].rstrip() + DOTS if fits else ""


def draw_text(
    image: Image,
    text: str,
    left_top: tuple[int, int],
    line_px: int,
    colour: Colour = INK,
    *,
    bold: bool = False,
) -> None:
    """Write one line into ``image`` (in place).

    Args:
        image: RGB (H, W, 3).
        text: one line.
        left_top: corner of the line of text in pixels: x, y.
        line_px: height of the line.
        colour: RGB.
        bold: heavier strokes.
    """
    origin = (left_top[0], left_top[1] + round(_BASELINE * line_px))
    scale, stroke = line_px / _LINE_PX, _stroke(line_px)
    cv2.putText(image, text, origin, _font(bold), scale, colour, stroke, cv2.LINE_AA)


def plate_at(text: str, left_top: tuple[int, int], line_px: int, *, bold: bool = False) -> Rect:
    """Place that ``draw_plate`` covers, with a margin around the text."""
    margin = plate_margin(line_px)
    width = text_width(text, line_px, bold=bold) + 2 * margin
    return Rect(left_top[0], left_top[1], width, line_px + margin)


def plate_margin(line_px: int) -> int:
    """Space left and right of a plate's text, in pixels; above and below half of it."""
    return max(4, round(0.35 * line_px))


def draw_plate(
    image: Image,
    text: str,
    left_top: tuple[int, int],
    line_px: int,
    colour: Colour = INK,
    *,
    ground: Colour | None = None,
) -> None:
    """Write a line on a plate that keeps it readable on any picture (in place).

    Args:
        image: RGB (H, W, 3).
        text: one line.
        left_top: corner of the plate in pixels: x, y.
        line_px: height of the line.
        colour: of the text.
        ground: colour of a solid plate with bold text; None darkens the picture.
    """
    bold = ground is not None
    place = plate_at(text, left_top, line_px, bold=bold)
    share = 1.0 if bold else PLATE_SHARE
    part = image[place.top : place.bottom, place.left : place.right]
    part[:] = (part * (1 - share) + [share * value for value in ground or DARK]).round()
    margin = plate_margin(line_px)
    corner = (place.left + margin, place.top + (margin + 1) // 2)
    draw_text(image, text, corner, line_px, colour, bold=bold)


def _font(bold: bool) -> int:
    return int(cv2.FONT_HERSHEY_DUPLEX if bold else cv2.FONT_HERSHEY_SIMPLEX)


def _stroke(line_px: int) -> int:
    return max(1, round(line_px / 32))
