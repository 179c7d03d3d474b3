"""Small servers on this machine: a camera, and a receiver of messages."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import av
import cv2

from tests.small_footage import frame_image

FPS = 25
SIZE_HW = (64, 64)  # an H.264 or MJPEG decoder takes no smaller ones


def jpeg(number: int, *, odd: bool = False) -> bytes:
    """A frame of the small footage as JPEG."""
    image = frame_image(number, odd=odd, size_hw=SIZE_HW)
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    return data.tobytes()


@dataclass
class Camera:
    """What the camera does; tests change it while it runs.

    Attributes:
        alive: False: connections are cut, and new ones answered with 503.
        silent: True: it keeps connections, and sends nothing.
        sent: frames so far.
        connections: so far.
    """

    alive: bool = True
    silent: bool = False
    sent: int = 0
    connections: int = 0
    interval_s: float = 0.02


def send_transport_stream(target: Any, camera: Camera) -> None:
    """Send MPEG-TS to a file or address, while the camera is alive."""
    with av.open(target, "w", "mpegts") as out:
        stream = out.add_stream("libx264", rate=FPS, options={"g": f"{FPS}", "bf": "0"})
        stream.height, stream.width = SIZE_HW
        stream.pix_fmt = "yuv420p"
        stream.options = {"tune": "zerolatency"}
        while camera.alive:
            pixels = frame_image(camera.sent, size_hw=SIZE_HW)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            camera.sent += 1
            time.sleep(camera.interval_s)


def _handler(camera: Camera) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            if not camera.alive:
                self.send_error(503)
            elif self.path == "/page":
                self._answer("text/html", b"<html>log in</html>")
            elif self.path == "/still":
                camera.sent += 1
                self._answer("image/jpeg", jpeg(camera.sent))
            elif self.path == "/ts":
                self._transport_stream()
            elif self.path == "/locked":
                self.send_error(401)
            else:
                self._stream()

        def _answer(self, kind: str, data: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _stream(self) -> None:
            camera.connections += 1
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            while camera.alive:
                if not camera.silent:
                    data = jpeg(camera.sent)
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}"
                    try:
                        self.wfile.write(head.encode() + b"\r\n\r\n" + data + b"\r\n")
                    except OSError:
                        return
                    camera.sent += 1
                time.sleep(camera.interval_s)

        def _transport_stream(self) -> None:
            camera.connections += 1
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            with suppress(OSError, av.FFmpegError):
                send_transport_stream(self.wfile, camera)

    return Handler


@contextmanager
def served(handler: type[BaseHTTPRequestHandler], port: int = 0) -> Iterator[str]:
    """Address of a server that runs within."""
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def mjpeg_camera(camera: Camera) -> Iterator[str]:
    """Address of a camera: MJPEG at /stream, MPEG-TS at /ts, single pictures at /still."""
    with served(_handler(camera)) as url:
        try:
            yield url
        finally:
            camera.alive = False


@dataclass
class Received:
    """What a receiver got.

    Attributes:
        status: that it answers.
        messages: bodies that it took.
        headers: of each.
        tries: requests, refused ones included.
    """

    status: int = 200
    messages: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    tries: int = 0


@contextmanager
def receiver(received: Received) -> Iterator[str]:
    """Address of a receiver of messages."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.tries += 1
            if received.status == 200:
                received.messages.append(json.loads(body))
                received.headers.append({k.lower(): v for k, v in self.headers.items()})
                received.bodies.append(body)
            self.send_response(received.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with served(Handler) as url:
        yield url
