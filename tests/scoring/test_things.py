"""Things: one event for what is unusual at one place, however long, alike frame by frame."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tlae.errors import UserError
from tlae.live.state import pack, unpack
from tlae.scoring.areas import whole_area
from tlae.scoring.event_follower import EventFollower
from tlae.scoring.event_rule import EventRule
from tlae.scoring.event_search import find_events
from tlae.scoring.events import Event
from tlae.scoring.rule import ScoringRule
from tlae.scoring.stored_maps import StoredMaps, rounded
from tlae.scoring.stretch import Moment
from tlae.scoring.things import LASTING, LIGHT, PASSING, RECURRING
from tlae.table import Table

HOUR_S = 3600.0
RULE = EventRule()
GATE, YARD = (slice(2, 6), slice(2, 6)), (slice(14, 18), slice(20, 26))


def site(hours: float, step_s: float = 900.0) -> tuple[pd.DataFrame, np.ndarray]:
    """A calm table of one clip, and its maps, to be written into."""
    count = int(hours * HOUR_S / step_s)
    time_s = np.arange(count) * step_s
    table = pd.DataFrame(
        {
            "clip": "0",
            "frame": np.arange(count),
            "time_s": time_s,
            "taken_at": pd.Timestamp("2026-06-13") + pd.to_timedelta(time_s, unit="s"),
            "state": "ok",
            "score": np.nan,
            "threshold": 1.0,
            "mode": "",
            "health": "ok",
            "source_h": 240,
            "source_w": 320,
        }
    )
    return table, np.full((count, 24, 32), 0.1, np.float32)


def things(table: pd.DataFrame, maps: np.ndarray, rule: EventRule = RULE) -> list[Event]:
    """Things of a table, which must be those that are found frame by frame."""
    maps = rounded(maps)
    interval_s = float(table["time_s"].diff().median())
    table = table.assign(raw=maps.max(axis=(1, 2)).astype(np.float64))
    stored = StoredMaps(maps, [np.arange(len(maps))], ScoringRule(smooth_frames=0))
    area = whole_area(Table.of(table), None, rule)
    found = find_events(Table.of(table), [area], stored, rule, interval_s, 0.0)
    live = followed(table, maps, rule, area.low, interval_s)
    assert sorted(map(plain, live)) == sorted(map(plain, found))
    return found


def plain(event: Event) -> str:
    return str(replace(event, id="", rank=0))


def followed(
    table: pd.DataFrame, maps: np.ndarray, rule: EventRule, low: np.ndarray, interval_s: float
) -> list[Event]:
    """Frame by frame, with a restart after each."""
    follower = EventFollower(rule, interval_s, lambda raw, mode: np.nan)
    found: list[Event] = []
    for row, line in enumerate(table.itertuples()):
        at_s = (line.taken_at - table["taken_at"].iloc[0]).total_seconds()
        moment = Moment(
            *(line.clip, line.frame, line.time_s, at_s, line.taken_at),
            *(line.raw, np.nan, line.threshold, float(low[row]), line.mode, line.health),
            *(maps[row], "", (line.source_h, line.source_w)),
        )
        found += follower.push(moment, cut=False)
        state, _ = unpack(pack(follower.state(), {}))
        follower = EventFollower(rule, interval_s, lambda raw, mode: np.nan)
        follower.restore(state)
    return found + follower.finish()


def test_two_places_at_one_time_are_two_things_and_one_place_over_a_night_is_one() -> None:
    table, maps = site(30)
    maps[10:13, *GATE] = 2.0
    maps[11, *YARD] = 3.0
    maps[50, *GATE] = 1.5  # ten hours later
    gate, yard = things(table, maps)
    assert (gate.first_frame, gate.last_frame, gate.peak_frame) == (10, 50, 10)
    assert (gate.what, gate.frames, gate.box) == (LASTING, 4, (20, 20, 40, 40))
    assert (yard.first_frame, yard.last_frame, yard.what) == (11, 11, PASSING)
    assert yard.peak_raw == 3.0
    assert yard.box == (200, 140, 60, 40)


def test_a_thing_goes_on_above_the_lower_level_and_begins_over_the_threshold() -> None:
    table, maps = site(8)
    maps[3:9, *GATE] = 0.9  # above the lower level of 0.8 alone
    maps[5, *GATE] = 1.1
    (thing,) = things(table, maps)
    assert (thing.first_frame, thing.last_frame) == (5, 8)
    assert thing.stays


def test_a_thing_unseen_for_too_long_is_another_one() -> None:
    table, maps = site(30)
    maps[4, *GATE] = maps[4 + 60, *GATE] = 2.0  # 15 hours later
    assert len(things(table, maps)) == 2
    assert len(things(table, maps, EventRule(merge_s=16 * HOUR_S))) == 1
    assert len(things(table, maps, EventRule(min_duration_s=1800.0))) == 0


def test_what_comes_every_day_at_one_hour_is_one_thing() -> None:
    table, maps = site(24 * 5)
    for day in (0, 1, 3, 4):
        maps[96 * day + 86 + day % 2, *GATE] = 2.0  # about half past nine in the evening
    (thing,) = things(table, maps)
    assert (thing.what, thing.returns) == (RECURRING, 3)
    maps[96 * 2 + 40, *GATE] = 2.0  # at another hour
    assert len(things(table, maps)) == 2


def test_many_places_at_once_are_light_and_hide_no_thing_that_stays() -> None:
    table, maps = site(12)
    maps[10, ::4, ::4] = 2.0
    maps[10:13, *YARD] = 1.5
    light, thing = things(table, maps)
    assert (light.what, light.first_frame, light.frames) == (LIGHT, 10, 1)
    assert (thing.what, thing.first_frame) == (LASTING, 11)
    maps[20] = 2.0  # all of the picture, after its pause
    assert [event.what for event in things(table, maps)] == [LIGHT, LASTING, LIGHT]


def test_a_clip_a_clock_set_back_and_a_bad_lens() -> None:
    table, maps = site(10)
    maps[5:15, *GATE] = 2.0
    cut = table.assign(
        clip=np.where(table["frame"] < 10, "0", "1"), frame=np.r_[np.arange(10), np.arange(30)]
    )
    assert [event.clip for event in things(cut, maps)] == ["0", "1"]
    back = table.copy()
    back.loc[10:, "taken_at"] -= pd.Timedelta(hours=5)
    assert len(things(back, maps)) == 2
    covered = table.assign(health=np.where(table["frame"].between(8, 11), "covered", "ok"))
    assert sorted((event.kind, event.frames) for event in things(covered, maps)) == [
        ("camera", 0),
        ("scene", 6),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_followed_alike_frame_by_frame(seed: int) -> None:
    random = np.random.default_rng(seed)
    table, maps = site(24 * 2)
    for _ in range(100):
        row, top, left = random.integers(0, (len(maps) - 8, 20, 28))
        size, stays = random.integers(1, 8, 2)
        maps[row : row + stays, top : top + size, left : left + size] += random.random() * 2
    assert len(things(table, maps)) > 8


def test_the_number_of_things_that_are_followed_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tlae.scoring.things.MOST_THINGS", 2)
    table, maps = site(4)
    for row, left in enumerate((0, 6, 12, 0)):
        maps[row, 10:12, left : left + 2] = 2.0
    found = things(table, maps)
    assert [event.first_frame for event in found] == [0, 1, 2, 3]  # the first was given up


def test_things_are_the_default_for_stills_and_need_places() -> None:
    assert EventRule().follows_things(60.0, "maximum")
    assert not EventRule().follows_things(59.0, "maximum")
    assert not EventRule().follows_things(60.0, "mean")
    assert EventRule(by="thing").follows_things(0.04, "maximum")
    assert not EventRule(by="moment").follows_things(900.0, "maximum")
    with pytest.raises(UserError, match="by=thing needs scores of the worst place"):
        EventRule(by="thing").follows_things(900.0, "mean")
    with pytest.raises(UserError, match="cooldown_s is of events by moment"):
        EventRule(cooldown_s=60).follows_things(900.0, "maximum")
    with pytest.raises(ValueError, match="by must be one of"):
        EventRule(by="object")
