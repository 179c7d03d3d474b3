import pickle
import re
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest

from tlae.errors import FootageError
from tlae.footage.frames import OK, Clip, Frame, TimeSource
from tlae.footage.sources.image_folder import FolderFiles
from tlae.footage.sources.video import VideoClip, open_arguments
from tlae.footage.sources.video_times import Losses, not_falling, skipped_frames
from tlae.footage.timestamps import Timing

WriteVideo = Callable[..., Path]

NOISE_SIZE = (64, 96)
QUARTER_TURN = (0, 1 << 16, 0, -1 << 16, 0, 0, 32 << 16, 0, 1 << 30)  # clockwise, as phones write


def clip_of(path: Path, timing: Timing | None = None) -> VideoClip:
    return VideoClip(path.stem, FolderFiles(path.parent), path.name, timing or Timing())


def brightness(frames: list[Frame]) -> list[float]:
    return [float(frame.image.mean()) for frame in frames if frame.image is not None]


def turn(path: Path) -> None:
    """Write a quarter turn into the track header."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", *QUARTER_TURN)
    path.write_bytes(data)


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv", ".mov", ".ts"])
def test_all_frames_come_in_order(tmp_path: Path, write_video: WriteVideo, suffix: str) -> None:
    clip: Clip = clip_of(write_video(tmp_path / f"a{suffix}"))
    frames = list(clip.frames())
    assert [frame.frame for frame in frames] == list(range(10))
    assert [frame.time_s for frame in frames] == pytest.approx([n / 10 for n in range(10)])
    np.testing.assert_allclose(brightness(frames), [20 * n for n in range(10)], atol=3)
    assert {frame.state for frame in frames} == {OK}
    assert frames[0].path == str(tmp_path / f"a{suffix}")
    assert frames[0].taken_at is None
    assert clip.time_source == TimeSource.CONTAINER
    assert clip.length == 10


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_variable_frame_rate_is_kept(tmp_path: Path, write_video: WriteVideo, suffix: str) -> None:
    times_ms = [40, 140, 240, 1000, 1100, 5000, 5040, 9000]
    clip = clip_of(write_video(tmp_path / f"a{suffix}", times_ms))
    times_s = [frame.time_s for frame in clip.frames()]
    assert times_s == [(time_ms - 40) / 1000 for time_ms in times_ms]


def test_times_rise_in_an_avi_with_reordered_frames(
    tmp_path: Path, write_video: WriteVideo
) -> None:
    path = write_video(tmp_path / "a.avi", range(0, 6000, 100), NOISE_SIZE, noise=True)
    frames = list(clip_of(path).frames())
    assert [frame.time_s for frame in frames] == pytest.approx([n / 10 for n in range(60)])


def test_start_equals_skipping(tmp_path: Path, write_video: WriteVideo) -> None:
    for suffix in (".mp4", ".avi"):
        clip = clip_of(write_video(tmp_path / f"a{suffix}", [0, 100, 300, 400, 900, 1000]))
        whole = list(clip.frames())
        for start in range(8):
            part = list(clip.frames(start))
            assert [(f.frame, f.time_s) for f in part] == [
                (f.frame, f.time_s) for f in whole[start:]
            ]
            assert brightness(part) == brightness(whole[start:])


def test_reduced_frames_stay_above_the_wanted_size(tmp_path: Path, write_video: WriteVideo) -> None:
    clip = clip_of(write_video(tmp_path / "a.mp4", size_hw=(66, 130)))
    full, reduced = list(clip.frames()), list(clip.frames(min_hw=(16, 32)))
    assert reduced[0].image is not None
    assert reduced[0].image.shape == (17, 33, 3)
    assert reduced[0].source_hw == (66, 130)
    assert full[0].source_hw is None
    np.testing.assert_allclose(brightness(reduced), brightness(full), atol=1)


def test_rotation_is_honoured(tmp_path: Path, write_video: WriteVideo) -> None:
    path = write_video(tmp_path / "a.mp4", [0], (32, 64), noise=True)
    upright = next(clip_of(path).frames()).image
    turn(path)
    frame = next(clip_of(path).frames())
    assert upright is not None
    assert frame.image is not None
    np.testing.assert_array_equal(frame.image, np.rot90(upright, -1))
    assert next(clip_of(path).frames(min_hw=(32, 16))).source_hw == (64, 32)


def test_the_containers_creation_time_dates_the_frames(
    tmp_path: Path, write_video: WriteVideo
) -> None:
    metadata = {"creation_time": "2023-06-13T03:11:46.000000Z"}
    path = write_video(tmp_path / "20200101_000000.mp4", [0, 1500], metadata=metadata)
    frames = list(clip_of(path, Timing(time_zone="UTC")).frames())
    assert frames[1].taken_at == datetime(2023, 6, 13, 3, 11, 47, 500_000)
    in_zurich = list(clip_of(path, Timing(time_zone="Europe/Zurich")).frames())
    assert in_zurich[1].taken_at == datetime(2023, 6, 13, 5, 11, 47, 500_000)
    local = datetime.fromtimestamp(frames[0].taken_at.replace(tzinfo=UTC).timestamp())  # type: ignore[union-attr]
    assert next(clip_of(path).frames()).taken_at == local
    by_name = list(clip_of(path, Timing(source="filename")).frames())
    assert by_name[1].taken_at == datetime(2020, 1, 1, 0, 0, 1, 500_000)
    assert by_name[1].time_s == 1.5


def test_an_unset_clock_leaves_the_file_name(tmp_path: Path, write_video: WriteVideo) -> None:
    metadata = {"creation_time": "1970-01-02T00:00:00.000000Z"}
    path = write_video(tmp_path / "cam_20200101_000000.mp4", [0], metadata=metadata)
    assert next(clip_of(path).frames()).taken_at == datetime(2020, 1, 1)


def test_the_interval_replaces_the_time_of_a_rendered_time_lapse(
    tmp_path: Path, write_video: WriteVideo
) -> None:
    clip = clip_of(write_video(tmp_path / "a.mp4"), Timing(pace_s=900.0, source="interval"))
    assert [frame.time_s for frame in clip.frames()][:3] == [0.0, 900.0, 1800.0]
    assert clip.time_source == TimeSource.INTERVAL


@pytest.mark.parametrize(
    ("suffix", "options"), [(".mp4", {"movflags": "faststart"}), (".mkv", {}), (".avi", {})]
)
def test_a_cut_video_gives_what_is_there_and_one_warning(
    tmp_path: Path,
    write_video: WriteVideo,
    caplog: pytest.LogCaptureFixture,
    suffix: str,
    options: dict[str, str],
) -> None:
    path = tmp_path / f"a{suffix}"
    write_video(path, range(0, 6000, 100), NOISE_SIZE, noise=True, options=options)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    *frames, loss = clip_of(path).frames()
    assert 30 <= len(frames) <= 36
    assert [frame.time_s for frame in frames] == pytest.approx([n / 10 for n in range(len(frames))])
    warnings = [record.getMessage() for record in caplog.records]
    assert len(warnings) == 1
    assert re.search(rf"{len(frames)} frames read.*; frames lost: ", warnings[0])
    assert loss.image is None
    assert f"about {60 - len(frames)} missing at the end" in loss.state


def test_a_whole_video_is_read_without_a_warning(
    tmp_path: Path, write_video: WriteVideo, caplog: pytest.LogCaptureFixture
) -> None:
    for suffix in (".mp4", ".mkv", ".avi", ".ts"):
        path = write_video(tmp_path / f"a{suffix}", range(0, 6000, 100), NOISE_SIZE, noise=True)
        assert len(list(clip_of(path).frames())) == 60
    assert caplog.records == []


@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_frames_lost_in_the_middle_are_reported_and_times_do_not_run_backwards(
    tmp_path: Path, write_video: WriteVideo, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    write_video(path, range(0, 6000, 100), NOISE_SIZE, noise=True, gop=5)
    data = bytearray(path.read_bytes())
    data[len(data) // 4 : len(data) * 3 // 4] = bytes(len(data) * 3 // 4 - len(data) // 4)
    path.write_bytes(data)
    *frames, loss = clip_of(path).frames()
    times = [frame.time_s for frame in frames]
    assert times == sorted(times)
    assert sum(frame.state != OK for frame in frames) <= 5
    assert re.search(rf"{60 - len(frames)} missing where times jump \(at 1 place\)", loss.state)
    assert (loss.image, loss.frame, loss.time_s) == (None, len(frames), times[-1])
    assert list(clip_of(path).frames(start=len(frames))) == [loss]
    assert list(clip_of(path).frames(start=len(frames) + 1)) == []


def lose_packets(path: Path, first: int, end: int) -> None:
    """Put zeros in place of some packets."""
    with av.open(path) as container:
        packets = list(container.demux(video=0))[first:end]
    data = bytearray(path.read_bytes())
    for packet in packets:
        assert packet.pos is not None
        data[packet.pos : packet.pos + packet.size] = bytes(packet.size)
    path.write_bytes(data)


@pytest.mark.parametrize("timing", [Timing(), Timing(pace_s=900, source="interval")])
def test_damaged_frames_keep_their_number_and_their_time(
    tmp_path: Path, write_video: WriteVideo, caplog: pytest.LogCaptureFixture, timing: Timing
) -> None:
    path = write_video(tmp_path / "a.mp4", range(0, 6000, 100), NOISE_SIZE, noise=True, gop=5)
    whole = list(clip_of(path, timing).frames())
    lose_packets(path, 22, 25)
    found = list(clip_of(path, timing).frames())
    assert [(f.frame, f.time_s) for f in found] == [(f.frame, f.time_s) for f in whole]
    damaged = [frame for frame in found if frame.image is None]
    assert {frame.state for frame in damaged} == {"damaged"}
    assert 3 <= len(damaged) <= 7
    for frame, expected in zip(found, whole, strict=True):
        if frame.image is not None:
            np.testing.assert_array_equal(frame.image, expected.image)
    (record,) = caplog.records
    assert record.getMessage() == f"{path}: 60 frames read, {len(damaged)} of them damaged"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ([0.6, -2.4, 0.8, 0.9], [0.6, 0.7, 0.8, 0.9]),
        ([0.6, 0.7, 50.0, 0.9, 1.0], [0.6, 0.7, 0.8, 0.9, 1.0]),
        ([0.0, 0.1, 0.0, 0.1], [0.0, 0.1, 0.2, 0.3]),
        ([0.0, 0.1, 0.1, 5.0], [0.0, 0.1, 0.1, 5.0]),
    ],
)
def test_times_that_run_backwards_are_counted_on(
    written: list[float], expected: list[float]
) -> None:
    losses = Losses()
    frames = [(time_s, None) for time_s in written]
    times = [time_s for time_s, _ in not_falling(frames, 0.1, losses)]  # type: ignore[arg-type]
    assert times == pytest.approx(expected)
    assert losses.misplaced == sum(
        t != pytest.approx(e) for t, e in zip(written, expected, strict=True)
    )


def test_jumps_count_where_the_frame_rate_is_constant_alone() -> None:
    assert skipped_frames([0, 1, 2, 3, 7, 8, 9]) == (1, 3)
    assert skipped_frames([0, 1, 2.7, 3, 4, 5.7, 6, 7, 8, 9, 10, 11]) == (0, 0)  # late, not lost
    assert skipped_frames([0, 1, 3, 4, 9, 10, 20, 25]) == (0, 0)


def test_damaged_bytes_in_the_middle_do_not_end_the_reading(
    tmp_path: Path, write_video: WriteVideo, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_video(tmp_path / "a.mkv", range(0, 6000, 100), NOISE_SIZE, noise=True)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 512] = bytes(512)
    path.write_bytes(data)
    frames = list(clip_of(path).frames())
    assert len(frames) > 40
    assert frames[-1].time_s > 5.5
    damaged = [frame.frame for frame in frames if frame.state == "damaged"]
    assert damaged == list(range(damaged[0], 60))  # it holds one key frame


@pytest.mark.parametrize("content", [b"", b"no video at all", None])
def test_what_cannot_be_opened_is_one_frame_with_a_reason(
    tmp_path: Path,
    write_video: WriteVideo,
    caplog: pytest.LogCaptureFixture,
    content: bytes | None,
) -> None:
    path = write_video(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[:900] if content is None else content)
    clip = clip_of(path)
    (frame,) = clip.frames()
    assert frame.image is None
    assert frame.state == "not a video, or cut before its index"
    assert str(path) in caplog.text
    assert clip.length == 1
    assert list(clip.frames(start=1)) == []
    with pytest.raises(FootageError, match=r"a\.mp4 must be a readable video, got: not a video"):
        clip.require_readable()


def test_a_missing_video_says_so(tmp_path: Path) -> None:
    (frame,) = clip_of(tmp_path / "gone.mp4").frames()
    assert frame.state == "no such file or directory"


def test_a_clip_can_be_pickled_and_read_again(tmp_path: Path, write_video: WriteVideo) -> None:
    clip = clip_of(write_video(tmp_path / "a.mp4"))
    assert clip.length == 10
    again = pickle.loads(pickle.dumps(clip))
    assert len(list(again.frames())) == len(list(again.frames())) == 10


def test_a_later_pyav_gets_no_argument_that_it_dropped() -> None:
    assert open_arguments("18.1.0") == {"metadata_errors": "replace"}
    assert open_arguments("19.0.0rc1") == {}


def test_stopping_early_closes_the_file(tmp_path: Path, write_video: WriteVideo) -> None:
    frames = clip_of(write_video(tmp_path / "a.mp4")).frames()
    next(frames)
    frames.close()  # type: ignore[attr-defined]


def test_fingerprint_names_size_and_time(tmp_path: Path, write_video: WriteVideo) -> None:
    path = write_video(tmp_path / "a.mp4")
    lines = list(clip_of(path).fingerprint())
    facts = path.stat()
    assert lines[1] == f"a.mp4 {facts.st_size} {facts.st_mtime_ns}"
    assert lines == list(clip_of(path, Timing(pace_s=3)).fingerprint())
    by_interval = [Timing(pace_s=s, source="interval") for s in (3, 4)]
    one, other = (list(clip_of(path, timing).fingerprint()) for timing in by_interval)
    assert one != other
