"""A calibration holds what it promises: of new normal footage, the asked share is in alarm."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from tests.small_footage import NETS, SIZE_HW, small_model
from tlae.footage.preprocess import Preprocessing
from tlae.footage.store import FrameStore
from tlae.footage.windows import Rows
from tlae.model_file import Model
from tlae.scoring.calibrate import Calibration
from tlae.scoring.reading import reading_of
from tlae.scoring.rule import ScoringRule
from tlae.scoring.scorer import FrameScorer
from tlae.scoring.smooth_time import smooth_in_time
from tlae.table import Table
from tlae.training import calibration as of_training
from tlae.training.calibration import Normal, calibrate, fit_to_normal, shortened

CPU = torch.device("cpu")
RATE = 0.1


def noise_store(folder: Path, frames: int, restless_px: int = 0) -> FrameStore:
    """Blurred noise without a trend: every frame is as normal as every other.

    Args:
        folder: where it goes.
        frames: how many.
        restless_px: so many columns vary from frame to frame by a chance of their own.
    """
    folder.mkdir()
    rng = np.random.default_rng(7)
    noise = rng.normal(0, 1, (frames, *SIZE_HW)).astype(np.float32)
    pictures = np.stack([cv2.GaussianBlur(frame, (0, 0), 2) for frame in noise])
    pictures = 90 + 120 * pictures
    pictures[:, :, :restless_px] += rng.normal(0, 40, (frames, *SIZE_HW))[:, :, :restless_px]
    store = pictures.clip(0, 255).astype(np.uint8)[..., None]
    store.tofile(folder / "frames.u8")
    index = pd.DataFrame(
        {
            "clip": "c",
            "frame": np.arange(frames),
            "time_s": 0.1 * np.arange(frames),
            "state": "ok",
        }
    )
    return FrameStore(folder, Table.of(index), Preprocessing(SIZE_HW, 1))


def blocks_of(length: int, frames: int) -> list[Rows]:
    """Every second block, as training holds them out."""
    blocks = np.split(np.arange(frames), range(length, frames, length))
    return [block for block in blocks[::2] if len(block) == length]


def smoothed_scores(model: Model, store: FrameStore, rows: Rows) -> np.ndarray:
    """Scores of one long run, smoothed in time; those without a verdict are left out."""
    scorer = FrameScorer(model.detector, model.rule, CPU)
    parts = [scorer.push(store.read(rows[i : i + 64])).instant for i in range(0, len(rows), 64)]
    instant = np.concatenate([*parts, scorer.finish().instant])
    rule = model.rule
    return smooth_in_time(instant[~np.isnan(instant)], rule.smooth_frames, causal=rule.causal)


def realised(calibration: Calibration, rule: ScoringRule, new: np.ndarray) -> float:
    """Share of new scores above the threshold for ``RATE``."""
    normal = calibration.smoothed(rule.smooth_frames, causal=rule.causal)
    return float((new > normal.level_for_rate(RATE)).mean())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FrameStore:
    return noise_store(tmp_path_factory.mktemp("noise") / "store", 3000)


@pytest.mark.parametrize("name", ["predictor", "segmenter", "convlstm", "running_median"])
def test_short_held_out_blocks_give_the_rate_that_was_asked_for(
    name: str, store: FrameStore
) -> None:
    rule = ScoringRule(smooth_frames=3.0)
    model = small_model(name, rule=rule, stride=2)
    model.detector.net.mean_frame.fill_(90 / 255)
    calibration = calibrate(model.detector, Normal(store, blocks_of(25, 1500), rule, CPU))
    new = smoothed_scores(model, store, np.arange(1500, 3000))
    assert realised(calibration, rule, new) == pytest.approx(RATE, abs=0.06)
    assert calibration.raw.min() > 0


def test_weights_of_the_background_come_from_other_frames_than_it_calibrates(
    tmp_path: Path,
) -> None:
    store = noise_store(tmp_path / "store", 1500, restless_px=8)
    rule = ScoringRule(background=True, smooth_frames=0.0, kernel_px=1)
    model = small_model("cae", rule=rule)
    runs = [np.arange(12 * start, 12 * start + 12) for start in range(5)]  # few: most is chance
    typical, calibration, _ = fit_to_normal(model.detector, Normal(store, runs, rule, CPU))
    detector = replace(model.detector, typical_error=typical)
    model = replace(model, detector=detector, calibration=calibration)
    own = calibrate(
        model.detector, Normal(store, runs, rule, CPU)
    )  # each frame shares in its weights
    new = smoothed_scores(model, store, np.arange(100, 1500))
    shared, apart = (abs(scores.raw.mean() - new.mean()) for scores in (own, calibration))
    assert apart < shared
    assert own.raw.mean() < new.mean()


def test_long_footage_is_calibrated_on_all_along(
    store: FrameStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first hours of a day are the night."""
    runs = [np.arange(100_000), np.arange(100_000, 160_000)]
    kept = shortened(runs, 20_000)
    rows = np.concatenate(kept)
    assert len(rows) == pytest.approx(20_000, rel=0.02)
    assert (np.diff(rows) > 0).all()
    share, _ = np.histogram(rows, bins=8, range=(0, 160_000))
    assert share.max() <= 2 * share.min()
    assert all((np.diff(stretch) == 1).all() for stretch in kept)
    assert min(len(stretch) for stretch in kept) >= 1_000
    monkeypatch.setattr(of_training, "CALIBRATION_FRAMES", 600)
    model = small_model("cae")
    whole = calibrate(model.detector, Normal(store, [np.arange(3000)], model.rule, CPU))
    assert len(whole.raw) == pytest.approx(600, abs=60)
    assert len(set(whole.run)) > 1


