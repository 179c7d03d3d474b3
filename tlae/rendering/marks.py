"""Marks drawn into a picture, in place: regions, contours, boxes, captions, the alarm badge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tlae.footage.frames import Image
from tlae.footage.zones import Polygon
from tlae.palette import ALARM, AMBER, DARK, INK, LABELLED, ZONE, Colour
from tlae.rendering.heatmap import FloatMap, HeatScale, Mask, map_picture
from tlae.rendering.text import (
    PLATE_SHARE,
    Rect,
    draw_plate,
    draw_text,
    fit_text,
    line_height,
    plate_at,
    plate_margin,
)

MOST_BOXES = 6  # the highest peaks; every region keeps its contour
WHOLE_SHARE = 1 / 3  # of the picture over the threshold, from which on the whole of it is meant
WHOLE = "whole picture"
MEANING = "1x = alarm threshold"  # of the tick in a colour bar
BAR_LINES = 5.0  # width of the colour bar, in heights of its line of text


def reason_of_alarm(alarm: bool, reason: object) -> str:
    """Why a frame is in alarm, for its caption; "" where it is not, or where nobody says."""
    return f"it {reason}" if alarm and isinstance(reason, str) and reason else ""


@dataclass(frozen=True)
class Caption:
    """What the picture says of itself.

    Attributes:
        clock: when, see ``text.clock_text``.
        place: which clip and frame.
        reason: why the frame is in alarm.
    """

    clock: str
    place: str = ""
    reason: str = ""


@dataclass(frozen=True)
class DrawnRegion:
    """Connected region over the threshold.

    Attributes:
        box: around it, in pixels.
        peak: its highest error, raw units.
    """

    box: Rect
    peak: float


def find_regions(error: FloatMap, threshold: float) -> list[DrawnRegion]:
    """Connected regions over the threshold, highest peak first, at most ``MOST_BOXES``.

    Args:
        error: (H, W), raw units.
        threshold: in the same units.
    """
    over = (error > threshold).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(over)
    peaks = np.zeros(count, np.float32)
    inside = over > 0
    np.maximum.at(peaks, labels[inside], error[inside])
    highest = sorted(range(1, count), key=lambda label: -peaks[label])[:MOST_BOXES]
    return [DrawnRegion(Rect(*map(int, stats[at][:4])), float(peaks[at])) for at in highest]


def draw_contour(canvas: Image, error: FloatMap, threshold: float) -> None:
    """Line where the error equals the threshold, white on a dark halo.

    Height over slope is the distance to the line, so it is smooth and anti-aliased.
    """
    left, top, width, height = cv2.boundingRect((error > threshold).astype(np.uint8))
    margin = 4 * _line_px(canvas)
    rows = slice(max(0, top - margin), top + height + margin)
    columns = slice(max(0, left - margin), left + width + margin)
    framed = cv2.copyMakeBorder(error[rows, columns], 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    down, across = np.gradient(framed)
    slope = np.hypot(down, across)[1:-1, 1:-1]
    height_over = np.abs(error[rows, columns] - threshold)
    distance = np.divide(height_over, slope, out=np.full_like(slope, np.inf), where=slope > 0)
    part = canvas[rows, columns]
    thick = 0.75 * _line_px(canvas) + 0.25
    for extra, colour, share in ((2.0, DARK, 0.45), (0.0, INK, 0.9)):
        alpha = share * np.clip((thick + extra + 1) / 2 - distance, 0, 1)
        near = alpha > 0
        weight = alpha[near][:, np.newaxis]  # (n, 1)
        part[near] = (part[near] * (1 - weight) + weight * np.asarray(colour)).round()


def draw_truth(canvas: Image, mask: Mask) -> None:
    """Outline what people marked as anomalous.

    Args:
        canvas: RGB (H, W, 3), drawn on.
        mask: (h, w) of any size.
    """
    height, width = canvas.shape[:2]
    inside = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    outlines, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for colour, extra in ((DARK, 2), (LABELLED, 0)):
        cv2.drawContours(canvas, outlines, -1, colour, _line_px(canvas) + extra, cv2.LINE_AA)


def draw_zones(canvas: Image, zones: Mapping[str, Polygon]) -> list[Rect]:
    """Thin outlines of zones and their names; returns the places of the names.

    Args:
        canvas: RGB (H, W, 3), drawn on.
        zones: corners (x, y) of each, as shares of the width and height.
    """
    height, width = canvas.shape[:2]
    line_px = max(15, round(0.85 * line_height((height, width))))
    taken: list[Rect] = []
    for name, points in zones.items():
        corners = (np.asarray(points) * (width - 1, height - 1)).round().astype(np.int32)
        for colour, extra in ((DARK, 2), (ZONE, 0)):
            cv2.polylines(canvas, [corners], True, colour, 1 + extra, cv2.LINE_AA)
        text = fit_text(name, line_px, width // 3)
        plate = plate_at(text, (0, 0), line_px)
        left = min(int(corners[:, 0].min()), width - plate.width)
        top = min(int(corners[:, 1].min()), height - plate.height)
        draw_plate(canvas, text, (max(0, left), max(0, top)), line_px, ZONE)
        taken.append(plate_at(text, (max(0, left), max(0, top)), line_px))
    return taken


def draw_box(canvas: Image, region: Rect, colour: Colour) -> Rect:
    """Draw a box a little outside the region; returns its place."""
    height, width = canvas.shape[:2]
    thick = _line_px(canvas)
    air = 3 * thick
    left, top = max(0, region.left - air), max(0, region.top - air)
    right, bottom = min(width, region.right + air), min(height, region.bottom + air)
    half = thick // 2
    corners = (left + half, top + half), (right - 1 - half, bottom - 1 - half)
    cv2.rectangle(canvas, *corners, colour, thick)
    return Rect(left, top, right - left, bottom - top)


def draw_label(canvas: Image, text: str, box: Rect, colour: Colour, taken: list[Rect]) -> None:
    """Write beside a box where there is room; adds the place to ``taken``."""
    size_hw = (canvas.shape[0], canvas.shape[1])
    line_px = max(15, round(0.85 * line_height(size_hw)))
    plate = plate_at(text, (0, 0), line_px, bold=True)
    above, below = box.top - plate.height, box.bottom
    left, right = box.left, box.right - plate.width
    beside = ((box.right, box.top), (box.left - plate.width, box.top))
    inside = ((left, box.top), (right, box.bottom - plate.height))
    corners = ((left, above), (left, below), (right, above), (right, below), *beside, *inside)
    for corner in corners:
        place = plate_at(text, corner, line_px, bold=True)
        if place.within(size_hw) and not any(place.overlaps(other) for other in taken):
            draw_plate(canvas, text, corner, line_px, _ink_on(colour), ground=colour)
            taken.append(place)
            return


def draw_caption(
    canvas: Image, caption: Caption, boxes: Sequence[Rect] = (), taken: Sequence[Rect] = ()
) -> list[Rect]:
    """Clock at the bottom left, place at the bottom right if there is room, reason above them.

    Args:
        canvas: RGB (H, W, 3), drawn on.
        caption: what to write.
        boxes: that the reason leaves free if it can: it then stands at the top.
        taken: places of other texts.

    Returns:
        Their places.
    """
    height, width = canvas.shape[:2]
    line_px = line_height((height, width))
    edge, margin = plate_margin(line_px), plate_margin(line_px)
    room = width - 2 * edge - 2 * margin
    clock = fit_text(caption.clock, line_px, room)
    left = plate_at(clock, (edge, 0), line_px)
    top = height - edge - left.height
    places = []
    if clock:
        draw_plate(canvas, clock, (edge, top), line_px)
        places.append(plate_at(clock, (edge, top), line_px))
    text = fit_text(caption.place, line_px, room - left.width - edge)
    if text:
        right = width - edge - plate_at(text, (0, 0), line_px).width
        draw_plate(canvas, text, (right, top), line_px)
        places.append(plate_at(text, (right, top), line_px))
    reason = fit_text(caption.reason, line_px, room)
    if reason:
        above = plate_at(reason, (edge, max(0, top - edge - left.height)), line_px)
        ends = [edge, *(other.bottom + edge for other in taken if other.top < height // 3)]
        at_top = plate_at(reason, (edge, max(ends)), line_px)
        hides = any(above.overlaps(box) for box in boxes)
        free = at_top.within((height, width)) and not any(at_top.overlaps(box) for box in boxes)
        place = at_top if hides and free else above
        draw_plate(canvas, reason, (place.left, place.top), line_px)
        places.append(place)
    return places


def draw_scale(canvas: Image, scale: HeatScale, threshold: float, words: str = "") -> Rect:
    """Colour bar of heat at the top left, a tick at the threshold, and what it means.

    Args:
        canvas: RGB (H, W, 3), drawn on.
        scale: from error to heat.
        threshold: in raw units.
        words: of what is said besides, before the meaning.

    Returns:
        Its place.
    """
    line_px = max(15, round(0.8 * line_height((canvas.shape[0], canvas.shape[1]))))
    margin, edge = plate_margin(line_px), 2 * _line_px(canvas)
    wide = min(round(BAR_LINES * line_px), canvas.shape[1] // 4)
    room = canvas.shape[1] - wide - 3 * margin - 2 * edge
    text = fit_text(", ".join(filter(None, (words, MEANING))), line_px, room)
    plate = plate_at(text, (edge, edge), line_px)
    place = Rect(edge, edge, plate.width + wide + margin, plate.height)
    part = canvas[place.top : place.bottom, place.left : place.right]
    part[:] = (part * (1 - PLATE_SHARE) + [PLATE_SHARE * value for value in DARK]).round()
    values = np.linspace(0, scale.high, wide, dtype=np.float32)[np.newaxis]
    bar = canvas[place.top + margin // 2 : place.bottom - margin // 2, place.left + margin :]
    bar[:, :wide] = map_picture(values, scale)
    tick = round(threshold / scale.high * (wide - 1))
    bar[:, max(0, tick - 1) : tick + 1] = INK
    corner = (place.left + wide + 2 * margin, place.top + (margin + 1) // 2)
    draw_text(canvas, text, corner, line_px)
    return place


def draw_alarm(canvas: Image, strength: str = "", taken: Sequence[Rect] = ()) -> Rect:
    """Red border, and a badge at the top right or next to what is there; returns its place.

    Args:
        canvas: RGB (H, W, 3), drawn on.
        strength: written in the badge.
        taken: places of boxes and texts, which the badge leaves free if it can.
    """
    height, width = canvas.shape[:2]
    thick = 2 * _line_px(canvas)
    for side in (canvas[:thick], canvas[-thick:], canvas[:, :thick], canvas[:, -thick:]):
        side[:] = ALARM
    line_px = line_height((height, width))
    text = f"ALARM {strength}".rstrip()
    badge = plate_at(text, (0, 0), line_px, bold=True)
    place = _free_place(badge, taken, (height, width))
    draw_plate(canvas, text, (place.left, place.top), line_px, ground=ALARM)
    return place


def _free_place(badge: Rect, taken: Sequence[Rect], size_hw: tuple[int, int]) -> Rect:
    """Along the upper edge from the right, else down the right edge; where all is taken, first."""
    right = max(0, size_hw[1] - badge.width)
    along = [(other.left - badge.width, 0) for other in sorted(taken, key=lambda one: -one.left)]
    down = [(right, other.bottom) for other in sorted(taken, key=lambda one: one.bottom)]
    places = [Rect(*corner, badge.width, badge.height) for corner in ((right, 0), *along, *down)]
    for place in places:
        if place.within(size_hw) and not any(place.overlaps(other) for other in taken):
            return place
    return places[0]


def _line_px(canvas: Image) -> int:
    """Thickness of lines that suits the size of the picture."""
    return max(1, round(int(min(canvas.shape[:2])) / 300))


def _ink_on(colour: Colour) -> Colour:
    return DARK if colour == AMBER else INK
