"""Heat on pictures: one fixed scale for the whole footage, so that calm frames look calm."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image
from tlae.palette import HEAT

FloatMap = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# Heat begins somewhat below the alarm threshold, so that one sees it coming, and is full at twice.
LOW_SHARE = 0.6
HIGH_SHARE = 2.0
LOW_OF_HIGHEST = 0.3  # where no threshold is known: heat begins at this share of the highest error
LEAST_HIGH = 1e-6

FULL_ALPHA = 0.66  # the picture stays visible under full heat
ALPHA_POWER = 0.6  # below 1: heat at the threshold is well seen

# Of the share of its map's peak that a place had shortly before: what has less of it was left.
LEFT = 0.7
TRAIL = 0.4  # what of the error stays in a place that was left
TRAIL_FRAMES, TRAIL_S = 3, 5.0  # so far back a trail is looked for

HATCH_PERIODS = 26  # across the short side of the picture
HATCH_LIGHT = 14  # grey levels
GREY_SHARE = 0.45
IGNORED_GREY = (72, 76, 84)


@dataclass(frozen=True)
class HeatScale:
    """From error to heat, the same for every frame.

    Attributes:
        low: error at or below which nothing is drawn, in raw units.
        high: error of full heat.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.high) and 0 <= self.low < self.high):
            raise ValueError(
                f"a heat scale must have 0 <= low < high, both finite, got {self.low:g} and "
                f"{self.high:g}"
            )

    @classmethod
    def from_threshold(cls, threshold: float) -> "HeatScale":
        """Scale that makes what is near an alarm warm and twice the threshold hot."""
        if not (math.isfinite(threshold) and threshold > 0):
            raise ValueError(
                f"a heat scale needs a finite threshold > 0, got {threshold:g}; give its low and "
                "high instead"
            )
        return cls(LOW_SHARE * threshold, HIGH_SHARE * threshold)

    @classmethod
    def up_to(cls, error: FloatMap, low_share: float = LOW_OF_HIGHEST) -> "HeatScale":
        """Scale from a share of the highest error of a map (h, w) to that error."""
        highest = max(float(np.nan_to_num(error).max(initial=0.0)), LEAST_HIGH)
        return cls(low_share * highest, highest)

    @classmethod
    def of_map(
        cls, error: FloatMap, threshold: float, low_share: float = LOW_OF_HIGHEST
    ) -> "HeatScale":
        """Scale by the threshold; where it is not finite and above 0, by the map itself."""
        if math.isfinite(threshold) and threshold > 0:
            return cls.from_threshold(threshold)
        return cls.up_to(error, low_share)

    def heat(self, error: FloatMap) -> FloatMap:
        """Heat in [0, 1] of errors in raw units, same shape."""
        heat = (error - np.float32(self.low)) / np.float32(self.high - self.low)
        return np.asarray(np.clip(heat, 0, 1), np.float32)


