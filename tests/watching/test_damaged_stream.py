"""Damage that happened before a stream was sent, so that no packet of the network is missing."""

import threading
from pathlib import Path

import av
import numpy as np
import pytest

from tests.small_footage import frame_image
from tlae.watching.address import Address, Kind
from tlae.watching.arrival import Progress, Source, Wanted
from tlae.watching.files import FileReader
from tlae.watching.folder import FileSource
from tlae.watching.settings import CameraConfig
from tlae.watching.stream import StreamSource

SIZE_HW, FRAMES, GROUP, CUT = (192, 192), 24, 8, 11


def write_stream(path: Path) -> None:
    """A square that moves over noise; the second half of one packet is missing."""
    rng = np.random.default_rng(0)
    scene = rng.integers(0, 60, (*SIZE_HW, 3), dtype=np.uint8)
    with av.open(path, "w", "mpegts") as out:
        options = {"g": str(GROUP), "bf": "0", "preset": "ultrafast"}
        stream = out.add_stream("libx264", rate=10, options=options)
        stream.height, stream.width = SIZE_HW
        stream.pix_fmt = "yuv420p"
        packets = []
        for number in range(FRAMES):
            noise = rng.integers(0, 16, scene.shape, dtype=np.uint8)
            pixels = frame_image(number, size_hw=SIZE_HW) // 2 + scene + noise
            packets += stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24"))
        for number, packet in enumerate([*packets, *stream.encode(None)]):
            data = bytes(packet)
            sent = av.Packet(data[: len(data) // 2] if number == CUT else data)
            sent.stream, sent.time_base = stream, packet.time_base
            sent.pts, sent.dts = packet.pts, packet.dts
            out.mux(sent)


def source_of(kind: Kind, path: Path, wanted: Wanted) -> Source:
    cfg = CameraConfig(path=str(path))
    if kind == Kind.STREAM:
        return StreamSource(Address(kind, str(path)), cfg, wanted)
    return FileSource(path, FileReader(path.parent, cfg, wanted), lambda _: 0, fast=True)


@pytest.mark.parametrize("kind", [Kind.STREAM, Kind.FILE])
def test_frames_that_show_it_are_left_out(tmp_path: Path, kind: Kind) -> None:
    write_stream(tmp_path / "damaged.ts")
    wanted = Wanted("camera", 0.0, SIZE_HW, None, Progress(), is_new=True)
    source, stop = source_of(kind, tmp_path / "damaged.ts", wanted), threading.Event()
    for arrival in source.frames(stop):
        if arrival is None:  # the stream ended, and would be opened again
            stop.set()
    assert source.counts.read == CUT + FRAMES - 2 * GROUP
    assert source.counts.unreadable == 2 * GROUP - CUT
