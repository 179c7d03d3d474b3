"""Frames of videos from which packets were lost, or whose packets are damaged."""

import io
from fractions import Fraction
from functools import cache

import av
import cv2
import numpy as np
import pytest

from tests.small_footage import frame_image
from tlae.footage.sources.whole_frames import Shown, WholeFrames

SIZE_HW, FRAMES, GROUP = (96, 96), 40, 10
DATAGRAM = 7 * 188  # bytes, as MPEG-TS goes over UDP
REFRESH = "intra-refresh=1"  # a column after the other, and no key frame but the first

Found = dict[int, np.ndarray | None]


def picture(number: int) -> np.ndarray:
    """Noise that the codec cannot leave out, and a square that moves."""
    noise = np.random.default_rng(number).integers(0, 60, (*SIZE_HW, 3), dtype=np.uint8)
    return noise + frame_image(number, size_hw=SIZE_HW) // 2


@cache
def encoded(kind: str, codec: str = "libx264", **options: str) -> bytes:
    """The small footage in a container."""
    file = io.BytesIO()
    with av.open(file, "w", kind) as out:
        stream = out.add_stream(codec, rate=10, options={"g": str(GROUP), **options})
        stream.height, stream.width = SIZE_HW
        stream.pix_fmt = "yuv420p"
        for number in range(FRAMES):
            pixels = picture(number)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
    return file.getvalue()


def datagrams(**options: str) -> list[bytes]:
    """The small footage as MPEG-TS."""
    data = encoded("mpegts", **options)
    return [data[at : at + DATAGRAM] for at in range(0, len(data), DATAGRAM)]


@cache
def decoded(data: bytes, threads: str = "NONE") -> Found:
    """Frames by their time in tenths of a second, from the first one on; None: it is damaged."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        stream.thread_type = threads
        frames = WholeFrames(stream, times_rise=container.format.name != "avi")
        shown = [one for packet in container.demux(stream) for one in frames.frames_of(packet)]
        shown += frames.rest()
    first_s = shown[0].time_s or 0.0
    return {round(10 * ((one.time_s or 0.0) - first_s)): grey(one) for one in shown}


def grey(shown: Shown) -> np.ndarray | None:
    return None if shown.picture is None else shown.picture.to_ndarray(format="gray")


def require_whole(found: Found, whole: Found) -> int:
    """Compare what is shown with the undamaged video; returns how many frames are damaged."""
    known = {image.tobytes() for image in whole.values() if image is not None}
    shown = [image for image in found.values() if image is not None]
    assert {image.tobytes() for image in shown} <= known
    return len(found) - len(shown)


@pytest.mark.parametrize("threads", ["NONE", "AUTO"])
@pytest.mark.parametrize(
    "options",
    [{"bf": "0"}, {"bf": "2"}, {"x264-params": REFRESH}],
    ids=["no B frames", "B frames", "gradual refresh"],
)
@pytest.mark.parametrize("place", [0.2, 0.45, 0.85])
def test_no_frame_shows_what_a_lost_packet_left_behind(
    place: float, options: dict[str, str], threads: str
) -> None:
    sent = datagrams(**options)
    whole = decoded(b"".join(sent), threads)
    lost = round(place * len(sent))
    found = decoded(b"".join(sent[:lost] + sent[lost + 1 :]), threads)
    assert (len(whole), require_whole(whole, whole)) == (FRAMES, 0)
    assert 1 <= require_whole(found, whole) <= 3 * GROUP
    assert found[max(found)] is not None or place > 0.5


@pytest.mark.parametrize("threads", ["NONE", "AUTO"])
@pytest.mark.parametrize("kind", ["mp4", "matroska", "avi"])
@pytest.mark.parametrize("place", [0.2, 0.6])
def test_a_lost_block_of_a_file_damages_frames_up_to_the_next_that_stands_alone(
    kind: str, place: float, threads: str
) -> None:
    data = bytearray(encoded(kind, bf="2"))
    whole = decoded(bytes(data), threads)
    at = round(place * len(data))
    data[at : at + 512] = bytes(512)
    found = decoded(bytes(data), threads)
    assert 1 <= require_whole(found, whole) <= GROUP + 2


def test_a_decoder_that_flags_nothing_is_not_trusted_with_a_lost_block() -> None:
    data = bytearray(encoded("mp4", "libx265", **{"x265-params": "log-level=none:keyint=10"}))
    whole = decoded(bytes(data))
    middle = len(data) // 2
    data[middle : middle + 512] = bytes(512)
    assert 1 <= require_whole(decoded(bytes(data)), whole) <= 2 * GROUP


@pytest.mark.parametrize("threads", ["NONE", "AUTO"])
def test_a_packet_that_cannot_be_decoded_keeps_its_place(threads: str) -> None:
    data = bytearray(encoded("mp4", bf="2"))
    whole = decoded(bytes(data), threads)
    with av.open(io.BytesIO(data)) as container:
        packets = list(container.demux(video=0))
    lost = packets[14]
    assert lost.pos is not None
    data[lost.pos : lost.pos + 40] = bytes(40)
    found = decoded(bytes(data), threads)
    assert list(found) == list(whole)
    assert require_whole(found, whole)


def test_a_sender_that_begins_anew_is_followed() -> None:
    sent = datagrams(bf="0")
    found = decoded(b"".join([*sent[: len(sent) // 2 - 1], *sent]))
    assert sum(image is not None for image in found.values()) >= 20


def jpegs(end: bytes, damaged: dict[int, bytes]) -> bytes:
    """Eight JPEGs as a video."""
    file = io.BytesIO()
    with av.open(file, "w", "matroska") as out:
        stream = out.add_stream("mjpeg", rate=10)
        stream.height, stream.width = SIZE_HW
        stream.pix_fmt = "yuvj420p"
        for number in range(8):
            data = cv2.imencode(".jpg", picture(number))[1].tobytes()[:-2] + end
            packet = av.Packet(damaged.get(number, data))
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.time_base = Fraction(1, 10)
            out.mux(packet)
    return file.getvalue()


def test_a_damaged_jpeg_of_a_stream_is_left_out() -> None:
    data = cv2.imencode(".jpg", picture(2))[1].tobytes()
    middle = len(data) - 600
    lost = data[:middle] + bytes(400) + data[middle + 400 :]
    found = decoded(jpegs(b"\xff\xd9", {2: data[: len(data) // 2], 4: data[:-2], 6: lost}))
    assert [stamp for stamp, image in found.items() if image is None] == [2, 4, 6]


def test_a_camera_that_marks_no_end_sends_whole_jpegs() -> None:
    found = decoded(jpegs(b"", {}))
    assert require_whole(found, found) == 0
