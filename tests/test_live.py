"""Frames one at a time: equal to scoring the whole, in bounded memory."""

import math
import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from tests.camera.small_camera import ALL_ON, store_of
from tests.camera.small_camera import footage as camera_footage
from tests.live_frames import push_all, require_equal
from tests.small_footage import SIZE_HW, frame_image, small_model
from tlae.budget import Budget
from tlae.camera.fit import fit_camera
from tlae.cli import main
from tlae.errors import UserError
from tlae.live.live import Live
from tlae.model_file import Model, save_model
from tlae.scoring.event_rule import EventRule
from tlae.scoring.rule import ScoringRule

BUDGET = Budget(false_alarm_rate=0.1)


def write_dated(folder: Path, minutes: list[float], images: list[np.ndarray]) -> Path:
    folder.mkdir(parents=True)
    for minute, image in zip(minutes, images, strict=True):
        taken = datetime(2026, 1, 1) + timedelta(minutes=minute)
        cv2.imwrite(str(folder / f"{taken:%Y-%m-%dT%H_%M_%S}.png"), image[..., ::-1])
    return folder


def scored(model: Model, footage: Path, home: Path, *words: str) -> Path:
    save_model(model, home / "m.safetensors")
    places = [f"paths.scores={home}/scores", f"paths.cache={home}/cache", "device=cpu"]
    asked = [f"model_file={home}/m.safetensors", f"footage={footage}", "name=s", "batch_frames=1"]
    assert main(["score", *asked, *places, "scoring.causal=true", *words]) == 0
    return home / "scores/s"


@pytest.mark.parametrize("name", ["cae", "stae", "convlstm", "segmenter", "predictor"])
@pytest.mark.parametrize("smooth", [0.0, 3.0])
def test_a_gap_in_the_footage(name: str, smooth: float, tmp_path: Path) -> None:
    rule = ScoringRule(smooth_frames=smooth, kernel_frames=3)
    model = small_model(name, stride=2, rule=rule)
    model = replace(model, detector=replace(model.detector, gap_s=1800.0))
    minutes = [10.0 * n for n in range(12)] + [600 + 10.0 * n for n in range(12)]
    images = [frame_image(n, odd=n in (5, 6, 18)) for n in range(24)]
    footage = write_dated(tmp_path / "stills", minutes, images)
    results = scored(model, footage, tmp_path, "scoring.false_alarm_rate=0.1")
    live = Live(model, BUDGET, interval_s=600.0, device="cpu")
    require_equal(live, footage, results, BUDGET)


def test_a_camera_that_is_covered_frozen_and_moved(tmp_path: Path) -> None:
    frames = [cv2.resize(frame, SIZE_HW[::-1]) for frame in camera_footage(60)]
    grey = np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames])[..., None]
    store = store_of(tmp_path / "normal", grey[:40], size_hw=SIZE_HW)
    model = replace(small_model("cae"), camera=fit_camera(store, np.arange(40), ALL_ON))
    new = [*frames[40:46], *[np.zeros_like(frames[0])] * 3, *[frames[46]] * 7, *frames[47:56]]
    (tmp_path / "clip").mkdir()
    for number, image in enumerate(new):
        cv2.imwrite(str(tmp_path / f"clip/{number:03d}.png"), image[..., ::-1])
    results = scored(model, tmp_path / "clip", tmp_path, "scoring.false_alarm_rate=0.1")
    live = Live(model, BUDGET, device="cpu")
    require_equal(live, tmp_path / "clip", results, BUDGET)
    whole, again = (Live(model, BUDGET, device="cpu") for _ in range(2))
    for number, image in enumerate(new):
        state, again = again.state(), Live(model, BUDGET, device="cpu")
        again.restore(state)
        mine, other = (one.push(image, 0.1 * number) for one in (again, whole))
        assert (mine.health, mine.ended) == (other.health, other.ended)
        assert again.going_on == whole.going_on
    verdicts, _ = push_all(Live(model, BUDGET, device="cpu"), tmp_path / "clip")
    assert {verdict.health for verdict in verdicts} > {"ok", "black"}


def test_memory_does_not_grow() -> None:
    model = small_model("convlstm", rule=ScoringRule(smooth_frames=3.0))
    live = Live(model, Budget(threshold=0.0), device="cpu")  # one event that never ends
    sizes = []
    for number in range(120):
        live.push(frame_image(number)[..., 0], 0.1 * number)
        if number in (40, 119):
            state = live._scorer.state(), live._follower, live._smoothing
            sizes.append(len(pickle.dumps(state)))
    assert sizes[1] <= 1.02 * sizes[0]


