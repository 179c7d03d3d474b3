"""Things that a person would be shown at a threshold, on footage with and without planted objects.

A thing is what `tlae events` makes of it: unusual at one place, however many frames it lasts. Light
and weather are counted apart, for they are shown last and as one line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tlae.scoring.areas import whole_area
from tlae.scoring.calibrate import DAY_S, Calibration
from tlae.scoring.event_rule import EventRule
from tlae.scoring.event_search import find_events
from tlae.scoring.events import SCENE, Event, shows_scene
from tlae.scoring.results import Scores
from tlae.scoring.rule import ScoringRule
from tlae.scoring.stored_maps import StoredMaps, read_maps
from tlae.scoring.things import LIGHT
from tlae.table import Table

Series = npt.NDArray[np.float64]

GAP_FACTOR = 5.0  # an interval this many times the median one is not watched time
STEPS = 128  # thresholds that are tried, from the calmest frame to the highest score
RULE = EventRule(by="thing")


@dataclass(frozen=True, eq=False)
class StillClip:
    """One scored clip.

    Attributes:
        table: its rows of the score table.
        maps: (n, h, w), of the same rows.
        rule: that made them.
        calibration: of the model; None: the lower level is a share of the threshold.
    """

    table: Table
    maps: npt.NDArray[np.float32]
    rule: ScoringRule
    calibration: Calibration | None

    @classmethod
    def of(cls, results: Scores, name: str, calibration: Calibration | None) -> "StillClip":
        """A clip of a scored footage."""
        rows = np.flatnonzero(results.columns["clip"] == name)
        table = results.columns.take(rows)
        maps = read_maps(results.stored_maps, int(rows[0]), int(rows[-1]) + 1)
        return cls(table, maps, results.rule, calibration)

    @cached_property
    def raw(self) -> Series:
        """Raw scores (n,); NaN for frames that never alarm: unreadable ones and camera events."""
        raw = self.table["raw"].copy()
        raw[~shows_scene(self.table)] = np.nan
        return raw

    @cached_property
    def days(self) -> float:
        """Time that the frames cover, gaps left out [days]."""
        return watched_days(self.table["time_s"])

    def events(self, threshold: float) -> list[Event]:
        """Events of the scene: things, and light."""
        table = self.table.assign(threshold=threshold)
        interval_s = float(np.median(np.diff(table["time_s"]))) if len(table) > 1 else 0.0
        stored = StoredMaps(self.maps, [np.arange(len(table))], self.rule)
        area = whole_area(table, self.calibration, RULE)
        found = find_events(table, [area], stored, RULE, interval_s, 0.0)
        return [event for event in found if event.kind == SCENE]

    def things(self, threshold: float) -> int:
        """Number of things that are shown."""
        return len(things_of(self.events(threshold)))

    def in_alarm(self, threshold: float) -> float:
        """Share of the frames in alarm, in [0, 1]."""
        return float((np.nan_to_num(self.raw, nan=-np.inf) > threshold).mean())


def things_of(events: list[Event]) -> list[Event]:
    """Those that a person looks at one by one."""
    return [event for event in events if event.what != LIGHT]


def thresholds_for_things(clip: StillClip, budgets: Sequence[int]) -> dict[int, float]:
    """Lowest threshold at which planted-free footage shows at most so many things a day.

    The number allowed is rounded to a whole one: a day of 0.98 watched days at one a day allows
    one, so with one day its highest few things decide. Fewer things may be shown at a lower
    threshold, where they run together or become light; the search stays above that.

    Args:
        clip: nothing is planted in it.
        budgets: things a day, rising.
    """
    known = clip.raw[~np.isnan(clip.raw)]
    highest = max(float(known.max()), 1e-9)
    levels = np.geomspace(highest, max(float(known.min()), 1e-3 * highest), STEPS)
    found, number = {}, 0
    for budget in budgets:
        allowed = int(np.floor(budget * clip.days + 0.5))
        while number + 1 < STEPS and clip.things(float(levels[number + 1])) <= allowed:
            number += 1
        found[budget] = float(levels[number])
    return found


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
