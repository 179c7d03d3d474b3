"""Frames that are in memory already, as one clip."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from tlae.footage.frames import Frame, Image, TimeSource, Wanted
from tlae.footage.timestamps import Timing


@dataclass(frozen=True, eq=False)
class ArrayClip:
    """Frames of one camera without a cut.

    Attributes:
        images: (N, H, W, 3) uint8, RGB.
        timing: time between frames.
        started_at: wall-clock time of the first frame; None: not known.
        name: of the clip.
    """

    images: Image
    timing: Timing
    started_at: datetime | None = None
    name: str = "frames"

    @property
    def length(self) -> int:
        """Number of frames."""
        return len(self.images)

    @property
    def time_source(self) -> TimeSource:
        """Frames are counted."""
        return TimeSource.INTERVAL

    @property
    def has_wall_clock(self) -> bool:
        """Whether ``taken_at`` is known."""
        return self.started_at is not None

    def fingerprint(self) -> Iterator[str]:
        """How times are found, then the content."""
        yield f"{TimeSource.INTERVAL} {self.timing.interval_s} {self.started_at}"
        content = np.ascontiguousarray(self.images)
        yield f"{content.shape} {hashlib.sha256(content.data).hexdigest()}"

    def settled(self) -> tuple["ArrayClip", list[str]]:
        """All of it: nothing is still being written."""
        return self, []

    def frames(
        self, start: int = 0, min_hw: tuple[int, int] | None = None, wanted: Wanted | None = None
    ) -> Iterator[Frame]:
        """Read forward; see ``Clip.frames``."""
        interval_s = self.timing.interval_s
        for number in range(start, len(self.images)):
            time_s, taken_at = number * interval_s, None
            if self.started_at is not None:
                taken_at = self.started_at + timedelta(seconds=time_s)
            if wanted is None or wanted(time_s, taken_at):
                path = f"{self.name}/{number:06d}"
                yield Frame(self.name, number, time_s, taken_at, path, self.images[number])
