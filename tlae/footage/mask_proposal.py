"""Places worth ignoring, found in samples of the footage: overlaid clocks, what never rests.

An overlaid clock is a line of text near the upper or lower border: sharp strokes of one unchanging
ink that come and go all the time, with calm above and below. What never rests, such as a tree in
the wind, changes from nearly every sample to the next.
"""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from tlae.footage.zones import Mask, Polygon

DETAIL_SIGMA_PX = 3.0  # strokes are finer than this, light and shadow are not
STROKE = 40  # grey levels between a stroke and its surroundings
SWITCHING = 0.1  # share of the time that a digit's pixel differs from its median state
LINE = 0.02  # a typical line of text, in picture heights
DENSE = 0.2  # share of a text's box that switches
CALM = 0.25  # density above and below a clock, as a share of that within
LINE_HEIGHT = (0.012, 0.1)  # of a clock, in picture heights
BORDER = 0.15  # a clock lies this near to the upper or lower border, in picture heights
LEAST_ASPECT = 0.7  # width by height: two digits
STEADY_INK = 12.0  # grey levels that the ink varies in time
STANDING = 0.4  # share of the time that a pixel beside it has the ink of the clock
QUARTERS = 4  # of the time; a clock changes in each of them, a vehicle that is loaded in one or two
CHANGING = 0.25  # share of a clock's switching pixels that do so in its calmest quarter
SPACE = 1.2  # between characters, in line heights
MARGIN = 0.25  # around a clock, in line heights

PLACE_SIGMA_PX, LIGHT_SIGMA_PX = 2.0, 20.0
MOVED = 8.0  # grey levels from sample to sample, light taken away
LEAST_AREA = 0.003  # of a restless place, in picture areas

Samples = npt.NDArray[np.uint8]  # (n, H, W), grey, in the order of time
Detail = npt.NDArray[np.int16]  # what is finer than its surroundings, in grey levels
Floats = npt.NDArray[np.float32]


Pixel = TypeVar("Pixel", bound=np.generic)


