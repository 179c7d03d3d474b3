"""A scoring job on disk: one row per frame, killed and resumed to the same bytes, full disks."""

import errno
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.small_footage import NETS, raises_at, small_model, write_clips
from tlae.errors import UserError
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import open_footage
from tlae.footage.store import FrameStore, open_store
from tlae.footage.windows import segments
from tlae.progress import quiet
from tlae.scoring import job as job_module
from tlae.scoring import job_folder
from tlae.scoring.job import ScoringJob
from tlae.scoring.rule import ScoringRule
from tlae.scoring.scorer import FrameScorer

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_module, "CHUNK_FRAMES", 8)
    monkeypatch.setattr(job_folder, "CHUNK_FRAMES", 8)


@pytest.fixture
def store(tmp_path: Path) -> FrameStore:
    root = write_clips(tmp_path / "clips", (21, 3, 16), odd=((0, 5),))
    (root / "c0" / "010.png").write_bytes(b"")
    (root / "c2" / "000.png").write_bytes(b"not a picture")
    return open_store(open_footage(str(root)), Preprocessing((32, 32)), tmp_path / "cache")


def make(
    folder: Path, store: FrameStore, *, rows_before: int | None = None, delay: int = 0
) -> ScoringJob:
    facts = {"model": "x", "rows": len(store)}
    runs = segments(store.index, 0.5)
    return ScoringJob(folder, store, runs, facts, rows_before=rows_before, delay=delay)


def scorer_of(name: str, causal: bool) -> FrameScorer:
    rule = ScoringRule(causal=causal)
    return FrameScorer(small_model(name, rule=rule).detector, rule, CPU, keep_rebuilt=True)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("causal", [True, False])
def test_every_frame_gets_one_row(
    name: str, causal: bool, store: FrameStore, tmp_path: Path
) -> None:
    job = make(tmp_path / "job", store)
    job.run(scorer_of(name, causal), 3, quiet)
    table = job.table()
    assert len(table) == 40
    unreadable = store.index["state"] != "ok"
    assert unreadable.sum() == 2
    blank = unreadable.copy()
    if "segmenter" in name:  # whose windows must lie within a run
        for run in job.runs:
            blank[run[:3] if causal else run[: 4 * (len(run) < 4)]] = True
    np.testing.assert_array_equal(np.isnan(table["instant"]), blank)
    np.testing.assert_array_equal(np.isnan(table["peak_x"]), blank)
    differs = np.asarray(job.maps).max(axis=(1, 2)) > 0
    assert not differs[unreadable].any()
    starts_of_runs = 9  # at most: there, copying is right, and a causal judge says nothing yet
    assert (~differs[~unreadable]).sum() <= starts_of_runs


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("killed_at", [2, pytest.param(4, marks=pytest.mark.slow), 9])
def test_a_killed_job_ends_with_the_same_bytes(
    name: str,
    causal: bool,
    killed_at: int,
    store: FrameStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = make(tmp_path / "whole", store)
    whole.run(scorer_of(name, causal), 3, quiet)
    with monkeypatch.context() as patch:
        patch.setattr(
            FrameStore, "read", raises_at(killed_at, KeyboardInterrupt(), FrameStore.read)
        )
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path / "killed", store).run(scorer_of(name, causal), 3, quiet)
    resumed = make(tmp_path / "killed", store)
    resumed.run(scorer_of(name, causal), 3, quiet)
    assert resumed.table().equals(whole.table())
    np.testing.assert_array_equal(np.asarray(resumed.maps), np.asarray(whole.maps))
    np.testing.assert_array_equal(np.asarray(resumed.rebuilt), np.asarray(whole.rebuilt))


def test_a_resumed_job_does_not_begin_again(
    store: FrameStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(FrameStore, "read", raises_at(9, KeyboardInterrupt(), FrameStore.read))
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path / "job", store).run(scorer_of("cae", True), 4, quiet)
    job = make(tmp_path / "job", store)
    assert job.done() >= 2
    read: list[int] = []
    original = FrameStore.read
    monkeypatch.setattr(
        FrameStore, "read", lambda self, rows: read.extend(rows) or original(self, rows)
    )
    job.run(scorer_of("cae", True), 4, quiet)
    assert min(read) >= 8


def test_a_job_of_another_model_begins_anew(store: FrameStore, tmp_path: Path) -> None:
    make(tmp_path / "job", store).run(scorer_of("cae", True), 4, quiet)
    other = ScoringJob(tmp_path / "job", store, segments(store.index, 0.5), {"model": "y"})
    assert other.done() == 0


