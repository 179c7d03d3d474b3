from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.camera.small_camera import ALL_ON, SIZE_HW, day_and_night, footage, scene, store_of
from tlae.camera.camera import Camera
from tlae.camera.camera_file import camera_arrays, camera_of
from tlae.camera.fit import fit_camera, longest_copies
from tlae.camera.health import Health
from tlae.camera.options import CameraOptions
from tlae.errors import FootageError
from tlae.footage.frames import Image


def fitted(folder: Path, frames: Image, **options: object) -> Camera:
    store = store_of(folder, frames)
    return fit_camera(store, np.arange(len(frames)), replace(ALL_ON, **options))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Camera:
    return fitted(tmp_path_factory.mktemp("day_and_night"), day_and_night())


def test_backgrounds_are_the_empty_scene(camera: Camera) -> None:
    assert camera.modes.names == ("day", "night")
    day = camera.bank.pictures[camera.bank.mode == 0].astype(float)
    assert np.abs(day - scene()).mean() < 2


def test_normal_frames_are_well(camera: Camera) -> None:
    seen = camera.see(day_and_night(), [0] * 120)
    assert [one.mode for one in seen] == ["day"] * 60 + ["night"] * 60
    assert {one.health for one in seen} == {Health.OK}
    assert max(abs(one.shift_x) for one in seen) < 0.5


def ill(kind: str) -> Image:
    frame = footage(7)[6]
    if kind == "blurred":
        frame = cv2.GaussianBlur(frame, (0, 0), 2.5)
    elif kind == "moved":
        frame = np.roll(frame, (6, 20), axis=(0, 1))
    elif kind == "another scene":
        frame = scene(seed=5)
    else:
        value = {"black": 0, "saturated": 255, "covered": 90}[kind]
        frame = np.full_like(frame, value)
    return frame[None]


@pytest.mark.parametrize(
    ("kind", "health"),
    [
        ("black", Health.BLACK),
        ("saturated", Health.SATURATED),
        ("covered", Health.COVERED),
        ("blurred", Health.BLURRED),
        ("moved", Health.MOVED),
        ("another scene", Health.MOVED),
    ],
)
def test_ill_frames(camera: Camera, kind: str, health: Health) -> None:
    assert camera.see(ill(kind), [0])[0].health == health


@pytest.mark.parametrize("value", [0, 90, 255])
def test_a_large_thing_is_no_illness(camera: Camera, value: int) -> None:
    frames = day_and_night(10)
    frames[:, 10:50, 20:60] = value
    assert {one.health for one in camera.see(frames, [0] * 20)} == {Health.OK}


def test_light_and_shake_are_undone_and_things_stay(camera: Camera) -> None:
    frame = footage(7)[6:]
    plain = camera.see(frame, [0])[0].picture.astype(float)
    shaken = np.roll(frame, 2, axis=2)
    dim = np.rint(0.6 * shaken + 15).astype(np.uint8)
    seen = camera.see(dim, [0])[0]
    assert (round(seen.shift_x), round(seen.shift_y), seen.health) == (2, 0, Health.OK)
    inside = np.s_[4:-4, 4:-4]
    assert np.abs(seen.picture - plain)[inside].mean() < 3
    assert np.abs(frame[0] - plain)[inside].mean() < 2  # normal frames hardly change
    thing = np.s_[40:46, 18:24]
    assert np.abs(seen.picture - plain)[thing].mean() < 12


def test_frames_are_seen_alike_in_any_company(camera: Camera) -> None:
    frames = day_and_night(10)
    together = camera.see(frames, [0] * 20)
    for number in (0, 7, 19):
        alone = camera.see(frames[number : number + 1], [0])[0]
        np.testing.assert_array_equal(alone.picture, together[number].picture)
        assert (alone.mode, alone.health) == (together[number].mode, together[number].health)


def test_parts_that_are_off_do_nothing(tmp_path: Path) -> None:
    options = {"modes": False, "light": False, "register": False, "health": False}
    camera = fitted(tmp_path, footage(30), **options)
    frames = np.concatenate([np.roll(footage(3), 2, axis=2), ill("black"), ill("moved")])
    seen = camera.see(frames, [0] * 5)
    np.testing.assert_array_equal([one.picture for one in seen], frames)
    assert {(one.health, one.shift_x, one.shift_y) for one in seen} == {(Health.OK, 0.0, 0.0)}


def test_difference_is_grey_where_nothing_stands(tmp_path: Path) -> None:
    camera = fitted(tmp_path, footage(40), difference=True)
    picture = camera.see(footage(7)[6:], [0])[0].picture.astype(float)
    thing = np.s_[40:46, 18:24]
    assert np.abs(picture[thing] - 127.5).mean() > 30
    assert np.median(np.abs(picture - 127.5)) < 4


def test_local_contrast_changes_what_the_net_sees(tmp_path: Path) -> None:
    camera = fitted(tmp_path, footage(40), local_contrast=True)
    one, other = camera.see(np.stack([scene(), (0.5 * scene()).astype("u1")]), [0, 0])
    assert np.abs(one.picture.astype(float) - other.picture).mean() < 6


def test_a_grey_camera(tmp_path: Path) -> None:
    camera = fitted(tmp_path, footage(40, channels=1))
    seen = camera.see(footage(3, gain=0.7, channels=1), [0] * 3)
    assert seen[0].picture.shape == (*SIZE_HW, 1)
    assert {one.health for one in seen} == {Health.OK}


@pytest.mark.parametrize("count", [1, 2, 30])
def test_equal_frames_and_a_single_one(tmp_path: Path, count: int) -> None:
    frames = np.repeat(footage(1), count, axis=0)
    camera = fitted(tmp_path, frames)
    assert camera.limits.frozen_after == max(4, 2 * (count - 1))
    seen = camera.see(frames, list(range(count)))
    assert {one.health for one in seen} <= {Health.OK, Health.REPEATED}
    assert {one.mode for one in seen} == {""}


def test_black_footage_is_refused(tmp_path: Path) -> None:
    black = np.zeros((20, *SIZE_HW, 3), np.uint8)
    with pytest.raises(FootageError, match="got 20 black ones"):
        fitted(tmp_path, black)


def test_an_even_grey_wall_can_be_watched(tmp_path: Path) -> None:
    wall = np.full((20, *SIZE_HW, 3), 120, np.uint8)
    camera = fitted(tmp_path, wall)
    assert camera.see(wall[:1], [0])[0].health == Health.OK


def test_longest_copies_stay_within_a_clip(tmp_path: Path) -> None:
    frames = footage(12)
    frames[3:6] = frames[2]
    frames[8] = frames[7]
    rows = np.arange(12)
    assert longest_copies(store_of(tmp_path / "one", frames), rows) == 3
    assert longest_copies(store_of(tmp_path / "cut", frames, clips=(4, 8)), rows) == 1


def test_what_is_saved_comes_back(camera: Camera) -> None:
    back = camera_of(*camera_arrays(camera))
    frames = day_and_night(5)
    for one, other in zip(camera.see(frames, [0] * 10), back.see(frames, [0] * 10), strict=True):
        np.testing.assert_array_equal(one.picture, other.picture)
    assert back.options == camera.options
    assert back.limits.frozen_after == camera.limits.frozen_after


def test_light_reach_is_checked() -> None:
    with pytest.raises(ValueError, match=r"camera.light_reach must be in \[0, 1\], got 2"):
        CameraOptions(light_reach=2)
