"""Stored maps hold what any allowed rule gives, and say how far its kernel reaches."""

from pathlib import Path

import numpy as np
import pytest
import torch
import zarr

from tests.small_footage import small_model, write_clips
from tlae.errors import UserError
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import open_footage
from tlae.footage.store import FrameStore, open_store
from tlae.footage.windows import segments
from tlae.progress import quiet
from tlae.scoring import job as job_module
from tlae.scoring.job import ScoringJob
from tlae.scoring.rule import LARGEST_UNIT, ScoringRule
from tlae.scoring.scorer import FrameScorer
from tlae.scoring.smooth import kernel_reach_px, smooth_map
from tlae.scoring.stored_maps import StoredMaps, read_maps, rounded

CPU = torch.device("cpu")
ROW = torch.tensor([1])
RULES = {
    "published": ScoringRule(
        kernel="box_sum", kernel_px=32, unit=255, error="squared", smooth_frames=0
    ),
    "largest": ScoringRule(
        kernel="box_sum", kernel_px=64, unit=LARGEST_UNIT, error="squared", smooth_frames=0
    ),
    "smallest": ScoringRule(error="squared", unit=1e-3, smooth_frames=0),  # below float16
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FrameStore:
    root = tmp_path_factory.mktemp("maps")
    clips = write_clips(root / "clips", (6,))
    return open_store(open_footage(str(clips)), Preprocessing((32, 32)), root / "cache")


def scored(folder: Path, store: FrameStore, rule: ScoringRule) -> ScoringJob:
    job = ScoringJob(folder, store, segments(store.index, 0.5), {"rows": len(store)})
    job.run(FrameScorer(small_model(rule=rule).detector, rule, CPU), 3, quiet)
    return job


@pytest.mark.parametrize("name", RULES)
def test_no_allowed_rule_overflows_or_loses_what_scores_need(
    name: str, store: FrameStore, tmp_path: Path
) -> None:
    job = scored(tmp_path / "job", store, RULES[name])
    stored = StoredMaps(job.maps, job.runs, RULES[name])
    np.testing.assert_allclose(stored.raw(None), job.table()["instant"], rtol=1 / 4000)


def test_rounding_keeps_one_in_four_thousand_and_packs_into_20_bits() -> None:
    maps = np.random.default_rng(0).lognormal(0, 20, (2, 8, 8)).astype(np.float32)
    kept = rounded(maps)
    np.testing.assert_allclose(kept, maps, rtol=1 / 4096)
    assert not (kept.view(np.uint32) & 0xFFF).any()
    assert not rounded(np.zeros((1, 2, 2), np.float32)).any()


def test_a_job_of_an_earlier_version_goes_on_in_the_new_storage(
    store: FrameStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = ScoringRule()
    with monkeypatch.context() as earlier:
        earlier.setattr(job_module, "MAP_DTYPE", np.float16)
        earlier.setattr(job_module, "rounded", lambda maps: maps)
        before = np.asarray(scored(tmp_path / "job", store, rule).maps)
    assert before.dtype == np.float16
    after = scored(tmp_path / "job", store, rule).maps
    assert after.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(after), before)


def test_maps_that_overflowed_are_refused(tmp_path: Path) -> None:
    maps = zarr.create_array(tmp_path / "maps.zarr", shape=(3, 4, 4), dtype=np.float16)
    maps[:] = 1
    assert read_maps(maps, 0, 3).max() == 1
    maps[2, 0, 0] = np.inf
    with pytest.raises(UserError, match=r"row 2 in maps\.zarr is not.*overwrite=true"):
        read_maps(maps, 1, 3)


def test_a_net_that_gives_no_number_for_a_frame_is_named_with_the_frame(
    store: FrameStore, tmp_path: Path
) -> None:
    rule = ScoringRule()
    scorer = FrameScorer(small_model(rule=rule).detector, rule, CPU)
    scorer.net.register_forward_hook(lambda net, clip, answer: answer.index_fill(0, ROW, np.nan))
    job = ScoringJob(tmp_path / "job", store, segments(store.index, 0.5), {})
    with pytest.raises(UserError, match=r"must be finite.* frame 1 of c0 .*001\.png.*float32"):
        job.run(scorer, 3, quiet)


@pytest.mark.parametrize("kernel", ["box_mean", "box_sum", "gaussian"])
@pytest.mark.parametrize("size_px", [1, 4, 5, 8])
def test_a_kernel_reaches_as_far_as_it_says(kernel: str, size_px: int) -> None:
    point = torch.zeros(1, 41, 41, dtype=torch.float64)
    point[0, 20, 20] = 1
    touched = smooth_map(point, kernel, size_px)[0].nonzero() - 20
    assert int(touched.abs().max()) == kernel_reach_px(kernel, size_px)


@pytest.mark.parametrize("kernel", ["box_mean", "gaussian"])
def test_what_a_kernel_mixes_with_an_ignored_place_is_ignored_with_it(kernel: str) -> None:
    stored = StoredMaps(np.zeros((1, 41, 41)), [], ScoringRule(kernel=kernel, kernel_px=8))
    place = np.zeros((41, 41), bool)
    place[20, 20] = True
    error = torch.from_numpy(place)[None].double()
    mixed = smooth_map(error, kernel, 8)[0].numpy() > 0
    assert not (mixed & ~stored.widened(place)).any()