def test_many_short_clips_are_not_cut_down_to_their_first_frames() -> None:
    """Which have no past: a net that segments says nothing of them."""
    runs = np.split(np.arange(50_000), 2_000)
    kept = shortened(runs, 1_000)
    assert [len(run) for run in kept] == 40 * [25]
    assert kept[0][0] < 50_000 / 40
    assert kept[-1][-1] > 50_000 * 39 / 40


@pytest.mark.parametrize("name", NETS)
def test_a_calibration_is_void_wherever_scores_differ(name: str, store: FrameStore) -> None:
    """Far from the ends of a run, for every change of the rule."""
    rule = ScoringRule(kernel_frames=3, smooth_frames=0.0)
    rows = np.arange(60)
    changes = {
        "causal": False,
        "kernel_px": 5,
        "unit": 2.0,
        "error": "squared",
        "match_light": True,
        "background": True,
        "reduction": "mean",
    }
    model = small_model(name, rule=rule)
    typical = torch.rand(SIZE_HW, generator=torch.Generator().manual_seed(0))
    model = replace(model, detector=replace(model.detector, typical_error=typical))
    before = smoothed_scores(model, store, rows)
    for key, value in changes.items():
        changed = replace(rule, **{key: value})  # type: ignore[arg-type]
        after = smoothed_scores(replace(model, rule=changed), store, rows)
        tail = slice(-40, -20)
        same = np.allclose(before[tail], after[tail], rtol=1e-6, atol=0)
        assert same or reading_of(model.detector, rule) != reading_of(model.detector, changed), key


def test_frames_that_were_left_out_calibrate_as_whole_runs(
    store: FrameStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = np.split(np.arange(120), range(12, 120, 12))
    held_out, train = (
        blocks[2::5],
        [block for number, block in enumerate(blocks) if number % 5 != 2],
    )
    model = small_model("running_median", rule=ScoringRule(smooth_frames=0.0))
    left_out = [torch.full((12,), float(number)) for number in range(len(train))]
    left_out[0][0] = torch.nan  # the first frame shows no motion
    monkeypatch.setattr(model.detector.net, "left_out", lambda: left_out)
    normal = Normal(store, held_out, model.rule, CPU)
    calibration = fit_to_normal(model.detector, normal, train=train).calibration
    assert set(calibration.run) == {0}
    own = [np.flatnonzero(np.isin(np.arange(120), block)) for block in train]
    without = 120 - len(calibration.raw)  # no verdict
    assert 1 <= without <= 12
    for number, rows in enumerate(own[1:], start=1):
        assert (calibration.raw[rows - without] == number).all()
