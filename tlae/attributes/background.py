"""What stands in front of the background, whatever the light and a small shift of the camera."""

import functools
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tlae.camera.light import BALANCE, FLOOR, fit_curve
from tlae.camera.registration import find_shift, hanning, translated

Image = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]
Tones = npt.NDArray[np.uint8]  # (256, 1, C), what each grey level becomes

NOISE_BOX_PX = 5  # the noise of a pixel is the mean over this square
SMOOTH_PX = 3  # as is its difference to the background
NOISES = 3.0  # a difference below so many times the noise is background
LEVELS = 6.0  # and so many grey levels
SOFT_LEVELS = 16.0  # grey levels from background to certain foreground
SAMPLE_STEP = 5  # every fifth pixel along both sides makes the tone curve
MOST_SHIFT_PX = 8.0  # further away, the camera was moved: nothing is undone


@dataclass(frozen=True, eq=False)
class Background:
    """The scene without what comes and goes.

    Attributes:
        frame: (H, W, C) uint8, median of frames.
        noise: (H, W), median difference of frames to it [grey levels].
    """

    frame: Image
    noise: Plane

    @staticmethod
    def of(frames: Image) -> "Background":
        """Of frames (n, H, W, C) in which every place is mostly empty."""
        median = np.median(frames, axis=0).astype(np.uint8)
        matched = (retoned(frame, tones_of(frame, median)) for frame in frames)
        differences = np.stack([_difference(frame, median) for frame in matched])
        noise = cv2.blur(np.median(differences, axis=0), (NOISE_BOX_PX, NOISE_BOX_PX))
        return Background(median, np.asarray(noise, np.float32))

    def tones(self, frame: Image) -> Tones:
        """What gives a frame (H, W, C) the light of this background; see ``tones_of``."""
        return tones_of(frame, self.frame)

    def excess(self, frame: Image, tones: Tones) -> Plane:
        """By how much each pixel of a frame (H, W, C) differs more than background may [levels].

        Args:
            frame: as it is.
            tones: that it takes first, so that other light is no foreground.
        """
        difference = _difference(retoned(frame, tones), self.frame)
        smoothed = cv2.blur(difference, (SMOOTH_PX, SMOOTH_PX))
        return np.asarray(smoothed - (NOISES * self.noise + LEVELS), np.float32)


def foreground_of(excess: Plane) -> Plane:
    """How surely each pixel is not background, 0..1, by its ``Background.excess``."""
    return np.asarray(np.clip(excess / SOFT_LEVELS, 0, 1), np.float32)


def tones_of(frame: Image, background: Image) -> Tones:
    """Grey levels that bring a frame (H, W, C) under the light of the background: (256, 1, C).

    One robust tone curve (``camera.light.fit_curve``), then a gain for each channel: exposure,
    offset, gamma and white balance. What covers less than half of the picture does not bend them.
    """
    step = (slice(None, None, SAMPLE_STEP),) * 2
    seen, wanted = (grey_of(p[step]).ravel() / 255 for p in (frame, background))
    levels = np.arange(256) / 255
    curve = 255 * np.polynomial.polynomial.polyval(levels, fit_curve(seen, wanted))
    tables = np.repeat(np.clip(curve, 0, 255)[:, None], frame.shape[2], axis=1)  # (256, C)
    if frame.shape[2] > 1:
        pixels = frame[step].reshape(-1, frame.shape[2])
        matched = np.take_along_axis(tables, pixels.astype(np.int64), axis=0)
        aim = background[step].reshape(-1, frame.shape[2])
        gains = np.median((aim + FLOOR) / (matched + FLOOR), axis=0)
        tables = (tables + FLOOR) * np.clip(gains, *BALANCE) - FLOOR
    return np.rint(np.clip(tables, 0, 255)).astype(np.uint8)[:, None]


def retoned(frame: Image, tones: Tones) -> Image:
    """A frame (H, W, C) with other grey levels (256, 1, C)."""
    return np.asarray(cv2.LUT(frame, tones)).reshape(frame.shape)


def _difference(frame: Image, background: Image) -> Plane:
    """Largest difference of any channel (H, W) [grey levels]."""
    first, *others = cv2.split(cv2.absdiff(frame, background))
    largest = functools.reduce(cv2.max, others, first)
    return np.asarray(largest, np.float32)


class Aligned:
    """Undo small shifts of the camera against the background.

    Args:
        background: (H, W, C).
    """

    def __init__(self, background: Image) -> None:
        self._window = hanning((background.shape[0], background.shape[1]))
        self._edges = _edges(background)

    def shift_of(self, frame: Image) -> tuple[float, float]:
        """Shift of a frame to the right and down [px]; (0, 0) where it is unsure or too large."""
        shift = find_shift(_edges(frame), self._edges, self._window)
        is_small = shift.length <= MOST_SHIFT_PX
        return (shift.x, shift.y) if shift.is_sure and is_small else (0.0, 0.0)


def moved_back(frame: Image, shift: tuple[float, float], dead_zone_px: float) -> Image:
    """A frame (H, W, C) without its shift; one of less than the dead zone is left."""
    if np.hypot(*shift) < dead_zone_px:
        return frame
    moved = translated(frame, -shift[0], -shift[1], cv2.INTER_LINEAR)
    return np.asarray(moved, np.uint8)


def _edges(picture: Image) -> Plane:
    """Logarithm of the gradient's length (H, W): strong edges alone decide nothing."""
    grey = cv2.GaussianBlur(grey_of(picture).astype(np.float32), (0, 0), 1.0)
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.asarray(np.log1p(np.hypot(across, down)), np.float32)


def grey_of(picture: Image) -> Image:
    """(H, W, C) -> (H, W)."""
    if picture.shape[2] == 1:
        return picture[..., 0]
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
