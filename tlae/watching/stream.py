"""A live stream or a USB camera, read by PyAV: the newest frame, and reconnection for ever.

PyAV ends the process when a container is closed by another thread than the one that reads it, and
waits for ever where no timeouts are given; ``stimeout`` has no effect. So the generator here opens,
reads and closes, and all waiting is bounded.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

import av
from av.container import InputContainer
from av.video.reformatter import VideoReformatter

from tlae.errors import UserError
from tlae.footage.frames import Image
from tlae.footage.sources.video import to_image
from tlae.footage.sources.whole_frames import WholeFrames
from tlae.footage.timestamps import Timing
from tlae.http_client import in_words
from tlae.watching.address import UDP, Address, CameraTrouble, Kind
from tlae.watching.arrival import Arrival, Counts, Wanted, camera_hw
from tlae.watching.pacing import CameraClock, Pace, pause_s, pauses
from tlae.watching.recording import Recorder
from tlae.watching.settings import CameraConfig

MICROSECONDS = 1_000_000
UNSTAMPED = ("mpjpeg", "mjpeg", "video4linux2,v4l2")  # their time stamps are counted, not measured
DEVICE = "/dev/video"

logger = logging.getLogger(__name__)


class StreamSource:
    """Frames of a stream; only the newest one counts.

    Args:
        address: of a stream or device.
        cfg: how to wait for it.
        wanted: how the frames are wanted.
        recorder: writes clips of what the camera sends; None: there are none.
    """

    keeps_all = False

    def __init__(
        self,
        address: Address,
        cfg: CameraConfig,
        wanted: Wanted,
        recorder: Recorder | None = None,
    ) -> None:
        self.counts = Counts()
        self._recorder = recorder
        self._address, self._cfg, self._wanted = address, cfg, wanted
        self._timing = Timing(time_zone=cfg.time_zone)

    def frames(self, stop: threading.Event) -> Iterator[Arrival | None]:
        """Frames for ever; see ``Source``."""
        tries = 0
        while not stop.is_set():
            came_before = self.counts.read
            try:
                yield from self._connected(stop)
                trouble = "ended the stream"
            except CameraTrouble as error:
                trouble = str(error)
            if stop.is_set():
                return
            if not self.counts.read:
                raise UserError(f"camera {self._address.shown} {trouble}")
            tries = 1 if self.counts.read > came_before else tries + 1
            if tries == 1 or trouble != self.counts.trouble:
                logger.warning("camera %s %s; trying again", self._address.shown, trouble)
            self.counts.trouble = trouble
            yield from pauses(stop, pause_s(tries, self._cfg.retry_s))
            self.counts.reconnects += 1

    def _connected(self, stop: threading.Event) -> Iterator[Arrival | None]:
        """Frames of one connection."""
        try:
            with closing(self._opened()) as container, self._recorded():
                yield from self._frames(container, stop)
        except (av.FFmpegError, OSError) as error:
            raise CameraTrouble(_why(error)) from error

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        """End all clips of a connection before it is closed."""
        try:
            yield
        finally:
            if self._recorder is not None:
                self._recorder.disconnected()

    def _opened(self) -> InputContainer:
        cfg, path, kind = self._cfg, self._address.path, None
        options: dict[str, str] = {}
        if self._address.kind == Kind.DEVICE:
            path, kind = f"{DEVICE}{path}", "v4l2"
        elif path.lower().startswith(UDP):
            options["overrun_nonfatal"] = "1"  # what comes too fast is lost, and the rest goes on
        else:
            options["timeout"] = str(round(cfg.read_timeout_s * MICROSECONDS))
        if path.lower().startswith("rtsp"):
            options["rtsp_transport"] = "tcp"
        waits = (cfg.open_timeout_s, cfg.read_timeout_s)
        return av.open(path, "r", format=kind, options=options, timeout=waits)

    def _frames(self, container: InputContainer, stop: threading.Event) -> Iterator[Arrival]:
        if not container.streams.video:
            raise CameraTrouble("sends no video")
        stream = container.streams.video[0]
        stream.thread_type = "NONE"  # by frames, they come late; by slices, damage is not flagged
        is_stamped = container.format.name not in UNSTAMPED
        clock = CameraClock(self._timing, is_stamped=is_stamped)
        if self._recorder is not None:
            self._recorder.connected(stream, is_stamped=is_stamped)
        pace, reformatter = Pace(self._wanted.interval_s), VideoReformatter()
        decoder = WholeFrames(stream)
        came_s = time.monotonic()
        for packet in container.demux(stream):
            if stop.is_set():
                return
            if time.monotonic() - came_s > self._cfg.stalled_s:
                raise CameraTrouble(f"sent no whole frame for {self._cfg.stalled_s:g} s")
            if self._recorder is not None:
                stamp_s = None if packet.pts is None else float(packet.pts * packet.time_base)
                self._recorder.take(packet, clock.dated(stamp_s), time.monotonic())
            for stamp_s, frame in decoder.frames_of(packet):
                if frame is None:
                    self.counts.unreadable += 1
                    continue
                came_s = time.monotonic()
                when = clock.when(stamp_s)
                if not pace.is_due(when):
                    self.counts.skipped += 1
                    self.counts.last_at_s = came_s
                    continue
                image, source_hw = to_image(frame, self._wanted.min_hw, reformatter)
                self.counts.frame_came()
                shape = camera_hw(image, source_hw)
                yield Arrival(image, when, self._wanted.name, shape, partial(_whole, frame))


def _whole(frame: av.VideoFrame) -> Image:
    return to_image(frame, None, VideoReformatter())[0]


def _why(error: Exception) -> str:
    """What PyAV ran into, in a few words; its own may hold the address with its password."""
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return "refuses the name or password"
    if isinstance(error, av.error.ExitError | TimeoutError):
        return "sent nothing in time"
    if isinstance(error, av.error.InvalidDataError):
        return "sends nothing that is a video"
    if isinstance(error, av.error.HTTPError):
        return "refuses the address; check it"
    return f"cannot be read: {in_words(error)}"
