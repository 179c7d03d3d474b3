"""Twenty cuts of a stream and ten kills: minutes, with a figure for memory and open files."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.small_footage import small_model, write_clips
from tests.watching.film import write_film
from tests.watching.gstreamer_camera import gstreamer_camera
from tests.watching.running import (
    Running,
    messages_in,
    require_whole,
    scores_in,
    settings,
    wait_until,
)
from tests.watching.servers import Camera, Received, mjpeg_camera, receiver
from tlae.model_file import save_model

CUTS, KILLS = 20, 10
FRAMES = 310
TIMED = (
    *("scoring.threshold=0.46", "events.low=1", "events.merge_s=0.2"),
    *("camera.interval_s=0.1", "update_s=0.5"),
)

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Switched:
    """A camera that can be cut off.

    Attributes:
        url: of its stream.
        switch: cuts it off, or restores it.
    """

    url: str
    switch: Callable[..., None]


def resident_mb() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def open_files() -> int:
    """Open files of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


@contextmanager
def served_over_http(kind: str) -> Iterator[Switched]:
    """A camera of ours that shows MJPEG at /stream or MPEG-TS at /ts."""
    camera = Camera()

    def switch(*, on: bool) -> None:
        camera.alive = on

    with mjpeg_camera(camera) as url:
        yield Switched(f"{url}/{kind}", switch)


@contextmanager
def served_by_gstreamer(film: Path) -> Iterator[Switched]:
    """GStreamer's RTSP server, whose process is killed."""
    with gstreamer_camera(write_film(film, 1500, 25)) as camera:

        def switch(*, on: bool) -> None:
            if on:
                camera.switch_on()
            else:
                camera.switch_off()

        yield Switched(camera.url, switch)


@pytest.mark.parametrize("kind", ["stream", "ts", "rtsp"])
def test_a_stream_that_is_cut_twenty_times(kind: str, tmp_path: Path) -> None:
    save_model(small_model("cae"), tmp_path / "m.safetensors")
    served = served_by_gstreamer(tmp_path / "f.mp4") if kind == "rtsp" else served_over_http(kind)
    seen = []
    with served as camera:
        watch = Running(settings(tmp_path / "m.safetensors", camera.url, tmp_path / "out"))
        for cut in range(CUTS + 1):
            before = watch.status().get("frames", {}).get("scored", 0)
            watch.wait_for(
                lambda before=before: (  # type: ignore[misc]
                    watch.status().get("frames", {}).get("scored", 0) > before + 3
                )
            )
            seen.append((resident_mb(), threading.active_count(), open_files()))
            if cut < CUTS:
                camera.switch(on=False)
                watch.wait_for(lambda: watch.status()["state"] == "offline")
                camera.switch(on=True)
        status = watch.status()
        watch.stop()
    tries = status["reconnects"]
    sys.stdout.write(
        f"{kind}: MB, threads, files: {seen[1]} at first, {seen[-1]} later; {tries} tries\n"
    )
    assert status["reconnects"] >= CUTS
    assert seen[-1][0] < 1.1 * seen[1][0]
    assert seen[-1][1] <= max(threads for _, threads, _ in seen[:3])
    assert seen[-1][2] <= max(files for _, _, files in seen[:3]) + 2


def test_ten_kills_at_random_moments(tmp_path: Path) -> None:
    rng = random.Random(0)
    save_model(small_model("convlstm"), tmp_path / "m.safetensors")
    odd = [(0, n) for n in range(FRAMES) if n % 40 in range(6, 14)]
    write_clips(tmp_path / "in", (FRAMES,), odd=tuple(odd))
    quiet = settings(tmp_path / "m.safetensors", tmp_path / "in", tmp_path / "quiet", *TIMED)
    watch = Running([*quiet, "camera.stop_idle_s=2"])
    watch.wait_for(lambda: watch.report is not None)
    watch.stop()
    folder, out, received = tmp_path / "fills", tmp_path / "out", Received()
    folder.mkdir()
    files = sorted((tmp_path / "in/c0").iterdir())
    words = settings(tmp_path / "m.safetensors", folder, out, *TIMED)
    with receiver(received) as url:
        command = [sys.executable, "-m", "tlae", "watch", *words, f"webhook.url={url}"]
        for kill in range(KILLS + 1):
            part = files[kill * FRAMES // (KILLS + 1) : (kill + 1) * FRAMES // (KILLS + 1)]
            filling = threading.Thread(target=fill, args=(part, folder))
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            try:
                done = count(out)
                filling.start()
                wait_until(lambda done=done: count(out) > done)  # type: ignore[misc]
                if kill < KILLS:
                    time.sleep(rng.uniform(0, 3))
                    continue
                wait_until(lambda: count(out) == FRAMES)
                wait_until(lambda: len(received.messages) >= len(messages_in(out)))
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0
            finally:
                process.kill()
                process.wait()
                filling.join()
    mine, undisturbed = messages_in(out), messages_in(tmp_path / "quiet")
    twice = len(received.messages) - len({one["id"] for one in received.messages})
    sys.stdout.write(f"{len(mine)} messages of {len(undisturbed)}, {twice} sent again\n")
    require_whole(mine)
    assert [one["type"] for one in mine] == [one["type"] for one in undisturbed]
    for one, other in zip(mine, undisturbed, strict=True):
        assert one["event"] | {"clip": ""} == other["event"] | {"clip": ""}
    assert list({one["id"]: one for one in received.messages}.values()) == mine
    assert [row[0] for row in scores_in(out)] == [f"{number:03d}.png" for number in range(FRAMES)]


def fill(files: list[Path], folder: Path) -> None:
    """Let files appear one after the other."""
    for file in files:
        (folder / file.name).write_bytes(file.read_bytes())
        time.sleep(0.2)


def count(out: Path) -> int:
    """Frames that are scored and stored."""
    return len(scores_in(out)) if (out / "status.json").is_file() else 0