def test_an_event_is_reported_while_it_goes_on_and_when_it_is_over() -> None:
    live = Live(small_model("cae"), Budget(threshold=0.15), device="cpu")
    seen = [live.push(frame_image(0, odd=n in range(5, 15)), 0.1 * n) for n in range(60)]
    assert seen[4].event is None
    assert seen[10].event is not None
    assert seen[10].event.first_frame in range(5, 8)
    (ended,) = [event for verdict in seen for event in verdict.ended]
    assert ended.id == seen[10].event.id == "E0001"
    assert seen[-1].event is None
    assert live.finish() == []


@pytest.mark.parametrize("name", ["cae", "stae", "convlstm", "still_segmenter"])
def test_another_process_goes_on_from_a_state(name: str) -> None:
    model = small_model(name, rule=ScoringRule(smooth_frames=2.0, match_light=False))
    budget = Budget(threshold=0.1)
    live, whole = (Live(model, budget, device="cpu") for _ in range(2))
    for number in range(40):
        if number % 7 == 3:  # amid events and between them
            state, live = live.state(), Live(model, budget, device="cpu")
            live.restore(state)
        mine = live.push(frame_image(number, odd=number in range(8, 30)), 0.1 * number)
        other = whole.push(frame_image(number, odd=number in range(8, 30)), 0.1 * number)
        assert (mine.raw, mine.event, mine.ended) == (other.raw, other.event, other.ended) or (
            np.isnan(mine.raw) and np.isnan(other.raw)
        )
        assert live.going_on == whole.going_on
    assert live.finish() == whole.finish()


def test_a_damaged_state_is_refused() -> None:
    live = Live(small_model("cae"), BUDGET, device="cpu")
    live.push(frame_image(0))
    for state in (b"", live.state()[:50], live.state()[:-9]):
        with pytest.raises(ValueError, match="must be whole"):
            live.restore(state)


def test_another_clip_begins_anew() -> None:
    model = small_model("stae")
    once, twice = (Live(model, BUDGET, device="cpu") for _ in range(2))
    for number in range(6):
        twice.push(frame_image(number, odd=True), 0.1 * number)
    twice.cut()
    for number in range(6):
        mine = twice.push(frame_image(number), 0.1 * number)
        assert mine.raw == once.push(frame_image(number), 0.1 * number).raw


def test_times_may_be_left_out_or_bear_a_zone() -> None:
    live = Live(small_model("cae"), BUDGET, device="cpu")
    live.push(frame_image(0))
    live.push(frame_image(1))
    with pytest.raises(UserError, match="all be seconds"):
        live.push(frame_image(2), datetime(2026, 1, 1))
    zoned = Live(small_model("cae"), BUDGET, device="cpu")
    zoned.push(frame_image(0), datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(UserError, match="with and without a time"):
        zoned.push(frame_image(1))


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        (np.zeros((32, 32), np.float32), "type uint8, got float32"),
        (np.zeros((32, 32, 4), np.uint8), r"\(H, W\) or \(H, W, 3\)"),
        (np.zeros(32, np.uint8), r"got \(32,\)"),
        (np.zeros((0, 32, 3), np.uint8), "not empty"),
        (None, "must be an array .* got None"),
        ([[0, 1], [2, 3]], "must be an array"),
    ],
)
def test_other_pictures_are_refused(image: np.ndarray, shown: str) -> None:
    with pytest.raises(UserError, match=shown):
        Live(small_model("cae"), BUDGET, device="cpu").push(image, 0.0)


@pytest.mark.parametrize(
    "when", [math.nan, math.inf, pd.NaT, "2026-01-01", np.datetime64("2026-01-01"), timedelta(0)]
)
def test_a_time_is_a_datetime_or_finite_seconds(when: object) -> None:
    live = Live(small_model("cae"), BUDGET, device="cpu")
    with pytest.raises(UserError, match="a time must be a datetime or finite seconds"):
        live.push(frame_image(0), when)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"settings": {"smoth_frames": 0}}, "did you mean smooth_frames"),
        ({"settings": {"scoring.smooth_frames": 0}}, "did you mean smooth_frames"),
        ({"settings": {"smooth_frames": -1}}, "smooth_frames must be in"),
        ({"interval_s": 0}, "interval_s must be > 0"),
        ({"interval_s": math.nan}, "interval_s must be > 0"),
        ({"budget": {"threshold": 1}}, r"budget must be a tlae\.Budget"),
    ],
)
def test_a_wrong_argument_is_refused(given: dict[str, Any], shown: str) -> None:
    with pytest.raises(UserError, match=shown):
        Live(small_model("cae"), device="cpu", **given)


def test_what_cannot_be_done_live_is_refused() -> None:
    offline = small_model("segmenter", rule=ScoringRule(causal=False))
    with pytest.raises(UserError, match=r"train with scoring\.causal=true"):
        Live(offline, BUDGET)
    assert Live(offline, Budget(threshold=1.0), device="cpu").push(frame_image(0)).alarm is False
    with pytest.raises(UserError, match="needs stored maps"):
        Live(small_model("cae"), BUDGET, events=EventRule(accept_after_h=1))
