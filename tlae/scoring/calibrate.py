"""What scores mean: their place among those of held-out normal footage, and the alarm threshold.

A camera at night is another camera: where the footage has several camera modes, each has its own
typical score and spread, shrunk towards the whole by how few frames it has. A score less its mode's
typical one, in units of its spread, is its *level*: one level for all modes is one threshold in raw
units for each of them.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.budget import Budget
from tlae.errors import UserError
from tlae.log_lines import ONCE
from tlae.number_words import rounded_up
from tlae.scoring.smooth_time import Series, is_settled, smooth_in_time
from tlae.scoring.tail import Tail
from tlae.table import Table

DAY_S = 86400.0
SHRINKAGE_FRAMES = 10  # a mode of so many frames counts half, the whole footage the other half
UPPER_QUANTILE = 0.9  # spread is from the median to here: alarms are a matter of the upper side
LEAST_DIVISOR = 1e-12  # where all scores are equal
LEAST_THRESHOLD = 1e-3  # raw units: where normal footage scores 0 throughout
MOMENTS_NEEDED = 5  # independent moments above a level, for a quantile to show it
EXTRAPOLATED = "the threshold is extrapolated to it, with a margin that costs events; add footage"
LEAST_SPREAD = 0.5  # of a mode, in mean spreads of modes: a few equal frames are no certainty

Modes = npt.NDArray[np.object_]  # (n,), name of each frame's camera mode

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PerMode:
    """A number for each camera mode.

    Attributes:
        value: where a mode has none of its own.
        by_mode: of modes.
    """

    value: float
    by_mode: Mapping[str, float] = field(default_factory=dict)

    def of(self, modes: Modes) -> Series:
        """The number of each frame's mode, (n,)."""
        values = np.full(len(modes), self.value)
        for mode, value in self.by_mode.items():
            values[modes == mode] = value
        return values

    def at_least(self, floor: Mapping[str, float]) -> "PerMode":
        """No mode's number below its floor; without modes of its own none below the highest."""
        if not (floor and self.by_mode):
            return PerMode(max([self.value, *floor.values()]), self.by_mode)
        modes = {**self.by_mode, **floor}
        by_mode = {
            mode: max(self.by_mode.get(mode, self.value), floor.get(mode, -math.inf))
            for mode in modes
        }
        return PerMode(self.value, by_mode)

    def above_zero(self) -> "PerMode":
        """Zero becomes a little more: what fades after an alarm never reaches zero."""
        by_mode = {mode: value or LEAST_THRESHOLD for mode, value in self.by_mode.items()}
        return PerMode(self.value or LEAST_THRESHOLD, by_mode)


@dataclass(frozen=True)
class Scales:
    """Where scores of normal footage lie, in raw units.

    Attributes:
        typical: typical score, the median.
        spread: of scores above the typical one.
    """

    typical: PerMode = PerMode(0.0)
    spread: PerMode = PerMode(1.0)

    def levels(self, raw: Series, modes: Modes) -> Series:
        """Scores (n,) less their mode's typical score, in units of its spread."""
        return (raw - self.typical.of(modes)) / self.spread.of(modes)

    def threshold(self, level: float) -> PerMode:
        """The raw scores that lie at a level."""
        by_mode = {
            mode: typical + level * self.spread.by_mode[mode]
            for mode, typical in self.typical.by_mode.items()
        }
        return PerMode(self.typical.value + level * self.spread.value, by_mode)


