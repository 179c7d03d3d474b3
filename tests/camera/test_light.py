import numpy as np
import pytest

from tests.camera.small_camera import scene
from tlae.camera.light import even_contrast, fit_curve, light_field, match_light

EMPTY = scene().astype(np.float32)


def with_thing() -> np.ndarray:
    """A dark thing that covers a sixth of the picture's width."""
    frame = EMPTY.copy()
    frame[10:40, 30:46] = 20
    return frame


def as_uint8(picture: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(picture), 0, 255)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: 0.5 * p,
        lambda p: 1.3 * p,
        lambda p: 0.6 * p + 50,
        lambda p: 255 * (p / 255) ** 1.5,
        lambda p: 255 * (p / 255) ** 0.7,
        lambda p: p * np.array([1.1, 1.0, 0.8]),  # white balance
    ],
)
def test_the_light_is_undone_and_the_thing_stays(change) -> None:  # type: ignore[no-untyped-def]
    frame = as_uint8(change(with_thing())).astype(np.float32)
    matched = match_light(frame, EMPTY)
    clear = frame.max(axis=2) < 250  # what was saturated is lost
    difference = np.abs(matched - with_thing()).mean(axis=2)
    assert difference[clear].mean() < 4
    assert (EMPTY - matched)[10:40, 30:46].mean() > 60


def test_curve_agrees_with_least_squares_where_nothing_is_odd() -> None:
    rng = np.random.default_rng(0)
    seen = rng.uniform(0.05, 0.9, 2000)
    wanted = 0.1 + 0.5 * seen + 0.3 * seen**2 + rng.normal(0, 0.01, 2000)
    naive = np.polyfit(seen, wanted, 2)
    at = np.linspace(0, 1, 9)
    fitted = np.polyval(fit_curve(seen, wanted)[::-1], at)
    np.testing.assert_allclose(fitted, np.polyval(naive, at), atol=0.02)


def test_saturated_and_even_pictures_keep_their_light() -> None:
    np.testing.assert_array_equal(fit_curve(np.ones(100), np.full(100, 0.5)), [0, 1, 0])
    offset, slope, bend = fit_curve(np.full(100, 0.3), np.full(100, 0.5))
    np.testing.assert_allclose(offset + 0.3 * slope + 0.09 * bend, 0.5, atol=1e-3)
    assert abs(slope - 1) < 0.1


def test_a_soft_shadow_is_evened_out_but_a_thing_is_not() -> None:
    x = np.linspace(0, 1, 96)
    shade = (1 - 0.5 * np.exp(-(((x - 0.6) / 0.25) ** 2))).astype(np.float32)[None, :, None]
    thing = EMPTY.copy()
    thing[20:30, 50:58] = 15
    one_curve = np.abs(match_light(thing * shade, EMPTY) - thing).mean()
    field = match_light(thing * shade, EMPTY, reach_px=20)
    assert np.abs(field - thing).mean() < 0.4 * one_curve
    assert (EMPTY - field)[20:30, 50:58].mean() > 50


def test_field_of_an_unchanged_picture_is_one() -> None:
    np.testing.assert_allclose(light_field(EMPTY, EMPTY, 16), 1, atol=1e-6)


def test_local_contrast_does_not_know_the_light() -> None:
    one, other = even_contrast(EMPTY, 16), even_contrast(0.5 * EMPTY + 30, 16)
    assert np.abs(one - other).mean() < 5
    assert one.std() > 30
    np.testing.assert_allclose(even_contrast(np.full((20, 20, 1), 9, np.float32), 8), 127.5)
