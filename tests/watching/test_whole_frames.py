"""Frames of a stream from which packets were lost on the way."""

import io
from fractions import Fraction
from functools import cache

import av
import cv2
import numpy as np
import pytest

from tests.small_footage import frame_image
from tlae.watching.arrival import Counts
from tlae.watching.whole_frames import WholeFrames

SIZE_HW, FRAMES, GROUP = (96, 96), 40, 10
DATAGRAM = 7 * 188  # bytes, as MPEG-TS goes over UDP


def picture(number: int) -> np.ndarray:
    """Noise that the codec cannot leave out, and a square that moves."""
    noise = np.random.default_rng(number).integers(0, 60, (*SIZE_HW, 3), dtype=np.uint8)
    return noise + frame_image(number, size_hw=SIZE_HW) // 2


@cache
def datagrams(**options: str) -> list[bytes]:
    """The small footage as MPEG-TS."""
    file = io.BytesIO()
    with av.open(file, "w", "mpegts") as out:
        stream = out.add_stream("libx264", rate=10, options={"g": str(GROUP), **options})
        stream.height, stream.width = SIZE_HW
        stream.pix_fmt = "yuv420p"
        for number in range(FRAMES):
            pixels = picture(number)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    data = file.getvalue()
    return [data[at : at + DATAGRAM] for at in range(0, len(data), DATAGRAM)]


def decoded(data: bytes) -> tuple[dict[int, np.ndarray], Counts]:
    """Frames by their time stamp, as they are handed on."""
    counts = Counts()
    frames = WholeFrames(counts)
    with av.open(io.BytesIO(data)) as container:
        packets = container.demux(container.streams.video[0])
        found = {
            one.pts: one.to_ndarray(format="gray") for p in packets for one in frames.frames_of(p)
        }
    return found, counts


@pytest.mark.parametrize("options", [{"bf": "0"}, {"bf": "2"}], ids=["no B frames", "B frames"])
@pytest.mark.parametrize("place", [0.2, 0.3, 0.45, 0.6, 0.85])
def test_no_frame_shows_what_a_lost_packet_left_behind(
    place: float, options: dict[str, str]
) -> None:
    sent = datagrams(**options)
    whole, unharmed = decoded(b"".join(sent))
    lost = round(place * len(sent))
    found, counts = decoded(b"".join(sent[:lost] + sent[lost + 1 :]))
    assert (len(whole), unharmed.unreadable) == (FRAMES, 0)
    assert FRAMES - 2 * GROUP - 2 <= len(found) < FRAMES
    assert counts.unreadable
    for stamp, shown in found.items():
        np.testing.assert_array_equal(shown, whole[stamp])


def test_a_sender_that_begins_anew_is_followed() -> None:
    sent = datagrams(bf="0")
    found, _ = decoded(b"".join([*sent[: len(sent) // 2 - 1], *sent]))
    assert len(found) >= 20


def test_a_damaged_jpeg_of_a_stream_is_left_out() -> None:
    file = io.BytesIO()
    with av.open(file, "w", "matroska") as out:
        stream = out.add_stream("mjpeg", rate=10)
        stream.height, stream.width = SIZE_HW
        stream.pix_fmt = "yuvj420p"
        for number in range(8):
            data = cv2.imencode(".jpg", picture(number))[1].tobytes()
            half, middle = data[: len(data) // 2], len(data) - 600
            lost = data[:middle] + bytes(400) + data[middle + 400 :]
            packet = av.Packet({2: half, 4: data[:-2], 6: lost}.get(number, data))
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.time_base = Fraction(1, 10)
            out.mux(packet)
    found, counts = decoded(file.getvalue())
    assert (sorted(found), counts.unreadable) == ([0, 100, 300, 500, 700], 3)
