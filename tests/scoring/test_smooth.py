import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d

from tlae.scoring.error_map import background_weight, error_map, match_light
from tlae.scoring.reduce import reduce_map
from tlae.scoring.smooth import smooth_map
from tlae.scoring.smooth_time import smooth_in_time, smooth_runs
from tlae.table import Table


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_box_sum_is_the_published_convolution(size: int) -> None:
    difference = np.random.default_rng(size).integers(0, 256, (23, 31)).astype(np.float64)
    published = convolve2d(difference, np.ones((size, size)), mode="same")
    ours = smooth_map(torch.from_numpy(difference)[None], "box_sum", size)[0]
    np.testing.assert_allclose(ours.numpy(), published, rtol=1e-9)


def test_published_mark_is_box_sum_above_four_times_255() -> None:
    frame = torch.zeros(1, 1, 10, 10)
    answer = torch.zeros(1, 1, 10, 10)
    answer[0, 0, 3:5, 3:6] = 1.0  # six pixels, fully wrong
    sums = smooth_map(error_map(answer, frame, unit=255.0), "box_sum", 4)
    assert float(sums.max()) == pytest.approx(6 * 255)
    assert int((sums > 4 * 255).sum()) > 0
    answer[0, 0, 3:5, 3:6] = 0.6  # 3.6 * 255
    assert float(smooth_map(error_map(answer, frame, unit=255.0), "box_sum", 4).max()) < 4 * 255


def naive_box_mean(picture: np.ndarray, size: int, watched: np.ndarray) -> np.ndarray:
    before, after = size // 2, (size - 1) // 2
    out = np.zeros_like(picture)
    for row, column in np.ndindex(*picture.shape):
        if not watched[row, column]:
            continue
        box = np.s_[
            max(0, row - before) : row + after + 1, max(0, column - before) : column + after + 1
        ]
        out[row, column] = (picture[box] * watched[box]).sum() / size**2
    return out