@dataclass(frozen=True)
class Calibration:
    """Scores of normal footage that the net was not fitted to, in the order they were filmed.

    Attributes:
        raw: (n,), raw scores.
        run: (n,), number of the run of frames each score belongs to; runs are apart in time.
        interval_s: median time between frames [s]; of joined footage, that of the latest.
        created: date of the calibration, ISO 8601.
        mode: (n,), name of each frame's camera mode; None: there is but one.
        frame_mean: (n,), mean of each frame's whole map; None: not known.
        stands_for_s: (n,), time that each score stands for [s], where footage of another pace was
            joined; None: ``interval_s`` for all.
        floor: highest raw score, by camera mode, of events that people declared normal: a budget
            gives no threshold below it.
    """

    raw: Series
    run: npt.NDArray[np.int64]
    interval_s: float
    created: str
    mode: Modes | None = None
    frame_mean: Series | None = None
    stands_for_s: Series | None = None
    floor: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not len(self.raw):
            raise ValueError("a calibration needs at least one score of normal footage, got none")
        columns = (self.raw, self.run, self.mode, self.frame_mean)
        if any(column is not None and column.shape != (len(self.raw),) for column in columns):
            raise ValueError("a calibration must have one run and mode for each score")
        numbers = (self.raw, np.array([self.interval_s]), self.frame_mean)
        for column in numbers:
            if column is not None and not np.isfinite(column).all():
                raise UserError(
                    f"scores of normal footage must be finite numbers, got "
                    f"{int((~np.isfinite(column)).sum()):,} others of {len(column):,}; train again "
                    "with a lower training.learning_rate, or training.compute=float32"
                )

    @property
    def modes(self) -> list[str]:
        """Names of the camera modes, in the order of the alphabet; none where there is but one."""
        names = [] if self.mode is None else sorted(set(self.mode))
        return names if len(names) > 1 else []

    @property
    def days(self) -> float:
        """How much footage it is."""
        return float(self.time_per_score_s.sum()) / DAY_S

    @property
    def time_per_score_s(self) -> Series:
        """Time that each score stands for, (n,) [s]."""
        known = self.stands_for_s
        return np.full(len(self.raw), self.interval_s) if known is None else known

    @cached_property
    def scales(self) -> Scales:
        """Typical score and spread of each mode, after James & Stein 1961 in idea.

        A mode of n frames counts n / (n + ``SHRINKAGE_FRAMES``); the rest are the typical score of
        the whole footage and the mean spread of its modes. With one mode a level is the raw score.
        """
        if not self.modes:
            return Scales()
        insides = {mode: self.raw[self._named == mode] for mode in self.modes}
        within = sum(_upper_spread(part) * len(part) for part in insides.values()) / len(self.raw)
        medians = self.quantile(0.5)
        typical, spread = {}, {}
        for mode, inside in insides.items():
            share = len(inside) / (len(inside) + SHRINKAGE_FRAMES)
            typical[mode] = share * medians.by_mode[mode] + (1 - share) * medians.value
            shrunk = share * _upper_spread(inside) + (1 - share) * within
            spread[mode] = max(shrunk, LEAST_SPREAD * within)
        return Scales(PerMode(medians.value, typical), PerMode(_upper_spread(self.raw), spread))

    def quantile(self, share: float) -> PerMode:
        """Raw score below which so much of the footage lies, of all of it and of each mode."""
        by_mode = {
            mode: float(np.quantile(self.raw[self._named == mode], share)) for mode in self.modes
        }
        return PerMode(float(np.quantile(self.raw, share)), by_mode)

    @cached_property
    def levels(self) -> Series:
        """Level of each score, (n,)."""
        return self.scales.levels(self.raw, self._named)

    def smoothed(self, frames: float, *, causal: bool) -> "Calibration":
        """The same footage with its scores smoothed in time, run by run.

        Scores near an end of a run, which are smoothed over fewer others, are left out; in a long
        run they are rare, in short held-out blocks they would widen the distribution. Where no run
        is long enough, all stay.
        """
        runs = np.split(self.raw, np.flatnonzero(np.diff(self.run)) + 1)
        raw = np.concatenate([smooth_in_time(run, frames, causal=causal) for run in runs])
        settled = [is_settled(len(run), frames, causal=causal) for run in runs]
        kept = np.concatenate(settled)
        if not kept.any():
            kept[:] = True
        cut = {
            name: column[kept]
            for name in ("run", "mode", "frame_mean", "stands_for_s")
            if (column := getattr(self, name)) is not None
        }
        return replace(self, raw=raw[kept], **cut)

    def calibrated(self, raw: Series, modes: Modes | None = None) -> Series:
        """Share of normal frames that are calmer for their camera mode, in [0, 1]; NaN stays NaN.

        Args:
            raw: (n,), raw scores.
            modes: (n,), camera modes; None: all alike.
        """
        levels = self.scales.levels(raw, _one_mode(raw) if modes is None else modes)
        return share_below(self.levels, levels)

    def level_for_rate(self, rate: float) -> float:
        """Level above which at most about a share ``rate`` of normal frames lies.

        Split-conformal quantile (Vovk et al. 2005, section 4.2.2) where the footage holds enough
        independent moments for it. For rarer alarms the level is extrapolated from the highest
        scores of stretches, as an upper bound (see ``tail``); it is never below the quantile. A set
        of pictures without an order in time has no stretches: its highest score is the limit.
        """
        if not 0 < rate < 1:
            raise UserError(f"scoring.false_alarm_rate must be in (0, 1), got {rate}")
        count = len(self.raw)
        rank = min(int(np.ceil((count + 1) * (1 - rate))), count)
        quantile = float(np.sort(self.levels)[rank - 1])
        if rate >= self.least_rate or (not self.interval_s and rate * (count + 1) >= 1):
            return quantile
        logger.warning(self.shortfall(Budget(false_alarm_rate=rate)), extra=ONCE)
        if not self.interval_s:
            return quantile
        return max(quantile, self.tail.level(rate * self.tail.frames / self.tail.excursion))

    def shortfall(self, budget: Budget) -> str:
        """Why the footage cannot support a budget, and what then happens; "": it can."""
        rate, per_day = budget.false_alarm_rate, budget.alarms_per_day
        count = len(self.raw)
        if budget.threshold is not None:
            return ""
        if rate is not None and not self.interval_s and rate * (count + 1) < 1:
            return (
                f"false_alarm_rate={rate:g} asks for more than {count} held-out pictures can show; "
                f"alarms start above the highest of them (a rate of about {1 / (count + 1):.2g})"
            )
        if rate is not None and self.interval_s and rate < self.least_rate:
            return (
                f"false_alarm_rate={rate:g} asks for more than {count} held-out frames (about "
                f"{round(self.tail.moments)} independent moments) can show; {EXTRAPOLATED}"
                f"{_or_ask_for('false_alarm_rate', self.least_rate, below=1)}"
            )
        if per_day is not None and self.days and int(per_day * self.days + 1e-9) < 1:
            return (
                f"alarms_per_day={per_day:g} asks for more than {self.days:.2g} days of held-out "
                f"footage can show; {EXTRAPOLATED}{_or_ask_for('alarms_per_day', 1 / self.days)}"
            )
        return ""

    @cached_property
    def tail(self) -> Tail:
        """Of the levels."""
        return Tail.of(self.levels, self.run)

    @property
    def least_rate(self) -> float:
        """Lowest share of frames in alarm that this footage can show without extrapolation."""
        return min(1.0, MOMENTS_NEEDED / self.tail.moments)

    def level_for_alarms(self, per_day: float) -> float:
        """Level that about ``per_day`` alarms a day of further normal footage will exceed.

        Split-conformal, as for frames: in as much new footage, k alarms are expected above the k-th
        highest of this. So one alarm fewer than the budget allows may exceed the level here.
        """
        if not per_day > 0:
            raise UserError(f"scoring.alarms_per_day must be > 0, got {per_day}")
        if not self.days:
            raise UserError(
                f"scoring.alarms_per_day={per_day:g} needs normal footage with times, the model "
                "was calibrated on pictures without; run `tlae calibrate` on footage with times, "
                "or ask for scoring.false_alarm_rate"
            )
        allowed = int(per_day * self.days + 1e-9)
        if allowed < 1:
            logger.warning(self.shortfall(Budget(alarms_per_day=per_day)), extra=ONCE)
            stretch_days = self.days / len(self.tail.highest)
            return max(self.level_exceeded_by(0), self.tail.level(per_day * stretch_days))
        return self.level_exceeded_by(max(allowed - 1, 0))

    def level_exceeded_by(self, alarms: int) -> float:
        """Lowest level that at most so many alarms of this footage exceed.

        An alarm is a run of neighbouring frames above the threshold, however long.
        """
        values = self.levels
        before = np.concatenate([[-np.inf], values[:-1]])
        before[np.concatenate([[True], self.run[1:] != self.run[:-1]])] = -np.inf
        # Level u is crossed upwards at i where before[i] <= u < values[i].
        rises = np.sort(values[values > before])
        falls = np.sort(before[values > before])
        steps = np.unique(values)
        crossings = np.searchsorted(falls, steps, side="right") - np.searchsorted(
            rises, steps, side="right"
        )
        too_many = np.flatnonzero(crossings > alarms)
        return float(steps[too_many[-1] + 1] if len(too_many) else steps[0])

    def alarms_above(self, level: float) -> int:
        """Number of alarms at a level: runs of neighbouring frames above it."""
        above = self.levels > level
        goes_on = above[:-1] & (self.run[1:] == self.run[:-1])
        return int(above.sum() - (above[1:] & goes_on).sum())

    @property
    def _named(self) -> Modes:
        return _one_mode(self.raw) if self.mode is None else self.mode