def test_a_full_disk_is_one_line_and_loses_nothing(
    store: FrameStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    job = make(tmp_path / "job", store)
    with monkeypatch.context() as patch:
        patch.setattr(ScoringJob, "_write", raises_at(3, full, ScoringJob._write))
        with pytest.raises(UserError, match=r"No space left on device; free some space"):
            job.run(scorer_of("convlstm", True), 4, quiet)
    again = make(tmp_path / "job", store)
    assert again.done() == 2
    again.run(scorer_of("convlstm", True), 4, quiet)
    assert again.done() == again.chunks


def grow(store: FrameStore, frames: int) -> FrameStore:
    """The first so many frames of a store, as it was before it grew."""
    return replace(store, index=store.index.take(slice(frames)))


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(
    "before", [4, 26, *(pytest.param(n, marks=pytest.mark.slow) for n in (16, 37))]
)
def test_a_job_that_grows_ends_like_one_that_was_whole(
    name: str, causal: bool, before: int, store: FrameStore, tmp_path: Path
) -> None:
    scorer = scorer_of(name, causal)
    whole = make(tmp_path / "whole", store)
    whole.run(scorer, 3, quiet)
    early = make(tmp_path / "job", grow(store, before), delay=scorer.delay)
    early.run(scorer_of(name, causal), 3, quiet)
    early.clean_states(tmp_path / "job")
    later = make(tmp_path / "job", store, rows_before=before, delay=scorer.delay)
    kept = later.done()
    assert kept >= (before - scorer.delay) // 8 - 1
    later.run(scorer_of(name, causal), 3, quiet)
    assert later.table().equals(whole.table())
    np.testing.assert_array_equal(np.asarray(later.maps), np.asarray(whole.maps))
    np.testing.assert_array_equal(np.asarray(later.rebuilt), np.asarray(whole.rebuilt))


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("causal", [True, False])
def test_a_job_that_is_left_at_a_chunk_ends_with_the_same_bytes(
    name: str, causal: bool, store: FrameStore, tmp_path: Path
) -> None:
    whole = make(tmp_path / "whole", store)
    whole.run(scorer_of(name, causal), 3, quiet)
    scorer = scorer_of(name, causal)
    before = None
    for rows, until in ((19, 16), (28, 16), (33, 32), (40, None)):
        part = grow(store, rows)
        job = make(tmp_path / "job", part, rows_before=before, delay=scorer.delay)
        job.run(scorer, 3, quiet, until)
        before = rows
    assert job.table().equals(whole.table())
    np.testing.assert_array_equal(np.asarray(job.maps), np.asarray(whole.maps))
    np.testing.assert_array_equal(np.asarray(job.rebuilt), np.asarray(whole.rebuilt))


def test_a_job_that_grows_scores_no_more_than_it_must(
    store: FrameStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = make(tmp_path / "job", grow(store, 37))
    early.run(scorer_of("stae", True), 3, quiet)
    early.clean_states(tmp_path / "job")
    assert len(list((tmp_path / "job").glob("state-*"))) == 1
    read: list[int] = []
    original = FrameStore.read
    monkeypatch.setattr(
        FrameStore, "read", lambda self, rows: read.extend(rows) or original(self, rows)
    )
    make(tmp_path / "job", store, rows_before=37).run(scorer_of("stae", True), 3, quiet)
    assert min(read) == 32  # the chunk that was not full


@pytest.mark.parametrize("content", [b"", b"\x08\0\0\0\0\0\0\0{}", b"torn" * 100])
def test_a_torn_state_costs_its_chunks_alone(
    content: bytes, store: FrameStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make(tmp_path / "whole", store)
    whole.run(scorer_of("stae", True), 3, quiet)
    with monkeypatch.context() as patch:
        patch.setattr(FrameStore, "read", raises_at(9, KeyboardInterrupt(), FrameStore.read))
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path / "job", store).run(scorer_of("stae", True), 3, quiet)
    states = sorted((tmp_path / "job").glob("state-*"))
    assert states
    for state in states[1:]:
        state.write_bytes(content)
    again = make(tmp_path / "job", store)
    again.run(scorer_of("stae", True), 3, quiet)
    assert again.table().equals(whole.table())
    np.testing.assert_array_equal(np.asarray(again.maps), np.asarray(whole.maps))


def test_a_full_disk_while_a_state_is_kept_is_one_line(
    store: FrameStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", raises_at(2, full, lambda number: None))
        with pytest.raises(UserError, match="could not be written: No space left on device"):
            make(tmp_path / "job", store).run(scorer_of("stae", True), 3, quiet)


def test_what_zarr_was_writing_when_it_was_killed_goes(store: FrameStore, tmp_path: Path) -> None:
    job = make(tmp_path / "job", store)
    job.run(scorer_of("stae", True), 3, quiet)
    torn = tmp_path / "job/maps.zarr/zarr.0123abcd.partial"
    torn.write_bytes(b"{")
    job.clean(tmp_path / "job")
    assert not torn.exists()
