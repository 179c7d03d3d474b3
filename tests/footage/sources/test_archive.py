import pickle
import stat
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from tlae.errors import FootageError
from tlae.footage.frames import OK, TimeSource
from tlae.footage.sources import open_footage

WriteVideo = Callable[..., Path]


def picture(brightness: int) -> bytes:
    return bytes(cv2.imencode(".png", np.full((32, 32, 3), brightness, np.uint8))[1])


def pack(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_pictures_are_read_in_place(tmp_path: Path) -> None:
    names = ["2023-06-13T03_00_00.png", "2023-06-13T03_00_09.png", "2023-06-13T03_00_10.png"]
    path = pack(tmp_path / "cam.zip", {name: picture(20 * n) for n, name in enumerate(names)})
    footage = open_footage(str(path))
    frames = list(footage.frames())
    assert footage.name == footage.clips[0].name == "cam"
    assert footage.clips[0].time_source == TimeSource.FILENAME
    assert [frame.time_s for frame in frames] == [0.0, 9.0, 10.0]
    assert frames[1].taken_at == datetime(2023, 6, 13, 3, 0, 9)
    assert frames[1].path == f"{path}::{names[1]}"
    assert frames[1].image is not None
    assert (frames[1].image == 20).all()
    assert list(tmp_path.iterdir()) == [path]


def test_clip_folders_equal_those_on_disk(tmp_path: Path) -> None:
    names = ["Test001/2.png", "Test001/10.png", "Test001_gt/2.png", "Test002/1.png"]
    names += ["__MACOSX/Test001/._2.png", "Test002/.DS_Store", "Test002/._1.png", "note.txt"]
    members = {name: picture(n) for n, name in enumerate(names)}
    path = pack(tmp_path / "Test.zip", members)
    for name, data in members.items():
        (tmp_path / "Test" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "Test" / name).write_bytes(data)
    zipped, folder = open_footage(str(path)), open_footage(str(tmp_path / "Test"))
    assert [clip.name for clip in zipped.clips] == [clip.name for clip in folder.clips]
    assert [f.path.rpartition("::")[2] for f in zipped.frames()] == [
        str(Path(f.path).relative_to(tmp_path / "Test")) for f in folder.frames()
    ]


def test_a_packed_folder_has_the_names_of_the_folder(tmp_path: Path) -> None:
    members = {"Test/Test001/1.png": picture(1), "Test/Test002/1.png": picture(1)}
    path = pack(tmp_path / "Test.zip", members)
    assert [clip.name for clip in open_footage(str(path)).clips] == ["Test001", "Test002"]
    other = path.rename(tmp_path / "other.zip")
    names = [clip.name for clip in open_footage(str(other)).clips]
    assert names == ["Test/Test001", "Test/Test002"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_videos_are_read_in_place(
    tmp_path: Path, write_video: WriteVideo, method: int, suffix: str
) -> None:
    video = write_video(tmp_path / f"v/film{suffix}")
    path = pack(tmp_path / "cam.zip", {f"a/film{suffix}": video.read_bytes()}, method)
    (clip,) = open_footage(str(path)).clips
    frames = list(clip.frames())
    assert clip.name == "a/film"
    assert clip.length == 10
    assert [frame.time_s for frame in frames] == pytest.approx([n / 10 for n in range(10)])
    assert frames[0].path == f"{path}::a/film{suffix}"
    assert len(list(pickle.loads(pickle.dumps(clip)).frames(start=3))) == 7


def test_names_that_lead_outside_and_links_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = ["../up.png", "a/../../up.png", "/abs.png", "C:/win.png", "..\\up.png", "\\abs.png"]
    path = pack(tmp_path / "cam.zip", dict.fromkeys([*bad, "good.png"], picture(9)))
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link.png")
        link.create_system = 3  # Unix
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    frames = list(open_footage(str(path)).frames())
    assert [frame.path for frame in frames] == [f"{path}::good.png"]
    assert "7 members left out" in caplog.text
    assert "'../up.png'" in caplog.text


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_corrupt_member_is_one_unreadable_frame(tmp_path: Path, method: int) -> None:
    members = {f"{n}.png": picture(n) for n in range(4)}
    path = pack(tmp_path / "cam.zip", members, method)
    data = bytearray(path.read_bytes())
    at = data.index(b"2.png") + 5
    data[at + 40 : at + 50] = bytes(byte ^ 255 for byte in data[at + 40 : at + 50])
    path.write_bytes(data)
    states = [frame.state for frame in open_footage(str(path)).frames()]
    assert states == [OK, OK, "damaged in the archive", OK]


def test_a_video_in_a_corrupt_member_gives_the_frames_before_the_damage(
    tmp_path: Path,
    write_video: WriteVideo,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    video = write_video(tmp_path / "a.mkv", range(0, 6000, 100), (64, 96), noise=True)
    path = pack(tmp_path / "cam.zip", {"a.mkv": video.read_bytes()}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    frames = list(open_footage(str(path)).frames())
    assert len(frames) > 50
    assert "cam.zip::a.mkv is damaged in the archive" in caplog.text
    assert "Traceback" not in capfd.readouterr().err


def test_an_encrypted_member_says_so(tmp_path: Path) -> None:
    path = pack(tmp_path / "cam.zip", {"1.png": picture(1), "2.png": picture(1)})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(data)
    states = [frame.state for frame in open_footage(str(path)).frames()]
    assert states == ["encrypted in the archive", OK]


def test_an_archive_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "cam.zip", {"1.png": picture(1)})
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(FootageError, match=r"cam\.zip must be a readable zip file, got: .*again"):
        open_footage(str(path))


def test_an_archive_without_footage_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "cam.zip", {"note.txt": b"hello"})
    with pytest.raises(FootageError, match="must hold pictures"):
        open_footage(str(path))


def test_fingerprint_follows_the_members_content(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    one = pack(tmp_path / "a/cam.zip", {"1.png": picture(1)})
    two = pack(tmp_path / "b/cam.zip", {"1.png": picture(2)})
    prints = {open_footage(str(path)).fingerprint() for path in (one, two)}
    assert len(prints) == 2
    same = pack(tmp_path / "b/cam.zip", {"1.png": picture(1)})
    assert open_footage(str(same)).fingerprint() == open_footage(str(one)).fingerprint()
