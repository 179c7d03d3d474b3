"""Whatever is written chunk by chunk ends with the same bytes, wherever a kill falls."""

import os
from collections.abc import Callable
from contextlib import nullcontext
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.camera.small_camera import footage, store_of
from tests.image_sets.test_descriptor_store import items
from tests.kill import Killed, killed_before
from tests.small_footage import small_model, write_clips
from tlae.camera import canonical_store as canonical
from tlae.camera.fit import fit_camera
from tlae.camera.options import CameraOptions
from tlae.chunk_log import ChunkLog
from tlae.errors import UserError
from tlae.footage import decoding
from tlae.footage import store as store_module
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import open_footage
from tlae.footage.store import FrameStore, open_store
from tlae.footage.windows import segments
from tlae.image_sets import descriptor_store
from tlae.image_sets.descriptor_store import DescriptorWriter
from tlae.progress import quiet
from tlae.scoring import job as scoring
from tlae.scoring.rule import ScoringRule
from tlae.scoring.scorer import FrameScorer
from tlae.table import Table

Work = Callable[[Path], object]  # begins or goes on in a folder
FACTS = {"seed": 1}


def describing(_: Path) -> Work:
    values = np.random.default_rng(0).random((6, 3)).astype(np.float32)

    def work(folder: Path) -> None:
        with DescriptorWriter(folder, "x", 3, FACTS) as writer:
            for first in range(writer.items, 6, 2):
                writer.append(items(first, first + 2), values[first : first + 2])
            writer.finish()

    return work


def decoding_frames(inputs: Path) -> Work:
    root = write_clips(inputs / "clips", (5,))

    def work(folder: Path) -> FrameStore:
        folder.mkdir(exist_ok=True)
        return open_store(open_footage(str(root)), Preprocessing((32, 32)), folder)

    return work


def seeing_canonical_light(inputs: Path) -> Work:
    store = store_of(inputs / "raw", footage(7))
    camera = fit_camera(store_of(inputs / "normal", footage(20)), np.arange(20), CameraOptions())

    def work(folder: Path) -> FrameStore:
        beside = FrameStore(folder / "raw", store.index, store.preprocessing)
        folder.mkdir(exist_ok=True)
        if not beside.folder.exists():
            beside.folder.symlink_to(store.folder)
        return canonical.canonical_store(camera, beside)

    return work


def scoring_frames(inputs: Path) -> Work:
    root = write_clips(inputs / "clips", (5,))
    store = open_store(open_footage(str(root)), Preprocessing((32, 32)), inputs / "cache")
    rule = ScoringRule(causal=True)
    detector = small_model("convlstm", rule=rule).detector

    def work(folder: Path) -> None:
        job = scoring.ScoringJob(folder, store, segments(store.index, 0.5), FACTS)
        job.run(FrameScorer(detector, rule, torch.device("cpu")), 3, quiet)
        job.clean_states(folder)

    return work


USERS = (describing, decoding_frames, seeing_canonical_light, scoring_frames)


def files_of(folder: Path) -> dict[str, bytes]:
    """All files but what Zarr leaves of a file that it had not finished."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".partial"
    }


@pytest.mark.parametrize("user", USERS)
def test_killed_before_any_step_the_work_goes_on_and_ends_with_the_same_bytes(
    user: Callable[[Path], Work], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inputs").mkdir()
    work, append = user(tmp_path / "inputs"), ChunkLog.append

    def append_new(self: ChunkLog, number: int, *arguments: Any) -> None:
        assert not self.path(number).exists(), "a chunk that was done is done again"
        append(self, number, *arguments)

    monkeypatch.setattr(ChunkLog, "append", append_new)
    for module in (store_module, canonical, descriptor_store):  # a lock goes with its process
        monkeypatch.setattr(module, "held_folder", lambda *_: nullcontext())
    for module in (decoding, canonical, scoring):
        monkeypatch.setattr(module, "CHUNK_FRAMES", 3)
    work(tmp_path / "whole")
    expected = files_of(tmp_path / "whole")
    for step in count():
        folder = tmp_path / str(step)
        try:
            with killed_before(step):
                work(folder)
        except Killed:
            work(folder)
            assert files_of(folder) == expected, step
        else:
            assert step >= 6  # at least the bytes and the note of each chunk
            return


def test_the_bytes_of_a_chunk_are_on_the_disk_before_its_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, array = ChunkLog(tmp_path), tmp_path / "array"
    array.touch()
    seen: list[tuple[bytes, bool]] = []
    monkeypatch.setattr(
        os, "fsync", lambda _: seen.append((array.read_bytes(), log.path(0).exists()))
    )
    log.append(0, Table({"a": [1]}), array, b"data")
    assert seen == [(b"data", False)] * 2
    assert log.path(0).is_file()


@pytest.mark.parametrize("user", [describing, scoring_frames])
def test_other_facts_begin_anew_and_no_file_of_the_users_goes(
    user: Callable[[Path], Work], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inputs").mkdir()
    work = user(tmp_path / "inputs")
    part = tmp_path / "work/x.part" if user is describing else tmp_path / "work"
    part.mkdir(parents=True)
    (part / "job.json").write_text('{"seed": 2}')
    (part / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match=r"holds mine\.txt, which tlae did not write; move that"):
        work(tmp_path / "work")
    (part / "mine.txt").unlink()
    work(tmp_path / "work")
