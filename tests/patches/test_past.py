"""The last hours: learning and scoring compare a still with the same stills."""

import numpy as np
import pytest

from tests.patches.drawn_site import drawn
from tlae.patches.features import still_of
from tlae.patches.past import MOST, Past, Reach


def test_hours_become_stills() -> None:
    assert Reach.of(past_h=48, fresh_h=0.75, interval_s=900) == Reach(spacing=1, fresh=3)
    assert Reach.of(past_h=48, fresh_h=0.75, interval_s=60) == Reach(spacing=15, fresh=45)
    assert Reach.of(past_h=48, fresh_h=0.75, interval_s=86_400) == Reach(spacing=1, fresh=1)


@pytest.mark.parametrize("reach", [Reach(1, 3), Reach(3, 5), Reach(2, 1)])
def test_scoring_compares_with_what_learning_compared_with(reach: Reach) -> None:
    still, past = still_of(drawn(1)[0]), Past()
    for number in range(3 * MOST):
        compared = past.numbers[past.compared(reach)]
        np.testing.assert_array_equal(compared, reach.rows_before(number))
        past = Past.unpacked(past.with_still(still, reach).packed())
    assert past.memory is not None
    assert len(past.memory) <= MOST + reach.fresh


def test_the_start_of_a_run_has_no_past() -> None:
    assert Past.unpacked(None).memory is None
    assert not len(Past.unpacked(()).compared(Reach(1, 3)))
