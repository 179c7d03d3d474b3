"""Canonical light: a picture as it would look under the light of the scene's background.

Robust fits to the pixels that look like background, so that a thing in the scene keeps its own
brightness. Pictures are float32 (H, W, C), 0..255.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tlae.camera.measures import DARK_LEVEL, FULL_LEVEL, LUMA, Plane

Curve = npt.NDArray[np.float64]

SAMPLE_PIXELS = 1500  # of a picture, on a grid; more would not make a curve of three numbers better
ROUNDS = 4  # of reweighting
LEAST_USABLE = 0.05  # of the pixels, for a fit
TUKEY = 4.7  # in standard deviations: what is further away is no background
LEAST_SPREAD = 2 / 255  # sensor noise and compression
RIDGE = np.array([0.0, 2e-4, 2e-4])  # a picture without contrast keeps its slope
BALANCE = (0.75, 1.33)  # gains of a channel against the others: white balance
SLOPES = (0.2, 5.0)  # beyond, it is another scene rather than another light
# Steps of the field: side of the square in reaches, and the most it changes (natural logarithm).
FIELD_STEPS = ((0.75, 0.8), (0.4, 0.1))
FLOOR = 8.0  # grey levels added to both sides of a ratio, against noise in the dark
MOST_DISTANCE = 30.0  # grey levels; further from the background, a pixel belongs to a thing
CONTRAST_FLOOR = 8.0  # grey levels: flatter places keep their noise small
CONTRAST_GAIN = 45.0  # grey levels that one local standard deviation becomes


def match_light(picture: Plane, background: Plane, reach_px: float = 0.0) -> Plane:
    """Give a picture the light of a background.

    Light changes as a whole (exposure, gamma, white balance: a tone curve) and in places (shadows,
    lamps, haze: a smooth field of gains). Which of the two comes first decides what the fits see,
    so both orders are tried, and the one that comes nearer is taken.

    Args:
        picture: (H, W, C).
        background: (H, W, C).
        reach_px: things up to this size keep their brightness, the light of larger places is
            evened out; 0: as a whole only.
    """
    curved = match_tones(picture, background)
    if reach_px <= 0:
        return curved
    evened = match_places(match_gain(picture, background), background, reach_px)
    orders = [match_places(curved, background, reach_px), match_tones(evened, background)]
    return min(orders, key=lambda order: _distance(order, background))


def match_tones(picture: Plane, background: Plane) -> Plane:
    """One tone curve for (H, W, C), then a small gain for each channel; within 0..255.

    Curves of their own for each channel would turn a blue evening yellow to make it a night.
    """
    step = max(1, int(np.sqrt(picture.shape[0] * picture.shape[1] / SAMPLE_PIXELS)))
    seen, wanted = (_light(p[::step, ::step]).ravel() / 255 for p in (picture, background))
    curve = fit_curve(seen.astype(np.float64), wanted.astype(np.float64)).astype(np.float32)
    matched = 255 * curve[0] + picture * (curve[1] + curve[2] / 255 * picture)
    matched = np.asarray(np.clip(matched, 0, 255), np.float32)
    if picture.shape[2] > 1:
        gains = [_gain(matched[..., c], background[..., c]) for c in range(picture.shape[2])]
        balance = np.clip(np.array(gains, np.float32), *BALANCE)
        matched = np.clip(_scaled(matched, balance), 0, 255)
    return matched


def match_gain(picture: Plane, background: Plane) -> Plane:
    """One gain for all of (H, W, C)."""
    return _scaled(picture, np.float32(_gain(picture, background)))


def match_places(picture: Plane, background: Plane, reach_px: float) -> Plane:
    """Even out shadows and lamps in (H, W, C); the result is within 0..255."""
    field = light_field(picture, background, reach_px)
    return np.clip(_scaled(picture, field[..., None]), 0, 255)


def fit_curve(seen: Curve, wanted: Curve) -> Curve:
    """Tone curve ``wanted = c0 + c1 * seen + c2 * seen**2`` of the pixels that agree on one.

    Least squares, reweighted by Tukey's biweight with the median absolute deviation as scale, so
    that less than half of the pixels, in front of the background, do not matter. A quadratic
    follows gains, offsets and gammas of 0.6 to 1.6 within a few grey levels; where it would fall,
    a straight line is fitted.

    Args:
        seen: (n,) in [0, 1]; saturated pixels are left out.
        wanted: (n,) in [0, 1].

    Returns:
        (3,), c0 to c2.
    """
    usable = (seen * 255 < FULL_LEVEL) & (wanted * 255 < FULL_LEVEL)
    if usable.mean() < LEAST_USABLE:
        return np.array([0.0, 1.0, 0.0])
    curve = _reweighted(seen[usable], wanted[usable], 3)
    ends = curve[1] + 2 * curve[2] * np.array([0.0, 1.0])
    if ends.min() < SLOPES[0] / 4 or ends.max() > SLOPES[1]:
        slope_and_offset = _reweighted(seen[usable], wanted[usable], 2)
        slope = float(np.clip(slope_and_offset[1], *SLOPES))
        offset = float(np.median(wanted[usable] - slope * seen[usable]))
        return np.array([offset, slope, 0.0])
    return curve


def _reweighted(seen: Curve, wanted: Curve, terms: int) -> Curve:
    powers = seen[:, None] ** np.arange(terms)
    keep = np.array([0.0, 1.0, 0.0])[:terms]  # the ridge pulls towards no change
    weight = np.ones(len(seen))
    coefficients = keep
    for _ in range(ROUNDS):
        weighted = powers * weight[:, None]
        total = max(float(weight.sum()), 1.0)
        matrix = weighted.T @ powers / total + np.diag(RIDGE[:terms]) + 1e-9 * np.eye(terms)
        coefficients = np.linalg.solve(matrix, weighted.T @ wanted / total + RIDGE[:terms] * keep)
        error = np.abs(wanted - powers @ coefficients)
        spread = max(1.4826 * float(_median(error)), LEAST_SPREAD)
        weight = np.clip(1 - (error / (TUKEY * spread)) ** 2, 0, None) ** 2
    return np.asarray(coefficients)


def light_field(picture: Plane, background: Plane, reach_px: float) -> Plane:
    """Smooth gains (H, W) that even out shadows and lamps.

    The median of the ratio to the background, over a square of three quarters of ``reach_px``: what
    covers less than half of it does not show in it. The median of what is left, over a smaller
    square, follows the edge of a shadow; it may change no more than a tenth, so that things keep
    nine tenths of their difference.
    """
    ratio = np.log((_light(background) + FLOOR) / (_light(picture) + FLOOR))
    field = np.zeros_like(ratio)
    for share, most in FIELD_STEPS:
        side = max(3, round(share * reach_px)) | 1
        levels = 127 + np.rint(127 * np.clip((ratio - field) / most, -1, 1))
        median = cv2.medianBlur(levels.astype(np.uint8), side).astype(np.float32) / 127 - 1
        field = field + most * cv2.GaussianBlur(median, (0, 0), 1.0)  # no steps of levels
    return np.exp(np.asarray(field, np.float32))


def even_contrast(picture: Plane, reach_px: float) -> Plane:
    """Local contrast normalisation: less the local mean, by the local spread and a floor.

    Jarrett et al. 2009 (*What is the best multi-stage architecture for object recognition?*) in
    idea; middle grey is 127.5.
    """
    side = max(3, round(reach_px)) | 1
    mean = cv2.blur(picture, (side, side)).reshape(picture.shape)
    variance = cv2.blur(picture**2, (side, side)).reshape(picture.shape) - mean**2
    spread = np.sqrt(np.clip(variance, 0, None)) + CONTRAST_FLOOR
    return np.asarray(np.clip(127.5 + CONTRAST_GAIN * (picture - mean) / spread, 0, 255))


def _median(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Upper median along the last axis; numpy's own takes twice as long."""
    middle = values.shape[-1] // 2
    return np.asarray(np.partition(values, middle, axis=-1)[..., middle])


def _gain(picture: Plane, background: Plane) -> float:
    """Median ratio to the background where neither is black or saturated; 1 if that is nowhere."""
    seen, wanted = picture[::2, ::2], background[::2, ::2]
    low, high = np.minimum(seen, wanted), np.maximum(seen, wanted)
    usable = (low > DARK_LEVEL) & (high < FULL_LEVEL)
    if usable.mean() < LEAST_USABLE:
        return 1.0
    return float(_median((wanted[usable] + FLOOR) / (seen[usable] + FLOOR)))


def _scaled(picture: Plane, gain: Plane | np.float32) -> Plane:
    """Light times a gain that was measured with ``FLOOR`` on both sides."""
    return np.asarray((picture + np.float32(FLOOR)) * gain - np.float32(FLOOR))


def _distance(picture: Plane, background: Plane) -> float:
    """Mean difference, in which things count no more than ``MOST_DISTANCE``."""
    return float(np.minimum(np.abs(picture - background), MOST_DISTANCE).mean())


def _light(picture: Plane) -> Plane:
    """Luminance (H, W) of one picture."""
    return picture[..., 0] if picture.shape[2] == 1 else np.asarray(picture @ LUMA)
