import cv2
import numpy as np

from tests.camera.small_camera import footage, scene
from tlae.camera.measures import (
    colourfulness,
    contrast,
    dark_share,
    edges,
    look,
    luminance,
    saturated_share,
    sharpness,
    thumbnails,
)


def test_luminance_is_that_of_opencv() -> None:
    frames = footage(2)
    expected = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    np.testing.assert_allclose(luminance(frames), expected, atol=0.51)
    np.testing.assert_array_equal(luminance(frames[..., :1]), frames[..., 0])


def test_colourfulness_by_hand() -> None:
    halves = np.zeros((1, 2, 2, 3), np.uint8)
    halves[0, 0] = (200, 0, 0)  # red-green 200 and 0, yellow-blue 100 and 0
    spread, mean = np.hypot(100, 50), np.hypot(100, 50)
    np.testing.assert_allclose(colourfulness(halves), (spread + 0.3 * mean) / 100)
    assert colourfulness(np.full((1, 4, 4, 3), 90, np.uint8)) == 0
    assert colourfulness(footage(1, channels=1)) == 0


def test_look_of_an_even_picture() -> None:
    np.testing.assert_allclose(
        look(np.full((2, 8, 8, 3), 51, np.uint8)), [[0.2, 0.2, 0.2, 0]] * 2, atol=1e-6
    )


def test_shares() -> None:
    light = np.full((1, 10, 10), 100, np.float32)
    light[0, :3] = 5
    light[0, 9] = 255
    assert dark_share(light) == 0.3
    assert saturated_share(light) == 0.1


def test_edges_of_a_ramp() -> None:
    ramp = np.tile(np.arange(0, 40, 4, dtype=np.float32), (6, 1))[None]
    np.testing.assert_allclose(edges(ramp)[0, 2:4, 2:-2], 4)


def test_blur_lowers_sharpness_and_dimmer_light_neither_of_both() -> None:
    light = luminance(scene()[None])
    blurred = cv2.GaussianBlur(light[0], (0, 0), 2)[None]
    assert np.median(sharpness(blurred) / sharpness(light)) < 0.8
    np.testing.assert_allclose(sharpness(0.4 * light), sharpness(light), rtol=1e-4)
    np.testing.assert_allclose(contrast(0.4 * light), contrast(light), rtol=0.03)


def test_edges_are_the_same_bytes_wherever_they_lie_in_memory() -> None:
    picture = np.random.default_rng(0).uniform(0, 255, (96, 127)).astype(np.float32)
    first = edges(picture[None])[0]
    held = []
    for size in range(200):  # so that results are put elsewhere
        held.append(np.empty(4 * size + 1, np.uint8))
        held.append(edges(picture[None])[0])
        np.testing.assert_array_equal(held[-1], first)


def test_cells_without_edges_have_neither() -> None:
    light = luminance(scene()[None])
    light[0, :, :48] = 80
    there = ~np.isnan(contrast(light).reshape(4, 6))
    assert there[:, 4:].all()
    assert not there[:, :2].any()
    np.testing.assert_array_equal(np.isnan(contrast(light)), np.isnan(sharpness(light)))


def test_thumbnails_do_not_know_the_light() -> None:
    light = luminance(scene()[None])
    one, other = thumbnails(light), thumbnails(0.3 * light + 20)
    np.testing.assert_allclose((one * other).sum(), 1, atol=1e-5)
