import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlae.evaluation.bootstrap import bootstrap_intervals, clip_draws, percentile_interval


@settings(max_examples=20, deadline=None)
@given(clips=st.integers(1, 40), draws=st.integers(1, 30))
def test_every_draw_has_as_many_clips_as_there_are(clips: int, draws: int) -> None:
    drawn = clip_draws(clips, draws)
    assert drawn.shape == (draws, clips)
    assert (drawn >= 0).all()
    assert (drawn.sum(axis=1) == clips).all()


def test_draws_are_fair_and_repeat_themselves() -> None:
    drawn = clip_draws(4, draws=4000)
    np.testing.assert_array_equal(drawn, clip_draws(4, draws=4000))
    np.testing.assert_allclose(drawn.mean(axis=0), 1, atol=0.05)
    assert (drawn != clip_draws(4, draws=4000, seed=1)).any()


def test_interval_is_the_middle_95_percent() -> None:
    assert percentile_interval(np.arange(1001.0)) == (25.0, 975.0)


def test_undefined_draws_are_left_out_unless_they_are_most() -> None:
    values = np.array([1.0, 1.0, np.nan, np.nan])
    assert percentile_interval(values) == (1.0, 1.0)
    assert percentile_interval(np.append(values, np.nan)) is None
    assert percentile_interval(np.array([])) is None


def test_interval_of_a_mean_is_that_of_clips_written_out() -> None:
    values = np.random.default_rng(1).normal(size=9)
    draws = clip_draws(9, draws=200)
    written_out = [np.repeat(values, counts) for counts in draws]
    low, high = np.percentile([part.mean() for part in written_out], (2.5, 97.5))
    most = np.percentile([part.max() for part in written_out], (2.5, 97.5))
    found = bootstrap_intervals(
        lambda counts: [values @ counts / counts.sum(), values[counts > 0].max()], draws
    )
    assert found[0] == pytest.approx((low, high))
    assert found[1] == pytest.approx(most)


def test_one_clip_has_no_interval() -> None:
    assert bootstrap_intervals(lambda counts: [1.0, 2.0], clip_draws(1)) == [None, None]
