"""A video of each event, with what came before it, as the camera encoded it.

Packets are kept from the last key frame before the wanted begin on, because a video can begin with
a key frame alone. So a clip begins a little earlier than was asked for, or later where the stream
had just begun; ``clips.jsonl`` says when. The thread that reads the camera writes all files. It may
wait for a silent camera while the watch ends: another thread ends the files then, and what comes
later is not recorded.
"""

import errno
import json
import logging
import queue
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import av
from av.video.stream import VideoStream

from tlae.watching.clip_file import ClipFile, Coded
from tlae.watching.room import CLIPS, Room
from tlae.watching.settings import ClipConfig

LIST = "clips.jsonl"
MOST_BYTES = 128_000_000  # of packets in memory
JUMP_S = 10.0  # between two packets; then the time stamps began anew
RAW = "rawvideo"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
KNOWN_PATHS = 1000

logger = logging.getLogger(__name__)


@dataclass
class Wish:
    """A clip that is asked for.

    Attributes:
        event: its id.
        lead_s: time before now that it is to hold [s].
        parts: files so far; a connection that ends begins a further one.
        begun_s: time of the stream at which the first one begins; None: there is none.
        ends_s: time of the stream at which it ends; None: the event goes on.
        file: that is being written.
    """

    event: str
    lead_s: float
    parts: int = 0
    begun_s: float | None = None
    ends_s: float | None = None
    file: ClipFile | None = None