def threshold_of(calibration: Calibration | None, budget: Budget) -> PerMode:
    """Alarm threshold in raw units: fixed, or from the stricter of the false-alarm budgets.

    Returns:
        The threshold; infinite (no alarms) without a calibration or any of the three.
    """
    if budget.threshold is not None:
        return PerMode(budget.threshold)
    if calibration is None:
        return PerMode(math.inf)
    levels = []
    if budget.false_alarm_rate is not None:
        levels.append(calibration.level_for_rate(budget.false_alarm_rate))
    if budget.alarms_per_day is not None:
        levels.append(calibration.level_for_alarms(budget.alarms_per_day))
    if not levels:
        return PerMode(math.inf)
    return calibration.scales.threshold(max(levels)).above_zero().at_least(calibration.floor)


def doubts(calibration: Calibration | None, budget: Budget, table: Table) -> dict[str, Any]:
    """What may be wrong with a threshold, for ``summary.json``.

    Args:
        calibration: that it comes from; None: it is not known.
        budget: that was asked for.
        table: with the calibrated ``score`` of each frame.
    """
    above = table.marked(["score"], lambda piece: piece["score"] >= 1)
    shortfall = "" if calibration is None else calibration.shortfall(budget)
    return {"shortfall": shortfall, "above_normal": int(above.sum())}


