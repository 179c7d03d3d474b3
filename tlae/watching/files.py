"""Frames of a file: a picture, or a video of any length, dated as `tlae score` dates them."""

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from tlae.footage.frames import OK, TimeSource
from tlae.footage.images import Unreadable, decode_image
from tlae.footage.sources.image_folder import FolderFiles
from tlae.footage.sources.video import VideoClip
from tlae.footage.timestamps import Timing, exif_time, parse_filename_time
from tlae.watching.arrival import Arrival, Counts, Progress, Wanted, camera_hw, whole_picture
from tlae.watching.pacing import pauses
from tlae.watching.settings import CameraConfig

logger = logging.getLogger(__name__)

ARRIVAL = "arrival"  # time of a picture: when its file was last written
LOOKED_AT = 12  # frames of a video that tell how far its frames are apart


@dataclass
class FileReader:
    """Read one file after the other.

    Attributes:
        root: folder that file names are relative to.
        cfg: how times are found.
        wanted: how the frames are wanted.
        counts: of the source.
    """

    root: Path
    cfg: CameraConfig
    wanted: Wanted
    counts: Counts = field(default_factory=Counts)
    _timing: Timing = field(init=False)

    def __post_init__(self) -> None:
        """Check how times are to be found."""
        cfg = self.cfg
        source = TimeSource.INTERVAL if cfg.time_source == ARRIVAL else cfg.time_source
        self._timing = Timing(cfg.interval_s, source, cfg.time_pattern, cfg.time_zone)

    @property
    def progress(self) -> Progress:
        """How files were dated so far."""
        return self.wanted.progress

    def picture(self, name: str, clip: str) -> Arrival:
        """The frame of a picture.

        Raises:
            Unreadable: it gives none, perhaps not yet.
        """
        path = self.root / name
        try:
            data, written_s = path.read_bytes(), path.stat().st_mtime
        except OSError as error:
            raise Unreadable((error.strerror or str(error)).lower()) from error
        image, source_hw = decode_image(data, self.wanted.min_hw, self.wanted.levels)
        when = self._dated(name, data, written_s)
        self.counts.frame_came()
        whole = partial(whole_picture, data, self.wanted.levels)
        return Arrival(
            *(image, when, clip, camera_hw(image, source_hw), whole, name, 1),
            is_last=True,
            progress=replace(self.progress),
        )

    def video(
        self, name: str, clip: str, start: int, stop: threading.Event, *, paced: bool
    ) -> Iterator[Arrival | None]:
        """Frames of a video, then the news that it is over.

        Args:
            name: of the file.
            clip: its name in events.
            start: first frame that is wanted, 0-based.
            stop: ends the reading.
            paced: at its own pace, not as fast as possible.

        Raises:
            Unreadable: it gives no frame, perhaps not yet.
        """
        film = VideoClip(clip, FolderFiles(self.root), name, self._timing)
        began_s = time.monotonic()
        done, lost, first_s = start, 0, None
        for frame in film.frames(start, self.wanted.min_hw):
            if stop.is_set():
                return
            if frame.image is None:
                lost += 1  # of a video that gives none so far, they are not counted at each try
                continue
            self.counts.unreadable, lost = self.counts.unreadable + lost, 0
            first_s = frame.time_s if first_s is None else first_s
            if paced:
                due_s = began_s + frame.time_s - first_s
                yield from pauses(stop, due_s - time.monotonic())
            self.counts.frame_came()
            done = frame.frame + 1
            shape = camera_hw(frame.image, frame.source_hw)
            whole = partial(np.asarray, frame.image)
            when = self._on_one_clock(frame.taken_at, frame.time_s)
            yield Arrival(
                *(frame.image, when, clip, shape, whole, name, done),
                progress=replace(self.progress),
            )
        if not done:
            raise Unreadable("no frame could be read")
        self.counts.unreadable += lost
        yield no_frame(name, done)

    def _dated(self, name: str, data: bytes, written_s: float) -> datetime | float:
        """Time of a picture, by what the first picture settled."""
        progress = self.progress
        progress.dated_by = progress.dated_by or self._settled(name, data)
        folder = name.rpartition("/")[0]
        if folder != progress.folder:
            progress.folder, progress.pictures = folder, 0
        progress.pictures += 1
        found = None
        if progress.dated_by == ARRIVAL:
            found = datetime.fromtimestamp(written_s)
        elif progress.dated_by == TimeSource.EXIF:
            found = exif_time(data)
        elif progress.dated_by == TimeSource.FILENAME:
            found = parse_filename_time(name, self.cfg.time_pattern)
        return self._on_one_clock(found, (progress.pictures - 1) * self._timing.interval_s)

    def _on_one_clock(self, taken_at: datetime | None, time_s: float) -> datetime | float:
        """Wall-clock times throughout, or seconds throughout, as the first frame has them."""
        progress = self.progress
        if progress.is_wall is None:
            progress.is_wall = taken_at is not None
        if not progress.is_wall:
            return round(time_s, 6)
        if taken_at is None:
            last = (
                datetime.now() if progress.last is None else datetime.fromisoformat(progress.last)
            )
            taken_at = last + timedelta(seconds=self._timing.interval_s)
        progress.last = taken_at.isoformat()
        return taken_at

    def _settled(self, name: str, data: bytes) -> str:
        asked = self.cfg.time_source
        if asked != "auto":
            return asked
        if self.cfg.time_pattern is None and exif_time(data):
            return str(TimeSource.EXIF)
        if parse_filename_time(name, self.cfg.time_pattern):
            return str(TimeSource.FILENAME)
        if self.cfg.interval_s is not None:
            return str(TimeSource.INTERVAL)
        logger.warning(
            "note: %s has no date in its name or EXIF: pictures are dated by the time at which "
            "their file was written; camera.interval_s=SECONDS gives them a fixed pace",
            name,
        )
        return ARRIVAL


def film_interval_s(path: Path, cfg: CameraConfig) -> float:
    """Median time between the first frames of a video [s]; 0 where it has but one."""
    timing = Timing(cfg.interval_s, cfg.time_source, cfg.time_pattern, cfg.time_zone)
    film = VideoClip(path.stem, FolderFiles(path.parent), path.name, timing)
    times_s = [frame.time_s for frame in islice(film.frames(min_hw=(1, 1)), LOOKED_AT)]
    return float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0


def no_frame(name: str, done: int = 0, state: str = OK) -> Arrival:
    """The news that nothing more is in a file.

    Args:
        name: of the file.
        done: frames of it that came.
        state: "ok", or why it gave none.
    """
    nothing = np.zeros((0, 0, 3), np.uint8)
    whole = partial(np.asarray, nothing)
    return Arrival(None, 0.0, "", (0, 0), whole, name, done, state, is_last=True)
