import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from tlae.errors import FootageError
from tlae.footage.frames import OK, TimeSource
from tlae.footage.sources import Footage, open_footage

WriteVideo = Callable[..., Path]


def write_pictures(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / name), np.full((32, 32, 3), 99, np.uint8))
    return root


def clip_names(spec: str | Path) -> list[str]:
    return [clip.name for clip in open_footage(str(spec)).clips]


def test_a_folder_of_pictures_is_one_clip(tmp_path: Path) -> None:
    footage = open_footage(str(write_pictures(tmp_path / "garden", "10.jpg", "9.jpg")))
    assert footage.name == "garden"
    assert [clip.name for clip in footage.clips] == ["garden"]
    assert [Path(frame.path).name for frame in footage.frames()] == ["9.jpg", "10.jpg"]


def test_the_ucsd_layout_becomes_one_clip_per_folder(tmp_path: Path) -> None:
    root = tmp_path / "Test"
    write_pictures(root, *(f"Test00{c}/00{n}.tif" for c in (1, 2) for n in (1, 2, 3)))
    write_pictures(root, "Test001_gt/001.bmp", "Test003_gt/001.bmp")  # one without its clip
    for extra in (".DS_Store", "Test001/.DS_Store", "Test001/._001.tif", "Test.m", "Test.m~"):
        (root / extra).write_bytes(b"x")
    footage = open_footage(str(root))
    assert [clip.name for clip in footage.clips] == ["Test001", "Test002"]
    assert [(f.clip, f.frame) for f in footage.frames()] == [
        (clip, n) for clip in ("Test001", "Test002") for n in range(3)
    ]
    assert {frame.state for frame in footage.frames()} == {OK}
    assert clip_names(tmp_path) == ["Test/Test001", "Test/Test002"]
    assert clip_names(root / "Test001_gt") == ["Test001_gt"]  # named by the user


def test_bmp_clips_are_footage_too(tmp_path: Path) -> None:
    write_pictures(tmp_path, "a/1.bmp", "b/c/1.bmp")
    assert clip_names(tmp_path) == ["a", "b/c"]


def test_a_picture_is_a_clip_of_one(tmp_path: Path) -> None:
    write_pictures(tmp_path, "one.png", "other.png")
    footage = open_footage(str(tmp_path / "one.png"))
    assert footage.name == "one"
    (frame,) = footage.frames()
    assert (frame.clip, frame.frame, frame.time_s) == ("one", 0, 0.0)


def test_a_video_and_a_folder_of_videos(tmp_path: Path, write_video: WriteVideo) -> None:
    write_video(tmp_path / "cams/a.mp4")
    write_video(tmp_path / "cams/b.MKV")
    assert open_footage(str(tmp_path / "cams/a.mp4")).name == "a"
    footage = open_footage(str(tmp_path / "cams"))
    assert [clip.name for clip in footage.clips] == ["a", "b"]
    assert [clip.time_source for clip in footage.clips] == [TimeSource.CONTAINER] * 2
    assert len(list(footage.frames())) == 20


