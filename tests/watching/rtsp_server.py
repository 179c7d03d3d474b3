"""A small RTSP server on this machine: one H.264 stream, RTP in the same connection (RFC 2326)."""

import base64
import re
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction

import av
import numpy as np

from tests.small_footage import frame_image
from tests.watching.servers import SIZE_HW, Camera

CLOCK_HZ = 90_000
MOST_BYTES = 1200  # of a packet; longer units are sent in fragments (RFC 6184)


def encoded(frames: int) -> list[list[bytes]]:
    """Units (NAL) of each frame; every tenth frame stands alone."""
    context = av.CodecContext.create("libx264", "w")
    context.height, context.width = SIZE_HW
    context.pix_fmt, context.time_base = "yuv420p", Fraction(1, 10)
    context.options = {"g": "10", "tune": "zerolatency", "bf": "0"}
    found = []
    for number in range(frames):
        pixels = np.ascontiguousarray(frame_image(number, size_hw=SIZE_HW))
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
        frame.pts = number
        for packet in context.encode(frame):
            units = re.split(b"\x00\x00\x00?\x01", bytes(packet))
            found.append([unit.rstrip(b"\x00") for unit in units if unit])
    return found


def packets(units: list[bytes], number: int, stamp: int) -> Iterator[bytes]:
    """RTP packets of one frame, in the frames of the RTSP connection."""
    pieces: list[tuple[bytes, bool]] = []
    for unit in units:
        is_last = unit is units[-1]
        if len(unit) <= MOST_BYTES:
            pieces.append((unit, is_last))
            continue
        kind, body = unit[0], unit[1:]
        parts = [body[at : at + MOST_BYTES] for at in range(0, len(body), MOST_BYTES)]
        for place, part in enumerate(parts):
            ends = place == len(parts) - 1
            mark = (0x80 if place == 0 else 0) | (0x40 if ends else 0)
            head = bytes([(kind & 0xE0) | 28, mark | (kind & 0x1F)])
            pieces.append((head + part, is_last and ends))
    for offset, (piece, is_last) in enumerate(pieces):
        head = struct.pack(
            ">BBHII", 0x80, (0x80 if is_last else 0) | 96, (number + offset) & 0xFFFF, stamp, 7
        )
        yield b"$\x00" + struct.pack(">H", len(head) + len(piece)) + head + piece


@contextmanager
def rtsp_camera(camera: Camera, password: str = "") -> Iterator[str]:
    """Address of a camera that streams H.264.

    Args:
        camera: see ``Camera``.
        password: of the user "me"; empty: none is needed.
    """
    frames = encoded(200)
    needed = "Basic " + base64.b64encode(f"me:{password}".encode()).decode()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self._talk()

        def _talk(self) -> None:
            while camera.alive:
                lines = []
                while (line := self.rfile.readline().decode().strip()) != "" or not lines:
                    if not line:
                        return
                    lines.append(line)
                head = dict(line.split(": ", 1) for line in lines[1:])
                number, method = head.get("CSeq", "0"), lines[0].split()[0]
                if password and head.get("Authorization") != needed:
                    self._answer(number, "401 Unauthorized", 'WWW-Authenticate: Basic realm="x"')
                elif method == "DESCRIBE":
                    self._answer(number, "200 OK", "Content-Type: application/sdp", body=SDP)
                elif method == "SETUP":
                    how = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
                    self._answer(number, "200 OK", how, "Session: 1")
                elif method == "PLAY":
                    self._answer(number, "200 OK", "Session: 1")
                    camera.connections += 1
                    self._play()
                    return
                else:
                    self._answer(number, "200 OK", "Public: DESCRIBE, SETUP, PLAY, TEARDOWN")

        def _answer(self, number: str, status: str, *lines: str, body: str = "") -> None:
            size = [f"Content-Length: {len(body)}"] if body else []
            text = "\r\n".join([f"RTSP/1.0 {status}", f"CSeq: {number}", *lines, *size, "", body])
            self.wfile.write(text.encode())

        def _play(self) -> None:
            sent = 0
            for place in range(1_000_000):
                if not camera.alive:
                    return
                if not camera.silent:
                    stamp = place * round(camera.interval_s * CLOCK_HZ)
                    for packet in packets(frames[place % len(frames)], sent, stamp):
                        self.wfile.write(packet)
                        sent += 1
                    camera.sent += 1
                time.sleep(camera.interval_s)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}/gate"
        finally:
            camera.alive = False
            server.shutdown()
            thread.join()


SDP = "\r\n".join(
    [
        *("v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=gate", "c=IN IP4 127.0.0.1", "t=0 0"),
        *("m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=1"),
        *("a=control:track1", ""),
    ]
)