def joined(old: Calibration, new: Calibration) -> Calibration:
    """Both after each other, dated as the new one."""

    def both(of_old: Series | None, of_new: Series | None) -> Series | None:
        return None if of_old is None or of_new is None else np.concatenate([of_old, of_new])

    return Calibration(
        np.concatenate([old.raw, new.raw]),
        np.concatenate([old.run, new.run + old.run[-1] + 1]),
        new.interval_s,
        new.created,
        both(old.mode, new.mode),  # type: ignore[arg-type]
        both(old.frame_mean, new.frame_mean),
        np.concatenate([old.time_per_score_s, new.time_per_score_s]),
        {
            mode: max(old.floor.get(mode, -math.inf), new.floor.get(mode, -math.inf))
            for mode in {**old.floor, **new.floor}
        },
    )


def share_below(normal: Series, values: Series) -> Series:
    """Share of ``normal`` below each value, in [0, 1]; NaN stays NaN."""
    share = np.searchsorted(np.sort(normal), values, side="left") / len(normal)
    return np.where(np.isnan(values), np.nan, share)


def _or_ask_for(budget: str, least: float, below: float = math.inf) -> str:
    """The budget that footage can show, as the end of a sentence; "" where there is none."""
    least_text = rounded_up(least)
    return f", or ask for scoring.{budget}={least_text}" * (float(least_text) < below)


def _one_mode(raw: Series) -> Modes:
    return np.full(len(raw), "", dtype=object)


def _upper_spread(values: Series) -> float:
    """From the median to the upper quantile."""
    low, high = np.quantile(values, [0.5, UPPER_QUANTILE])
    return max(float(high) - float(low), LEAST_DIVISOR)