def test_a_broken_video_is_refused_alone_and_a_row_among_many(
    tmp_path: Path, write_video: WriteVideo
) -> None:
    write_video(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_bytes(b"broken")
    with pytest.raises(FootageError, match=r"b\.mp4 must be a readable video"):
        open_footage(str(tmp_path / "b.mp4"))
    frames = list(open_footage(str(tmp_path)).frames())
    assert len(frames) == 11
    assert frames[-1].clip == "b"
    assert frames[-1].image is None


def test_glob_patterns(tmp_path: Path, write_video: WriteVideo) -> None:
    write_pictures(tmp_path, "cams/x/1.jpg", "cams/x/deep/2.jpg", "cams/x_gt/1.jpg", "cams/y/1.png")
    write_pictures(tmp_path, "cams/x/.hidden.jpg")
    write_video(tmp_path / "cams/a.mp4")
    cams = tmp_path / "cams"
    assert clip_names(f"{cams}/*.mp4") == ["a"]
    assert open_footage(f"{cams}/*.mp4").name == "cams"
    assert clip_names(f"{cams}/**/*.jpg") == ["x", "x/deep"]
    assert clip_names(f"{cams}/[xy]*") == ["x", "x/deep", "y"]
    assert clip_names(f"{cams}/**") == ["a", "x", "x/deep", "y"]
    assert clip_names(f"{cams}/x/*.jpg") == ["x"]
    assert len(list(open_footage(f"{cams}/**").frames())) == 13


def test_a_folder_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    footage = open_footage(str(write_pictures(tmp_path / "cam[1]", "1.jpg")))
    assert footage.name == "cam_1"
    assert [clip.name for clip in footage.clips] == ["cam_1"]


def test_the_home_folder_and_relative_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pictures(tmp_path / "garden", "1.jpg")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_footage("~/garden").name == "garden"
    assert clip_names("~/gard*/*.jpg") == ["garden"]
    monkeypatch.chdir(tmp_path / "garden")
    footage = open_footage(".")
    assert footage.name == "garden"
    assert next(footage.frames()).path == str(tmp_path / "garden/1.jpg")


def test_settings_reach_the_clips(tmp_path: Path) -> None:
    write_pictures(tmp_path, "13.06.2023 03-00.jpg", "13.06.2023 04-00.jpg")
    footage = open_footage(str(tmp_path), interval_s=60.0)
    assert [frame.time_s for frame in footage.frames()] == [0.0, 60.0]
    footage = open_footage(str(tmp_path), time_pattern="%d.%m.%Y %H-%M")
    assert [frame.taken_at for frame in footage.frames()][1] == datetime(2023, 6, 13, 4)
    with pytest.raises(FootageError, match=r"did you mean filename\?"):
        open_footage(str(tmp_path), time_source="filname")
    with pytest.raises(FootageError, match=r"interval_s must be > 0"):
        open_footage(str(tmp_path), interval_s=-1.0)
    with pytest.raises(FootageError, match=r"time_source=exif needs"):
        open_footage(str(tmp_path), time_source="exif")


def test_a_misspelt_path_gets_the_nearest_one(tmp_path: Path) -> None:
    write_pictures(tmp_path / "UCSD/Test", "1.jpg")
    for misspelt in ("UCSD/Tset", "ucsd/Test", "UCDS/Test"):
        with pytest.raises(FootageError) as caught:
            open_footage(str(tmp_path / misspelt))
        message = str(caught.value)
        assert message.startswith("footage.path must be an existing folder, picture, video, zip")
        assert f"got '{tmp_path / misspelt}', which is not there" in message
        assert message.endswith(f"did you mean {tmp_path / 'UCSD/Test'}?")
        assert "\n" not in message


def test_a_device_is_to_be_recorded_first() -> None:
    with pytest.raises(FootageError, match="got the device or pipe '/dev/null'; watch it"):
        open_footage(os.devnull)


def test_a_path_like_nothing_there_tells_what_is(tmp_path: Path) -> None:
    write_pictures(tmp_path, "garden/1.jpg")
    (tmp_path / ".out.lock").touch()
    with pytest.raises(FootageError, match=rf"not there; {tmp_path} holds garden$"):
        open_footage(str(tmp_path / "qqq/zzz"))
    with pytest.raises(FootageError, match=r"not there; did you mean .*/garden\?"):
        open_footage(str(tmp_path / "gardn/*.mp4"))
    with pytest.raises(FootageError, match="got '~nobody-here/x', which is not there"):
        open_footage("~nobody-here/x")
    with pytest.raises(FootageError, match="got nothing"):
        open_footage(" ")


def test_nothing_usable_tells_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "labels.m").touch()
    (tmp_path / "old.zip").touch()
    words = (
        r"must hold pictures \(.*\.bmp .*\.webp\) or videos \(.*\.mp4 .*\), got '.*', which holds"
    )
    with pytest.raises(FootageError, match=words + r" \.m, \.zip; open one of its zip files$"):
        open_footage(str(tmp_path))
    with pytest.raises(FootageError, match="is neither; check the path"):
        open_footage(str(tmp_path / "labels.m"))
    with pytest.raises(FootageError, match="which matches none"):
        open_footage(str(tmp_path / "*.m"))


def test_fingerprint_follows_the_files_not_their_place(tmp_path: Path) -> None:
    prints = []
    for place in ("here", "there"):
        root = write_pictures(tmp_path / place / "cam", "a/1.jpg", "b/1.jpg")
        for path in root.glob("*/*"):
            os.utime(path, ns=(0, 7))
        prints.append(open_footage(str(root)).fingerprint())
    assert prints[0] == prints[1]
    assert len(prints[0]) == 64
    os.utime(tmp_path / "here/cam/b/1.jpg", ns=(0, 8))
    assert open_footage(str(tmp_path / "here/cam")).fingerprint() != prints[0]


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("UCSDped2/Test", "Test"),
        ("x/construction_timelapse/", "construction_timelapse"),
        ("pedestrians.avi", "pedestrians"),
        ("a/cam 1.v2", "cam_1.v2"),
        ("x/frames/**/*.jpg", "frames"),
        ("week.zip", "week"),
        ("/", "footage"),
    ],
)
def test_names_for_run_folders(spec: str, name: str) -> None:
    assert Footage(spec, ()).name == name


@pytest.mark.parametrize(
    ("spec", "clips", "frames", "source"),
    [
        ("UCSDped2/Test", 12, 2010, TimeSource.INTERVAL),
        ("construction_timelapse", 1, 960, TimeSource.FILENAME),
        ("pedestrians.avi", 1, 795, TimeSource.CONTAINER),
    ],
)
def test_real_footage_is_found_whole(
    shared_data: Path, spec: str, clips: int, frames: int, source: TimeSource
) -> None:
    footage = open_footage(str(shared_data / spec))
    assert len(footage.clips) == clips
    assert sum(clip.length or 0 for clip in footage.clips) == frames
    assert {clip.time_source for clip in footage.clips} == {source}


def test_real_video_has_even_rising_times(shared_data: Path) -> None:
    times_s = [
        frame.time_s for frame in open_footage(str(shared_data / "pedestrians.avi")).frames()
    ]
    np.testing.assert_allclose(times_s, np.arange(795) / 10, atol=1e-6)
