"""Connected regions of one map: each may be a thing, and many at once are light or weather."""

from dataclasses import dataclass

import cv2
import numpy as np

from tlae.footage.zones import Mask
from tlae.scoring.stored_maps import FloatMap

LIGHT_REGIONS = 8  # so many separate places at once are no things
LIGHT_SHARE = 0.25  # of the picture
ALIKE = 0.5  # of the worst place: what is so unusual counts for light
WIDENED = 0.02  # of the height: what a place may be off from one frame to the next


@dataclass(frozen=True, eq=False)
class Region:
    """A connected part of a map above the lower level.

    Attributes:
        place: (h, w), True where it is.
        peak: highest value, raw units.
        over: (h, w), connected part above the alarm threshold that holds the peak; None: the peak
            is not above it.
    """

    place: Mask
    peak: float
    over: Mask | None


def regions_of(error: FloatMap, low: float, threshold: float, *, in_alarm: bool) -> list[Region]:
    """Regions of a map, the highest peak first.

    Args:
        error: (h, w), raw units.
        low: level above which a region lies, at most ``threshold``.
        threshold: alarm threshold.
        in_alarm: the frame is in alarm. Where smoothing in time alone made the alarm, the
            threshold is half of the map's peak; without an alarm no region is above it.
    """
    highest = float(error.max())
    if in_alarm and not highest > threshold:
        threshold = 0.5 * highest
        low = min(low, threshold)
    count, labels = cv2.connectedComponents((error > low).astype(np.uint8))
    if count < 2:
        return []
    peaks = np.full(count, -np.inf, np.float32)
    np.maximum.at(peaks, labels.ravel(), error.ravel())
    regions = []
    for number in sorted(range(1, count), key=lambda label: -float(peaks[label])):
        place, peak = np.asarray(labels == number), float(peaks[number])
        over = _around_peak(error, place, threshold) if in_alarm and peak > threshold else None
        regions.append(Region(place, peak, over))
    return regions


def is_light(regions: list[Region], error: FloatMap) -> bool:
    """Whether so much of the picture is unusual at once that it is light or weather.

    Only what is at least half as unusual as the worst place counts: the halo of one strong thing,
    and what flickers faintly beside it, are no light.

    Args:
        regions: of a map.
        error: the map (h, w).
    """
    level = ALIKE * float(error.max())
    alike = [region for region in regions if region.over is not None and region.peak >= level]
    share = float((error >= level).mean())
    return bool(alike) and (len(alike) >= LIGHT_REGIONS or share >= LIGHT_SHARE)


def widened(place: Mask) -> Mask:
    """A place (h, w) and what is near it."""
    reach = max(1, round(WIDENED * place.shape[0]))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    return np.asarray(cv2.dilate(place.astype(np.uint8), kernel) > 0)


def _around_peak(error: FloatMap, place: Mask, threshold: float) -> Mask:
    """The connected part of a region above a threshold that holds its peak."""
    inside = np.where(place, error, -np.inf)
    _, labels = cv2.connectedComponents((inside > threshold).astype(np.uint8))
    return np.asarray(labels == labels.flat[int(inside.argmax())])
