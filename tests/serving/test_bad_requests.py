"""What is refused, each in one clear sentence, and what never reaches the models."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from tests.conftest import WriteVideo
from tests.serving.conftest import frame_png, png
from tests.small_footage import frame_image

pytest.importorskip("fastapi", reason="needs the extra serve")

from tests.serving.in_process import session_of

TOKEN = "a-password-of-the-tests"


def refused(answer: Any, status: int, shown: str) -> None:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert shown in error
    assert "\n" not in error
    assert "/tmp" not in error


def gif() -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(frame_image(0)).save(stream, "GIF")
    return stream.getvalue()


def huge_png(side: int) -> bytes:
    """A few kilobytes that claim side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(9999))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def array(shape: tuple[int, ...], kind: str = "uint8", cut: int = 0) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(shape, kind))
    return stream.getvalue()[: len(stream.getvalue()) - cut]


def claimed(shape: str) -> bytes:
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode()


def jpeg_cut_in_half() -> bytes:
    whole = cv2.imencode(".jpg", frame_image(0, size_hw=(240, 320)))[1].tobytes()
    return whole[: len(whole) // 2]


PICTURES = [
    (b"", 422, "must not be empty"),
    (b"no picture at all", 415, "must be a picture (JPEG, PNG"),
    (jpeg_cut_in_half(), 422, "truncated"),
    (gif(), 415, "got GIF"),
    (huge_png(10_000), 413, "at most 34 megapixels, got 10000 x 10000"),
    (huge_png(60_000), 413, "too many pixels"),
    (array((4, 4, 5)), 422, "(H, W) or (H, W, 3)"),
    (array((16,)), 422, "(H, W) or (H, W, 3)"),
    (array((4, 4, 3), "float32"), 422, "of type uint8"),
    (array((4, 4, 3), "complex64"), 422, "of numbers"),
    (array((4, 4, 3), cut=1), 422, "do not fit the shape"),
    (claimed("(10000, 10000)"), 413, "megapixels"),
    (claimed("(9999, 9)"), 422, "do not fit the shape"),
    (claimed("(-3, 9)"), 422, "(H, W) or (H, W, 3)"),
    (claimed("__import__('os')"), 422, "its header is damaged"),
    (b"\x93NUMPY", 422, "its header is damaged"),
]


@pytest.mark.parametrize(("body", "status", "shown"), PICTURES)
def test_what_is_no_picture_is_refused(client: Any, body: bytes, status: int, shown: str) -> None:
    session = session_of(client)
    refused(client.post(f"/api/sessions/{session}/frames", content=body), status, shown)
    assert client.post(f"/api/sessions/{session}/frames", content=frame_png(0)).status_code == 200
    refused(client.post("/api/models/gate/map", content=body), status, shown)
    files = [("images", ("x.png", body))]
    refused(client.post("/api/models/gate/score", files=files), status, shown)


def test_what_is_not_there(client: Any) -> None:
    for name in ("nobody", "..", "%2e%2e%2fgate", "/etc/passwd", "x" * 5000):
        answer = client.get(f"/api/models/{name}")
        assert answer.status_code in (404, 405), name
        assert "error" in answer.json()
    refused(client.get("/api/models/nobody"), 404, "no model has the id 'nobody'")
    refused(client.post("/api/sessions", json={"model": "nobody"}), 404, "no model")
    refused(client.post("/api/sessions/none/frames", content=b"x"), 404, "no session has the id")
    refused(client.post("/api/jobs?model=nobody", content=b"x"), 404, "no model")
    refused(client.get("/api/jobs/none"), 404, "no job has the id")
    refused(client.get("/page/..%2fserve.py"), 404, "no")
    refused(client.get("/nothing"), 404, "no such address")
    refused(client.put("/health"), 405, "method")
    refused(client.get("/api/models/broken"), 422, "must be a .safetensors file")


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({}, "model: Field required"),
        ({"model": 3}, "model: "),
        ({"model": "gate", "interval_s": -1}, "interval_s: "),
        ({"model": "gate", "threshold": "NaN"}, "threshold: "),
        ({"model": "gate", "threshold": 1, "alarms_per_day": 2}, "leaves nothing for"),
        ({"model": "gate", "name": "x" * 101}, "name: "),
        ({"model": "gate", "colour": "red"}, "colour: "),
    ],
)
def test_wrong_settings_of_a_session(client: Any, asked: dict[str, Any], shown: str) -> None:
    refused(client.post("/api/sessions", json=asked), 422, shown)


