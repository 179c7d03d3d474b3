"""A video file as one clip, read forward with its true time stamps."""

import logging
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from tlae.errors import FootageError
from tlae.footage.frames import OK, Frame, Image, TimeSource, Wanted
from tlae.footage.images import Unreadable, reduction
from tlae.footage.sources.image_folder import FRESH_S, Files
from tlae.footage.sources.video_times import Losses, Timed, in_order, not_falling, timed
from tlae.footage.sources.whole_frames import READ_ERRORS, Shown, WholeFrames
from tlae.footage.timestamps import EARLIEST_YEAR, Timing, parse_filename_time

BAD_READS_IN_A_ROW = 20  # then the rest of the file is given up
REST_S = 2.0  # a recording grows within this time; what does not is whole
DAMAGED = "damaged"  # state of a frame that is seen only in part, or smeared by a loss before it
MISSING_SHARE = 0.05  # headers may promise a little more than an undamaged file gives

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class VideoClip:
    """Frames of one video file.

    Attributes:
        name: see ``Clip``.
        files: where it lies.
        member: its name there.
        timing: ``interval`` replaces the file's own time stamps, for time-lapse rendered to video;
            ``filename`` takes the start from the file name before the container's creation time.
    """

    name: str
    files: Files
    member: str
    timing: Timing

    @property
    def time_source(self) -> TimeSource:
        """The container, unless the nominal interval was asked for."""
        by_interval = self.timing.asked == TimeSource.INTERVAL
        return TimeSource.INTERVAL if by_interval else TimeSource.CONTAINER

    @cached_property
    def length(self) -> int | None:
        """What the header promises; an estimate."""
        try:
            with self._opened() as (container, stream):
                return _promise(container, stream)[0]
        except Unreadable:
            return 1  # the row that says why

    @property
    def has_wall_clock(self) -> bool:
        """Whether the container or the file's name says when it began."""
        try:
            with self._opened() as (container, _):
                return self._began(container) is not None
        except Unreadable:
            return True  # the row that says why has no time, and needs none

    def fingerprint(self) -> Iterator[str]:
        """How times are found, then the file."""
        folder, _, name = self.member.rpartition("/")
        interval = self.timing.interval_s if self.time_source == TimeSource.INTERVAL else ""
        zone = self.timing.time_zone or "local"
        yield f"{self.timing.asked} {interval} {self.timing.pattern} {zone}"
        yield from self.files.facts(folder, [name])

    def settled(self) -> "tuple[VideoClip | None, list[str]]":
        """Nothing while the file grows, or is fresh and cannot be opened; may wait to see that."""
        age_s = self.files.age_s(self.member)
        if age_s >= FRESH_S:
            return self, []
        before = list(self.fingerprint())
        time.sleep(max(0.0, REST_S - age_s))
        try:
            with self._opened():
                whole = list(self.fingerprint()) == before
        except Unreadable:
            whole = False
        return (self, []) if whole else (None, [self.files.shown(self.member)])

    def require_readable(self) -> None:
        """Open the file and close it again.

        Raises:
            FootageError: it is no video.
        """
        self.size_hw()

    def size_hw(self) -> tuple[int, int]:
        """Height and width that the header promises [px]; no frame is decoded.

        Raises:
            FootageError: it is no video.
        """
        try:
            with self._opened() as (_, stream):
                return stream.codec_context.height, stream.codec_context.width
        except Unreadable as problem:
            raise FootageError(
                f"{self.files.shown(self.member)} must be a readable video, got: {problem.reason}; "
                "copy it again from the camera, or leave it out"
            ) from problem

    def frames(
        self, start: int = 0, min_hw: tuple[int, int] | None = None, wanted: Wanted | None = None
    ) -> Iterator[Frame]:
        """Read forward from the first frame; those before ``start`` are not converted.

        A file that gives nothing is one frame without an image, with the reason.
        """
        path = self.files.shown(self.member)
        try:
            with self._opened() as (container, stream):
                began = self._began(container)
                first_s = time_s = 0.0
                index = -1
                losses, reformatter = Losses(), VideoReformatter()
                stamped = self._stamped(container, stream, losses)
                for index, (stamp_s, picture) in enumerate(stamped):
                    first_s = first_s if index else stamp_s
                    losses.times.append(stamp_s)
                    losses.damaged += picture is None
                    time_s = self._time(index, stamp_s - first_s)
                    if index < start:
                        continue
                    taken_at = began + timedelta(seconds=time_s) if began else None
                    if wanted is not None and not wanted(time_s, taken_at):
                        continue
                    frame = Frame(self.name, index, time_s, taken_at, path, None, DAMAGED)
                    if picture is not None:
                        image, source_hw = to_image(picture, min_hw, reformatter)
                        frame = replace(frame, image=image, state=OK, source_hw=source_hw)
                    yield frame
                if index < 0:
                    raise Unreadable("no frame could be decoded")
                losses.missing = _missing(losses.times, container, stream)
                if losses.damaged or str(losses):
                    logger.warning("%s: %s", path, losses.summary(index + 1))
                if str(losses) and start <= index + 1:
                    yield Frame(self.name, index + 1, time_s, None, path, None, str(losses))
        except Unreadable as problem:
            logger.warning("%s: %s", path, problem.reason)
            if start == 0:
                yield Frame(self.name, 0, 0.0, None, path, None, problem.reason)

    @contextmanager
    def _opened(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        with self.files.stream(self.member) as source:
            try:
                container = av.open(source, "r", **open_arguments(av.__version__))
            except FileNotFoundError as error:
                raise Unreadable("no such file or directory") from error
            except PermissionError as error:
                raise Unreadable("permission denied") from error
            except READ_ERRORS as error:
                raise Unreadable("not a video, or cut before its index") from error
            with container:
                if not container.streams.video:
                    raise Unreadable("no video stream")
                stream = container.streams.video[0]
                stream.thread_type = "AUTO"
                yield container, stream

    def _began(self, container: InputContainer) -> datetime | None:
        """When the first frame was taken, as the camera wrote it."""
        if self.time_source == TimeSource.INTERVAL:
            return None
        by_name = parse_filename_time(self.member, self.timing.pattern)
        if by_name and self.timing.asked == TimeSource.FILENAME:
            return by_name
        try:
            written = datetime.fromisoformat(container.metadata.get("creation_time", ""))
        except ValueError:
            return by_name
        plausible = written.year >= EARLIEST_YEAR  # an unset clock says 1904 or 1970
        return self.timing.on_camera_clock(written) if plausible else by_name

    def _time(self, index: int, stamp_s: float) -> float:
        by_interval = self.time_source == TimeSource.INTERVAL
        return round(index * self.timing.interval_s if by_interval else stamp_s, 6)

    def _stamped(
        self, container: InputContainer, stream: VideoStream, losses: Losses
    ) -> Iterator[Timed]:
        """Frames in the order shown, each with its time in seconds."""
        rate = stream.average_rate or stream.guessed_rate
        step_s = float(1 / rate) if rate else self.timing.interval_s
        is_avi = container.format.name == "avi"  # numbers its frames in the order of coding
        decoder = WholeFrames(stream, times_rise=not is_avi)
        frames = timed(_decoded(container, stream, decoder, losses), step_s)
        return not_falling(in_order(frames) if is_avi else frames, step_s, losses)


def _decoded(
    container: InputContainer, stream: VideoStream, decoder: WholeFrames, losses: Losses
) -> Iterator[Shown]:
    """Frames of all packets."""
    bad_reads = 0  # in a row
    packets = container.demux(stream)
    while bad_reads < BAD_READS_IN_A_ROW:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except READ_ERRORS:
            bad_reads += 1
            losses.packets += 1
            decoder.lose()
            packets = container.demux(stream)
            continue
        bad_reads = 0 if packet.size else bad_reads
        yield from decoder.frames_of(packet)
    yield from decoder.rest()
    losses.packets += decoder.failures


def open_arguments(version: str) -> dict[str, Any]:
    """Arguments of ``av.open`` by which foreign encodings in metadata are no errors.

    Args:
        version: of PyAV; from 19 on it takes no such argument.
    """
    return {"metadata_errors": "replace"} if int(version.partition(".")[0]) < 19 else {}


def _promise(container: InputContainer, stream: VideoStream) -> tuple[int | None, float | None]:
    """Frames and seconds that the header announces, as far as it does."""
    rate = stream.average_rate or stream.guessed_rate
    span_s = None
    if stream.frames and stream.time_base and container.format.name == "avi":
        span_s = float(stream.frames * stream.time_base)  # its duration is guessed from the size
    elif stream.duration and stream.time_base:
        span_s = float(stream.duration * stream.time_base)
    elif container.duration:
        span_s = container.duration / av.time_base
    frames = stream.frames or (round(span_s * float(rate)) if span_s and rate else None)
    return frames, span_s


def _missing(times_s: "array[float]", container: InputContainer, stream: VideoStream) -> int:
    """Frames missing where much less was read than announced, in frames and in seconds alike.

    One alone says little: AVI counts dropped frames too, and the last frame may last for long.
    """
    promised, promised_s = _promise(container, stream)
    if promised is None or promised_s is None:
        return 0
    frames, span_s = len(times_s), times_s[-1] - times_s[0]
    step_s = span_s / max(frames - 1, 1)
    kept = 1 - MISSING_SHARE
    is_cut = frames + 1 < kept * promised and span_s + 2 * step_s < kept * promised_s
    return promised - frames if is_cut else 0


def to_image(
    frame: av.VideoFrame, min_hw: tuple[int, int] | None, reformatter: VideoReformatter
) -> tuple[Image, tuple[int, int] | None]:
    """Upright pixels of a decoded frame.

    Args:
        frame: as decoded.
        min_hw: see ``decode_image``.
        reformatter: one for all frames of a video: each new one costs as much as a frame.

    Returns:
        RGB (H, W, 3), reduced if possible, and the size before that if it was.
    """
    turns = round(frame.rotation / 90) % 4  # counter-clockwise
    size_hw = (frame.height, frame.width)
    upright_hw = (frame.width, frame.height) if turns % 2 else size_hw
    factor = reduction(upright_hw, min_hw) if min_hw else 1
    height, width = (-(-pixels // factor) for pixels in size_hw)
    converted = reformatter.reformat(frame, width, height, "rgb24", interpolation="AREA")
    pixels = np.asarray(converted.to_ndarray(), np.uint8)  # (h, w, 3)
    image = np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
    return image, upright_hw if factor > 1 else None