def upsample_map(
    map_hw: npt.NDArray[np.float32 | np.bool_], source_hw: tuple[int, int]
) -> FloatMap:
    """Stretch a map of the net's size back over the picture it was made from.

    Preprocessing stretches the picture to the net's size with ``cv2.resize``; this is the way back,
    with the centres of pixels at half coordinates in both.

    Args:
        map_hw: (h, w), error in raw units or a mask; NaN counts as 0.
        source_hw: size of the picture in pixels.

    Returns:
        (H, W), same unit; in [0, 1] for a mask.
    """
    if map_hw.ndim != 2:
        raise ValueError(f"a map must have two axes (h, w), got shape {map_hw.shape}")
    known = np.nan_to_num(map_hw.astype(np.float32))
    stretched = cv2.resize(known, (source_hw[1], source_hw[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(stretched, np.float32)


def without_trail(error: FloatMap, before: Sequence[FloatMap]) -> FloatMap:
    """A map in which the trail of what moves is faint.

    Maps look back a few frames, so a mover is followed by error where it no longer is. There the
    error falls while it is at its height where the mover is. The highest place stays as it is, and
    so does what stands still.

    Args:
        error: (h, w), raw units.
        before: maps of the few frames before, the same size.

    Returns:
        (h, w), nowhere higher than ``error``.
    """
    highest = float(error.max())
    if not before or not highest > 0:
        return error
    shares = [one / max(float(one.max()), LEAST_HIGH) for one in before]
    ratio = error / highest / np.maximum(np.maximum.reduce(shares), LEAST_HIGH)
    there = np.clip((ratio - LEFT) / (1 - LEFT), 0, 1)
    return np.asarray(error * (TRAIL + (1 - TRAIL) * there), np.float32)


class RecentMaps:
    """Maps of the last frames as they arrive, in which a trail is looked for."""

    def __init__(self) -> None:
        self._maps: deque[tuple[float, FloatMap]] = deque(maxlen=TRAIL_FRAMES)

    def before(self, frame: int, time_s: float, error: FloatMap) -> tuple[FloatMap, ...]:
        """Maps of the few frames before, for ``without_trail``; this one is kept for those after.

        Args:
            frame: 0-based in its clip.
            time_s: since that began [s].
            error: (h, w), its map.
        """
        if frame == 0:
            self._maps.clear()
        near = tuple(one for at_s, one in self._maps if abs(time_s - at_s) <= TRAIL_S)
        self._maps.append((time_s, error))
        return near


def blend_heat(
    image: Image, error: FloatMap, scale: HeatScale, watched: FloatMap | None = None
) -> Image:
    """Lay heat over a picture; the hotter, the more it covers.

    Args:
        image: RGB (H, W, 3).
        error: (H, W), raw units, see ``upsample_map``.
        scale: from error to heat.
        watched: (H, W) in [0, 1], 0 where changes are ignored; None: watched everywhere.

    Returns:
        RGB (H, W, 3), a new picture.
    """
    blended = image.copy() if watched is None else tint_ignored(image, watched)
    heat = scale.heat(error) if watched is None else scale.heat(error) * watched
    index = (heat * 255).round().astype(np.uint8)
    hot = index > 0
    alpha = _ALPHA[index[hot]]  # (n, 1)
    blended[hot] = (blended[hot] * (1 - alpha) + _COLOURS[index[hot]] * alpha).round()
    return blended


def map_picture(error: FloatMap, scale: HeatScale) -> Image:
    """The map alone: calm errors as dark grey, the rest in the colours of heat.

    Args:
        error: (H, W), raw units.
        scale: from error to heat.

    Returns:
        RGB (H, W, 3).
    """
    calm = np.clip(error / max(scale.low, scale.high * 1e-6), 0, 1)
    picture = np.repeat((14 + 30 * calm).astype(np.uint8)[..., np.newaxis], 3, axis=-1)
    index = (scale.heat(error) * 255).round().astype(np.uint8)
    picture[index > 0] = _COLOURS[index[index > 0]].round()
    return picture


def tint_ignored(image: Image, watched: FloatMap) -> Image:
    """Grey out and faintly hatch what is ignored.

    Args:
        image: RGB (H, W, 3).
        watched: (H, W) in [0, 1], 0 where changes are ignored.

    Returns:
        RGB (H, W, 3), a new picture.
    """
    tinted = image.copy()
    rows, columns = np.nonzero(watched < 1)
    ignored = 1 - watched[rows, columns, np.newaxis]  # (n, 1)
    there = image[rows, columns].astype(np.float32)  # (n, 3)
    grey = there.mean(axis=-1, keepdims=True)
    hatch = HATCH_LIGHT * _hatch(rows + columns, image.shape[:2])[:, np.newaxis]
    dull = grey + GREY_SHARE * (np.asarray(IGNORED_GREY, np.float32) - grey) + hatch
    tinted[rows, columns] = (there + ignored * (dull - there)).clip(0, 255).round()
    return tinted


def _hatch(diagonal: npt.NDArray[np.int64], size_hw: tuple[int, ...]) -> FloatMap:
    """Anti-aliased diagonal lines in [0, 1]; ``diagonal`` is the sum of row and column."""
    period = max(6.0, min(size_hw) / HATCH_PERIODS)
    from_line = np.abs(diagonal % period - period / 2)
    line = np.clip(0.12 * period + 0.5 - from_line, 0, 1)
    return np.asarray(line, np.float32)


def _lookup() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Colours (256, 3) and alphas (256, 1) of heat in 1/255."""
    heat = np.linspace(0, 1, 256)
    stops = np.linspace(0, 1, len(HEAT))
    channels = [np.interp(heat, stops, values) for values in zip(*HEAT, strict=True)]
    alpha = FULL_ALPHA * heat**ALPHA_POWER
    return np.stack(channels, axis=-1).astype(np.float32), alpha.astype(np.float32)[:, np.newaxis]


_COLOURS, _ALPHA = _lookup()
