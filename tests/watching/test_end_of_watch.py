"""A watch that is to end while its camera is silent."""

import json
import os
import signal
import socket
import threading
from pathlib import Path

import av
import pytest

from tests.silent_server import silent_server
from tests.small_footage import small_model
from tests.watching.running import Running, messages_in, require_whole, settings, wait_until
from tests.watching.servers import Camera, send_transport_stream
from tlae.cli import EXIT_INTERRUPTED, main
from tlae.model_file import save_model

PATIENCE_S = 20  # of the camera's thread, which would hold up the end


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "gate.safetensors"
    save_model(small_model("cae"), path)
    return path


def free_address() -> str:
    with socket.socket(type=socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return f"udp://127.0.0.1:{free.getsockname()[1]}"


def camera_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "camera"}


def test_a_camera_that_sends_nothing_does_not_hold_up_the_end(
    model_file: Path, tmp_path: Path
) -> None:
    before, waits = camera_threads(), f"camera.open_timeout_s={PATIENCE_S}"
    watch = Running(settings(model_file, free_address(), tmp_path / "out", waits))
    watch.wait_for(lambda: watch.status() != {})
    report = watch.stop()
    assert report.scored == 0
    assert camera_threads() - before  # it still waits for the camera


def test_files_are_whole_where_the_camera_fell_silent(model_file: Path, tmp_path: Path) -> None:
    before, out, camera = camera_threads(), tmp_path / "out", Camera(interval_s=0.003)
    url, waits = free_address(), f"camera.read_timeout_s={PATIENCE_S}"
    sender = threading.Thread(target=send_transport_stream, args=(url, camera))
    sender.start()
    calm = ["scoring.threshold=0.001", "camera.interval_s=0.01", "clip.record=true"]
    watch = Running(settings(model_file, url, out, waits, *calm))
    try:
        watch.wait_for(lambda: any((out / "clips").glob("*.mp4")))
    finally:
        camera.alive = False
        sender.join()
    watch.stop()
    assert camera_threads() - before
    require_whole(messages_in(out), ended=False)
    (line,) = (out / "clips.jsonl").read_text(encoding="utf-8").splitlines()
    clip = json.loads(line)
    assert clip["cut_by"] == "the watch ended"
    with av.open(str(out / clip["path"])) as container:
        assert sum(1 for _ in container.decode(video=0)) == clip["frames"]


def test_a_camera_that_is_not_open_yet_holds_up_no_interrupt(
    model_file: Path, tmp_path: Path
) -> None:
    accepted, before = threading.Event(), signal.getsignal(signal.SIGINT)

    def interrupt() -> None:
        wait_until(accepted.is_set)
        os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background has none
    killer = threading.Thread(target=interrupt)
    try:
        with silent_server(accepted) as url:
            killer.start()
            words = settings(model_file, url, tmp_path / "out", "camera.open_timeout_s=5")
            assert main(["watch", *words]) == EXIT_INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, before)
        killer.join()
