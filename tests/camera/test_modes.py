import numpy as np
import pytest

from tests.camera.small_camera import day_and_night, footage
from tlae.camera.clusters import k_means, nearest
from tlae.camera.measures import look
from tlae.camera.modes import NEW, find_modes, one_mode


def cloud(centre: tuple[float, ...], count: int, spread: float = 0.02, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(centre, spread, (count, 4))


DAY, DUSK, NIGHT = (0.3, 0.5, 0.7, 0.5), (0.15, 0.25, 0.4, 0.25), (0.02, 0.06, 0.3, 0.1)
INFRARED = (0.1, 0.3, 0.5, 0.0)


def test_k_means_finds_what_a_search_of_all_pairs_finds() -> None:
    points = np.concatenate([cloud(DAY, 5), cloud(NIGHT, 4)])
    centres = k_means(points, 2)
    means = np.stack([points[:5].mean(axis=0), points[5:].mean(axis=0)])
    np.testing.assert_allclose(np.sort(centres, axis=0), np.sort(means, axis=0))
    naive = [min(range(2), key=lambda k: ((p - means[k]) ** 2).sum()) for p in points]
    assert nearest(points, means).tolist() == naive


@pytest.mark.parametrize(
    ("groups", "names"),
    [
        ([(DAY, 80)], ("",)),
        ([(DAY, 80), (NIGHT, 50)], ("day", "night")),
        ([(DAY, 80), (DUSK, 40), (NIGHT, 50)], ("day", "dusk", "night")),
        ([(DAY, 80), (INFRARED, 60)], ("day", "infrared")),
        ([(DAY, 80), (NIGHT, 8)], ("",)),  # too few to know them
    ],
)
def test_modes_are_found_and_named(
    groups: list[tuple[tuple[float, ...], int]], names: tuple[str, ...]
) -> None:
    looks = np.concatenate([cloud(centre, n, seed=i) for i, (centre, n) in enumerate(groups)])
    modes = find_modes(looks)
    assert modes.names == names
    if len(names) > 1:
        expected = [name for name, (_, n) in zip(names, groups, strict=True) for _ in range(n)]
        assert modes.named(looks) == expected


def test_a_light_that_passes_through_everything_is_one_mode() -> None:
    share = np.random.default_rng(1).random((300, 1))
    looks = share * np.array(DAY) + (1 - share) * np.array(NIGHT)
    assert find_modes(looks).names == ("",)


def test_what_no_mode_looks_like_is_new() -> None:
    modes = find_modes(look(day_and_night()))
    assert modes.names == ("day", "night")
    unknown = footage(1, gain=1.2, colour=0.0)
    assert modes.named(look(unknown)) == [NEW]
    assert modes.named(look(footage(1))) == ["day"]


def test_a_grey_camera_has_no_infrared() -> None:
    frames = np.concatenate([footage(40, channels=1), footage(40, gain=0.2, channels=1)])
    assert find_modes(look(frames)).names == ("day", "night")


def test_equal_frames_are_one_mode() -> None:
    looks = look(np.repeat(footage(1), 50, axis=0))
    assert find_modes(looks).names == one_mode(looks).names == ("",)
