"""All figures of one scored time-lapse with planted objects, as one long table.

Columns: ``figure``, ``budget`` (things a day, NaN where none is meant), ``group`` (what it is of),
``size``, ``contrast`` (NaN: all), ``value`` (shares in [0, 1], rates per day), ``count`` (objects,
days or frames behind it).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tlae.lab.still_figures.shown import StillClip, things_of, thresholds_for_things, watched_days
from tlae.lab.still_figures.sightings import Found, found_objects, recall_grid
from tlae.scoring.events import Event

BUDGETS = (1, 2, 5, 10, 20)  # things a day that a person looks at
PRIMARY_BUDGET = 10
PRIMARY_SIZE = 0.03  # of the frame height, and
PRIMARY_CONTRAST = 0.25  # of the brightness of the place: from here on an object must be found
LONG_DAYS = 14  # of more test days, things are counted by week
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


def still_figures(
    clip_of: Callable[[str], StillClip],
    objects: pd.DataFrame,
    sightings: pd.DataFrame,
    clips: Clips,
    thresholds: Mapping[int, float],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Recall of planted objects, and things where nothing is planted.

    Args:
        clip_of: a scored clip by its name.
        objects: rows of ``planted.csv``.
        sightings: of these objects, see ``sightings.look_at``.
        clips: names of the others.
        thresholds: of each budget in raw units, from the calibration days alone.

    Returns:
        The figures, and whether each object is found, one column for each budget.
    """
    rows: list[Row] = []
    clean = clip_of(clips.clean)
    planted = [clip_of(str(name)) for name in objects["clip"].unique()]

    def found_at(threshold: float) -> Found:
        things = [thing for one in planted for thing in things_of(one.events(threshold))]
        return found_objects(things, objects, sightings, threshold)

    primary, found = is_primary(objects), {}
    hindsight = thresholds_for_things(clean, BUDGETS)
    for budget, threshold in thresholds.items():
        rows.append({"figure": "threshold", "budget": budget, "value": threshold})
        found[f"found_{budget}"] = found_at(threshold)
        rows += _recalls(objects, primary, found[f"found_{budget}"], budget)
        with_hindsight = found_at(hindsight[budget])
        rows.append(_recall("recall_hindsight", with_hindsight[primary], budget, "primary"))
        rows += _rates(clean, threshold, budget, clips.clean)
        rows += _by_period(clean, threshold, budget)
    for name in clips.nuisances:
        rows += _rates(clip_of(name), thresholds[PRIMARY_BUDGET], PRIMARY_BUDGET, name)
    return pd.DataFrame(rows), pd.DataFrame(found)


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


def _rates(clip: StillClip, threshold: float, budget: int, group: str) -> Iterable[Row]:
    """Things a day, and what is light; share of frames in alarm."""
    events = clip.events(threshold)
    things = len(things_of(events))
    row = {"budget": budget, "group": group, "count": clip.days}
    yield {**row, "figure": "things_per_day", "value": _per_day(things, clip.days)}
    yield {**row, "figure": "light_per_day", "value": _per_day(len(events) - things, clip.days)}
    share = clip.in_alarm(threshold)
    yield {**row, "figure": "frames_in_alarm", "value": share, "count": len(clip.table)}


def _per_day(count: int, days: float) -> float:
    return count / days if days else float("nan")


def _by_period(clean: StillClip, threshold: float, budget: int) -> Iterable[Row]:
    """Things that begin on each clean test day, or in each week where there are many."""
    table = clean.table.frame()
    taken_at = table["taken_at"]
    label = taken_at.dt.strftime("%Y-%m-%d")
    if label.nunique() > LONG_DAYS:
        label = taken_at.dt.strftime("%G week %V")
    things = things_of(clean.events(threshold))
    for name, part in table.groupby(label, sort=True):
        days = watched_days(part["time_s"].to_numpy(np.float64))
        yield {
            "figure": "things_in_period",
            "budget": budget,
            "group": str(name),
            "value": _per_day(sum(_begins_in(part, thing) for thing in things), days),
            "count": days,
        }


def _begins_in(part: pd.DataFrame, thing: Event) -> bool:
    """Whether the first frame of a thing is in some rows of its clip."""
    return bool((part["frame"] == thing.first_frame).any())