@dataclass(frozen=True)
class TextStrip:
    """Upright rectangle in pixels; bottom and right are exclusive."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    def of(self, picture: npt.NDArray[Pixel]) -> npt.NDArray[Pixel]:
        """The part (..., rows, columns) of a picture (..., H, W)."""
        return picture[..., max(0, self.top) : self.bottom, max(0, self.left) : self.right]

    def polygon(self, size_hw: tuple[int, int], margin_px: float = 0.0) -> Polygon:
        """Its corners in shares of the picture."""
        x0, x1 = max(0.0, self.left - margin_px), min(size_hw[1], self.right + margin_px)
        y0, y1 = max(0.0, self.top - margin_px), min(size_hw[0], self.bottom + margin_px)
        across = [round(x / size_hw[1], 4) for x in (x0, x1)]
        down = [round(y / size_hw[0], 4) for y in (y0, y1)]
        return (
            (across[0], down[0]),
            (across[1], down[0]),
            (across[1], down[1]),
            (across[0], down[1]),
        )


def find_clocks(samples: Samples) -> list[Polygon]:
    """Rectangles around overlaid clocks, in relative coordinates.

    Args:
        samples: (n, H, W), grey, in the order of time, about 480 rows high; spread so widely that
            the digits change between many of them, and in each quarter of the time.
    """
    detail = np.stack([_detail(sample) for sample in samples])  # (n, H, W)
    switching = _switching(detail, samples)
    height, width = switching.shape
    line_px = max(3, round(LINE * height))
    density = cv2.blur(switching.astype(np.float32), (2 * line_px, line_px))
    _, labels, stats, _ = cv2.connectedComponentsWithStats((density > DENSE).astype(np.uint8))
    clocks: list[TextStrip] = []
    for number in range(1, len(stats)):
        left, top, across, down = cv2.boundingRect(
            ((labels == number) & switching).astype(np.uint8)
        )
        strip = TextStrip(top, top + down, left, left + across)
        if _is_text(strip, switching) and _has_steady_ink(strip, samples):
            clocks.append(_with_standing_text(strip, samples, np.median(detail, axis=0)))
    return [
        clock.polygon((height, width), MARGIN * clock.height)
        for clock in _united(clocks)
        if _changes_throughout(clock, switching, samples)
    ]


def find_restless(samples: Samples, share: float, ignored: Mask) -> list[Polygon]:
    """Places that change between more than a share of neighbouring samples.

    Args:
        samples: (n, H, W), grey, in the order of time.
        share: of the time, in (0, 1).
        ignored: (H, W), True in places that are ignored already.

    Returns:
        Convex polygons in relative coordinates, the largest first.
    """
    height, width = samples.shape[1:]
    before = _local(samples[0])
    moved = np.zeros((height, width), np.float32)
    for sample in samples[1:]:
        after = _local(sample)
        moved += np.abs(after - before) > MOVED
        before = after
    restless = ((moved / (len(samples) - 1) > share) & ~ignored).astype(np.uint8)
    reach = max(3, height // 60)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    restless = cv2.morphologyEx(restless, cv2.MORPH_CLOSE, kernel)
    restless = cv2.morphologyEx(restless, cv2.MORPH_OPEN, kernel)
    outlines, _ = cv2.findContours(restless, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    large = [o for o in outlines if cv2.contourArea(o) >= LEAST_AREA * height * width]
    large.sort(key=lambda outline: -float(cv2.contourArea(outline)))
    return [_hull(outline, (height, width)) for outline in large]


def _detail(sample: Samples) -> Detail:
    picture = sample.astype(np.float32)
    return np.asarray(picture - cv2.GaussianBlur(picture, (0, 0), DETAIL_SIGMA_PX)).astype(np.int16)


def _switching(detail: Detail, samples: Samples) -> Mask:
    """Pixels (H, W) that leave their median state often, in the darker and in the brighter samples.

    Digits change by day and by night; what the light does to the scene, it does in one of them.
    """
    brightness = samples.mean(axis=(1, 2))
    dark = brightness <= np.median(brightness)
    shares = [
        (np.abs(half - np.median(half, axis=0)) > STROKE).mean(axis=0)
        for half in (detail[dark], detail[~dark])
        if len(half)
    ]
    return np.asarray(np.minimum.reduce(shares) > SWITCHING)


def _local(sample: Samples) -> Floats:
    """Brightness of a place beside its wider surroundings."""
    place = cv2.GaussianBlur(sample.astype(np.float32), (0, 0), PLACE_SIGMA_PX)
    return np.asarray(place - cv2.GaussianBlur(place, (0, 0), LIGHT_SIGMA_PX), np.float32)


def _is_text(strip: TextStrip, switching: Mask) -> bool:
    """Size, shape and place of a line of text, dense within and calm above and below."""
    height = switching.shape[0]
    down, across = strip.height, strip.right - strip.left
    if not LINE_HEIGHT[0] * height <= down <= LINE_HEIGHT[1] * height:
        return False
    if across < LEAST_ASPECT * down:
        return False
    if strip.top > BORDER * height and strip.bottom < (1 - BORDER) * height:
        return False
    density = float(strip.of(switching).mean())
    above = TextStrip(strip.top - down, strip.top - 1, strip.left, strip.right).of(switching)
    below = TextStrip(strip.bottom + 1, strip.bottom + down, strip.left, strip.right).of(switching)
    around = [float(part.mean()) for part in (above, below) if part.size]
    return density >= DENSE and max(around, default=0.0) <= CALM * density


def _has_steady_ink(strip: TextStrip, samples: Samples) -> bool:
    """The brightest or the darkest of a text stays the same by day and by night."""
    pixels = strip.of(samples).reshape(len(samples), -1)
    return any(np.percentile(pixels, q, axis=1).std() <= STEADY_INK for q in (3, 97))


def _changes_throughout(strip: TextStrip, switching: Mask, samples: Samples) -> bool:
    """Whether many of its pixels jump by a stroke in every quarter of the time."""
    pixels = strip.of(samples)[:, strip.of(switching)].astype(np.int16)  # (n, k)
    jumps = np.abs(np.diff(pixels, axis=0)) > STROKE
    quarters = np.array_split(jumps, QUARTERS)
    return min(float(quarter.any(axis=0).mean()) for quarter in quarters) >= CHANGING


def _with_standing_text(
    strip: TextStrip, samples: Samples, typical: npt.NDArray[np.float64]
) -> TextStrip:
    """The clock with the characters beside it that hardly change, such as the date."""
    rows = slice(strip.top, strip.bottom)
    ink = np.percentile(strip.of(samples), 97)
    inked = (np.abs(samples[:, rows] - ink) < 2 * STEADY_INK).mean(axis=0) > STANDING
    columns = (inked & (np.abs(typical[rows]) > STROKE / 2)).any(axis=0)
    space = round(SPACE * strip.height)
    left, right = strip.left, strip.right
    while (near := np.flatnonzero(columns[max(0, left - space) : left])).size:
        left = max(0, left - space) + int(near[0])
    while (near := np.flatnonzero(columns[right : right + space])).size:
        right = right + int(near[-1]) + 1
    return TextStrip(strip.top, strip.bottom, left, right)


def _united(strips: list[TextStrip]) -> list[TextStrip]:
    """Parts of one line of text as one; from the left."""
    united: list[TextStrip] = []
    for strip in sorted(strips, key=lambda s: s.left):
        for i, other in enumerate(united):
            same_line = strip.top < other.bottom and other.top < strip.bottom
            if same_line and strip.left - other.right <= SPACE * max(strip.height, other.height):
                united[i] = TextStrip(
                    min(strip.top, other.top),
                    max(strip.bottom, other.bottom),
                    other.left,
                    max(strip.right, other.right),
                )
                break
        else:
            united.append(strip)
    return united


def _hull(outline: npt.NDArray[np.int32], size_hw: tuple[int, int]) -> Polygon:
    hull = cv2.convexHull(cv2.approxPolyDP(cv2.convexHull(outline), 2.0, True))
    corners = hull[:, 0] / (size_hw[1] - 1, size_hw[0] - 1)
    return tuple((round(float(x), 4), round(float(y), 4)) for x, y in corners)
