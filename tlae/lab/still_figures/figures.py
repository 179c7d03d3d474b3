"""All figures of one scored time-lapse with planted objects, as one long table.

Columns: ``figure``, ``budget`` (alarms a day, NaN where none is meant), ``group`` (what it is of),
``size``, ``contrast`` (NaN: all), ``value`` (shares in [0, 1], rates per day), ``count`` (objects,
days or frames behind it).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tlae.lab.still_figures.alarms import (
    Series,
    alarm_rate,
    scene_scores,
    threshold_at_rate,
    threshold_for_budget,
    watched_days,
)
from tlae.lab.still_figures.sightings import Found, found_objects, recall_grid

BUDGETS = (1, 2, 5)  # alarms a day
PRIMARY_BUDGET = 2
PRIMARY_SIZE = 0.03  # of the frame height, and
PRIMARY_CONTRAST = 0.25  # of the brightness of the place: from here on an object must be found
LONG_DAYS = 14  # of more test days, alarms are counted by week
SLACK = 1e-9

Row = dict[str, object]


@dataclass(frozen=True)
class Clips:
    """Names of the clips of the test part.

    Attributes:
        calibration: planted-free days before the test.
        clean: the test days as they are.
        nuisances: the test days under each nuisance.
    """

    calibration: str
    clean: str
    nuisances: tuple[str, ...]


def is_primary(objects: pd.DataFrame) -> Found:
    """Objects that are large and clear enough to count in the first figure."""
    large = objects["size"] >= PRIMARY_SIZE - SLACK
    clear = objects["contrast"] >= PRIMARY_CONTRAST - SLACK
    return (large & clear).to_numpy()


def budget_thresholds(table: pd.DataFrame, clips: Clips) -> dict[int, float]:
    """Threshold of each budget in raw units, from the calibration days alone."""
    raw, time_s = _clip(table, clips.calibration)
    days = watched_days(time_s)
    return {budget: threshold_for_budget(raw, days, budget) for budget in BUDGETS}


def still_figures(
    table: pd.DataFrame, objects: pd.DataFrame, sightings: pd.DataFrame, clips: Clips
) -> pd.DataFrame:
    """Recall of planted objects, and alarms where nothing is planted.

    Args:
        table: score table of all clips.
        objects: rows of ``planted.csv``.
        sightings: of these objects, see ``sightings.look_at``.
        clips: names of the others.
    """
    rows: list[Row] = []
    clean_raw, clean_s = _clip(table, clips.clean)
    primary = is_primary(objects)
    for budget, threshold in budget_thresholds(table, clips).items():
        rows.append({"figure": "threshold", "budget": budget, "value": threshold})
        found = found_objects(sightings, len(objects), threshold)
        rows += _recalls(objects, primary, found, budget)
        level = threshold_at_rate(clean_raw, clean_s, budget)
        with_hindsight = found_objects(sightings, len(objects), level)
        rows.append(_recall("recall_hindsight", with_hindsight[primary], budget, "primary"))
        for clip in (clips.clean, *clips.nuisances):
            rows += _rates(*_clip(table, clip), threshold, budget, clip)
        rows += _by_period(table[table["clip"] == clips.clean], threshold, budget)
    return pd.DataFrame(rows)


def _clip(table: pd.DataFrame, clip: str) -> tuple[Series, Series]:
    """Scores and times of one clip."""
    own = table[table["clip"] == clip]
    return scene_scores(own), own["time_s"].to_numpy(np.float64)


def _recalls(objects: pd.DataFrame, primary: Found, found: Found, budget: int) -> Iterable[Row]:
    yield _recall("recall", found[primary], budget, "primary")
    for cell in recall_grid(objects, found, ["size", "contrast"]).to_dict("records"):
        yield {
            "figure": "recall",
            "budget": budget,
            "group": "cell",
            "size": cell["size"],
            "contrast": cell["contrast"],
            "value": cell["recall"],
            "count": cell["objects"],
        }
    middle = (objects["frame_brightness"].min() + objects["frame_brightness"].max()) / 2
    named = pd.DataFrame(
        {
            "family": objects["family"],
            "stands": (objects["last_frame"] - objects["first_frame"] + 1).astype(str) + " frames",
            "light": np.where(objects["frame_brightness"] < middle, "dark frames", "bright frames"),
        }
    )
    for column in named.columns:
        for name in sorted(named[column].unique()):
            chosen = primary & (named[column] == name).to_numpy()
            yield _recall("recall", found[chosen], budget, str(name))


def _recall(figure: str, found: Found, budget: int, group: str) -> Row:
    value = float(found.mean()) if len(found) else float("nan")
    return {
        "figure": figure,
        "budget": budget,
        "group": group,
        "value": value,
        "count": len(found),
    }


def _rates(raw: Series, time_s: Series, threshold: float, budget: int, group: str) -> Iterable[Row]:
    rate = alarm_rate(raw, time_s, threshold)
    row = {"budget": budget, "group": group, "count": rate.days}
    yield {**row, "figure": "alarms_per_day", "value": rate.per_day}
    yield {**row, "figure": "frames_in_alarm", "value": rate.frames_share, "count": len(raw)}


def _by_period(clean: pd.DataFrame, threshold: float, budget: int) -> Iterable[Row]:
    """Alarms of each clean test day, or of each week where there are many."""
    taken_at = pd.to_datetime(clean["taken_at"])
    label = taken_at.dt.strftime("%Y-%m-%d")
    if label.nunique() > LONG_DAYS:
        label = taken_at.dt.strftime("%G week %V")
    for name, part in clean.groupby(label, sort=True):
        times = part["time_s"].to_numpy(np.float64)
        rate = alarm_rate(scene_scores(part), times, threshold)
        yield {
            "figure": "alarms_in_period",
            "budget": budget,
            "group": str(name),
            "value": rate.per_day,
            "count": rate.days,
        }
