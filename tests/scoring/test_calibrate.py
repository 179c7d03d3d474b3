import json
import logging
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlae.budget import Budget
from tlae.errors import UserError
from tlae.scoring.calibrate import (
    Calibration,
    PerMode,
    joined,
    threshold_of,
)
from tlae.scoring.calibration_file import calibration_arrays, calibration_of
from tlae.scoring.rule import ScoringRule
from tlae.scoring.smooth_time import smooth_in_time


def calibration(
    raw: list[float], run: list[int] | None = None, interval_s: float = 1.0
) -> Calibration:
    runs = np.zeros(len(raw), np.int64) if run is None else np.array(run)
    return Calibration(np.array(raw, dtype=np.float64), runs, interval_s, "2026-01-01")


def test_score_is_the_share_of_calmer_normal_frames() -> None:
    normal = calibration([1.0, 2.0, 3.0, 4.0])
    scores = normal.calibrated(np.array([0.5, 2.5, 9.0, np.nan]))
    np.testing.assert_array_equal(scores, [0.0, 0.5, 1.0, np.nan])


def test_higher_raw_never_gets_a_lower_score() -> None:
    normal = calibration(list(np.random.default_rng(0).random(30)))
    assert (np.diff(normal.calibrated(np.linspace(-1, 2, 100))) >= 0).all()


@settings(max_examples=20, deadline=None)
@given(rate=st.sampled_from([0.02, 0.1, 0.3]), seed=st.integers(0, 10_000))
def test_rate_is_kept_on_new_normal_frames(rate: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    threshold = calibration(list(random.normal(size=4000))).level_for_rate(rate)
    realised = (random.normal(size=20_000) > threshold).mean()
    assert realised == pytest.approx(rate, rel=0.5)  # 4.5 standard deviations at the lowest rate


def test_rate_beyond_the_evidence_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert calibration([1.0, 5.0, 3.0]).level_for_rate(1e-3) > 5.0
    assert "more than 3 held-out frames (about 3 independent moments) can show" in caplog.text
    few, many = calibration([1.0, 5.0, 3.0]), calibration(list(np.arange(4000.0) % 7))
    assert [few.shortfall(Budget(false_alarm_rate=1e-3))] == caplog.messages
    assert not few.shortfall(Budget(threshold=1.0, false_alarm_rate=1e-3))
    assert not many.shortfall(Budget(false_alarm_rate=0.1))


def naive_alarms(raw: np.ndarray, run: np.ndarray, threshold: float) -> int:
    count, above, last = 0, False, None
    for value, number in zip(raw, run, strict=True):
        if number != last:
            above = False
        if value > threshold and not above:
            count += 1
        above, last = value > threshold, number
    return count


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.integers(0, 8), min_size=1, max_size=60),
    cuts=st.integers(1, 5),
    budget=st.integers(0, 12),
)
def test_the_lowest_level_that_so_many_alarms_exceed(
    values: list[int], cuts: int, budget: int
) -> None:
    raw = np.array(values, dtype=np.float64)
    run = np.sort(np.arange(len(raw)) % cuts)
    normal = Calibration(raw, run, 86400 / len(raw), "now")  # one day of footage
    threshold = normal.level_exceeded_by(budget)
    assert naive_alarms(raw, run, threshold) <= budget
    higher = [u for u in np.unique(raw) if u >= threshold]
    assert all(naive_alarms(raw, run, u) <= budget for u in higher)
    below = [u for u in np.unique(raw) if u < threshold]
    if below:
        assert naive_alarms(raw, run, below[-1]) > budget


@pytest.mark.parametrize("budget", [1, 2, 5])
def test_alarms_per_day_are_kept_on_new_normal_days(budget: int) -> None:
    random = np.random.default_rng(0)
    realised = []
    for _ in range(300):
        known, new = random.normal(size=(2, 200))
        normal = Calibration(known, np.zeros(200, np.int64), 86400 / 200, "now")  # one day
        realised.append(naive_alarms(new, np.zeros(200), normal.level_for_alarms(budget)))
    assert np.mean(realised) == pytest.approx(budget, rel=0.15)


def test_alarms_beyond_the_evidence_are_told(caplog: pytest.LogCaptureFixture) -> None:
    half_a_day = calibration([1.0, 5.0, 3.0], interval_s=14400)
    with caplog.at_level(logging.WARNING):
        assert half_a_day.level_for_alarms(1) > 5.0
    assert "more than 0.5 days of held-out footage can show" in caplog.text


def test_fixed_threshold_wins_and_the_stricter_budget_counts() -> None:
    normal = calibration([float(i) for i in range(1000)])
    assert threshold_of(normal, Budget(threshold=7.0, false_alarm_rate=0.5)) == PerMode(7.0)
    loose, strict = (threshold_of(normal, Budget(false_alarm_rate=r)).value for r in (0.1, 0.01))
    assert loose < strict
    assert threshold_of(None, Budget(false_alarm_rate=0.1)) == PerMode(np.inf)
    assert threshold_of(normal, Budget()) == PerMode(np.inf)


