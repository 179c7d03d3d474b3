import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlae.errors import UserError
from tlae.scoring.calibrate import Calibration, threshold_of
from tlae.scoring.rule import ScoringRule


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
    threshold = calibration(list(random.normal(size=4000))).threshold_for_rate(rate)
    realised = (random.normal(size=20_000) > threshold).mean()
    assert realised == pytest.approx(rate, rel=0.35)


def test_rate_beyond_the_evidence_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert calibration([1.0, 5.0, 3.0]).threshold_for_rate(1e-3) == 5.0
    assert "more than 3 held-out frames can show" in caplog.text


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
    budget=st.floats(0.5, 12),
)
def test_alarms_per_day_is_the_lowest_threshold_that_keeps_the_budget(
    values: list[int], cuts: int, budget: float
) -> None:
    raw = np.array(values, dtype=np.float64)
    run = np.sort(np.arange(len(raw)) % cuts)
    normal = Calibration(raw, run, 86400 / len(raw), "now")  # one day of footage
    threshold = normal.threshold_for_alarms(budget)
    assert naive_alarms(raw, run, threshold) <= budget
    higher = [u for u in np.unique(raw) if u >= threshold]
    assert all(naive_alarms(raw, run, u) <= budget for u in higher)
    below = [u for u in np.unique(raw) if u < threshold]
    if below:
        assert naive_alarms(raw, run, below[-1]) > int(budget)


def test_fixed_threshold_wins_and_the_stricter_budget_counts() -> None:
    normal = calibration([float(i) for i in range(1000)])
    assert threshold_of(normal, threshold=7.0, false_alarm_rate=0.5) == 7.0
    loose, strict = (threshold_of(normal, false_alarm_rate=r) for r in (0.1, 0.01))
    assert loose < strict
    assert threshold_of(None, false_alarm_rate=0.1) == np.inf
    assert threshold_of(normal) == np.inf


@pytest.mark.parametrize("rate", [0.0, 1.0, -1.0])
def test_bad_budgets_are_refused(rate: float) -> None:
    with pytest.raises(UserError, match="false_alarm_rate must be in"):
        calibration([1.0]).threshold_for_rate(rate)
    with pytest.raises(UserError, match="alarms_per_day must be > 0"):
        calibration([1.0]).threshold_for_alarms(0)


def test_smoothing_does_not_cross_runs() -> None:
    normal = calibration([0.0, 0.0, 9.0, 9.0], run=[0, 0, 1, 1])
    np.testing.assert_array_equal(normal.smoothed(3.0, causal=True).raw, [0, 0, 9, 9])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kernel": "boxx"}, "scoring.kernel must be one of box_mean, box_sum, gaussian"),
        ({"kernel_fraction": 2.0}, r"kernel_fraction must be in \(0, 1\]"),
        ({"smooth_frames": -1.0}, "smooth_frames must be >= 0"),
        ({"reduction": "median"}, "scoring.reduction must be one of"),
        ({"error": "cubic"}, "scoring.error must be one of"),
        ({"unit": 0.0}, "unit must be > 0"),
        ({"kernel_px": 0}, "kernel_px must be >= 1"),
    ],
)
def test_bad_rules_are_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ScoringRule().changed_by(change)


def test_rule_changes_only_what_is_given() -> None:
    rule = ScoringRule(kernel_px=4).changed_by({"kernel_fraction": 0.2, "unit": None, "other": 3})
    assert rule == ScoringRule(kernel_fraction=0.2)
    assert rule.kernel_size_px(100) == 20
