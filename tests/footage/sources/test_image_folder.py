import io
import os
import pickle
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from tlae.errors import FootageError
from tlae.footage.frames import OK, Clip, TimeSource
from tlae.footage.sources.image_folder import FolderFiles, ImageClip
from tlae.footage.timestamps import Timing


def clip_of(root: Path, names: list[str], timing: Timing | None = None) -> ImageClip:
    """Clip of pictures whose brightness is 20 times their number."""
    for number, name in enumerate(names):
        cv2.imwrite(str(root / name), np.full((32, 32, 3), 20 * number, np.uint8))
    return ImageClip("cam", FolderFiles(root), "", tuple(names), timing or Timing(pace_s=0.5))


def write_exif(path: Path, taken: str | None) -> None:
    exif = Pillow.Exif()
    if taken:
        exif.get_ifd(0x8769)[0x9003] = taken
    file = io.BytesIO()
    Pillow.new("RGB", (32, 32)).save(file, "JPEG", exif=exif)
    path.write_bytes(file.getvalue())


def test_frames_come_in_order_with_path_and_pixels(tmp_path: Path) -> None:
    clip: Clip = clip_of(tmp_path, ["1.png", "2.png", "3.png"])
    frames = list(clip.frames())
    assert clip.length == 3
    assert [frame.frame for frame in frames] == [0, 1, 2]
    assert [frame.time_s for frame in frames] == [0.0, 0.5, 1.0]
    assert [frame.path for frame in frames] == [str(tmp_path / f"{n}.png") for n in (1, 2, 3)]
    assert {frame.clip for frame in frames} == {"cam"}
    assert frames[2].image is not None
    assert (frames[2].image == 40).all()
    assert frames[2].taken_at is None
    assert clip.time_source == TimeSource.INTERVAL


def test_reduced_frames_tell_the_size_of_the_source(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.jpg"), np.zeros((128, 160, 3), np.uint8))
    clip = ImageClip("cam", FolderFiles(tmp_path), "", ("a.jpg",), Timing())
    frame = next(clip.frames(min_hw=(32, 32)))
    assert frame.image is not None
    assert frame.image.shape == (32, 40, 3)
    assert frame.source_hw == (128, 160)


def test_bad_files_keep_their_place_with_a_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = clip_of(tmp_path, [f"{n}.png" for n in range(5)])
    (tmp_path / "1.png").write_bytes(b"")
    (tmp_path / "2.png").write_bytes((tmp_path / "2.png").read_bytes()[:-20])
    (tmp_path / "3.png").unlink()
    states = [frame.state for frame in clip.frames()]
    assert states == [OK, "empty file", "truncated", "no such file or directory", OK]
    assert "clip cam: 3 of 5 frames unreadable (empty file: 1, truncated: 1" in caplog.text


def test_file_names_give_irregular_times(tmp_path: Path) -> None:
    names = ["2023-06-13T03_00_00.png", "2023-06-13T03_15_00.png", "2023-06-13T05_00_30.png"]
    clip = clip_of(tmp_path, names)
    frames = list(clip.frames())
    assert clip.time_source == TimeSource.FILENAME
    assert [frame.time_s for frame in frames] == [0.0, 900.0, 7230.0]
    assert frames[2].taken_at == datetime(2023, 6, 13, 5, 0, 30)


def test_frames_without_a_time_go_on_by_the_interval(tmp_path: Path) -> None:
    times = ["03_00_00", "none", "none2", "03_00_10", "none4", "03_00_20", "03_00_30"]
    clip = clip_of(tmp_path, [f"2023-06-13T{time}.png" for time in times])
    frames = list(clip.frames())
    assert [frame.time_s for frame in frames] == [0.0, 0.5, 1.0, 10.0, 10.5, 20.0, 30.0]
    assert frames[1].taken_at is None


def test_times_that_jump_back_are_kept(tmp_path: Path) -> None:
    times = ["03_00_00", "03_00_10", "02_59_00", "03_00_20"]
    clip = clip_of(tmp_path, [f"2023-06-13T{time}.png" for time in times])
    assert [frame.time_s for frame in clip.frames()] == [0.0, 10.0, -60.0, 20.0]


def test_exif_is_trusted_before_file_names(tmp_path: Path) -> None:
    names = [f"2023-06-13T03_00_0{n}.jpg" for n in range(4)]
    clip = clip_of(tmp_path, names)
    for number, name in enumerate(names):
        taken = None if number == 1 else f"2001:01:01 00:0{number}:00"
        write_exif(tmp_path / name, taken)
    frames = list(clip.frames())
    assert clip.time_source == TimeSource.EXIF
    assert [frame.time_s for frame in frames] == [0.0, 0.5, 120.0, 180.0]
    assert frames[3].taken_at == datetime(2001, 1, 1, 0, 3)


@pytest.mark.parametrize("kind", ["interval", "filename", "exif"])
def test_start_equals_skipping(tmp_path: Path, kind: str) -> None:
    names = [f"{n}.jpg" for n in range(8)]
    if kind == "filename":
        names = [f"2023-06-13T03_00_0{n}.jpg" for n in range(8)]
        names[2:4] = ["no time a.jpg", "no time b.jpg"]
    clip = clip_of(tmp_path, names, Timing(pace_s=0.3))
    if kind == "exif":
        for number, name in enumerate(names):
            write_exif(tmp_path / name, None if number in (2, 3) else f"2020:01:01 00:00:0{number}")
    (tmp_path / names[5]).write_bytes(b"")
    assert clip.time_source == kind
    whole = [(f.frame, f.time_s, f.taken_at, f.path, f.state) for f in clip.frames()]
    for start in range(10):
        part = [(f.frame, f.time_s, f.taken_at, f.path, f.state) for f in clip.frames(start)]
        assert part == whole[start:]


def test_fingerprint_follows_content_and_timing_not_place(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for root in (first, second):
        root.mkdir()
        clip_of(root, ["1.png", "2.png"])
        for path in root.iterdir():
            os.utime(path, ns=(0, 1_000_000_007))

    def print_of(root: Path, interval_s: float = 0.1) -> list[str]:
        timing = Timing(interval_s)
        return list(ImageClip("c", FolderFiles(root), "", ("1.png", "2.png"), timing).fingerprint())

    before = print_of(second)
    assert print_of(first) == before
    assert before[1].startswith("1.png ")
    assert before[1].endswith(" 1000000007")
    assert print_of(first, 9) != before
    os.utime(second / "2.png", ns=(0, 5))
    assert print_of(second) != before
    (second / "2.png").unlink()
    assert print_of(second)[2] == "2.png missing"


def test_a_clip_can_be_pickled_and_read_again(tmp_path: Path) -> None:
    clip = clip_of(tmp_path, ["1.png", "2.png"])
    again = pickle.loads(pickle.dumps(clip))
    assert len(list(again.frames())) == len(list(again.frames())) == 2


def test_a_source_asked_for_but_missing_names_the_clip(tmp_path: Path) -> None:
    clip = clip_of(tmp_path, ["1.png", "2.png"], Timing(source="filename"))
    with pytest.raises(FootageError, match=r"clip cam has none that serve.*'1\.png'"):
        _ = clip.time_source
