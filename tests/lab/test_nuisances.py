"""Nuisances: what each does to a stretch of footage."""

import numpy as np
import pytest

from tlae.footage.frames import Image
from tlae.lab.nuisances import KINDS, apply


def street(frames: int = 6) -> Image:
    rng = np.random.default_rng(3)
    small = rng.integers(40, 160, (12, 16, 3), np.uint8)
    picture = small.repeat(4, axis=0).repeat(4, axis=1)  # (48, 64, 3)
    return np.stack([picture] * frames)


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_pictures_and_the_input_is_left_alone(kind: str) -> None:
    images = street()
    before = images.copy()
    one = apply(kind, images, np.random.default_rng(5))
    two = apply(kind, images, np.random.default_rng(5))
    assert one.shape == images.shape
    assert one.dtype == np.uint8
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(images, before)
    assert np.abs(one.astype(int) - images).mean() > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_strength_zero_changes_nothing(kind: str) -> None:
    images = street()
    np.testing.assert_array_equal(apply(kind, images, np.random.default_rng(0), 0.0), images)


def test_gain_is_one_factor_for_the_stretch() -> None:
    images = np.full((4, 20, 20, 3), 100, np.uint8)
    changed = apply("gain", images, np.random.default_rng(1))
    factor = np.random.default_rng(1).uniform(0.4, 1.6)
    assert np.unique(changed).tolist() == [round(100 * factor)]


def test_shift_moves_each_picture_by_three_pixels() -> None:
    images = np.zeros((5, 40, 40, 3), np.uint8)
    images[:, 19:22, 19:22] = 255
    moved = apply("shift", images, np.random.default_rng(2))[..., 0].astype(float)
    y, x = np.mgrid[:40, :40]
    total = moved.sum(axis=(1, 2))
    places = np.stack([(moved * y).sum((1, 2)), (moved * x).sum((1, 2))]) / total
    np.testing.assert_allclose(np.hypot(*(places - 20)), 3, atol=0.15)


def test_infrared_has_no_colour() -> None:
    changed = apply("infrared", street(), np.random.default_rng(0)).astype(int)
    assert np.ptp(changed, axis=3).max() == 0


def test_the_shadow_moves() -> None:
    images = np.full((5, 40, 60, 3), 200, np.uint8)
    dark = 200 - apply("shadow", images, np.random.default_rng(4))[..., 0].astype(int)
    assert dark[2].max() == 100
    assert np.abs(dark[1] - dark[3]).max() > 50


@pytest.mark.parametrize(
    ("kind", "images", "strength", "words"),
    [
        ("hail", street(), 1.0, "one of gain, gamma"),
        ("gain", street(), 2.0, r"strength must be in \[0, 1\], got 2"),
        ("gain", street()[..., :1], 1.0, r"got uint8 \[6, 48, 64, 1\]"),
    ],
)
def test_refusals(kind: str, images: Image, strength: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        apply(kind, images, np.random.default_rng(0), strength)
