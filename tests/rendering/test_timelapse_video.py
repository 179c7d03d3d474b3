"""How footage time becomes video time."""

import numpy as np
import pytest

from tlae.errors import UserError
from tlae.rendering.timelapse_video import Pace, Shot, plan_shots

HOUR = 3600.0


def shots_of(at_h: list[float], near: list[int] = [], **pace: float) -> list[Shot]:  # noqa: B006  never changed
    at_s = np.array(at_h) * HOUR
    slowly = np.isin(np.arange(len(at_s)), near)
    settings = {"fps": 10.0, "footage_s": 2 * HOUR, "slow": 4.0} | pace
    return plan_shots(at_s, slowly, np.full(len(at_s), True), Pace(**settings), HOUR, 10 * HOUR)


def test_the_same_footage_time_takes_the_same_video_time() -> None:
    shots = shots_of([0, 1, 3, 4])  # 2 h a second of 10 frames: 5 frames an hour
    assert [shot.frames for shot in shots] == [5, 10, 5, 5]


def test_near_events_it_is_slower() -> None:
    assert [shot.frames for shot in shots_of([0, 1, 2], near=[1])] == [5, 20, 5]


def test_a_short_event_in_dense_footage_is_long_enough_to_be_seen() -> None:
    shots = shots_of(list(np.arange(10_000) / 1000), near=[5000, 5001])
    seen = sum(shot.frames for shot in shots if shot.row in (5000, 5001))
    assert seen in (10, 11)  # a second


def test_a_gap_takes_no_time_but_is_told() -> None:
    shots = shots_of([0, 1, 25])
    assert [shot.frames for shot in shots] == [5, 5, 5]
    assert [shot.gap_s for shot in shots] == [0, 0, 24 * HOUR]


def test_dense_footage_is_thinned_and_its_length_kept() -> None:
    at_h = np.arange(1000) / 100  # ten hours
    shots = shots_of(list(at_h))
    assert sum(shot.frames for shot in shots) == pytest.approx(5 * 10, abs=6)
    assert len(shots) < 100
    assert [shot.row for shot in shots] == sorted({shot.row for shot in shots})


def test_a_gap_before_a_frame_that_is_passed_over_is_still_told() -> None:
    at_h = [*(np.arange(100) / 1000), *(50 + np.arange(100) / 1000)]
    at_s = np.array(at_h) * HOUR
    flags = np.full(200, False)
    pace = Pace(10.0, 0.02 * HOUR)
    shots = plan_shots(at_s, flags, ~flags, pace, 0.001 * HOUR, HOUR)
    assert sum(shot.gap_s > 0 for shot in shots) == 1


def test_a_single_frame_is_shown() -> None:
    assert shots_of([0], footage_s=1e9) == [Shot(0, 1)]


@pytest.mark.parametrize(
    ("pace", "words"),
    [({"footage_s": 0.0}, "hours_per_s must be > 0"), ({"slow": 0.5}, "slow must")],
)
def test_impossible_paces_are_refused(pace: dict[str, float], words: str) -> None:
    with pytest.raises(UserError, match=words):
        shots_of([0, 1], **pace)
