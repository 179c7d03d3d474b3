"""What a frame and a clip are: the one form in which every kind of footage arrives."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

Wanted = Callable[[float, datetime | None], bool]
"""Asked about each frame of a clip in order, with ``time_s`` and ``taken_at``: is it to be read?"""

OK = "ok"  # state of a frame that was read; any other but ``WARM_UP`` is the reason why it was not
WARM_UP = "warm-up"  # state of a frame that the net sees before its first window is full
READ = (OK, WARM_UP)  # states of frames that can be seen


class TimeSource(StrEnum):
    """Where the times of a clip come from, most trusted first."""

    CONTAINER = "container"  # presentation time stamps of a video file
    EXIF = "exif"  # DateTimeOriginal
    FILENAME = "filename"
    INTERVAL = "interval"  # nothing better known: frame number times a nominal interval


@dataclass(frozen=True, slots=True)
class Frame:
    """One moment of one clip.

    Attributes:
        clip: name of the clip, unique in its footage, "/"-separated, usable as a file name part.
        frame: 0-based position in the clip; unreadable frames keep their position.
        time_s: seconds since the clip's first frame; irregular intervals and gaps are kept.
        taken_at: wall-clock time as the camera wrote it (no time zone), if known.
        path: file, or ``archive.zip::member``.
        image: RGB ``(H, W, 3)`` uint8, or None where the frame could not be read.
        state: ``"ok"``, or why there is no image.
        source_hw: size of the camera's picture in pixels, where ``image`` may be reduced; None: as
            ``image`` is.
    """

    clip: str
    frame: int
    time_s: float
    taken_at: datetime | None
    path: str
    image: Image | None
    state: str = OK
    source_hw: tuple[int, int] | None = None


class Clip(Protocol):
    """A run of frames in their order, from one camera without a cut."""

    @property
    def name(self) -> str:
        """Unique in its footage."""
        ...

    @property
    def length(self) -> int | None:
        """Number of frames if known without decoding; for a video only an estimate, or None."""
        ...

    @property
    def time_source(self) -> TimeSource:
        """Where ``time_s`` and ``taken_at`` come from."""
        ...

    @property
    def has_wall_clock(self) -> bool:
        """Whether ``taken_at`` is known."""
        ...

    def fingerprint(self) -> Iterator[str]:
        """How times are found, then one line per file: name, size, modification time.

        Lines change when the content does; files that are added at the end add lines at the end.
        """
        ...

    def settled(self) -> "tuple[Clip | None, list[str]]":
        """The clip without its last files while these are being written, and their paths.

        None where nothing remains.
        """
        ...

    def frames(
        self, start: int = 0, min_hw: tuple[int, int] | None = None, wanted: Wanted | None = None
    ) -> Iterator[Frame]:
        """Read forward.

        Args:
            start: 0-based first frame to yield.
            min_hw: the caller shrinks frames to this size: larger pictures may arrive at reduced
                size, never smaller than this. None keeps the source's size.
            wanted: frames for which it says no are neither decoded nor yielded; the others keep
                their position.
        """
        ...