def test_times_that_do_not_fit(client: Any) -> None:
    session = session_of(client)
    place = f"/api/sessions/{session}/frames"
    for asked, shown in (
        ({"time_s": 1, "taken_at": "2026-01-01T00:00:00"}, "not both"),
        ({"time_s": "nan"}, "time_s: "),
        ({"time_s": 1e300}, "time_s: "),
        ({"taken_at": "yesterday"}, "taken_at: "),
        ({"taken_at": "9999-12-31T23:59:59-12:00"}, "1970 to 2200"),
    ):
        refused(client.post(place, content=frame_png(0), params=asked), 422, shown)
    assert client.post(place, content=frame_png(0), params={"time_s": 1}).status_code == 200
    asked = {"taken_at": "2026-01-01T00:00:00Z"}
    refused(client.post(place, content=frame_png(1), params=asked), 422, "all be seconds")


def test_limits_of_size_and_pace(make_client: Any) -> None:
    client = make_client(most_mb=0.01)
    refused(client.post("/api/models/gate/map", content=bytes(20_000)), 413, "at most 0.01 MB")
    parts = (bytes(4000) for _ in range(5))  # no length is promised
    refused(client.post("/api/models/gate/map", content=parts), 413, "at most 0.01 MB")
    parts = (bytes(4000) for _ in range(5))
    refused(client.post("/api/jobs?model=gate", content=parts), 413, "at most 0.01 MB")
    assert client.get("/api/jobs").json() == []
    slow = make_client(requests_per_s=2)
    answers = [slow.get("/health").status_code for _ in range(8)]
    assert answers[:4] == [200] * 4
    assert 429 in answers


def test_a_token_is_asked_for(make_client: Any) -> None:
    client = make_client(token=TOKEN)
    for address in ("/", "/health", "/page/live.js", "/docs"):
        assert client.get(address).status_code == 200
    for address in ("/api/models", "/metrics", "/api/jobs", "/api/sessions"):
        refused(client.get(address), 401, "Bearer")
        wrong = {"Authorization": f"Bearer {TOKEN}x"}
        refused(client.get(address, headers=wrong), 401, "Bearer")
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert client.get(address, headers=right).status_code == 200


def test_other_sites_are_refused(client: Any) -> None:
    refused(client.get("/api/models", headers={"Host": "evil.example"}), 403, "Host header")
    refused(
        client.post("/api/sessions", json={}, headers={"Origin": "http://evil.example"}),
        403,
        "other sites",
    )


def test_videos_that_are_none(client: Any, write_video: WriteVideo, tmp_path: Path) -> None:
    place = "/api/jobs?model=gate"
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/etc/passwd\n"
    for body in (b"", playlist, b"ffconcat version 1.0\nfile /etc/passwd\n", png(frame_image(0))):
        refused(client.post(place, content=body), 415, "must be a video (mp4")
    film = write_video(tmp_path / "a.mp4").read_bytes()
    refused(client.post(place, content=film[:200]), 422, "must be a readable video")
    head = write_video(tmp_path / "b.mkv").read_bytes()
    no_frames = head[: head.index(b"\x1f\x43\xb6\x75")]  # cut before the first cluster
    refused(client.post(place, content=no_frames), 422, "the body must be a readable video")
    assert client.get("/api/jobs").json() == []
    assert list((tmp_path / "jobs").iterdir()) == []