def day_and_night(frames: int = 2000) -> Calibration:
    """Nights score twice as high as days, and spread three times as far."""
    random = np.random.default_rng(0)
    night = np.arange(frames) // 50 % 2 == 1
    raw = np.where(night, random.normal(2, 0.3, frames), random.normal(1, 0.1, frames))
    names = np.where(night, "night", "day").astype(object)
    return Calibration(raw, np.zeros(frames, np.int64), 864.0, "now", names)


def test_each_camera_mode_has_its_own_threshold() -> None:
    normal = day_and_night()
    threshold = threshold_of(normal, Budget(false_alarm_rate=0.02))
    assert threshold.by_mode["day"] == pytest.approx(1.2, abs=0.05)
    assert threshold.by_mode["night"] == pytest.approx(2.6, abs=0.1)
    alarms = normal.raw > threshold.of(normal.mode)
    assert alarms.mean() == pytest.approx(0.02, abs=0.002)
    assert set(normal.mode[alarms]) == {"day", "night"}


def test_a_day_frame_at_the_level_of_nights_is_unusual() -> None:
    normal = day_and_night()
    raw, modes = np.array([2.0, 2.0]), np.array(["day", "night"], dtype=object)
    in_day, in_night = normal.calibrated(raw, modes)
    assert in_day == 1
    assert in_night < 0.7


def test_a_mode_of_few_frames_is_shrunk_towards_the_whole() -> None:
    raw = np.concatenate([np.linspace(1, 2, 500), [9.0, 9.0]])
    names = np.array(["day"] * 500 + ["flash"] * 2, dtype=object)
    normal = Calibration(raw, np.zeros(502, np.int64), 1.0, "now", names)
    typical, spread = (
        part.by_mode["flash"] for part in (normal.scales.typical, normal.scales.spread)
    )
    within = normal.scales.spread.by_mode["day"]
    assert typical == pytest.approx(10 / 12 * np.median(raw) + 2 / 12 * 9.0)
    assert spread == pytest.approx(within, rel=0.2)  # two equal frames have none of their own


def test_one_mode_is_no_mode() -> None:
    raw = np.arange(10.0)
    names = np.full(10, "day", dtype=object)
    normal = Calibration(raw, np.zeros(10, np.int64), 1.0, "now", names)
    assert normal.modes == []
    half = Budget(false_alarm_rate=0.5)
    assert threshold_of(normal, half) == threshold_of(calibration(list(raw)), half)


@given(
    values=st.lists(st.integers(0, 8), min_size=1, max_size=60),
    cuts=st.integers(1, 5),
    level=st.integers(-1, 9),
)
def test_alarms_above_a_level_are_counted_as_a_loop_would(
    values: list[int], cuts: int, level: int
) -> None:
    raw, run = np.array(values, dtype=np.float64), np.sort(np.arange(len(values)) % cuts)
    normal = Calibration(raw, run, 1.0, "now")
    assert normal.alarms_above(level) == naive_alarms(raw, run, level)


@pytest.mark.parametrize("moments", [7, 19, 30, 187])
def test_a_budget_that_a_warning_proposes_is_one_that_the_footage_shows(
    moments: int, caplog: pytest.LogCaptureFixture
) -> None:
    normal = calibration(list(np.random.default_rng(1).random(moments)), interval_s=864.0)
    for ask in ("false_alarm_rate", "alarms_per_day"):
        caplog.clear()
        threshold_of(normal, Budget(**{ask: 1e-4}))
        proposed = float(caplog.text.split(f"ask for scoring.{ask}=")[1])
        caplog.clear()
        threshold_of(normal, Budget(**{ask: proposed}))
        assert caplog.text == ""


def test_footage_that_shows_no_rate_at_all_proposes_none(caplog: pytest.LogCaptureFixture) -> None:
    calibration([1.0, 5.0, 3.0]).level_for_rate(1e-3)
    assert caplog.text.strip().endswith("; add footage")


def test_alarms_a_day_are_refused_where_no_pace_is_known() -> None:
    undated = calibration([1.0, 5.0, 3.0], interval_s=0.0)
    with pytest.raises(UserError, match="alarms_per_day=2 needs normal footage with times"):
        threshold_of(undated, Budget(alarms_per_day=2))


def test_joined_footage_of_another_pace_keeps_its_days() -> None:
    fast = Calibration(np.arange(36_000.0), np.zeros(36_000, np.int64), 0.1, "2023-01-01")
    slow = Calibration(np.arange(144.0), np.zeros(144, np.int64), 600.0, "2023-02-01")
    for both in (joined(fast, slow), joined(slow, fast)):
        assert both.days == pytest.approx(1 + 1 / 24)
        assert both.smoothed(3.0, causal=True).days == pytest.approx(both.days, rel=0.05)
        arrays, facts = calibration_arrays(both)
        assert calibration_of(arrays, facts).days == both.days
    older, facts = calibration_arrays(slow)
    assert "stands_for_s" not in older
    assert calibration_of(older, facts).days == pytest.approx(1)


