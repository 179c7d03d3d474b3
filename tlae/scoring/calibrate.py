"""What scores mean: their place among those of held-out normal footage, and the alarm threshold."""

import logging
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tlae.errors import UserError
from tlae.scoring.smooth import Series, smooth_in_time

DAY_S = 86400.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Calibration:
    """Scores of normal footage that the net was not fitted to, in the order they were filmed.

    Attributes:
        raw: (n,), raw scores.
        run: (n,), number of the run of frames each score belongs to; runs are apart in time.
        interval_s: usual time between frames [s].
        created: date of the calibration, ISO 8601.
    """

    raw: Series
    run: npt.NDArray[np.int64]
    interval_s: float
    created: str

    def __post_init__(self) -> None:
        if not len(self.raw):
            raise ValueError("a calibration needs at least one score of normal footage, got none")

    def smoothed(self, frames: float, *, causal: bool) -> "Calibration":
        """The same footage with its scores smoothed in time, run by run."""
        runs = np.split(self.raw, np.flatnonzero(np.diff(self.run)) + 1)
        raw = np.concatenate([smooth_in_time(run, frames, causal=causal) for run in runs])
        return replace(self, raw=raw)

    def calibrated(self, raw: Series) -> Series:
        """Share of normal frames that are calmer, in [0, 1]; NaN stays NaN."""
        ordered = np.sort(self.raw)
        share = np.searchsorted(ordered, raw, side="left") / len(ordered)
        return np.where(np.isnan(raw), np.nan, share)

    def threshold_for_rate(self, rate: float) -> float:
        """Raw score above which about a share ``rate`` of normal frames lies.

        Split-conformal quantile (Vovk et al. 2005, section 4.2.2): exact for exchangeable frames.
        Neighbouring frames are not, so count on fewer independent ones than there are.
        """
        if not 0 < rate < 1:
            raise UserError(f"scoring.false_alarm_rate must be in (0, 1), got {rate}")
        count = len(self.raw)
        rank = int(np.ceil((count + 1) * (1 - rate)))
        if rank > count:
            logger.warning(
                "false_alarm_rate=%g asks for more than %d held-out frames can show; alarms start "
                "above the highest of them (a rate of about %.2g)",
                rate,
                count,
                1 / (count + 1),
            )
            rank = count
        return float(np.sort(self.raw)[rank - 1])

    def threshold_for_alarms(self, per_day: float) -> float:
        """Lowest raw score that at most ``per_day`` alarms a day of normal footage exceed.

        An alarm is a run of neighbouring frames above the threshold, however long.
        """
        if not per_day > 0:
            raise UserError(f"scoring.alarms_per_day must be > 0, got {per_day}")
        days = len(self.raw) * self.interval_s / DAY_S
        allowed = int(per_day * days)
        if allowed < 1:
            logger.warning(
                "alarms_per_day=%g asks for more than %.2g days of held-out footage can show; "
                "alarms start above the highest score of them",
                per_day,
                days,
            )
        before = np.concatenate([[-np.inf], self.raw[:-1]])
        before[np.concatenate([[True], self.run[1:] != self.run[:-1]])] = -np.inf
        # Threshold u is crossed upwards at i where before[i] <= u < raw[i].
        rises = np.sort(self.raw[self.raw > before])
        falls = np.sort(before[self.raw > before])
        levels = np.unique(self.raw)
        crossings = np.searchsorted(falls, levels, side="right") - np.searchsorted(
            rises, levels, side="right"
        )
        too_many = np.flatnonzero(crossings > allowed)
        return float(levels[too_many[-1] + 1] if len(too_many) else levels[0])


def threshold_of(
    calibration: Calibration | None,
    *,
    threshold: float | None = None,
    false_alarm_rate: float | None = None,
    alarms_per_day: float | None = None,
) -> float:
    """Alarm threshold in raw units: fixed, or from the stricter of the false-alarm budgets.

    Returns:
        The threshold; infinite (no alarms) without a calibration or any of the three.
    """
    if threshold is not None:
        return threshold
    if calibration is None:
        return float("inf")
    budgets = []
    if false_alarm_rate is not None:
        budgets.append(calibration.threshold_for_rate(false_alarm_rate))
    if alarms_per_day is not None:
        budgets.append(calibration.threshold_for_alarms(alarms_per_day))
    return max(budgets, default=float("inf"))
