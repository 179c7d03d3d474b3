"""One frame as it arrives, what is counted on the way, and what a source of frames is."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from tlae.footage.frames import OK, Image
from tlae.footage.images import Levels, decode_image

logger = logging.getLogger(__name__)


@dataclass
class Progress:
    """How files were dated so far; what a restart goes on from.

    Attributes:
        dated_by: where times of pictures come from, settled by the first one; "" before.
        is_wall: whether frames have wall-clock times, settled by the first one; None before.
        last: time of the last frame, ISO 8601, where wall-clock times are known.
        folder: of the last picture.
        pictures: that came from that folder.
    """

    dated_by: str = ""
    is_wall: bool | None = None
    last: str | None = None
    folder: str = ""
    pictures: int = 0


@dataclass(frozen=True)
class Wanted:
    """How the frames are wanted.

    Attributes:
        name: of the camera.
        interval_s: time between frames of a live camera [s].
        min_hw: frames are reduced, but not below this size [px].
        levels: of pictures of 16 bits, see ``decode_image``.
        progress: of files, where a restart goes on.
        is_new: nothing was watched so far.
    """

    name: str
    interval_s: float
    min_hw: tuple[int, int]
    levels: Levels | None
    progress: Progress
    is_new: bool


@dataclass(frozen=True, eq=False)
class Arrival:
    """One frame, or the news that a file holds no further one.

    Attributes:
        image: RGB (H, W, 3) uint8, perhaps reduced; None: there is no frame.
        when: wall-clock time, or seconds since its clip began.
        clip: name of the clip; a change of it is a cut.
        source_hw: size of the camera's picture [px].
        whole: gives the picture at its full size, for a snapshot.
        file: file that it comes from, relative to the folder; empty of a stream.
        frames_done: frames of that file that came, this one included.
        state: "ok", or why the file gave no frame.
        is_last: nothing more is in that file.
        progress: how files were dated up to this frame; None of a stream.
        at_s: when it arrived, by ``time.monotonic``.
    """

    image: Image | None
    when: datetime | float
    clip: str
    source_hw: tuple[int, int]
    whole: Callable[[], Image]
    file: str = ""
    frames_done: int = 0
    state: str = OK
    is_last: bool = False
    progress: Progress | None = None
    at_s: float = field(default_factory=time.monotonic)


@dataclass
class Counts:
    """What happened at the camera since the start; written by its reader alone.

    Attributes:
        read: frames that were to be scored.
        skipped: frames between those, of a camera that is faster than asked for.
        dropped: frames that a newer one replaced before they were scored.
        unreadable: files and pictures that gave no frame.
        reconnects: times that the camera was opened again.
        last_at_s: when the last frame came, by ``time.monotonic``; None: none has.
        trouble: why no frame comes; empty while all is well.
    """

    read: int = 0
    skipped: int = 0
    dropped: int = 0
    unreadable: int = 0
    reconnects: int = 0
    last_at_s: float | None = None
    trouble: str = ""

    def frame_came(self) -> None:
        """Count a frame that is to be scored."""
        self.read += 1
        self.last_at_s = time.monotonic()
        if self.trouble:
            logger.warning("the camera is back")
            self.trouble = ""


def camera_hw(image: Image, source_hw: tuple[int, int] | None) -> tuple[int, int]:
    """Size of the camera's picture [px], of which ``image`` may be a reduced one."""
    return source_hw or (image.shape[0], image.shape[1])


def whole_picture(data: bytes, levels: Levels | None) -> Image:
    """The picture of a file at its full size; see ``decode_image``."""
    return decode_image(data, None, levels)[0]


class Source(Protocol):
    """Frames of one camera. It is opened, read and closed by one thread alone."""

    keeps_all: bool
    """Whether every frame is to be scored; False: the newest one, whatever was there before."""

    counts: Counts

    def frames(self, stop: threading.Event) -> Iterator[Arrival | None]:
        """Frames in their order; None while there is none, so that who waits can look about.

        Raises:
            UserError: the camera cannot be opened at the start.
        """
        ...
