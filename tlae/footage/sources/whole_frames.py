"""Decode the packets of a video, some of which may be lost or damaged, and tell whole frames.

After a loss all frames are damaged up to the next one that stands alone, and the decoder flags the
first of them at most. Damage spreads in the order of coding, frames come in the order shown, and a
decoder with several threads raises the error of a packet while it is given a later one. So packets
are numbered, and a frame waits until all that were coded before it are accounted for.
"""

import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import av
from av.video.stream import VideoStream

from tlae.footage.jpeg_damage import has_lost_block, has_stray_marker, is_cut

REORDERED_FRAMES = 16  # the most that H.264 and its like hold back to show frames in order
READ_ERRORS = (av.FFmpegError, OSError, EOFError)

_MJPEG = "mjpeg"
_WITHOUT_ZEROS = ("h264", "hevc", "mpeg4", "mpeg2video", "mpeg1video")  # never three bytes of them
_ZEROS = bytes(256)  # a part of a block that was lost, as a failing disk leaves it
_END_ZEROS = bytes(64)  # more than the padding of an encoder
_NO_START_CODE = re.compile(rb"\0{256}\0*[^\0\x01]")  # zeros before a start code are padding


class Shown(NamedTuple):
    """A frame of a video in the order shown.

    Attributes:
        time_s: as the container has it [s]; None: it has none.
        picture: None where it is damaged, or its packet could not be decoded.
    """

    time_s: float | None
    picture: av.VideoFrame | None


class _Sent(NamedTuple):
    """A packet that was given to the decoder."""

    pts: int | None
    time_s: float | None
    is_key: bool


class _Waiting(NamedTuple):
    """A frame that was decoded; it is whole if no packet from the refresh to its own is damaged."""

    number: int  # of its packet
    refresh: int  # number of the last frame before it, in the order shown, that stands alone
    shown: Shown


class WholeFrames:
    """Decode one stream.

    Args:
        stream: nothing of it was decoded yet.
        times_rise: whether packets have the time at which they are shown. AVI numbers them in the
            order of coding.

    Attributes:
        failures: packets that could not be decoded and stand for no frame so far.
    """

    def __init__(self, stream: VideoStream, *, times_rise: bool = True) -> None:
        self._codec, self._times_rise = stream.codec_context, times_rise
        self._time_base, self._kind = stream.time_base, self._codec.name
        self._has_lengths = (self._codec.extradata or b"")[:1] == b"\x01"  # not start codes
        self._codec.copy_opaque = True  # frames bear the number of their packet
        self.failures = 0
        self._was_any = False  # frame
        self._has_end_marks = False
        self._number = -1  # of the last packet, or of the last loss between two
        self._unseen: dict[int, _Sent] = {}  # packets that gave no frame so far
        self._damaged: set[int] = set()
        self._refresh = -1
        self._gradual: int | None = None  # where a refresh began that takes many frames
        self._waiting: deque[_Waiting] = deque()

    def lose(self) -> None:
        """Note that what comes between the last packet and the next one was lost."""
        self._number += 1
        self._damaged.add(self._number)

    def frames_of(self, packet: "av.Packet[VideoStream]") -> Iterator[Shown]:
        """Frames that are complete and judged now; an empty packet gives none."""
        if not packet.size:
            return
        self._number += 1
        packet.opaque = self._number
        time_s = self._time_s(packet.pts)
        if self._kind == _MJPEG and self._is_damaged_jpeg(bytes(packet)):
            self._damaged.add(self._number)  # the decoder makes up what is missing
            self._waiting.append(_Waiting(self._number, self._number, Shown(time_s, None)))
        else:
            if not packet.is_discard:
                sent = _Sent(packet.pts, time_s, packet.is_keyframe)
                self._unseen[self._number] = sent
            if packet.is_corrupt:  # FFmpeg's parser may mean the packet after it
                self._damaged |= {self._number, self._number + 1}
            elif self._has_lost_block(packet):
                self._damaged.add(self._number)
            self._decode(packet)
        yield from self._judged()

    def rest(self) -> Iterator[Shown]:
        """What the decoder holds back at the end of the video."""
        self._decode(None)
        if self._was_any:
            self._give_up(list(self._unseen))
        yield from self._judged()

    def _decode(self, packet: "av.Packet[VideoStream] | None") -> None:
        try:
            frames = self._codec.decode(packet)
        except READ_ERRORS:
            self.failures += packet is not None
            return
        for frame in frames:
            self._came(frame)

    def _came(self, frame: av.VideoFrame) -> None:
        """Queue a frame behind those that will not come any more."""
        self._was_any = True
        number = frame.opaque if isinstance(frame.opaque, int) else self._number
        sent = self._unseen.pop(number, None)
        if self._unseen:
            self._give_up([n for n in self._unseen if self._is_passed(n, number, frame.pts)])
        if frame.is_corrupt:
            self._damaged.add(number)
        if frame.key_frame:
            self._refresh, self._gradual = number, None
            oldest = self._waiting[0].refresh if self._waiting else number
            self._damaged = {n for n in self._damaged if n >= oldest}
        elif sent is not None and sent.is_key and self._times_rise:
            # Rows or columns are refreshed one after the other: complete where the next begins.
            self._refresh = self._refresh if self._gradual is None else self._gradual
            self._gradual = number
        self._waiting.append(_Waiting(number, self._refresh, Shown(self._time_s(frame.pts), frame)))

    def _time_s(self, pts: int | None) -> float | None:
        return None if pts is None or not self._time_base else float(pts * self._time_base)

    def _is_passed(self, unseen: int, number: int, pts: int | None) -> bool:
        """Whether a packet gives no frame any more, now that a later one was shown."""
        if number - unseen > REORDERED_FRAMES:
            return True
        due = self._unseen[unseen].pts
        return self._times_rise and pts is not None and due is not None and due < pts

    def _give_up(self, numbers: list[int]) -> None:
        """Packets that failed stand for a damaged frame each; others have none to show."""
        passed = sorted((self._unseen.pop(n).time_s or 0.0, n) for n in numbers)
        for time_s, number in passed[max(0, len(passed) - self.failures) :]:
            self._damaged.add(number)
            self._waiting.append(_Waiting(number, self._refresh, Shown(time_s, None)))
        self.failures -= min(self.failures, len(passed))

    def _judged(self) -> Iterator[Shown]:
        """Frames before which nothing is open any more."""
        while self._waiting:
            number, refresh, shown = self._waiting[0]
            if next(iter(self._unseen), number) < number:  # numbers rise
                return
            self._waiting.popleft()
            if self._damaged and any(refresh <= one <= number for one in self._damaged):
                shown = Shown(shown.time_s, None)
            yield shown

    def _is_damaged_jpeg(self, data: bytes) -> bool:
        """Whether a JPEG lacks a part; some cameras leave out the end mark of them all."""
        cut = is_cut(data)
        self._has_end_marks |= not cut
        return (cut and self._has_end_marks) or has_stray_marker(data) or has_lost_block(data)

    def _has_lost_block(self, packet: "av.Packet[VideoStream]") -> bool:
        """Whether zeros stand in a packet that cannot hold them."""
        if self._kind not in _WITHOUT_ZEROS:
            return False
        data = bytes(packet)
        if self._has_lengths:
            return data.endswith(_END_ZEROS) or _ZEROS in data
        return _ZEROS in data and _NO_START_CODE.search(data) is not None
