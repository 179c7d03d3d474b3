"""Snapshots and live pictures draw the map that offline pictures draw: without the trail."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from tests.small_footage import frame_image, small_model
from tlae.budget import Budget
from tlae.live.live import Live
from tlae.live.score import LiveScore
from tlae.rendering.heatmap import TRAIL_FRAMES, FloatMap, RecentMaps, without_trail
from tlae.watching.messages import OpenEvent
from tlae.watching.snapshots import Look, PeakPictures, Snapshots

COUNT = 12


def drawn(verdicts: list[LiveScore], number: int) -> FloatMap:
    """The map of a frame as offline pictures have it."""
    first = max(0, number - TRAIL_FRAMES)
    return without_trail(verdicts[number].map, [one.map for one in verdicts[first:number]])


def test_maps_of_another_clip_or_of_long_ago_are_no_trail() -> None:
    recent, error = RecentMaps(), np.ones((2, 2), np.float32)
    counts = [len(recent.before(frame, 0.1 * frame, error)) for frame in range(6)]
    assert counts == [0, 1, 2, 3, 3, 3]
    assert len(recent.before(6, 100.0, error)) == 0
    assert len(recent.before(7, 100.1, error)) == 1
    assert len(recent.before(0, 0.0, error)) == 0


def test_a_snapshot_is_without_the_trail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[FloatMap] = []

    def draw_overlay(image: np.ndarray, smoothed: FloatMap, *_: object, **__: object) -> np.ndarray:
        shown.append(smoothed)
        return image

    monkeypatch.setattr("tlae.watching.snapshots.draw_overlay", draw_overlay)
    live = Live(small_model("running_median"), Budget(threshold=1e-6), device="cpu")
    peaks, verdicts = PeakPictures(Snapshots(tmp_path, None, local=True)), []
    for number in range(COUNT):
        image = frame_image(number, odd=number == COUNT - 1)
        verdict = live.push(image, 0.1 * number)
        verdicts.append(verdict)
        look = Look(lambda image=image: image, datetime(2026, 1, 1), "gate", verdict)  # type: ignore[misc]
        peaks.see(live.going_on, look)
    (event,) = live.going_on
    assert event.peak_frame == COUNT - 1
    peaks.draw(OpenEvent("E0001", "gate"), event)
    np.testing.assert_array_equal(shown[0], drawn(verdicts, COUNT - 1))
    assert (shown[0] < verdicts[-1].map).any()


def test_the_picture_of_a_session_is_without_the_trail(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("fastapi", reason="needs the extra serve")
    from tlae.serving import seen_frames
    from tlae.serving.pictures import SentPicture
    from tlae.serving.sessions import Session
    from tlae.serving.shelf import Shelved

    shown: list[FloatMap] = []

    def heat_picture(image: np.ndarray, error: FloatMap, *_: object, **__: object) -> np.ndarray:
        shown.append(error)
        return image

    monkeypatch.setattr(seen_frames, "heat_picture", heat_picture)
    model = small_model("running_median")
    shelved = Shelved("gate", "camera", model, "", 0.0, tmp_path / "gate.safetensors")
    session = Session(shelved, "gate", device="cpu")
    verdicts = []
    for number in range(COUNT):
        picture = frame_image(number)
        session.push(SentPicture(picture, picture), 0.1 * number)
        assert session.shown is not None
        verdicts.append(session.shown.seen)
        session.shown.picture()
        np.testing.assert_array_equal(shown[-1], drawn(verdicts, number))
    assert any((shown[n] < verdicts[n].map).any() for n in range(COUNT))


def test_a_disk_that_takes_no_snapshot_is_reported_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    live, image = Live(small_model("copy_last"), Budget(threshold=1.0)), frame_image(0)
    look = Look(lambda: image, 0.0, "gate", live.push(image))
    (tmp_path / "snapshots").touch()  # a file where the folder should be
    snapshots = Snapshots(tmp_path, None, local=True)
    assert [snapshots.write("E0001", look) for _ in range(3)] == [None] * 3
    (tmp_path / "snapshots").unlink()
    assert snapshots.write("E0001", look) == "snapshots/E0001.jpg"
    assert len(caplog.records) == 1
