from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.camera.small_camera import ALL_ON, footage, store_of
from tests.small_footage import raises_at
from tlae.camera import canonical_store as module
from tlae.camera.camera import Camera
from tlae.camera.canonical_store import canonical_store, observe, without_ill
from tlae.camera.fit import fit_camera
from tlae.camera.watch import UNOBSERVED, CameraWatch
from tlae.errors import UserError
from tlae.footage.store import FrameStore


@pytest.fixture
def store(tmp_path: Path) -> FrameStore:
    """Two clips of 12 and 8 frames with copies, a black frame and an unreadable one."""
    frames = footage(20)
    frames[3:9] = frames[2]
    frames[10] = 0
    frames[12] = frames[11]  # begins a clip: no copy
    store = store_of(tmp_path / "raw", frames, clips=(12, 8))
    store.index["state"][15] = "truncated"
    return store


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    return fit_camera(store_of(tmp_path / "normal", footage(40)), np.arange(40), ALL_ON)


def chunks_of(monkeypatch: pytest.MonkeyPatch, frames: int) -> None:
    monkeypatch.setattr(module, "CHUNK_FRAMES", frames)
    monkeypatch.setattr(module, "BATCH_FRAMES", 3)


def test_health_by_row(camera: Camera, store: FrameStore) -> None:
    seen = canonical_store(camera, store)
    health = seen.index["health"].tolist()
    assert health[2:10] == ["ok", *["repeated"] * 3, *["frozen"] * 3, "ok"]
    assert health[10] == "black"
    assert health[12] == health[15] == "ok"
    assert seen.index["mode"].tolist() == [""] * 10 + ["new"] + [""] * 9
    assert seen.read(np.array([15])).max() == 0  # unreadable stays black
    assert seen.index.only(list(store.index)).equals(store.index)
    left_out = without_ill(seen).index["state"]
    assert left_out[[2, 3, 6, 10, 15]].tolist() == ["ok", "ok", "frozen", "black", "truncated"]


def test_whatever_the_chunks_and_live_the_same(
    camera: Camera, store: FrameStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = canonical_store(camera, store)
    chunks_of(monkeypatch, 5)
    table = observe(camera, store)
    assert table.equals(whole.index.only(list(UNOBSERVED)))
    watch = CameraWatch(camera)
    for row in np.flatnonzero(store.index["state"] == "ok"):
        seen, _ = watch.push(store.index["clip"][row], store.read(np.array([row])))
        np.testing.assert_array_equal(seen[0].picture, whole.read(np.array([row]))[0])
        assert seen[0].health == table["health"][row]
        assert 4 * seen[0].shift_x == pytest.approx(table["shift_x"][row])
        assert 2 * seen[0].shift_y == pytest.approx(table["shift_y"][row])


def test_a_killed_build_goes_on_and_a_grown_store_too(
    camera: Camera, store: FrameStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = canonical_store(camera, store)
    frames, index = np.array(expected.frames()), expected.index
    for path in (expected.folder / "parts").iterdir():
        path.unlink()
    (expected.folder / "frames.u8").unlink()
    chunks_of(monkeypatch, 5)
    monkeypatch.setattr(
        module, "_seen_chunk", raises_at(3, KeyboardInterrupt(), module._seen_chunk)
    )
    short = replace(store, index=store.index.take(slice(13)))
    with pytest.raises(KeyboardInterrupt):
        canonical_store(camera, short)
    canonical_store(camera, short)  # goes on with the third chunk, of three rows
    grown = canonical_store(camera, store)
    np.testing.assert_array_equal(grown.frames(), frames)
    assert grown.index.equals(index)
    monkeypatch.setattr(module, "_seen_chunk", None)  # all is there
    canonical_store(camera, store)


def test_a_full_disk_is_one_line(
    camera: Camera, store: FrameStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(28, "No space left on device")
    monkeypatch.setattr(module, "_seen_chunk", raises_at(1, full, module._seen_chunk))
    with pytest.raises(UserError, match=r"could not be written: No space left .* paths\.cache"):
        canonical_store(camera, store)


def test_repeats_are_seen_across_a_chunk_without_a_readable_frame(
    camera: Camera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = footage(12)
    frames[4:] = frames[3]
    store = store_of(tmp_path / "raw", frames, clips=(12,))
    store.index["state"][4:8] = "truncated"  # the whole second chunk
    chunks_of(monkeypatch, 4)
    with monkeypatch.context() as patch:
        killed = raises_at(3, KeyboardInterrupt(), module._seen_chunk)
        patch.setattr(module, "_seen_chunk", killed)
        with pytest.raises(KeyboardInterrupt):
            canonical_store(camera, store)
    seen = canonical_store(camera, store)
    assert seen.index.only(list(UNOBSERVED)).equals(observe(camera, store))
    assert seen.index["health"][8] == "repeated"


def test_the_tables_are_read_while_the_store_is_held(
    camera: Camera, store: FrameStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    read, hold = module.read_parquet, module.held_folder

    @contextmanager
    def held(folder: Path, cure: str | None) -> Iterator[None]:
        with hold(folder, cure):
            order.append("held")
            yield
        order.append("free")

    monkeypatch.setattr(module, "held_folder", held)
    monkeypatch.setattr(
        module, "read_parquet", lambda *a, **k: order.append("read") or read(*a, **k)
    )
    canonical_store(camera, store)
    assert order == ["held", "read", "free"]
