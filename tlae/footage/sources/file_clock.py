"""Seconds since a clip's first frame, also of files that do not say when they were taken."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass
class FileClock:
    """Seconds since a clip's first frame; frames without a time go on by the nominal interval."""

    interval_s: float
    first: datetime | None = None
    known_index: int = 0  # last frame whose time is known,
    known_s: float = 0.0  # and that time

    def tick(self, index: int, taken_at: datetime | None) -> float:
        """Time of the next file whose time is known, or of any further one [s]."""
        if taken_at is not None:
            if self.first is None:  # those before it were counted from the clip's first frame
                self.first = taken_at - timedelta(seconds=index * self.interval_s)
            self.known_index = index
            self.known_s = (taken_at - self.first).total_seconds()
        return round(self.known_s + (index - self.known_index) * self.interval_s, 6)
