"""Copies hash alike, other pictures do not."""

import cv2
import numpy as np
import pytest

from tlae.footage.frames import Image
from tlae.image_sets.perceptual_hash import BITS, NEAR, distance, perceptual_hash


def picture(seed: int, size_px: int = 96) -> Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    drawn: Image = cv2.resize(coarse, (size_px, size_px), interpolation=cv2.INTER_CUBIC)
    return drawn


@pytest.mark.parametrize("seed", range(5))
def test_a_copy_that_was_shrunk_compressed_or_lit_differently_is_near(seed: int) -> None:
    original = picture(seed)
    _, coded = cv2.imencode(".jpg", original, [cv2.IMWRITE_JPEG_QUALITY, 40])
    copies = {
        "smaller": cv2.resize(original, (60, 50), interpolation=cv2.INTER_AREA),
        "compressed": cv2.imdecode(coded, cv2.IMREAD_COLOR),
        "darker": (original * 0.8).astype(np.uint8),
        "grey": cv2.cvtColor(original, cv2.COLOR_RGB2GRAY),
    }
    for name, copy in copies.items():
        assert distance(perceptual_hash(original), perceptual_hash(copy)) <= NEAR, name


def test_unrelated_pictures_differ_in_about_half_of_the_bits() -> None:
    hashes = [perceptual_hash(picture(seed)) for seed in range(12)]
    pairs = [distance(a, b) for n, a in enumerate(hashes) for b in hashes[:n]]
    assert min(pairs) > NEAR
    assert abs(np.mean(pairs) - BITS / 2) < 4


def test_a_flat_picture_hashes_to_zero_and_the_distance_counts_bits() -> None:
    assert perceptual_hash(np.full((20, 30, 3), 77, np.uint8)) == 0
    assert distance(0b1011, 0b0010) == 2
    assert distance(2**64 - 1, 0) == BITS
