"""Events frame by frame are those of the whole table."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tlae.scoring.areas import whole_area
from tlae.scoring.event_follower import EventFollower
from tlae.scoring.event_rule import EventRule
from tlae.scoring.events import Event, find_stretches
from tlae.scoring.rule import ScoringRule
from tlae.scoring.stored_maps import StoredMaps, rounded
from tlae.scoring.stretch import Moment
from tlae.table import Table

RULES = (
    EventRule(),
    EventRule(low=1.0, merge_s=0.0),
    EventRule(min_duration_s=0.5, merge_s=0.25),
    EventRule(cooldown_s=2.0, low=0.6),
    EventRule(min_duration_s=0.3, cooldown_s=1.0, merge_s=0.4),
)
GAP_S = 5.0


def random_table(seed: int, *, dated: bool) -> tuple[pd.DataFrame, np.ndarray]:
    """Scores that wander over the threshold, in two clips with a gap, with a bad lens at times."""
    random = np.random.default_rng(seed)
    count = 240
    time_s = np.concatenate([np.arange(120), np.arange(120)]) * 0.1
    time_s[60:120] += 20  # a gap
    raw = np.convolve(random.normal(size=count + 4), np.ones(5) / 5, "valid") + 0.7
    health = np.where(random.random(count) < 0.05, "covered", "ok").astype(object)
    health[200:206] = "black"
    maps = rounded(random.random((count, 12, 16)).astype(np.float32))
    at_s = time_s + np.repeat([0.0, 100.0], 120)
    taken_at = pd.Timestamp("2026-01-01") + pd.to_timedelta(at_s, unit="s")
    table = pd.DataFrame(
        {
            "clip": np.repeat(["0", "1"], 120),
            "frame": np.tile(np.arange(120), 2),
            "time_s": time_s,
            "taken_at": taken_at if dated else pd.Series([pd.NaT] * count),
            "state": "ok",
            "raw": raw,
            "score": np.nan,
            "threshold": 1.0,
            "mode": "",
            "health": health,
            "source_h": 120,
            "source_w": 160,
        }
    )
    return table, maps


def followed(table: pd.DataFrame, maps: np.ndarray, rule: EventRule) -> list[Event]:
    follower = EventFollower(rule, 0.1)
    low = whole_area(Table.of(table), None, rule).low
    dated = bool(table["taken_at"].notna().all())
    found, before = [], None
    for row, line in enumerate(table.itertuples()):
        at_s = line.time_s
        if dated:
            at_s = (line.taken_at - table["taken_at"].iloc[0]).total_seconds()
        moment = Moment(
            line.clip,
            line.frame,
            line.time_s,
            at_s,
            line.taken_at if dated else None,
            line.raw,
            np.nan,
            line.threshold,
            float(low[row]),
            line.mode,
            line.health,
            maps[row],
            "",
            (line.source_h, line.source_w),
        )
        other = before is not None and before.clip != line.clip
        cut = other or (before is not None and line.time_s - before.time_s > GAP_S)
        found += follower.push(moment, cut=cut, forget=other and not dated)
        before = line
    return found + follower.finish()


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("rule", RULES)
def test_events_are_those_of_the_whole_table(rule: EventRule, dated: bool) -> None:
    count = 0
    for seed in range(12):
        table, maps = random_table(seed, dated=dated)
        stored = StoredMaps(maps, [np.arange(len(maps))], ScoringRule(smooth_frames=0))
        expected = find_stretches(
            Table.of(table), [whole_area(Table.of(table), None, rule)], stored, rule, 0.1, GAP_S
        )
        found = followed(table, maps, rule)
        key = lambda event: (event.clip, event.first_frame, event.kind, event.health)  # noqa: E731
        plain = [replace(event, id="", stays=False) for event in expected]
        assert sorted((replace(event, id="") for event in found), key=key) == sorted(plain, key=key)
        count += len(found)
    assert count > 50