class Recorder:
    """Write clips of events.

    Args:
        folder: of the watch.
        cfg: how long clips are.
        room: says whether the disk has room.
    """

    def __init__(self, folder: Path, cfg: ClipConfig, room: Room) -> None:
        self._folder, self._cfg, self._room = folder, cfg, room
        self._asked: queue.SimpleQueue[tuple[str, datetime | None]] = queue.SimpleQueue()
        self._wishes: dict[str, Wish] = {}
        self._paths: dict[str, str] = {}  # of the first part of each clip
        self._ring: deque[Coded] = deque()
        self._bytes = 0
        self._stream: VideoStream | None = None
        self._is_stamped = True
        self._writing, self._is_closed = threading.RLock(), False

    def begin(self, event: str, began_at: datetime) -> None:
        """An event is known that began then, on the camera's clock; any thread may call."""
        self._asked.put((event, began_at))

    def end(self, event: str) -> None:
        """An event is over; any thread may call."""
        self._asked.put((event, None))

    def path_of(self, event: str) -> str | None:
        """Path of a clip, relative to the folder of the watch; None: it is not begun."""
        return self._paths.get(event)

    def connected(self, stream: VideoStream, *, is_stamped: bool) -> None:
        """Packets of a stream follow; its thread alone calls what follows here."""
        self._is_stamped = is_stamped
        if stream.codec_context.name == RAW or stream.time_base is None:
            logger.warning("the camera sends pictures that are not encoded: there are no clips")
            return
        self._stream = stream

    def disconnected(self, reason: str = "the connection ended") -> None:
        """No packet of the stream follows, and it is still open."""
        with self._writing:
            for wish in list(self._wishes.values()):
                self._finish(wish, reason)
            self._ring.clear()
            self._bytes, self._stream = 0, None

    def close(self) -> None:
        """End all files; any thread may call."""
        with self._writing:
            self.disconnected("the watch ended")
            self._is_closed = True

    def take(self, packet: "av.Packet[VideoStream]", at: datetime, at_s: float) -> None:
        """The next packet.

        Args:
            packet: of the stream.
            at: now, on the camera's clock.
            at_s: now, by the monotonic clock.
        """
        with self._writing:
            coded = None if self._is_closed else self._copied(packet, at, at_s)
            if coded is not None:
                self._record(coded)

    def _record(self, coded: Coded) -> None:
        if self._ring and abs(coded.time_s - self._ring[-1].time_s) > JUMP_S:
            stream = self._stream
            self.disconnected()
            self._stream = stream
        self._remember(coded)
        self._hear(coded)
        for wish in list(self._wishes.values()):
            self._go_on(wish, coded)

    def _copied(self, packet: "av.Packet[VideoStream]", at: datetime, at_s: float) -> Coded | None:
        stream = self._stream
        if stream is None or stream.time_base is None or not packet.size:
            return None
        dts = packet.pts if packet.dts is None else packet.dts
        pts = dts if packet.pts is None else packet.pts
        if not self._is_stamped:
            pts = dts = round(at_s / stream.time_base)
        if pts is None or dts is None:
            return None
        time_s = float(dts * stream.time_base)
        duration = packet.duration or 0
        return Coded(bytes(packet), pts, dts, duration, packet.is_keyframe, time_s, at)

    def _remember(self, coded: Coded) -> None:
        """Keep packets back to the last key frame before the longest lead."""
        self._ring.append(coded)
        self._bytes += len(coded.data)
        if coded.is_key:
            keys = [n for n, one in enumerate(self._ring) if one.is_key]
            since_s = coded.time_s - self._cfg.before_s - self._cfg.late_s
            early = [number for number in keys if self._ring[number].time_s <= since_s]
            self._forget(early[-1] if early else keys[0])
        while self._bytes > MOST_BYTES:
            later = (n for n, one in enumerate(self._ring) if n and one.is_key)
            self._forget(next(later, len(self._ring)))

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._bytes -= len(self._ring.popleft().data)

    def _hear(self, newest: Coded) -> None:
        """Take up what was asked for."""
        with suppress(queue.Empty):
            while True:
                event, began_at = self._asked.get_nowait()
                wish = self._wishes.get(event)
                if began_at is not None:
                    lasted_s = max(0.0, (newest.at - began_at).total_seconds())
                    self._wishes[event] = Wish(event, self._cfg.before_s + lasted_s)
                elif wish is not None:
                    wish.ends_s = newest.time_s + self._cfg.after_s

    def _go_on(self, wish: Wish, coded: Coded) -> None:
        """Write a packet into a clip, and begin or end it where it is time."""
        try:
            if wish.file is not None:
                wish.file.write(coded)
            elif not self._begun(wish, coded):
                return
        except (OSError, av.FFmpegError) as error:
            self._complain(wish, error)
            wish.ends_s = coded.time_s
            self._finish(wish, "it could not be written")
            return
        assert wish.begun_s is not None
        if wish.ends_s is not None and coded.time_s >= wish.ends_s:
            self._finish(wish, "")
        elif coded.time_s - wish.begun_s >= self._cfg.longest_s:
            wish.ends_s = coded.time_s
            self._finish(wish, "clip.longest_s")

    def _begun(self, wish: Wish, newest: Coded) -> bool:
        """Begin a file, if there is room and a key frame to begin with."""
        if wish.ends_s is not None and newest.time_s >= wish.ends_s:
            self._wishes.pop(wish.event, None)
            return False
        keys = [number for number, one in enumerate(self._ring) if one.is_key]
        if not keys or not self._room.has_space or self._stream is None:
            return False
        since_s = newest.time_s - (0.0 if wish.parts else wish.lead_s)
        early = [number for number in keys if self._ring[number].time_s <= since_s]
        packets = list(self._ring)[early[-1] if early else keys[0] :]
        age_s = newest.time_s - packets[0].time_s
        began_at = newest.at - timedelta(seconds=age_s)
        wish.parts += 1
        part = "" if wish.parts == 1 else f"-{wish.parts}"
        path = self._folder / CLIPS / f"{wish.event}{part}.mp4"
        wish.file = ClipFile(path, self._stream, packets[0], began_at, age_s)
        wish.begun_s = packets[0].time_s if wish.begun_s is None else wish.begun_s
        self._paths.setdefault(wish.event, path.relative_to(self._folder).as_posix())
        if len(self._paths) > KNOWN_PATHS:
            del self._paths[next(iter(self._paths))]
        for one in packets:
            wish.file.write(one)
        return True

    def _finish(self, wish: Wish, reason: str) -> None:
        """End a file; the clip ends with it, unless the event goes on."""
        if wish.ends_s is not None:
            self._wishes.pop(wish.event, None)
        wish.begun_s = None
        file, wish.file = wish.file, None
        if file is None:
            return
        try:
            file.close()
            self._note(wish, file, reason)
        except (OSError, av.FFmpegError) as error:
            self._complain(wish, error)

    def _complain(self, wish: Wish, error: OSError | av.FFmpegError) -> None:
        logger.warning("the clip of %s cannot be written: %s", wish.event, error.strerror or error)
        if error.errno in NO_ROOM:
            self._room.report_full()

    def _note(self, wish: Wish, file: ClipFile, reason: str) -> None:
        length_s = file.last.time_s - file.first.time_s
        facts = {
            "event": wish.event,
            "path": file.path.relative_to(self._folder).as_posix(),
            "began_at": file.began_at.isoformat(timespec="milliseconds"),
            "seconds": round(length_s, 3),
            "frames": file.frames,
            "cut_by": reason,
        }
        with (self._folder / LIST).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(facts) + "\n")
