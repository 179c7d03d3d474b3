"""What lies in a watched folder besides whole pictures."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.small_footage import small_model
from tests.watching.running import Running, scores_in, settings
from tests.watching.servers import jpeg
from tlae.model_file import save_model
from tlae.watching.arrival import Arrival, Progress, Wanted
from tlae.watching.files import FileReader
from tlae.watching.folder import FolderSource
from tlae.watching.settings import CameraConfig


def source_of(folder: Path) -> FolderSource:
    cfg = CameraConfig(path=str(folder), poll_s=0.01, rest_s=0)
    wanted = Wanted("camera", 0.1, (32, 32), None, Progress(), is_new=True)
    reader = FileReader(folder, cfg, wanted)
    return FolderSource(folder, cfg, reader, lambda _: 0, leave_out=False)


def looks(source: FolderSource, count: int) -> Iterator[Arrival]:
    """What comes until the folder was looked at so many times."""
    stop = threading.Event()
    for arrival in source.frames(stop):
        if arrival is not None:
            yield arrival
        elif not (count := count - 1):
            stop.set()


def test_a_link_to_itself_hides_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(jpeg(1))
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "pipe.jpg").symlink_to("pipe")
    assert [arrival.file for arrival in looks(source_of(tmp_path), 3)] == ["1.jpg"]


def test_a_folder_that_may_not_be_read_is_told_of_once(
    shut_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert list(looks(source_of(shut_folder.parent), 5)) == []
    assert len(caplog.records) == 1


def test_a_video_that_gives_nothing_is_counted_once_and_not_at_each_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tlae.watching.folder.TRY_EVERY_S", 0.0)
    monkeypatch.setattr("tlae.watching.folder.GIVE_UP_S", 0.2)
    (tmp_path / "a.mp4").write_bytes(b"no video")
    source = source_of(tmp_path)
    found = []
    for arrival in looks(source, 1000):
        found.append(arrival)
        break
    assert [arrival.state for arrival in found] == ["no frame could be read"]
    assert source.counts.unreadable == 1


def test_a_name_that_is_not_utf_8_is_scored_and_kept_in_mind(tmp_path: Path) -> None:
    folder, out, name = tmp_path / "in", tmp_path / "out", b"bad\xff.jpg"
    folder.mkdir()
    (folder / os.fsdecode(name)).write_bytes(jpeg(1))
    save_model(small_model("cae"), tmp_path / "gate.safetensors")
    # Without a pace, a line of the log would hold the name, which processes of tests cannot send.
    words = settings(tmp_path / "gate.safetensors", folder, out, "camera.interval_s=0.1")
    watch = Running(words)
    watch.wait_for(lambda: watch.status().get("frames", {}).get("scored") == 1)
    watch.stop()
    again = Running(words)
    (folder / "new.jpg").write_bytes(jpeg(2))
    again.wait_for(lambda: len(scores_in(out)) == 2)
    assert again.stop().scored == 1
    with closing(sqlite3.connect(out / "watch.sqlite")) as base:
        files = {row[0] for row in base.execute("select name from files where is_done")}
    assert files == {name, "new.jpg"}
