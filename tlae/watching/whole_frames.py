"""Decode a live stream that may lose packets on the way."""

import math

import av
from av.video.stream import VideoStream

from tlae.footage.jpeg_damage import is_damaged
from tlae.watching.arrival import Counts

MJPEG = "mjpeg"


class WholeFrames:
    """Decode packets; frames that are damaged would raise alarms, and are left out and counted.

    After a packet was lost on the way, all frames are damaged up to the next one that stands alone,
    and the decoder flags the first of them at most.

    Args:
        counts: of the source.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._whole_from = -math.inf  # time stamp; frames before it are damaged
        self._was_corrupt = False

    def frames_of(self, packet: "av.Packet[VideoStream]") -> list[av.VideoFrame]:
        """Whole frames of a packet."""
        if packet.stream.codec_context.name == MJPEG and packet.size and is_damaged(bytes(packet)):
            self._counts.unreadable += 1  # the decoder makes up what is missing
            return []
        if packet.is_corrupt:
            self._whole_from = math.inf
        elif packet.is_keyframe and not self._was_corrupt and self._whole_from == math.inf:
            self._whole_from = packet.pts or 0
        self._was_corrupt = packet.is_corrupt  # FFmpeg's parser may mean the packet after it
        try:
            frames = [frame for frame in packet.decode() if isinstance(frame, av.VideoFrame)]
        except av.FFmpegError:
            self._counts.unreadable += 1
            return []
        whole = [frame for frame in frames if self._is_whole(frame)]
        self._counts.unreadable += len(frames) - len(whole)
        return whole

    def _is_whole(self, frame: av.VideoFrame) -> bool:
        if frame.is_corrupt:
            self._whole_from = math.inf
        if (frame.pts or 0) < self._whole_from:
            return False
        self._whole_from = -math.inf
        return True