def test_joined_calibrations_stay_apart_in_time() -> None:
    both = joined(calibration([1.0, 2.0], run=[0, 1]), calibration([3.0, 4.0]))
    np.testing.assert_array_equal(both.raw, [1, 2, 3, 4])
    np.testing.assert_array_equal(both.run, [0, 1, 2, 2])


@pytest.mark.parametrize("rate", [0.0, 1.0, -1.0])
def test_bad_budgets_are_refused(rate: float) -> None:
    with pytest.raises(UserError, match="false_alarm_rate must be in"):
        calibration([1.0]).level_for_rate(rate)
    with pytest.raises(UserError, match="alarms_per_day must be > 0"):
        calibration([1.0]).level_for_alarms(0)


def test_smoothing_does_not_cross_runs() -> None:
    normal = calibration([0.0, 0.0, 9.0, 9.0], run=[0, 0, 1, 1])
    np.testing.assert_array_equal(normal.smoothed(3.0, causal=True).raw, [0, 0, 9, 9])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kernel": "boxx"}, "scoring.kernel must be one of box_mean, box_sum, gaussian"),
        ({"kernel_fraction": 2.0}, r"kernel_fraction must be in \(0, 1\]"),
        ({"smooth_frames": -1.0}, r"smooth_frames must be in \[0, 1e"),
        ({"reduction": "median"}, "scoring.reduction must be one of"),
        ({"error": "cubic"}, "scoring.error must be one of"),
        ({"unit": 0.0}, r"unit must be in \(0, 1e"),
        ({"kernel_px": 0}, r"kernel_px must be in \[1, 4096\]"),
    ],
)
def test_bad_rules_are_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ScoringRule().changed_by(change)


def test_rule_changes_only_what_is_given() -> None:
    rule = ScoringRule(kernel_px=4).changed_by({"kernel_fraction": 0.2, "unit": None, "other": 3})
    assert rule == ScoringRule(kernel_fraction=0.2)
    assert rule.kernel_size_px(100) == 20


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_not_finite_calibrate_nothing(bad: float) -> None:
    raw = np.array([0.1, bad, 0.3])
    with pytest.raises(UserError, match="must be finite numbers, got 1 others of 3"):
        Calibration(raw, np.zeros(3, np.int64), 1.0, "2026-01-01")
    with pytest.raises(UserError, match="must be finite numbers, got 1 others of 3"):
        Calibration(np.ones(3), np.zeros(3, np.int64), 1.0, "2026-01-01", None, raw)


def test_footage_that_scores_zero_ends_its_alarms() -> None:
    """What fades after an odd stretch never reaches zero."""
    still = Calibration(np.zeros(200), np.zeros(200, np.int64), 0.1, "2026-01-01")
    threshold = threshold_of(still, Budget(false_alarm_rate=0.05)).value
    after = smooth_in_time(np.r_[np.full(15, 3.0), np.zeros(100)], 5.0, causal=True)
    assert 0 < threshold < 0.01
    assert (after > threshold).sum() < 60


def test_no_budget_gives_a_threshold_below_what_was_declared_normal() -> None:
    raw = np.linspace(0, 1, 200)
    plain = Calibration(raw, np.zeros(200, np.int64), 0.1, "2026-01-01")
    day = np.array(["day", "night"] * 100, dtype=object)
    for mode, floor, expected in (
        (None, {"": 3.0}, {"": 3.0}),
        (None, {"": 0.1}, {}),
        (day, {"night": 3.0}, {"night": 3.0}),
        (day, {"dusk": 3.0}, {"dusk": 3.0}),
    ):
        without = threshold_of(replace(plain, mode=mode), Budget(false_alarm_rate=0.2))
        found = threshold_of(replace(plain, mode=mode, floor=floor), Budget(false_alarm_rate=0.2))
        names = np.array(["", "day", "night", "dusk"], dtype=object)
        by_name = dict(zip(names, without.of(names), strict=True))
        assert dict(zip(names, found.of(names), strict=True)) == (
            dict.fromkeys(names, expected[""]) if mode is None and expected else by_name | expected
        )
    fixed = threshold_of(replace(plain, floor={"": 3.0}), Budget(threshold=0.5))
    assert fixed.value == 0.5
    assert threshold_of(replace(plain, floor={"": 3.0}), Budget()).value == np.inf


def test_joined_calibrations_keep_the_higher_of_what_was_declared_normal() -> None:
    one = Calibration(np.ones(3), np.zeros(3, np.int64), 0.1, "2026-01-01", floor={"": 1.0})
    other = replace(one, floor={"": 0.5, "night": 2.0})
    assert joined(one, other).floor == {"": 1.0, "night": 2.0}
    arrays, facts = calibration_arrays(joined(one, other))
    assert calibration_of(arrays, json.loads(json.dumps(facts))).floor == {"": 1.0, "night": 2.0}
