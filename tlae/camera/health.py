"""Health of a camera: whether a frame can be judged at all, and what is wrong if not.

Limits are learnt from normal footage, mode by mode, so that what is normal at a camera (a dark
night, an empty fog, a dim lamp) is never an illness; constants below keep them from being too
strict where normal footage was very even.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tlae.camera.measures import Values
from tlae.camera.registration import MOST_SHIFT, Shift


class Health(StrEnum):
    """State of a frame; the first that applies, in the order of ``judge``."""

    OK = "ok"
    REPEATED = "repeated"  # exactly the frame before: counted, and scored as any other
    FROZEN = "frozen"  # repeated for longer than ever in normal footage
    BLACK = "black"
    SATURATED = "saturated"
    COVERED = "covered"  # the edges of the scene are gone
    BLURRED = "blurred"
    MOVED = "moved"  # far shifted, or another scene


CAN_ALARM = (Health.OK, Health.REPEATED)  # in other states nothing is said about the scene

EXTREME = 0.005  # quantile of normal footage that limits start from
LEAST_DARK, LEAST_WHITE = 0.97, 0.6  # shares of the picture below which it is not black, white
MOST_CONTRAST, CONTRAST_FACTOR = 0.55, 0.7  # left under a cover, of the background's
SHARPNESS_FACTOR = 0.85
MOST_RESPONSE, RESPONSE_FACTOR = 0.15, 0.5  # of the registration's peak, in another scene
LEAST_FROZEN = 4  # copies in a row


@dataclass(frozen=True)
class Signs:
    """What a frame's health is judged by.

    Attributes:
        copies: exact copies in a row up to this frame; 0: it differs from the frame before.
        dark: share of black pixels.
        white: share of saturated pixels.
        contrast: strength of edges by the light, by that of the background; median over cells, so
            that a thing in front of less than half of the scene is no cover.
        sharpness: fine edges by coarse ones, by those of the background; median over cells.
        shift: against the background.
    """

    copies: int
    dark: float
    white: float
    contrast: float
    sharpness: float
    shift: Shift


@dataclass(frozen=True, eq=False)
class HealthLimits:
    """Where illness begins, for each of M modes.

    Attributes:
        dark: (M,), share of black pixels above which a frame is black.
        white: (M,), share of saturated pixels above which it is saturated.
        contrast: (M,), below which it is covered.
        sharpness: (M,), below which it is blurred.
        response: (M,), below which it shows another scene.
        frozen_after: copies in a row from which on the camera is frozen.
    """

    dark: Values
    white: Values
    contrast: Values
    sharpness: Values
    response: Values
    frozen_after: int


def fit_limits(signs: list[list[Signs]], longest_copies: int) -> HealthLimits:
    """Limits that normal footage keeps.

    Black and saturated: half way from the highest normal share to the whole picture, never less
    than 97 and 60 %. Covered: 0.7 of the lowest normal contrast, never more than 0.55.
    Blurred: 0.85 of the lowest normal sharpness. Moved: half of the lowest normal response, never
    more than 0.15. Lowest and highest are the 0.5 and 99.5 % quantiles. Frozen: twice as many
    copies in a row as normal footage has, at least 4.

    Args:
        signs: of normal frames, mode by mode; none empty.
        longest_copies: most copies in a row in normal footage.
    """

    def lowest(name: str) -> Values:
        return np.array([np.quantile([getattr(s, name) for s in mode], EXTREME) for mode in signs])

    def half_way(name: str, least: float) -> Values:
        high = [np.quantile([getattr(s, name) for s in mode], 1 - EXTREME) for mode in signs]
        return np.maximum((np.array(high) + 1) / 2, least)

    response = [np.quantile([s.shift.response for s in mode], EXTREME) for mode in signs]
    return HealthLimits(
        dark=half_way("dark", LEAST_DARK),
        white=half_way("white", LEAST_WHITE),
        contrast=np.minimum(CONTRAST_FACTOR * lowest("contrast"), MOST_CONTRAST),
        sharpness=SHARPNESS_FACTOR * lowest("sharpness"),
        response=np.minimum(RESPONSE_FACTOR * np.array(response), MOST_RESPONSE),
        frozen_after=max(LEAST_FROZEN, 2 * longest_copies),
    )


def judge(signs: Signs, limits: HealthLimits, mode: int, height_px: int) -> Health:
    """Health of one frame.

    Args:
        signs: of the frame.
        limits: of the camera.
        mode: number of the frame's mode.
        height_px: of the net's picture.
    """
    shift = signs.shift
    if signs.dark > limits.dark[mode]:
        return Health.BLACK
    if signs.white > limits.white[mode]:
        return Health.SATURATED
    if signs.contrast < limits.contrast[mode]:
        return Health.COVERED
    if signs.sharpness < limits.sharpness[mode]:
        return Health.BLURRED
    if shift.response < limits.response[mode]:
        return Health.MOVED
    if shift.is_sure and shift.length > MOST_SHIFT * height_px:
        return Health.MOVED
    if signs.copies >= limits.frozen_after:
        return Health.FROZEN
    return Health.REPEATED if signs.copies else Health.OK
