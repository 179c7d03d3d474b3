import cv2
import numpy as np
import pytest

from tlae.rendering.heatmap import (
    TRAIL,
    HeatScale,
    blend_heat,
    map_picture,
    tint_ignored,
    upsample_map,
    without_trail,
)

SCALE = HeatScale.from_threshold(1.0)


def grey(height: int = 40, width: int = 60, value: int = 120) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_heat_starts_below_the_threshold_and_is_full_at_twice() -> None:
    heat = SCALE.heat(np.array([0.0, 0.5, 0.6, 1.0, 2.0, 9.0], np.float32))
    assert heat[:3].tolist() == [0, 0, 0]
    assert 0.2 < heat[3] < 0.5
    assert heat[4:].tolist() == [1, 1]


@pytest.mark.parametrize("threshold", [0.0, -1.0, float("inf"), float("nan")])
def test_a_scale_needs_a_finite_positive_threshold(threshold: float) -> None:
    with pytest.raises(ValueError, match="finite threshold > 0"):
        HeatScale.from_threshold(threshold)


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (-1, 1), (0, float("inf"))])
def test_a_scale_rises(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="0 <= low < high"):
        HeatScale(low, high)


@pytest.mark.parametrize("source_hw", [(96, 144), (240, 360), (37, 53)])
def test_a_map_lands_where_the_net_saw_it(source_hw: tuple[int, int]) -> None:
    height, width = source_hw
    rows, columns = np.mgrid[:height, :width]
    centre = (0.3 * height, 0.7 * width)
    seen = np.exp(-((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) / (0.08 * height) ** 2)
    net = cv2.resize((255 * seen).astype(np.uint8), (48, 32), interpolation=cv2.INTER_AREA)
    back = upsample_map(net.astype(np.float32), source_hw)
    assert back.shape == source_hw
    found = [float((axis * back).sum() / back.sum()) for axis in (rows, columns)]
    np.testing.assert_allclose(found, centre, atol=0.15)


def test_upsampling_agrees_with_half_pixel_centres_by_hand() -> None:
    line = upsample_map(np.array([[0, 1]], np.float32), (1, 4))
    np.testing.assert_allclose(line, [[0, 0.25, 0.75, 1]], atol=1e-6)


def test_unknown_error_counts_as_calm() -> None:
    assert not upsample_map(np.full((2, 2), np.nan, np.float32), (4, 4)).any()


def test_a_map_has_two_axes() -> None:
    with pytest.raises(ValueError, match="two axes"):
        upsample_map(np.zeros((2, 2, 1), np.float32), (4, 4))


def test_calm_leaves_the_picture_as_it_is() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    np.testing.assert_array_equal(
        blend_heat(picture, np.full((40, 60), 0.6, np.float32), SCALE), picture
    )


def test_one_value_has_one_colour_whatever_else_is_in_the_frame() -> None:
    alone = np.zeros((40, 60), np.float32)
    alone[10, 10] = 1.3
    crowded = alone.copy()
    crowded[20:] = 50.0
    picture = grey()
    colour = blend_heat(picture, alone, SCALE)[10, 10]
    np.testing.assert_array_equal(blend_heat(picture, crowded, SCALE)[10, 10], colour)
    assert colour[0] > colour[1] >= colour[2]  # warm


def test_hotter_is_lighter_in_the_map_alone() -> None:
    ramp = np.linspace(0.65, 2, 30, dtype=np.float32)[np.newaxis]
    light = map_picture(ramp, SCALE) @ np.array([0.3, 0.59, 0.11])
    assert (np.diff(light[0]) > 0).all()


def test_ignored_places_are_greyed_and_never_hot() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[..., 0] = 200
    watched = np.ones((40, 60), np.float32)
    watched[:20] = 0
    error = np.full((40, 60), 9, np.float32)
    tinted = tint_ignored(picture, watched)
    np.testing.assert_array_equal(tinted[20:], picture[20:])
    assert np.ptp(tinted[:20].astype(int), axis=-1).max() < 20  # hardly any colour left
    assert len(np.unique(tinted[:20, :, 0])) > 1  # hatched
    blended = blend_heat(picture, error, SCALE, watched)
    np.testing.assert_array_equal(blended[:20], tinted[:20])
    assert (blended[20:] != picture[20:]).any()


def test_the_trail_of_a_mover_is_faint_and_what_stands_stays() -> None:
    before, now = np.zeros((6, 20), np.float32), np.zeros((6, 20), np.float32)
    before[2:4, 4:8] = 2.0  # it was here
    now[2:4, 4:8], now[2:4, 8:12] = 1.2, 2.0  # and is here
    before[:, 18], now[:, 18] = 1.0, 1.0  # something stands
    shown = without_trail(now, [before, before])
    np.testing.assert_allclose(shown[2:4, 4:8], TRAIL * 1.2, rtol=1e-6)
    np.testing.assert_array_equal(shown[:, 8:], now[:, 8:])
    assert without_trail(now, []) is now
    np.testing.assert_array_equal(without_trail(now, [now]), now)


def test_inputs_stay_as_they_are() -> None:
    picture, error = grey(), np.full((40, 60), 2, np.float32)
    blend_heat(picture, error, SCALE, np.zeros((40, 60), np.float32))
    assert (picture == 120).all()
    assert (error == 2).all()
