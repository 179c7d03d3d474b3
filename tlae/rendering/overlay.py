"""One picture with what is unusual in it: heat, contour, boxes, clock, alarm."""

import math
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from tlae.footage.frames import Image
from tlae.footage.zones import Polygon
from tlae.palette import ALARM, AMBER, DARK
from tlae.rendering.heatmap import FloatMap, HeatScale, Mask, blend_heat, upsample_map
from tlae.rendering.marks import (
    WHOLE,
    WHOLE_SHARE,
    Caption,
    DrawnRegion,
    draw_alarm,
    draw_box,
    draw_caption,
    draw_contour,
    draw_label,
    draw_scale,
    draw_zones,
    find_regions,
)
from tlae.rendering.strength import ratio_text
from tlae.rendering.text import Rect, draw_plate, fit_text, line_height, plate_at, plate_margin

READABLE_PX = 360  # short side below which text becomes too coarse
LARGEST_PX = 1920  # long side that every player and screen takes
HALF = 0.5  # of a map's peak: what is boxed where an alarm's map is below the threshold
DARKENED = 0.35  # brightness left in the picture behind a message


def display_hw(source_hw: tuple[int, int]) -> tuple[int, int]:
    """Size at which a picture is drawn on.

    Small pictures grow by a whole factor until text is readable, large ones shrink to a long side
    of ``LARGEST_PX``.
    """
    short, long = min(source_hw), max(source_hw)
    if long > LARGEST_PX:
        return (
            max(1, round(source_hw[0] * LARGEST_PX / long)),
            max(1, round(source_hw[1] * LARGEST_PX / long)),
        )
    factor = min(math.ceil(READABLE_PX / short), LARGEST_PX // long)
    return source_hw[0] * factor, source_hw[1] * factor


def resize_picture(image: Image, size_hw: tuple[int, int]) -> Image:
    """RGB (H, W, 3) or grey (H, W, 1) -> RGB of ``size_hw``."""
    if image.shape[-1] == 1:
        image = np.repeat(image, 3, axis=-1)
    if image.shape[:2] == size_hw:
        return image
    smaller = image.shape[0] >= size_hw[0] and image.shape[1] >= size_hw[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (size_hw[1], size_hw[0]), interpolation=method), np.uint8)


def draw_overlay(
    image: Image,
    smoothed: FloatMap,
    threshold: float,
    scale: HeatScale,
    *,
    alarm: bool = False,
    watched: Mask | None = None,
    caption: Caption | None = None,
    size_hw: tuple[int, int] | None = None,
    zones: Mapping[str, Polygon] | None = None,
    strength: float | None = None,
    legend: bool = False,
) -> Image:
    """Show in a picture what is unusual about it.

    Where more than a third of the picture is over the threshold, heat and boxes would hide what
    they are to show: a contour alone is drawn, and called "whole picture".

    Args:
        image: RGB (H, W, 3).
        smoothed: (h, w), smoothed error in raw units, of any size.
        threshold: alarm threshold in raw units; infinite: no contours and boxes.
        scale: from error to heat.
        alarm: whether the frame is in alarm: red border and badge.
        watched: (h, w), False where changes are ignored; None: watched everywhere.
        caption: written at the bottom.
        size_hw: size of the result in pixels; None: ``display_hw``.
        zones: outlined and named, see ``marks.draw_zones``.
        strength: score of the frame as a multiple of the threshold, for the badge. It is smoothed
            in time, which the map is not, and the one figure of the frame; None: each box bears the
            peak of its map.
        legend: with a colour bar.

    Returns:
        RGB of that size.
    """
    size_hw = size_hw or display_hw((image.shape[0], image.shape[1]))
    error = upsample_map(smoothed, size_hw)
    share = None if watched is None else upsample_map(watched, size_hw)
    picture = resize_picture(image, size_hw)
    inside = error if share is None else error * (share > 0.5)
    whole = covers_picture(inside, threshold)
    heat = np.zeros_like(error) if whole else error
    canvas = blend_heat(picture, heat, scale, share)
    taken = draw_zones(canvas, zones or {})
    if legend and 0 < threshold < math.inf:
        taken.append(draw_scale(canvas, scale, threshold, WHOLE if whole else ""))
    elif whole:
        taken.append(_draw_whole(canvas))
    regions = find_regions(inside, threshold)
    if regions:
        draw_contour(canvas, inside, threshold)
    elif (
        alarm and threshold < math.inf and inside.any()
    ):  # its smoothed score is over it, not its map
        regions = find_regions(inside, HALF * float(inside.max()))[:1]
    if whole:
        regions = []
    badge = "" if strength is None else f"{ratio_text(strength)}x"
    labels = [f"{ratio_text(r.peak / threshold)}x" if threshold > 0 else "" for r in regions]
    boxed = list(zip(regions, labels if strength is None else [""] * len(regions), strict=True))
    _draw_marks(canvas, boxed, caption, taken, badge if alarm else None)
    return canvas


def covers_picture(error: FloatMap, threshold: float) -> bool:
    """Whether so much of a map (h, w) is over the threshold that the whole picture is meant."""
    return bool((error > threshold).mean() > WHOLE_SHARE)


def _draw_whole(canvas: Image) -> Rect:
    """Say at the top left that the whole picture is meant."""
    line_px = line_height((canvas.shape[0], canvas.shape[1]))
    corner = (plate_margin(line_px), plate_margin(line_px))
    draw_plate(canvas, fit_text(WHOLE, line_px, canvas.shape[1] // 2), corner, line_px)
    return plate_at(WHOLE, corner, line_px)


def _draw_marks(
    canvas: Image,
    boxed: Sequence[tuple[DrawnRegion, str]],
    caption: Caption | None,
    taken: list[Rect],
    badge: str | None,
) -> None:
    """Boxes first, then text over them; a label keeps off the other texts.

    Args:
        canvas: drawn on.
        boxed: regions and their labels, "" for none.
        caption: at the bottom.
        taken: places of other texts.
        badge: what the badge says besides ALARM; None: no alarm.
    """
    colour = AMBER if badge is None else ALARM
    boxes = [draw_box(canvas, region.box, colour) for region, _ in boxed]
    taken += draw_caption(canvas, caption, boxes, taken) if caption else []
    if badge is not None:
        taken.append(draw_alarm(canvas, badge, [*boxes, *taken]))
    for (_, label), box in zip(boxed, boxes, strict=True):
        if label:
            draw_label(canvas, label, box, colour, taken)


def draw_message(
    image: Image | None, message: str, size_hw: tuple[int, int], caption: Caption | None = None
) -> Image:
    """Stand-in for a frame without a picture of its own.

    Args:
        image: last good picture, RGB (H, W, 3), or None.
        message: written in the middle.
        size_hw: size of the result in pixels.
        caption: written at the bottom.

    Returns:
        RGB of that size.
    """
    if image is None:
        canvas = np.full((*size_hw, 3), DARK, np.uint8)
    else:
        canvas = (resize_picture(image, size_hw) * DARKENED).round().astype(np.uint8)
    line_px = line_height(size_hw)
    text = fit_text(message, line_px, size_hw[1] - 4 * plate_margin(line_px))
    plate = plate_at(text, (0, 0), line_px)
    corner = ((size_hw[1] - plate.width) // 2, (size_hw[0] - plate.height) // 2)
    draw_plate(canvas, text, corner, line_px)
    if caption:
        draw_caption(canvas, caption)
    return canvas
