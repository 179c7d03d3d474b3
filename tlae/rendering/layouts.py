"""Layouts: how the pictures of one moment and the timeline make one frame of a video."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from tlae.footage.frames import Image
from tlae.footage.zones import Polygon
from tlae.palette import DARK, FAINT
from tlae.rendering.heatmap import FloatMap, HeatScale, Mask, map_picture, upsample_map
from tlae.rendering.marks import Caption
from tlae.rendering.overlay import (
    LARGEST_PX,
    display_hw,
    draw_message,
    draw_overlay,
    resize_picture,
)
from tlae.rendering.text import draw_text, fit_text
from tlae.rendering.timeline import strip_height

GAP_PX = 4  # between panels
HIGHEST_PANEL_PX = 640
HEADING_PX = 18  # height of a line of text


class Layout(StrEnum):
    """Known layouts."""

    OVERLAY = "overlay"
    SIDE_BY_SIDE = "side_by_side"  # input | rebuilt | map | overlay
    TIMELAPSE = "timelapse"  # overlay; all clips in one video, steady in footage time


@dataclass(frozen=True, eq=False)
class Look:
    """What stays the same over the whole footage.

    Attributes:
        threshold: alarm threshold in raw units; infinite: none.
        scale: from error to heat.
        layout: arrangement.
        watched: (h, w), False where changes are ignored; None: watched everywhere.
        zones: outlined places, by name.
    """

    threshold: float
    scale: HeatScale
    layout: Layout = Layout.OVERLAY
    watched: Mask | None = None
    zones: Mapping[str, Polygon] = field(default_factory=dict)

    def at(self, threshold: float | None) -> "Look":
        """The same with the threshold of a frame's camera mode, where places have one at all."""
        own = threshold is not None and math.isfinite(threshold) and threshold > 0
        if not own or not math.isfinite(self.threshold) or threshold == self.threshold:
            return self
        assert threshold is not None
        return replace(self, threshold=threshold, scale=HeatScale.from_threshold(threshold))


@dataclass(frozen=True, eq=False)
class ShownMoment:
    """What is shown of one frame.

    Attributes:
        image: RGB (H, W, 3); for an unreadable frame the last good one, None if there is none.
        smoothed: (h, w), error in raw units; None for an unreadable frame.
        caption: clock and place.
        alarm: whether it is in alarm.
        threshold: of its camera mode; None: as of the footage.
        strength: score as a multiple of that threshold; None: not known.
        rebuilt: (h, w, C) uint8, what the net expected.
        message: why there is no map.
    """

    image: Image | None
    smoothed: FloatMap | None
    caption: Caption
    alarm: bool = False
    threshold: float | None = None
    strength: float | None = None
    rebuilt: Image | None = None
    message: str = ""


@dataclass(frozen=True)
class Plan:
    """Sizes of a layout, the same for every frame of a video.

    Attributes:
        panels: their headings in order; a single panel has none drawn.
        panel_hw: size of each in pixels.
        strip_hw: size of the timeline.
        size_hw: size of the whole; even.
    """

    panels: tuple[str, ...]
    panel_hw: tuple[int, int]
    strip_hw: tuple[int, int]
    size_hw: tuple[int, int]


def plan_layout(layout: Layout, source_hw: tuple[int, int], *, rebuilt: bool = False) -> Plan:
    """Sizes for footage of this size.

    Args:
        layout: arrangement.
        source_hw: size of the camera's picture in pixels.
        rebuilt: whether there is a rebuilt picture to show.
    """
    if layout != Layout.SIDE_BY_SIDE:
        panels: tuple[str, ...] = ("overlay",)
        height, width = display_hw(source_hw)
        heading = 0
    else:
        panels = ("input", "rebuilt", "map", "overlay") if rebuilt else ("input", "map", "overlay")
        widest = (LARGEST_PX - GAP_PX * (len(panels) - 1)) // len(panels) // 2 * 2
        share = min(widest / source_hw[1], HIGHEST_PANEL_PX / source_hw[0])
        height, width = round(share * source_hw[0]), round(share * source_hw[1])
        heading = HEADING_PX + 6
    height, width = max(2, height + height % 2), max(2, width + width % 2)
    total = len(panels) * width + GAP_PX * (len(panels) - 1)
    strip = strip_height(total)
    return Plan(panels, (height, width), (strip, total), (heading + height + strip, total))


def compose(plan: Plan, look: Look, moment: ShownMoment, strip: Image) -> Image:
    """One frame of the video.

    Args:
        plan: sizes, from ``plan_layout``.
        look: scale, threshold and mask.
        moment: what to show.
        strip: timeline with its cursor, RGB of ``plan.strip_hw``.

    Returns:
        RGB of ``plan.size_hw``.
    """
    frame = np.full((*plan.size_hw, 3), DARK, np.uint8)
    height, width = plan.panel_hw
    top = plan.size_hw[0] - strip.shape[0] - height
    for number, name in enumerate(plan.panels):
        left = number * (width + GAP_PX)
        frame[top : top + height, left : left + width] = _panel(name, plan.panel_hw, look, moment)
        if top:
            heading = fit_text(name, HEADING_PX, width - 16)
            draw_text(frame, heading, (left + 8, (top - HEADING_PX) // 2), HEADING_PX, FAINT)
    frame[-strip.shape[0] :] = strip
    return frame


def _panel(name: str, size_hw: tuple[int, int], look: Look, moment: ShownMoment) -> Image:
    look = look.at(moment.threshold)
    if name == "input":
        if moment.image is None or moment.message:
            return draw_message(moment.image, moment.message, size_hw)
        return resize_picture(moment.image, size_hw)
    if name == "rebuilt" and moment.rebuilt is not None:
        return resize_picture(moment.rebuilt, size_hw)
    if name == "map" and moment.smoothed is not None:
        return map_picture(upsample_map(moment.smoothed, size_hw), look.scale)
    if name == "overlay":
        if moment.image is None or moment.smoothed is None:
            return draw_message(moment.image, moment.message, size_hw, moment.caption)
        return draw_overlay(
            moment.image,
            moment.smoothed,
            look.threshold,
            look.scale,
            alarm=moment.alarm,
            watched=look.watched,
            caption=moment.caption,
            size_hw=size_hw,
            zones=look.zones,
            strength=moment.strength,
            legend=True,
        )
    return np.full((*size_hw, 3), DARK, np.uint8)
