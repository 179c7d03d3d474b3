"""Alarms of a time-lapse: thresholds from planted-free days, and how many a day they raise."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tlae.scoring.calibrate import DAY_S, Calibration
from tlae.scoring.events import shows_scene

Series = npt.NDArray[np.float64]

GAP_FACTOR = 5.0  # an interval this many times the median one is not watched time


@dataclass(frozen=True)
class AlarmRate:
    """Alarms on footage in which nothing is planted.

    Attributes:
        alarms: runs of neighbouring frames in alarm.
        days: watched time.
        frames_share: share of the frames in alarm, in [0, 1].
    """

    alarms: int
    days: float
    frames_share: float

    @property
    def per_day(self) -> float:
        """Alarms a day."""
        return self.alarms / self.days if self.days else float("nan")


def scene_scores(table: pd.DataFrame) -> Series:
    """Raw scores (n,); NaN for frames that never alarm: unreadable ones and camera events."""
    raw = table["raw"].to_numpy(np.float64).copy()
    raw[~shows_scene(table)] = np.nan
    return raw


def watched_days(time_s: Series) -> float:
    """Time that frames of one clip cover, gaps left out [days].

    Args:
        time_s: (n,), rising.
    """
    if len(time_s) < 2:
        return 0.0
    steps = np.diff(time_s)
    median_s = float(np.median(steps))
    return float(steps[steps <= GAP_FACTOR * median_s].sum() + median_s) / DAY_S


def threshold_for_budget(raw: Series, days: float, alarms_per_day: float) -> float:
    """Lowest raw score that alarms of planted-free footage exceed at most so often.

    The number of alarms allowed is rounded to a whole one, so that a day of 0.98 watched days at
    one a day allows one: with one day, its highest one or two scores decide.

    Args:
        raw: (n,), scores of one stretch; NaN never alarms.
        days: that it covers.
        alarms_per_day: the budget, > 0.
    """
    lowest = float(np.nanmin(raw))  # above no threshold, as one of these or higher is returned
    known = np.where(np.isnan(raw), lowest, raw)
    allowed = int(np.floor(alarms_per_day * days + 0.5))
    calibration = Calibration(known, np.zeros(len(raw), np.int64), DAY_S / len(raw), "")
    return calibration.level_exceeded_by(allowed)


def alarm_rate(raw: Series, time_s: Series, threshold: float) -> AlarmRate:
    """Count alarms on planted-free footage of one clip.

    Args:
        raw: (n,); NaN never alarms.
        time_s: (n,), rising.
        threshold: in raw units.
    """
    alarm = np.nan_to_num(raw, nan=-np.inf) > threshold
    starts = alarm & ~np.concatenate([[False], alarm[:-1]])
    share = float(alarm.mean()) if len(alarm) else 0.0
    return AlarmRate(int(starts.sum()), watched_days(time_s), share)


def threshold_at_rate(raw: Series, time_s: Series, alarms_per_day: float) -> float:
    """Threshold that would have met the budget on the very footage it is judged on.

    No user can choose it; it tells a net's worth apart from the luck of one calibration day.
    """
    return threshold_for_budget(raw, watched_days(time_s), alarms_per_day)
