"""What makes one event of alarms."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.setting_rules import one_of, within

if TYPE_CHECKING:
    from tlae.scoring.calibrate import Calibration, Modes

MOMENT, THING = "moment", "thing"
STILLS_S = (
    60.0  # frames at least so far apart are stills: what is there is followed, not what moves
)
MERGE_S = 1.0
MERGE_INTERVALS = 2.0  # of frames far apart: one calm frame does not end an event
CALM_SHARE = 0.95  # of normal frames, that end an event
THING_MERGE_S = 12 * 3600.0  # a thing is the same one after a night

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EventRule:
    """What makes one event of alarms. Times are of the footage, whatever its frame interval.

    Attributes:
        min_duration_s: shorter events are left out. A frame lasts until the next one, so one frame
            of a time-lapse is minutes long.
        merge_s: a calm pause up to this long does not end an event, but a gap in the footage does;
            None: 1 s, or two frame intervals. Of a thing: it may be unseen for so long, gaps
            included; None: 12 hours.
        cooldown_s: no event begins in a zone within this time after one ended there; not of things.
        low: an event begins above the threshold and goes on above a lower level: this share of the
            way from the median score of normal footage up to the threshold, but no lower than most
            of that footage, or no event would end; 1: no lower level.
        accept_after_h: what stays at one place so long is declared normal there; None: never.
        by: thing (what is unusual at one place is one event) or moment (all that is unusual at one
            time is one); None: thing for stills, a minute and more apart.
    """

    min_duration_s: float = 0.0
    merge_s: float | None = None
    cooldown_s: float = 0.0
    low: float = 0.8
    accept_after_h: float | None = None
    by: str | None = None

    def __post_init__(self) -> None:
        for name in ("min_duration_s", "merge_s", "cooldown_s"):
            within(name, getattr(self, name), 0)
        within("low", self.low, 0, 1, open_low=True)
        within("accept_after_h", self.accept_after_h, 0, open_low=True)
        if self.by is not None:
            one_of("by", self.by, (MOMENT, THING))

    def merge_of(self, interval_s: float) -> float:
        """Longest pause within a stretch of alarm [s]."""
        return default_merge_s(interval_s) if self.merge_s is None else self.merge_s

    @property
    def unseen_s(self) -> float:
        """Longest time for which a thing may be unseen [s]."""
        return THING_MERGE_S if self.merge_s is None else self.merge_s

    def follows_things(self, interval_s: float, reduction: str) -> bool:
        """Whether things are followed through time, rather than stretches of alarm.

        Args:
            interval_s: median time between frames [s].
            reduction: of the scoring rule; a mean over the picture tells nothing of places.

        Raises:
            UserError: another setting does not go with it.
        """
        if self.by is None and reduction == "mean":
            return False
        things = interval_s >= STILLS_S if self.by is None else self.by == THING
        if things and reduction == "mean":
            raise UserError(
                "by=thing needs scores of the worst place (scoring.reduction=maximum), got those "
                "of a mean over the picture; give by=moment"
            )
        if things and self.cooldown_s:
            raise UserError(
                f"cooldown_s is of events by moment, got {self.cooldown_s:g} for things; a thing "
                "that comes back within merge_s is one event anyway: leave it out, or give "
                "by=moment"
            )
        return things

    def low_level(
        self, threshold: Floats, modes: "Modes", calibration: "Calibration | None"
    ) -> Floats:
        """Level (n,) above which an event goes on, in raw units; never above the threshold.

        Args:
            threshold: (n,), alarm threshold of each row.
            modes: (n,), camera mode of each row.
            calibration: by normal footage; None: the median is not known, and counts as 0.
        """
        typical, calm = np.zeros(len(threshold)), np.full(len(threshold), -np.inf)
        if calibration is not None:
            typical, calm = (calibration.quantile(share).of(modes) for share in (0.5, CALM_SHARE))
        with np.errstate(invalid="ignore"):
            level = np.maximum(typical + self.low * (threshold - typical), calm)
        return np.where(np.isfinite(threshold), np.minimum(level, threshold), threshold)


def default_merge_s(interval_s: float) -> float:
    """Longest pause within an event where none is asked for [s]."""
    return max(MERGE_S, MERGE_INTERVALS * interval_s)
