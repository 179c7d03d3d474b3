"""When alarms are one event: against a frame-by-frame reference, and by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlae.scoring.calibrate import Calibration
from tlae.scoring.event_rule import Clock, EventRule, default_merge_s, event_runs
from tlae.table import Table


def clock_of(time_s: list[float], clips: list[int] | None = None, **known: object) -> Clock:
    settings = {"interval_s": 1.0, "gap_s": 0.0, "shared": False, **known}
    codes = np.array(clips or [0] * len(time_s), np.int64)
    return Clock(np.array(time_s, float), codes, **settings)  # type: ignore[arg-type]


def runs(marks: str, rule: EventRule, clock: Clock | None = None) -> list[tuple[int, int]]:
    """`#` is over the threshold, `-` above the lower level, `.` calm; a frame a second."""
    over = np.array([mark == "#" for mark in marks])
    above = np.array([mark in "#-" for mark in marks])
    return event_runs(over, above, clock or clock_of([float(i) for i in range(len(marks))]), rule)


def naive_runs(
    marks: list[str], time_s: list[float], clips: list[int], rule: EventRule, gap_s: float
) -> list[tuple[int, int]]:
    """One frame after the other, as a person would do it."""
    stretches: list[list[int]] = []
    running = False
    ends = [True] * len(marks)  # of footage without a gap
    for i, mark in enumerate(marks):
        if i:
            step_s = time_s[i] - time_s[i - 1]
            ends[i - 1] = clips[i] != clips[i - 1] or not 0 <= step_s <= (gap_s or 1e9)
            running = running and not ends[i - 1]
        if mark == "#" and not running:
            running = True
            stretches.append([i, i])
        elif mark == ".":
            running = False
        if running:
            stretches[-1][1] = i
    merged: list[list[int]] = []
    for first, last in stretches:
        same = merged and not any(ends[merged[-1][1] : first])
        if same and 0 <= time_s[first] - time_s[merged[-1][1]] <= (rule.merge_s or 0):
            merged[-1][1] = last
        else:
            merged.append([first, last])
    events: list[tuple[int, int]] = []
    for first, last in merged:
        before = [e for e in events if clips[e[0]] == clips[first]]
        begin = None
        for i in range(first, last + 1):
            since = time_s[i] - time_s[before[-1][1]] if before else -1
            if marks[i] == "#" and not 0 <= since < rule.cooldown_s:
                begin = i
                break
        until_s = time_s[last] + 1 if ends[last] else time_s[last + 1]
        if begin is not None and until_s - time_s[begin] >= rule.min_duration_s:
            events.append((begin, last))
    return events


frames = st.lists(
    st.tuples(st.sampled_from("#-..#"), st.integers(0, 4), st.booleans()), min_size=1, max_size=40
)


@settings(max_examples=300, deadline=None)
@given(
    rows=frames,
    merge=st.integers(0, 4),
    least=st.integers(0, 4),
    cooldown=st.integers(0, 6),
    gap=st.integers(0, 3),
)
def test_events_are_those_of_a_frame_by_frame_reference(
    rows: list[tuple[str, int, bool]], merge: int, least: int, cooldown: int, gap: int
) -> None:
    marks = [mark for mark, _, _ in rows]
    time_s = np.cumsum([step for _, step, _ in rows]).astype(float).tolist()
    clips = np.cumsum([new and step == 4 for _, step, new in rows]).tolist()
    rule = EventRule(float(least), float(merge), float(cooldown))
    found = runs("".join(marks), rule, clock_of(time_s, clips, gap_s=float(gap)))
    assert found == naive_runs(marks, time_s, clips, rule, gap)


def test_an_event_begins_above_the_threshold_and_goes_on_above_the_lower_level() -> None:
    assert runs("--#--.--", EventRule(merge_s=0)) == [(2, 4)]
    assert runs("#.--#", EventRule(merge_s=0)) == [(0, 0), (4, 4)]


def test_a_gap_ends_an_event_however_short_it_is() -> None:
    """Ten frames a second and one pause of 0.8 s, which is a gap but shorter than ``merge_s``."""
    clock = clock_of([0.0, 0.1, 0.2, 1.0, 1.1, 1.2], interval_s=0.1, gap_s=0.5)
    assert runs("######", EventRule(merge_s=1), clock) == [(0, 2), (3, 5)]
    assert runs("##..##", EventRule(merge_s=2), clock) == [(0, 1), (4, 5)]
    assert runs("##.###", EventRule(merge_s=2), clock_of(clock.time_s.tolist())) == [(0, 5)]


def test_the_last_frame_lasts_until_the_next_one() -> None:
    """Mostly a frame a second; after the fourth one the camera rested for 10 s."""
    clock = clock_of([0.0, 1.0, 2.0, 3.0, 13.0, 14.0], interval_s=1.0)
    assert runs("..##..", EventRule(min_duration_s=11), clock) == [(2, 3)]
    assert runs("..##..", EventRule(min_duration_s=11.1), clock) == []
    with_gap = clock_of(clock.time_s.tolist(), interval_s=1.0, gap_s=5.0)
    assert runs("..##..", EventRule(min_duration_s=2), with_gap) == [(2, 3)]
    assert runs("..##..", EventRule(min_duration_s=2.1), with_gap) == []
    assert runs("....##", EventRule(min_duration_s=2), clock) == [(4, 5)]  # the footage ends


def test_the_lower_level_lies_between_median_and_threshold() -> None:
    normal = np.linspace(0, 2, 101)  # median 1.0, 95 % below 1.9
    calibration = Calibration(normal, np.zeros(101, np.int64), 1.0, "2026-01-01")

    def low(thresholds: list[float], known: Calibration | None) -> list[float]:
        modes = np.full(len(thresholds), "", dtype=object)
        return list(EventRule(low=0.8).low_level(np.array(thresholds), modes, known))

    assert low([11.0], calibration) == pytest.approx([9.0])
    assert low([2.0], calibration) == pytest.approx([1.9])  # or none would end
    assert low([1.5, np.inf], calibration) == pytest.approx([1.5, np.inf])
    assert low([10.0, -1.0], None) == pytest.approx([8.0, -1.0])


@pytest.mark.parametrize("every", [1, 2, 5])
def test_settings_mean_the_same_at_every_frame_interval(every: int) -> None:
    moments = np.arange(0, 100, 0.1 * every)
    over = ((moments >= 10) & (moments < 14)) | ((moments >= 16) & (moments < 20))
    over |= (moments >= 40) & (moments < 41)
    clock = clock_of(moments.tolist(), interval_s=0.1 * every)
    for rule, count in (
        (EventRule(merge_s=1.0), 3),
        (EventRule(merge_s=3.0), 2),
        (EventRule(merge_s=3.0, min_duration_s=2.0), 1),
        (EventRule(merge_s=3.0, cooldown_s=30.0), 1),
    ):
        assert len(event_runs(over, over, clock, rule)) == count


def test_one_frame_of_a_time_lapse_is_an_event_and_one_calm_frame_does_not_end_it() -> None:
    clock = clock_of([900.0 * i for i in range(8)], interval_s=900.0)
    assert runs("#.......", EventRule(min_duration_s=60), clock) == [(0, 0)]
    assert runs("#.#..#..", EventRule(), clock) == [(0, 2), (5, 5)]
    assert default_merge_s(0.1) == 1.0


def test_what_goes_on_after_a_cooldown_begins_then() -> None:
    assert runs("#...####.", EventRule(merge_s=0, cooldown_s=6)) == [(0, 0), (6, 7)]
    assert runs("#...#....", EventRule(merge_s=0, cooldown_s=6)) == [(0, 0)]


def test_a_cooldown_reaches_the_next_clip_only_by_the_wall_clock() -> None:
    table = pd.DataFrame(
        {
            "clip": ["a", "a", "b", "b"],
            "time_s": [0.0, 1.0, 0.0, 1.0],
            "taken_at": pd.to_datetime(["2024-01-01T00:00:00"]).append(
                pd.to_datetime([f"2024-01-01T00:00:0{s}" for s in (1, 2, 3)])
            ),
        }
    )
    over = np.array([True, False, True, False])
    rule = EventRule(merge_s=0, cooldown_s=5)
    assert event_runs(over, over, Clock.of_table(Table.of(table), 1.0, 0.0), rule) == [(0, 0)]
    table["taken_at"] = pd.NaT
    assert len(event_runs(over, over, Clock.of_table(Table.of(table), 1.0, 0.0), rule)) == 2


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"min_duration_s": -1.0}, "min_duration_s must be >= 0, got -1"),
        ({"merge_s": float("nan")}, "merge_s must be >= 0, got nan"),
        ({"cooldown_s": -0.1}, "cooldown_s must be >= 0"),
        ({"low": 0.0}, r"low must be in \(0, 1\]"),
        ({"low": 1.5}, r"low must be in \(0, 1\]"),
        ({"accept_after_h": 0.0}, "accept_after_h must be > 0, got 0"),
    ],
)
def test_settings_out_of_range_are_refused(setting: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        EventRule(**setting)  # type: ignore[arg-type]
