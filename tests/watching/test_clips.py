"""Clips of events from encoded packets, and what happens when the disk is full."""

import errno
import json
import os
import shutil
import time
from collections import namedtuple
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.small_footage import small_model
from tests.watching.rtsp_server import rtsp_camera
from tests.watching.running import Running, messages_in, settings
from tests.watching.servers import Camera, mjpeg_camera
from tlae.cli import main
from tlae.errors import UserError
from tlae.model_file import save_model
from tlae.watching.recording import ClipFile, Recorder
from tlae.watching.room import Room
from tlae.watching.settings import ClipConfig, KeepConfig

NOON = datetime(2026, 5, 4, 12)
FPS = 10


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return written(tmp_path / "film.mp4")


def written(path: Path) -> Path:
    """Ten seconds at ten frames a second, a key frame each second."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        choices = {"g": f"{FPS}", "bf": "0", "sc_threshold": "0"}
        stream = container.add_stream("libx264", rate=FPS, options=choices)
        stream.height, stream.width, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(100):
            pixels = rng.integers(0, 255, (64, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "gate.safetensors"
    save_model(small_model("cae"), path)
    return path


def record(
    film: Path, out: Path, begin: int, end: int, lasted_s: float = 0.0, **cfg: float
) -> Recorder:
    """Feed a recorder with a film, in which an event is known at a frame and over at another."""
    lengths = {"before_s": 1.5, "after_s": 0.5, "late_s": 1.0, **cfg}
    recorder = Recorder(out, ClipConfig(record=True, **lengths), Room(out, KeepConfig()))
    out.mkdir(exist_ok=True)
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        recorder.connected(stream, is_stamped=True)
        for number, packet in enumerate(container.demux(stream)):
            if number == begin:
                recorder.begin("E0001", NOON + timedelta(seconds=begin / FPS - lasted_s))
            if number == end:
                recorder.end("E0001")
            at_s = number / FPS
            recorder.take(packet, NOON + timedelta(seconds=at_s), at_s)
        recorder.disconnected()
    return recorder


def clips(out: Path) -> list[dict[str, Any]]:
    lines = (out / "clips.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_a_clip_begins_with_the_key_frame_before_its_lead_and_says_so(
    film: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    recorder = record(film, out, begin=47, end=60, lasted_s=0.4)
    (clip,) = clips(out)
    assert recorder.path_of("E0001") == clip["path"] == "clips/E0001.mp4"
    # Known at 4.7 s, begun 0.4 s before, 1.5 s of lead: wanted from 2.8 s, key frame at 2 s.
    assert clip["began_at"] == "2026-05-04T12:00:02.000"
    assert clip["frames"] == 46  # to 0.5 s after 6 s
    assert frames(out / clip["path"]) == 46
    with av.open(str(out / clip["path"])) as container, av.open(str(film)) as whole:
        first = next(container.decode(video=0)).to_ndarray()
        frame = next(f for f in whole.decode(video=0) if f.time == 2.0).to_ndarray()
        assert (first == frame).all()  # not encoded again
        assert abs(float((container.duration or 0) / av.time_base) - 4.6) < 0.15


def test_a_stream_that_was_joined_between_key_frames_has_clips(tmp_path: Path) -> None:
    path, out = written(tmp_path / "joined.ts"), tmp_path / "out"
    with av.open(str(path)) as container:
        second = list(container.demux(video=0))[1].pos
    path.write_bytes(path.read_bytes()[second:])
    recorder = Recorder(out, ClipConfig(record=True, before_s=1), Room(out, KeepConfig()))
    out.mkdir()
    late = {"probesize": "20000", "analyzeduration": "1"}
    with av.open(str(path), options=late) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.width == 0
        recorder.connected(stream, is_stamped=True)
        for number, packet in enumerate(container.demux(stream)):
            if number == 40:
                recorder.begin("E0001", NOON + timedelta(seconds=4))
            recorder.take(packet, NOON + timedelta(seconds=number / FPS), number / FPS)
            with suppress(av.FFmpegError):  # before the first key frame
                packet.decode()
        recorder.disconnected()
    (clip,) = clips(out)
    assert frames(out / clip["path"]) == clip["frames"] > 40


def test_an_event_at_the_begin_of_a_stream_has_a_shorter_lead(film: Path, tmp_path: Path) -> None:
    record(film, tmp_path / "out", begin=3, end=8)
    (clip,) = clips(tmp_path / "out")
    assert (clip["began_at"], clip["frames"]) == ("2026-05-04T12:00:00.000", 14)


def test_a_clip_is_cut_where_it_is_too_long_or_the_connection_ends(
    film: Path, tmp_path: Path
) -> None:
    record(film, tmp_path / "long", begin=40, end=99, longest_s=3.0)
    (clip,) = clips(tmp_path / "long")
    assert (clip["cut_by"], clip["seconds"]) == ("clip.longest_s", 3.0)
    record(film, tmp_path / "cut", begin=90, end=1000)
    (clip,) = clips(tmp_path / "cut")
    assert clip["cut_by"] == "the connection ended"
    assert frames(tmp_path / "cut" / clip["path"]) == clip["frames"] == 30


def test_a_file_that_is_cut_short_by_a_kill_still_plays(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ClipFile, "close", lambda self: shutil.copy(self.path, tmp_path / "k.mp4"))
    record(film, tmp_path / "out", begin=30, end=90)
    assert frames(tmp_path / "k.mp4") > 30


def test_a_disk_that_takes_no_clip_harms_nothing_else(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: ClipFile, coded: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ClipFile, "write", full)
    recorder = record(film, tmp_path / "out", begin=30, end=50)
    assert not recorder._room.has_space


@pytest.mark.parametrize("kind", ["rtsp", "mpegts", "mjpeg"])
def test_clips_of_cameras(kind: str, model_file: Path, tmp_path: Path) -> None:
    camera, out = Camera(), tmp_path / "out"
    serve = rtsp_camera if kind == "rtsp" else mjpeg_camera
    given = ["clip.record=true", "clip.before_s=0.2", "clip.after_s=0.1", "clip.longest_s=1"]
    with serve(camera) as place:
        names = {"rtsp": f"rtsp://{place}", "mpegts": f"{place}/ts", "mjpeg": f"{place}/stream"}
        watch = Running(settings(model_file, names[kind], out, *given, "scoring.threshold=1e-9"))
        watch.wait_for(lambda: (out / "clips.jsonl").is_file())
        watch.stop()
    clip = clips(out)[0]
    assert clip["event"] == "E0001"
    assert frames(out / clip["path"]) == clip["frames"] > 5
    assert messages_in(out)[0]["event"]["id"] == "E0001"


def test_clips_of_what_is_no_stream_are_refused(
    model_file: Path, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = settings(model_file, film, tmp_path / "out", "clip.record=true")
    assert main(["watch", *words]) == 2
    assert "clip.record needs a stream" in capsys.readouterr().err


Usage = namedtuple("Usage", "total used free")


def room(folder: Path, left_mb: float, monkeypatch: pytest.MonkeyPatch, **keep: Any) -> Room:
    """A folder with three clips and a snapshot of 1 MB each, on a disk with so much free."""
    for name in ("clips/E0001.mp4", "clips/E0002.mp4", "clips/E0003.mp4", "snapshots/E0001.jpg"):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(1_000_000))
        written_s = time.time() - 1000 + 10 * int(path.stem[1:])
        os.utime(path, (written_s, written_s))
    (folder / "clips" / "mine.mp4").touch()

    def usage(_: Path) -> Usage:
        count = len(list(folder.glob("*/E*")))
        return Usage(100e6, 0, 1e6 * (left_mb + 4 - count))

    monkeypatch.setattr("tlae.watching.room.shutil.disk_usage", usage)
    return Room(folder, KeepConfig(**keep))


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*/*"))


def test_a_full_disk_keeps_all_that_was_recorded_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = room(tmp_path, 10, monkeypatch)
    one.look()
    assert not one.has_space
    assert len(left_in(tmp_path)) == 5


def test_a_full_disk_drops_the_oldest_clips_then_snapshots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = room(tmp_path, 10, monkeypatch, free_mb=12, disk_full="drop_oldest")
    one.look()
    assert one.has_space
    assert left_in(tmp_path) == ["E0001.jpg", "E0003.mp4", "mine.mp4"]
    one = room(tmp_path, 10, monkeypatch, free_mb=99, disk_full="drop_oldest")
    one.look()
    assert not one.has_space
    assert left_in(tmp_path) == ["mine.mp4"]


def test_a_full_disk_may_end_the_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = room(tmp_path, 10, monkeypatch, disk_full="stop")
    with pytest.raises(UserError, match=r"less than keep\.free_mb=200 MB are free"):
        one.look()


def test_clips_and_snapshots_go_by_age_and_by_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = room(tmp_path, 1000, monkeypatch, clips_mb=2.5)
    one.look()
    assert left_in(tmp_path) == ["E0001.jpg", "E0002.mp4", "E0003.mp4", "mine.mp4"]
    one = room(tmp_path, 1000, monkeypatch, days=975 / 86_400)
    one.look()
    assert left_in(tmp_path) == ["E0003.mp4", "mine.mp4"]
