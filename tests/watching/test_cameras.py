"""Cameras that come, go, stall and answer nonsense."""

import socket
import threading
import time
from pathlib import Path

import cv2
import pytest

from tests.small_footage import small_model
from tests.watching.rtsp_server import rtsp_camera
from tests.watching.running import Running, messages_in, require_whole, scores_in, settings
from tests.watching.servers import Camera, jpeg, mjpeg_camera, send_transport_stream
from tlae.cli import main
from tlae.http_client import without_password
from tlae.model_file import save_model


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "gate.safetensors"
    save_model(small_model("cae"), path)
    return path


def scored(watch: Running) -> int:
    return int(watch.status().get("frames", {}).get("scored", 0))


def test_a_stream_that_is_cut_off_comes_back_each_time(model_file: Path, tmp_path: Path) -> None:
    camera, threads = Camera(), threading.active_count()
    with mjpeg_camera(camera) as url:
        calm = ["camera.stalled_s=1", "scoring.threshold=100"]
        watch = Running(settings(model_file, f"{url}/stream", tmp_path / "out", *calm))
        watch.wait_for(lambda: scored(watch) > 3)
        for _ in range(3):
            camera.alive = False
            lost = len(messages_in(tmp_path / "out"))
            watch.wait_for(lambda lost=lost: len(messages_in(tmp_path / "out")) > lost)  # type: ignore[misc]
            watch.wait_for(lambda: watch.status()["state"] == "offline")
            before = scored(watch)
            camera.alive = True
            watch.wait_for(lambda before=before: scored(watch) > before + 3)  # type: ignore[misc]
        status = watch.status()
        report = watch.stop()
    assert status["reconnects"] >= 3
    messages = messages_in(tmp_path / "out")
    require_whole(messages)
    assert {one["event"]["health"] for one in messages} == {"lost"}
    assert len(messages) >= 6  # a busy machine may lose it once more
    assert len(scores_in(tmp_path / "out")) == report.scored
    deadline = time.monotonic() + 10
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.05)  # threads of the camera's server end a little later
    assert threading.active_count() <= threads


def test_a_stream_that_falls_silent_is_opened_again(model_file: Path, tmp_path: Path) -> None:
    camera = Camera()
    with mjpeg_camera(camera) as url:
        quick = "camera.read_timeout_s=0.4"
        watch = Running(settings(model_file, f"{url}/stream", tmp_path / "out", quick))
        watch.wait_for(lambda: scored(watch) > 3)
        camera.silent = True
        watch.wait_for(lambda: watch.status()["reconnects"] >= 1)
        camera.silent, before = False, scored(watch)
        watch.wait_for(lambda: scored(watch) > before + 3)
        watch.stop()
    assert camera.connections >= 2


def test_a_sender_of_udp_that_goes_and_comes_back(model_file: Path, tmp_path: Path) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{free.getsockname()[1]}"
    camera, out = Camera(interval_s=0.003), tmp_path / "out"

    def send() -> threading.Thread:
        camera.alive = True
        sender = threading.Thread(target=send_transport_stream, args=(url, camera))
        sender.start()
        return sender

    sender = send()
    watch = Running(settings(model_file, url, out, "camera.read_timeout_s=0.5", "clip.record=true"))
    try:
        watch.wait_for(lambda: scored(watch) > 3)
        camera.alive = False
        sender.join()
        watch.wait_for(lambda: watch.status()["state"] == "offline")
        sender, before = send(), scored(watch)
        watch.wait_for(lambda: scored(watch) > before + 3)
        watch.stop()
    finally:
        camera.alive = False
        sender.join()


