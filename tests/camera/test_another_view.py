"""Footage of two views is told from footage of one in many lights."""

import logging
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from tests.camera.small_camera import ALL_ON, SIZE_HW, footage, scene, store_of
from tlae.camera.another_view import (
    SAME_SCENE,
    SAME_VIEW,
    ArrivingView,
    alike_to,
    another_view,
    other_days,
    scene_alike,
)
from tlae.camera.camera import Camera
from tlae.camera.fit import fit_bank, fit_camera
from tlae.footage.frames import Image
from tlae.footage.store import FrameStore
from tlae.workflows.footage_notes import note_days, note_other_view

A_DAY = 12
START = np.datetime64("2026-06-13T00:00:00", "us")


def stills(folder: Path, days: list[Image]) -> FrameStore:
    """A picture each two hours."""
    store = store_of(folder, np.concatenate(days))
    taken_at = START + np.arange(len(store)) * np.timedelta64(7200, "s")
    times = np.arange(len(store)) * 7200.0
    index = store.index.assign(taken_at=taken_at, time_s=times)
    return replace(store, index=index)


def day(seed: int, *, light: float = 1.0, degrees: float = 0.0) -> Image:
    """A day of the scene in its light, seen by a camera that is turned."""
    frames = footage(A_DAY + seed, gain=light)[:A_DAY]
    centre = SIZE_HW[1] / 2, SIZE_HW[0] / 2
    turn = cv2.getRotationMatrix2D(centre, degrees, 1.0)
    turned = [cv2.warpAffine(one, turn, SIZE_HW[::-1], borderMode=1) for one in frames]
    return np.stack(turned)


def test_days_in_any_light_are_one_view(tmp_path: Path) -> None:
    days = [day(number, light=light) for number, light in enumerate((1.0, 0.4, 0.7, 1.0))]
    store = stills(tmp_path, days)
    assert another_view(store, np.arange(len(store))) is None


@pytest.mark.parametrize("at", [1, 3])
def test_a_camera_that_is_turned_shows_another_view_from_then_on(tmp_path: Path, at: int) -> None:
    days = [day(number, degrees=8.0 * (number >= at)) for number in range(4)]
    store = stills(tmp_path, days)
    found = another_view(store, np.arange(len(store)))
    assert found is not None
    assert found.row == at * A_DAY
    assert found.alike < 0.4
    assert another_view(store, np.arange(2 * A_DAY)) is None  # too short to tell


def test_what_has_no_edges_tells_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 9, (4 * A_DAY, *SIZE_HW, 3), np.uint8)
    assert another_view(stills(tmp_path / "n", [noise]), np.arange(len(noise))) is None
    flat = np.zeros_like(noise)
    assert another_view(stills(tmp_path / "f", [flat]), np.arange(len(flat))) is None


def test_training_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    other = np.repeat(scene(seed=5)[None], A_DAY, axis=0)
    store = stills(tmp_path / "two", [day(0), day(1), other, other])
    caplog.set_level(logging.WARNING)
    note_days(store, [np.arange(30, 48), np.arange(30)])
    (said,) = caplog.messages
    assert "note: from 2026-06-15T00:00:00 on the picture is another one" in said
    assert "footage.start=2026-06-15T00:00:00" in said
    caplog.clear()
    note_days(store, [np.arange(18)])
    (said,) = caplog.messages
    assert said.startswith("note: stills of 2 days show the light and weather of few")
    caplog.clear()
    note_days(stills(tmp_path / "four", [day(n) for n in range(4)]), [np.arange(48)])
    assert not caplog.messages


def bank() -> np.ndarray:
    return fit_bank(day(0), np.zeros(A_DAY, np.int64)).rough_edges


def model_of(camera: Camera | None, mean_picture: Image | None = None) -> Any:
    return SimpleNamespace(camera=camera, mean_picture=mean_picture)


def test_days_of_another_view_than_the_model_learnt_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    days = [day(1, light=0.5), day(2, degrees=8.0), day(3, degrees=8.0)]
    store = stills(tmp_path / "s", days)
    found = other_days(store, np.arange(len(store)), bank())
    assert [one.row for one in found] == [A_DAY, 2 * A_DAY]
    camera = fit_camera(stills(tmp_path / "c", [day(0)] * 4), np.arange(4 * A_DAY), ALL_ON)
    caplog.set_level(logging.WARNING)
    note_other_view(store, model_of(camera))
    (said,) = caplog.messages
    assert "the picture of 2026-06-14 and 1 more day is another one than the model learnt" in said
    caplog.clear()
    note_other_view(stills(tmp_path / "same", [day(1)] * 2), model_of(camera))
    note_other_view(store, model_of(None))
    assert not caplog.messages


def test_frames_that_arrive_are_judged_once_a_day(tmp_path: Path) -> None:
    view = ArrivingView(bank())
    days = [day(1), day(2, degrees=8.0), day(3, degrees=8.0), day(4), day(4)]
    said = [view.see(one, 7200.0 * n) for n, one in enumerate(np.concatenate(days))]
    assert [n for n, sentence in enumerate(said) if sentence] == [25]
    assert "the picture of the last 24 hours is another one" in said[25]
    assert view.sentence == ""  # it is back


def test_a_night_alone_tells_nothing() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 9, (2 * A_DAY, *SIZE_HW, 3), np.uint8)
    assert math.isnan(alike_to(noise, bank()))
    assert math.isnan(alike_to(np.zeros_like(noise), bank()))


def test_another_camera_shows_another_scene_and_another_hour_does_not() -> None:
    mean = day(0).mean(axis=0).astype(np.uint8)
    assert scene_alike(day(1, light=0.4), mean) > SAME_VIEW
    assert scene_alike(day(1, light=0.4), np.roll(mean, 7, axis=(0, 1))) < SAME_SCENE
    noise = np.random.default_rng(0).integers(0, 9, (A_DAY, *SIZE_HW, 3), np.uint8)
    assert math.isnan(scene_alike(noise, mean))
    assert math.isnan(scene_alike(np.zeros_like(noise), mean))
    assert math.isnan(scene_alike(day(1)[:1], mean))


def test_another_scene_is_told_where_the_camera_is_not_known(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mean = day(0).mean(axis=0).astype(np.uint8)
    caplog.set_level(logging.WARNING)
    note_other_view(store_of(tmp_path / "same", day(1)), model_of(None, mean))
    assert not caplog.messages
    note_other_view(
        store_of(tmp_path / "other", np.roll(day(1), 7, axis=(1, 2))), model_of(None, mean)
    )
    (said,) = caplog.messages
    assert "the frames show another scene than the training footage" in said