@settings(max_examples=25, deadline=None)
@given(size=st.integers(1, 7), seed=st.integers(0, 1000))
def test_box_mean_agrees_with_a_naive_one(size: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    picture, watched = random.random((9, 13)), random.random((9, 13)) > 0.3
    ours = smooth_map(torch.from_numpy(picture)[None], "box_mean", size, torch.from_numpy(watched))
    np.testing.assert_allclose(ours[0].numpy(), naive_box_mean(picture, size, watched), atol=1e-9)


@pytest.mark.parametrize("kernel", ["box_mean", "gaussian"])
def test_means_keep_a_flat_map_flat_inside(kernel: str) -> None:
    smoothed = smooth_map(torch.full((1, 40, 40), 0.3, dtype=torch.float64), kernel, 5)
    torch.testing.assert_close(smoothed[0, 10:30, 10:30], torch.full((20, 20), 0.3).double())


def test_ignored_places_never_score_and_do_not_leak() -> None:
    error = torch.zeros(1, 20, 20)
    error[0, 5, 5] = 1.0
    watched = torch.ones(20, 20, dtype=torch.bool)
    watched[3:8, 3:8] = False
    for kernel in ("box_mean", "box_sum", "gaussian"):
        assert float(smooth_map(error, kernel, 5, watched).max()) == 0.0


def test_one_object_outweighs_a_faint_haze() -> None:
    haze = torch.full((32, 32), 0.02)
    thing = torch.zeros(32, 32)
    thing[10:14, 20:24] = 0.5
    maps = smooth_map(torch.stack([haze, thing]), "box_mean", 4)
    largest, peak = reduce_map(maps, "maximum")
    torch.testing.assert_close(largest, torch.tensor([0.02, 0.5]))
    assert peak[1].tolist() == [12, 22]
    mean, _ = reduce_map(maps, "mean")
    assert mean[0] > mean[1]  # what whole-frame means get wrong


def test_mean_is_over_the_watched_pixels() -> None:
    watched = torch.zeros(10, 10, dtype=torch.bool)
    watched[:5] = True
    maps = smooth_map(torch.ones(1, 10, 10), "box_mean", 1, watched)
    assert float(reduce_map(maps, "mean", watched)[0]) == pytest.approx(1.0)


def test_error_is_absolute_or_squared_mean_over_channels() -> None:
    answer = torch.zeros(1, 3, 2, 2)
    target = torch.zeros(1, 3, 2, 2)
    target[0, 0] = 0.5
    target[0, 1] = -0.5
    assert float(error_map(answer, target)[0, 0, 0]) == pytest.approx(1 / 3)
    assert float(error_map(answer, target, "squared")[0, 0, 0]) == pytest.approx(0.5 / 3)
    assert float(error_map(answer, target, unit=255.0)[0, 0, 0]) == pytest.approx(85.0)


def test_background_weight_calms_busy_places_only() -> None:
    typical = torch.full((4, 4), 0.01)
    typical[0] = 0.05
    typical[1] = 0.0001
    weight = background_weight(typical)
    torch.testing.assert_close(weight[1:], torch.ones(3, 4))  # quiet noise is not blown up
    assert float(weight[0, 0]) == pytest.approx(1 / 3)


def test_causal_smoothing_does_not_see_the_future() -> None:
    values = np.random.default_rng(0).random(50)
    changed = values.copy()
    changed[30:] = 9.0
    one, other = (smooth_in_time(v, 3.0, causal=True) for v in (values, changed))
    np.testing.assert_array_equal(one[:30], other[:30])
    assert other[30] > one[30]
    centred = smooth_in_time(changed, 3.0, causal=False)
    assert abs(centred[29] - smooth_in_time(values, 3.0, causal=False)[29]) > 0.1


def test_causal_smoothing_is_a_running_average() -> None:
    values = np.random.default_rng(0).random(20)
    keep = np.exp(-1 / 3)
    expected = [values[0]]
    for value in values[1:]:
        expected.append(keep * expected[-1] + (1 - keep) * value)
    np.testing.assert_allclose(smooth_in_time(values, 3.0, causal=True), expected)


def test_no_smoothing_and_no_frames() -> None:
    values = np.arange(3.0)
    assert smooth_in_time(values, 0.0, causal=True) is values
    assert len(smooth_in_time(np.zeros(0), 3.0, causal=True)) == 0


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("frames", [0.0, 0.3, 2.0, 9.0])
def test_long_runs_are_smoothed_piece_by_piece_as_whole(
    frames: float, causal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.random.default_rng(1).normal(size=300)
    runs = [np.arange(3, 190), np.setdiff1d(np.arange(190, 297), [200, 250]), np.array([298])]
    expected = values.copy()
    for run in runs:
        expected[run] = smooth_in_time(values[run], frames, causal=causal)
    for piece_rows in (1, 7, 64, 1000):
        monkeypatch.setattr("tlae.lazy_column.PIECE_ROWS", piece_rows)
        column = Table({"raw": values}).derived(float, lambda piece: piece["raw"])
        for asked in (values, column):
            smoothed = smooth_runs(asked, runs, frames, causal=causal)
            assert smoothed.tobytes() == expected.tobytes()


def test_a_change_of_light_is_no_error_a_thing_is() -> None:
    answer = torch.rand(2, 1, 40, 40) * 0.5 + 0.1
    frame = 1.3 * answer + 0.05
    torch.testing.assert_close(match_light(answer, frame), frame)
    frame[1, 0, 5:9, 5:9] = 1.0  # something appears, too
    error = error_map(match_light(answer, frame), frame)
    assert float(error[1, 5:9, 5:9].mean()) > 0.3
    assert float(error[1, 12:].max()) < 0.05


def test_light_of_a_flat_or_black_frame_is_matched_without_a_fit() -> None:
    flat, frame = torch.full((1, 1, 8, 8), 0.4), torch.full((1, 1, 8, 8), 0.7)
    torch.testing.assert_close(match_light(flat, frame), frame)
    assert torch.isfinite(match_light(torch.zeros(1, 1, 8, 8), torch.rand(1, 1, 8, 8))).all()