def test_an_rtsp_camera_with_a_password(
    model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    camera = Camera()
    with rtsp_camera(camera, "a secret") as place:
        wrong = settings(model_file, f"rtsp://me:no@{place}", tmp_path / "out")
        refused(wrong, "refuses the name or password", capsys)
        url, out = f"rtsp://me:a%20secret@{place}", tmp_path / "out"
        watch = Running(settings(model_file, url, out, "scoring.threshold=0.2"))
        watch.wait_for(lambda: bool(messages_in(out)))
        snapshot = cv2.imread(str(out / messages_in(out)[0]["snapshot"]))
        assert snapshot.shape[0] == snapshot.shape[1] >= 360  # drawn on, from the whole picture
        camera.alive = False
        watch.wait_for(lambda: watch.status()["state"] == "offline")
        camera.alive, before = True, scored(watch)
        watch.wait_for(lambda: scored(watch) > before + 3)
        assert "secret" not in str(watch.status())
        watch.stop()


def test_a_picture_is_asked_for_again_and_again(model_file: Path, tmp_path: Path) -> None:
    camera = Camera()
    with mjpeg_camera(camera) as url:
        pace = "camera.interval_s=0.05"
        watch = Running(settings(model_file, f"{url}/still", tmp_path / "out", pace))
        watch.wait_for(lambda: scored(watch) > 3)
        camera.alive = False
        watch.wait_for(lambda: "503" in watch.status()["trouble"])
        camera.alive, before = True, scored(watch)
        watch.wait_for(lambda: scored(watch) > before + 3)
        watch.stop()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/page", "answers with text/html, not with pictures"),
        ("/locked", "refuses the name or password (401)"),
    ],
)
def test_an_address_without_pictures_is_refused(
    path: str,
    expected: str,
    model_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with mjpeg_camera(Camera()) as url:
        refused(settings(model_file, f"{url}{path}", tmp_path / "out"), expected, capsys)


def refused(words: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", *words]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    assert expected in lines[0]


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_closed_port_is_refused(
    scheme: str, model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"{scheme}://me:secret@127.0.0.1:{taken.getsockname()[1]}/x"
        refused(settings(model_file, url, tmp_path / "out"), "connection refused", capsys)
        assert "secret" not in capsys.readouterr().err


def test_a_camera_that_accepts_and_says_nothing_is_refused_in_time(
    model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        url = f"rtsp://127.0.0.1:{mute.getsockname()[1]}/x"
        waits = ["camera.open_timeout_s=0.5", "camera.read_timeout_s=0.5"]
        refused(settings(model_file, url, tmp_path / "out", *waits), f"camera {url} ", capsys)


@pytest.mark.parametrize(
    ("camera", "expected"),
    [
        ("ftp://camera/1", "must be an address of a known scheme"),
        ("rstp://camera/1", "did you mean rtsp?"),
        ("http:///x", "must name a host"),
        ("udp://10.0.0.7", "must name the port that a stream over UDP comes to"),
        ("udp://10.0.0.7:123456", "must be a valid address"),
        ("http://[::1/x", "must be a valid address"),
        ("nowhere.mp4", "which is not there"),
        ("77", "camera 77 cannot be read"),
    ],
)
def test_what_is_no_camera_is_refused(
    camera: str,
    expected: str,
    model_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    refused(settings(model_file, camera, tmp_path / "out"), expected, capsys)


def test_other_bad_inputs_are_refused(
    model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("x", encoding="utf-8")
    (tmp_path / "no.mp4").write_text("x", encoding="utf-8")
    camera, out = tmp_path / "in", tmp_path / "out"
    refused(settings(tmp_path / "no", camera, out), "must be an existing file", capsys)
    refused(settings(model_file, camera, tmp_path / "mine"), "holds something else", capsys)
    refused(settings(model_file, tmp_path / "no.mp4", out), "must be a video", capsys)
    begun = Running(settings(model_file, camera, out, "camera.interval_s=1"))
    (camera / "1.jpg").write_bytes(jpeg(1))
    begun.wait_for(lambda: scored(begun) == 1)
    begun.stop()
    refused(settings(model_file, tmp_path, out), "was begun with camera=", capsys)
    gone = f"webhook.secret_file={tmp_path}/gone"
    words = settings(model_file, camera, tmp_path / "b", "webhook.url=http://x", gone)
    refused(words, "must be a file with a secret", capsys)
    words = settings(model_file, camera, out, "webhook.url=x")
    refused(words, "must begin with http", capsys)


def test_no_password_is_shown() -> None:
    assert without_password("rtsp://me:secret@host:554/a?token=b&c=d") == (
        "rtsp://me:***@host:554/a?token=***&c=***"
    )
    assert without_password("camera/july") == "camera/july"
