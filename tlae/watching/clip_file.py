"""One video file that encoded packets are copied into."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

ALIVE = {  # a file that a kill cuts short still plays
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "flush_packets": "1",
}


@dataclass(frozen=True)
class Coded:
    """One packet.

    Attributes:
        data: bytes.
        pts, dts, duration: in units of the stream's time base.
        is_key: a video can begin here.
        time_s: of the stream.
        at: when it arrived, on the camera's clock.
    """

    data: bytes
    pts: int
    dts: int
    duration: int
    is_key: bool
    time_s: float
    at: datetime


class ClipFile:
    """A video that is being written.

    Args:
        path: of it.
        stream: that packets come from; they are copied.
        first: packet, a key frame.
        began_at: when that was taken, on the camera's clock.
        age_s: how long ago that was [s].

    Raises:
        OSError, av.FFmpegError: it cannot be written.
    """

    def __init__(
        self, path: Path, stream: VideoStream, first: Coded, began_at: datetime, age_s: float
    ) -> None:
        created_at = datetime.now(UTC) - timedelta(seconds=age_s)
        self.path, self.began_at, self.first, self.last = path, began_at, first, first
        self.frames = 0
        assert stream.time_base is not None
        self._base: Fraction = stream.time_base
        self._dts = -1
        path.parent.mkdir(exist_ok=True)
        self._out: OutputContainer = av.open(str(path), "w", options=ALIVE)
        self._out.metadata["creation_time"] = created_at.isoformat()
        self._stream = self._out.add_stream_from_template(stream)
        context, seen = self._stream.codec_context, stream.codec_context
        if not context.width:  # joined between two key frames: the size was not known yet
            context.width, context.height = seen.width, seen.height
            with suppress(ValueError):  # early PyAV takes none of what is written
                context.extradata = first.data

    def write(self, coded: Coded) -> None:
        """Append a packet."""
        packet = av.Packet(coded.data)
        shift = coded.dts - self.first.dts
        self._dts = dts = max(shift, self._dts + 1)
        packet.dts, packet.pts = dts, max(coded.pts - self.first.dts, dts)
        packet.duration, packet.time_base = coded.duration, self._base
        packet.is_keyframe = coded.is_key
        packet.stream = self._stream
        self._out.mux(packet)
        self.frames, self.last = self.frames + 1, coded

    def close(self) -> None:
        """Finish the file."""
        self._out.close()
