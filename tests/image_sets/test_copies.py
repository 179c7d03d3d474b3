"""Pictures that are known again, and pictures that only look poor in the same way."""

import cv2
import numpy as np

from tlae.image_sets.copies import Fingerprint, SeenPictures, fingerprint
from tlae.image_sets.perceptual_hash import NEAR


def scene(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 255, (12, 16, 3), np.uint8), (256, 192))


def test_a_smaller_copy_is_found_among_many_pictures() -> None:
    seen = SeenPictures(NEAR)
    assert seen.find(fingerprint(scene(0))) is None
    for seed in range(1500):  # more than there is room for at first
        seen.add(str(seed), fingerprint(scene(seed)))
    smaller = cv2.resize(scene(1200), (128, 96), interpolation=cv2.INTER_AREA)
    assert seen.find(fingerprint(smaller)) == "1200"
    assert seen.find(fingerprint(np.ascontiguousarray(scene(1200)[:, ::-1]))) is None


def test_plain_pictures_of_other_colours_are_others() -> None:
    red, blue = (np.full((80, 60, 3), colour, np.uint8) for colour in ((200, 0, 0), (0, 0, 200)))
    seen = SeenPictures(NEAR)
    seen.add("red", fingerprint(red))
    assert seen.find(fingerprint(blue)) is None
    assert seen.find(fingerprint(red[:40])) == "red"


def test_a_fingerprint_survives_being_stored() -> None:
    one = fingerprint(scene(0))
    again = Fingerprint.of_bytes(one.to_bytes())
    assert one.hash == again.hash
    assert np.array_equal(one.colour, again.colour)
