"""The frame store: decoded once, keyed by content, continued when killed, a state per frame."""

import errno
import io
import os
import resource
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.small_footage import frame_image, raises_at, write_clips
from tlae.cli import main
from tlae.errors import FootageError, UserError
from tlae.footage import decoding
from tlae.footage.preprocess import Preprocessing
from tlae.footage.sources import open_footage
from tlae.footage.sources.image_folder import ImageClip
from tlae.footage.store import FrameStore, open_store

WriteVideo = Callable[..., Path]
GREY = Preprocessing((32, 32))


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "CHUNK_FRAMES", 4)


def opened(
    root: Path, cache: Path, preprocessing: Preprocessing = GREY, **times: object
) -> FrameStore:
    return open_store(open_footage(str(root), **times), preprocessing, cache)  # type: ignore[arg-type]


def test_frames_are_what_preprocessing_makes_of_the_pictures(tmp_path: Path) -> None:
    store = opened(write_clips(tmp_path / "n", (5, 6)), tmp_path / "cache")
    assert store.shape == (11, 32, 32, 1)
    assert store.index["clip"].tolist() == ["c0"] * 5 + ["c1"] * 6
    assert store.index["frame"].tolist() == [*range(5), *range(6)]
    expected = np.stack([GREY(frame_image(n)) for n in [*range(5), *range(6)]])
    np.testing.assert_array_equal(store.frames(), expected)
    np.testing.assert_array_equal(store.read(np.array([7, 2])), expected[[7, 2]])


def test_a_second_opening_decodes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_clips(tmp_path / "n", (5,))
    first = opened(root, tmp_path / "cache")
    monkeypatch.setattr(ImageClip, "frames", raises_at(1, AssertionError("decoded again"), len))
    assert opened(root, tmp_path / "cache").folder == first.folder


@pytest.mark.parametrize("change", ["file", "size", "option", "earlier", "fewer"])
def test_a_change_makes_a_new_store(change: str, tmp_path: Path) -> None:
    root = write_clips(tmp_path / "n", (5,))
    first = opened(root, tmp_path / "cache")
    preprocessing, times = GREY, {}
    if change == "file":
        cv2.imwrite(str(root / "c0/002.png"), frame_image(2, odd=True))
    elif change == "size":
        preprocessing = Preprocessing((32, 48))
    elif change == "option":
        times = {"interval_s": 5.0}
    elif change == "earlier":
        cv2.imwrite(str(root / "c0/000a.png"), frame_image(5))
    else:
        (root / "c0/004.png").unlink()
    second = opened(root, tmp_path / "cache", preprocessing, **times)
    assert second.folder != first.folder
    assert second.key != first.key
    assert len(second) == {"earlier": 6, "fewer": 4}.get(change, 5)
    assert opened(root, tmp_path / "cache", preprocessing, **times).folder == second.folder


def test_only_what_was_added_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_clips(tmp_path / "n", (5, 6))
    (root / "c1/001.png").write_bytes(b"")
    first = opened(root, tmp_path / "cache")
    for number in (900, 901):
        cv2.imwrite(str(root / f"c1/{number}.png"), frame_image(number))
    write_clips(tmp_path / "later", (0, 0, 3))
    (tmp_path / "later/c2").rename(root / "c2")
    decoded = []
    original = Preprocessing.__call__
    with monkeypatch.context() as patch:
        patch.setattr(
            Preprocessing,
            "__call__",
            lambda self, image: decoded.append(1) or original(self, image),
        )
        grown = opened(root, tmp_path / "cache")
    assert len(decoded) == 5
    assert grown.folder == first.folder
    assert grown.key != first.key
    whole = opened(root, tmp_path / "other cache")
    assert whole.key.rpartition("-")[2] == grown.key.rpartition("-")[2]
    assert grown.index.equals(whole.index)
    np.testing.assert_array_equal(grown.frames(), whole.frames())
    np.testing.assert_array_equal(first.frames(), whole.frames()[:11])  # readers are not disturbed


