"""Whether frames are scored as fast as the camera sends them."""

import logging

from tlae.watching.arrival import Counts

LOOK_EVERY_S = 30.0
LEAST_READ = 20  # frames between two looks that say something
BEHIND, CLOSE = 0.1, 0.02  # share of dropped frames from which on it is said; below it, all is well

logger = logging.getLogger(__name__)


class KeepingUp:
    """Say so in the log when many frames are dropped, and when that is over.

    Args:
        counts: of the source.
        now_s: by a monotonic clock.
    """

    def __init__(self, counts: Counts, now_s: float) -> None:
        self._counts, self._looked_s = counts, now_s
        self._read, self._dropped = counts.read, counts.dropped
        self._is_behind = False

    def look(self, now_s: float) -> None:
        """Take a look, if the last one is long ago."""
        read, dropped = self._counts.read - self._read, self._counts.dropped - self._dropped
        passed_s = now_s - self._looked_s
        if passed_s < LOOK_EVERY_S or read < LEAST_READ:
            return
        self._looked_s, self._read, self._dropped = now_s, self._counts.read, self._counts.dropped
        if dropped > BEHIND * read and not self._is_behind:
            logger.warning(
                "this machine does not keep up with the camera: %d of %d frames in %.0f s were "
                "dropped, so that movement looks faster than it is; watch fewer cameras, or train "
                "on frames further apart (footage.every)",
                *(dropped, read, passed_s),
            )
            self._is_behind = True
        elif dropped < CLOSE * read and self._is_behind:
            logger.warning("this machine keeps up with the camera again")
            self._is_behind = False
