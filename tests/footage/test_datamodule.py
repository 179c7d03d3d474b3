"""Batches are the same wherever the frames lie."""

from types import SimpleNamespace

import pytest
import torch

from tests.small_footage import write_clips
from tlae.footage import datamodule
from tlae.footage.datamodule import FootageDataModule
from tlae.footage.frames import Image
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import open_footage
from tlae.footage.store import FrameStore, open_store
from tlae.footage.windows import segments, windows_of

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FrameStore:
    folder = tmp_path_factory.mktemp("datamodule")
    clips = write_clips(folder / "clips", (12, 9))
    return open_store(open_footage(str(clips)), Preprocessing((16, 24)), folder / "cache")


def darker(frames: Image) -> Image:
    """A view of half the size."""
    return frames[:, ::2, ::2] // 2


@pytest.mark.parametrize("view", [None, darker])
def test_frames_on_the_device_give_the_batches_of_the_store(
    store: FrameStore, view: datamodule.View | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = windows_of(segments(store.index, 0.5), 4, [1, 2])
    batches = []
    for with_room in (False, True):
        monkeypatch.setattr(datamodule, "has_room", lambda *_, answer=with_room: answer)
        data = FootageDataModule(store, windows, windows, 3, 9, view=view)
        data.trainer = SimpleNamespace(  # type: ignore[assignment]
            global_rank=0, world_size=1, strategy=SimpleNamespace(root_device=CPU)
        )
        data.setup("fit")
        assert (data.resident is not None) == with_room
        loaders = data.train_dataloader(), data.val_dataloader()
        batches.append(
            [data.transfer_batch_to_device(b, CPU, 0) for loader in loaders for b in loader]
        )
    assert len(batches[0]) == len(batches[1]) > 3
    for from_store, from_device in zip(*batches, strict=True):
        assert from_store.dtype == torch.uint8
        torch.testing.assert_close(from_device, from_store, rtol=0, atol=0)


def test_a_processor_without_memory_of_its_own_reads_from_the_store(store: FrameStore) -> None:
    assert not datamodule.has_room(CPU, store)