@pytest.mark.parametrize("killed_at", [2, 5])
def test_a_store_killed_while_it_grows_ends_the_same(
    killed_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_clips(tmp_path / "n", (5, 6))
    opened(root, tmp_path / "cache")
    for number in range(900, 909):
        cv2.imwrite(str(root / f"c1/{number}.png"), frame_image(number))
    with monkeypatch.context() as patch:
        wrapped = Preprocessing.__call__
        stop = raises_at(killed_at, KeyboardInterrupt(), wrapped)
        patch.setattr(Preprocessing, "__call__", stop)
        with pytest.raises(KeyboardInterrupt):
            opened(root, tmp_path / "cache")
    cv2.imwrite(str(root / "c1/909.png"), frame_image(909))
    grown, whole = opened(root, tmp_path / "cache"), opened(root, tmp_path / "other cache")
    assert grown.index.equals(whole.index)
    np.testing.assert_array_equal(grown.frames(), whole.frames())


def test_a_file_still_being_written_is_left_for_the_next_time(tmp_path: Path) -> None:
    root = write_clips(tmp_path / "n", (5,))
    picture = root / "c0/004.png"
    whole = picture.read_bytes()
    picture.write_bytes(whole[: len(whole) // 2])
    early = open_footage(str(root)).settled()
    assert early.waiting == (str(picture),)
    store = open_store(early, GREY, tmp_path / "cache")
    assert len(store) == 4
    picture.write_bytes(whole)
    late = open_footage(str(root)).settled()
    assert late.waiting == ()
    grown = open_store(late, GREY, tmp_path / "cache")
    assert grown.folder == store.folder
    assert grown.index["state"].tolist() == ["ok"] * 5
    picture.write_bytes(whole[: len(whole) // 2])
    os.utime(picture, (1e9, 1e9))  # no one writes to it any more
    assert open_footage(str(root)).settled().waiting == ()
    assert opened(root, tmp_path / "cache").index["state"][-1] == "truncated"


def test_a_growing_video_is_left_for_the_next_time(
    tmp_path: Path, write_video: WriteVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        path = write_video(tmp_path / f"n/{name}.mkv")
        if name == "a":
            os.utime(path, (1e9, 1e9))
    (tmp_path / "n/c.mkv").write_bytes(b"")
    waited: list[float] = []

    def grow(seconds: float) -> None:
        waited.append(seconds)
        with (tmp_path / "n/b.mkv").open("ab") as file:
            file.write(b"x")

    monkeypatch.setattr("tlae.footage.sources.video.time.sleep", grow)
    footage = open_footage(str(tmp_path / "n")).settled()
    assert [Path(path).name for path in footage.waiting] == ["b.mkv", "c.mkv"]
    assert [clip.name for clip in footage.clips] == ["a"]
    assert all(0 <= seconds <= 2 for seconds in waited)


def encoded(suffix: str, image: np.ndarray) -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def gif() -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(frame_image(3)).save(buffer, "gif")
    return buffer.getvalue()


def test_every_unusual_picture_is_read_or_has_its_reason(tmp_path: Path) -> None:
    root = write_clips(tmp_path / "n", (12,), suffix=".jpg")
    clip = root / "c0"
    whole = (clip / "001.jpg").read_bytes()
    (clip / "001.jpg").write_bytes(whole[: len(whole) * 6 // 10])
    (clip / "002.jpg").write_bytes(b"")
    (clip / "003.jpg").write_bytes(gif())
    (clip / "004.jpg").write_bytes(b"this is not a picture, it is a sentence")
    (clip / "005.jpg").write_bytes(encoded(".png", frame_image(5).astype(np.uint16) * 257))
    rgba = np.dstack([frame_image(6), np.full((32, 32), 40, np.uint8)])
    (clip / "006.jpg").write_bytes(encoded(".png", rgba))
    (clip / "007.jpg").write_bytes(encoded(".png", frame_image(7, size_hw=(31, 33))))
    (clip / "008.jpg").write_bytes(encoded(".png", frame_image(8, size_hw=(64, 64))))
    (clip / "009.jpg").write_bytes(encoded(".png", frame_image(9, size_hw=(24, 64))))
    index = opened(root, tmp_path / "cache").index
    states = dict(zip(index["frame"], index["state"], strict=True))
    assert states[1] == "truncated"
    assert states[2] == "empty file"
    assert states[4] == "not an image"
    assert states[9] == "shape 64x24, clip began with 32x32"
    assert {states[n] for n in (0, 3, 5, 6, 8, 10, 11)} == {"ok"}
    assert states[7].startswith("shape 33x31")
    sizes = index.frame().set_index("frame")[["source_h", "source_w"]]
    assert sizes.loc[8].tolist() == [64, 64]
    assert sizes.loc[1].tolist() == [0, 0]
    frames = opened(root, tmp_path / "cache").frames()
    assert abs(int(frames[5].mean()) - int(GREY(frame_image(5)).mean())) <= 1  # 16 bit: >> 8
    assert (frames[1] == 0).all()


def test_large_jpegs_are_decoded_reduced_and_keep_their_source_size(tmp_path: Path) -> None:
    root = write_clips(tmp_path / "n", (3,), suffix=".jpg", size_hw=(256, 256))
    store = opened(root, tmp_path / "cache")
    assert store.index["source_h"].tolist() == [256] * 3
    full = np.stack([GREY(frame_image(n, size_hw=(256, 256))) for n in range(3)])
    assert np.abs(store.frames().astype(int) - full).mean() < 2


def test_only_unreadable_frames_is_an_error(tmp_path: Path) -> None:
    root = write_clips(tmp_path / "n", (2,))
    for picture in (root / "c0").iterdir():
        picture.write_bytes(b"")
    with pytest.raises(FootageError, match=r"one readable frame, got 2 unreadable \(empty file\)"):
        opened(root, tmp_path / "cache")


def test_a_full_disk_is_one_line_and_keeps_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_clips(tmp_path / "n", (11,))
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", raises_at(2, full, os.fsync))
        with pytest.raises(UserError, match=r"No space left on device; free some space or set"):
            opened(root, tmp_path / "cache")
    assert len(opened(root, tmp_path / "cache")) == 11


def test_a_real_limit_on_file_size_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The kernel refuses to write on, as on a full disk."""
    root = write_clips(tmp_path / "n", (40,))
    words = ["train", f"footage={root}", "model=cae_small", f"paths.cache={tmp_path}/cache",
             f"paths.checkpoints={tmp_path}/checkpoints"]  # fmt: skip
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        assert main(words) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "could not be written: File too large" in said


def test_sizes_that_no_net_takes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"size_hw must be within 16\.\.4096"):
        Preprocessing((8, 32))
    with pytest.raises(ValueError, match="channels must be 1"):
        Preprocessing((32, 32), 2)
