"""The tail of normal scores: how often new footage of the same kind goes beyond its levels."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from tlae.scoring.calibrate import Calibration
from tlae.scoring.tail import Tail


def normal_scores(frames: int, seed: int, smooth: float) -> np.ndarray:
    """Stationary scores whose neighbours are alike."""
    white = np.random.default_rng(seed).gumbel(size=frames + 200)
    if not smooth:
        return white[100:-100]
    line = gaussian_filter1d(white, smooth)
    return line[100:-100] / line.std()


def calibration(scores: np.ndarray) -> Calibration:
    return Calibration(scores, np.zeros(len(scores), np.int64), 0.1, "now")


@pytest.mark.parametrize("smooth", [0.0, 3.0, 8.0])
@pytest.mark.parametrize("frames", [150, 400])
def test_a_rare_rate_is_kept_by_footage_of_another_time(frames: int, smooth: float) -> None:
    asked, realised = 0.01, []
    for seed in range(40):
        level = calibration(normal_scores(frames, seed, smooth)).level_for_rate(asked)
        new = normal_scores(20_000, 1000 + seed, smooth)
        realised.append((new > level).mean())
    assert np.median(realised) < asked
    assert np.mean(realised) < 2 * asked


@pytest.mark.parametrize("rate", [0.2, 0.05])
def test_a_rate_that_footage_can_show_is_met_from_both_sides(rate: float) -> None:
    realised = [
        (
            normal_scores(20_000, 99 + s, 3.0)
            > calibration(normal_scores(3000, s, 3.0)).level_for_rate(rate)
        ).mean()
        for s in range(20)
    ]
    assert np.mean(realised) == pytest.approx(rate, rel=0.15)


def test_moments_are_fewer_where_neighbours_are_alike() -> None:
    one, other = (
        Tail.of(normal_scores(1000, 0, smooth), np.zeros(1000, np.int64)) for smooth in (0.0, 8.0)
    )
    assert one.moments > 800
    assert other.moments < 200


def test_rarer_is_higher_and_constant_scores_have_no_tail() -> None:
    tail = Tail.of(normal_scores(200, 0, 2.0), np.zeros(200, np.int64))
    assert tail.level(0.5) < tail.level(0.1) < tail.level(0.001)
    flat = Tail.of(np.full(50, 2.0), np.zeros(50, np.int64))
    assert flat.level(0.001) == 2.0


def test_one_score_is_a_tail() -> None:
    assert Tail.of(np.array([3.0]), np.zeros(1, np.int64)).level(0.1) == 3.0
