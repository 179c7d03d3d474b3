"""What is kept of pictures and videos: by age, by size, and when the disk is full."""

import logging
import math
import shutil
import time
from pathlib import Path

from tlae.errors import UserError
from tlae.watching.settings import DROP_OLDEST, STOP, KeepConfig

SNAPSHOTS, CLIPS = "snapshots", "clips"  # folders in that of the watch
PATTERNS = {SNAPSHOTS: "E*.jpg", CLIPS: "E*.mp4"}
LOOK_EVERY_S, TIDY_EVERY_S = 5.0, 60.0
BEING_WRITTEN_S = 10.0  # a file that changed since is not deleted
DAY_S, MEGABYTE = 86_400.0, 1_000_000

logger = logging.getLogger(__name__)


class Room:
    """Keep the folder of a watch within its limits.

    Args:
        folder: of the watch.
        keep: the limits.

    Attributes:
        has_space: whether there is room for a further clip; any thread may read it.
    """

    def __init__(self, folder: Path, keep: KeepConfig) -> None:
        self._folder, self._keep = folder, keep
        self._looked_s = self._tidied_s = -math.inf
        self.has_space, self._was_full = True, False

    def report_full(self) -> None:
        """The disk took no further byte; any thread may say so."""
        self.has_space = False
        self._looked_s = -math.inf

    def look(self) -> None:
        """Delete what is too old or too much, and do what was asked for on a full disk.

        Raises:
            UserError: the disk is full, and the watch is to stop then.
        """
        now_s = time.monotonic()
        if now_s - self._looked_s < LOOK_EVERY_S:
            return
        self._looked_s = now_s
        try:
            if now_s - self._tidied_s >= TIDY_EVERY_S:
                self._tidied_s = now_s
                self._tidy()
            has_space = self._make_space()
        except OSError as error:
            logger.warning("%s cannot be looked at: %s", self._folder, error.strerror or error)
            return
        self.has_space = has_space
        self._say(is_full=not has_space)

    def _tidy(self) -> None:
        keep = self._keep
        for name, most_mb in ((SNAPSHOTS, keep.snapshots_mb), (CLIPS, keep.clips_mb)):
            left = most_mb * MEGABYTE
            for size, written_s, path in reversed(self._files(name)):  # newest first
                left -= size
                if left < 0 or time.time() - written_s > keep.days * DAY_S:
                    path.unlink(missing_ok=True)

    def _make_space(self) -> bool:
        """Whether so much is free as is wanted, perhaps after the oldest files were deleted."""
        wanted = self._keep.free_mb * MEGABYTE
        missing = wanted - shutil.disk_usage(self._folder).free
        if missing <= 0 or self._keep.disk_full != DROP_OLDEST:
            return missing <= 0
        deleted = 0
        for size, written_s, path in (*self._files(CLIPS), *self._files(SNAPSHOTS)):
            if missing <= 0:
                break
            if time.time() - written_s > BEING_WRITTEN_S:
                path.unlink(missing_ok=True)
                missing -= size
                deleted += 1
        if deleted:
            logger.warning("the disk is full: the %d oldest clips and snapshots deleted", deleted)
        return shutil.disk_usage(self._folder).free >= wanted

    def _say(self, *, is_full: bool) -> None:
        if is_full == self._was_full:
            return
        self._was_full = is_full
        free = f"less than keep.free_mb={self._keep.free_mb:g} MB are free on the disk"
        if not is_full:
            logger.warning("there is room on the disk again")
        elif self._keep.disk_full == STOP:
            raise UserError(f"{free} of {self._folder}; free some, or give another keep.disk_full")
        else:
            logger.warning("%s of %s: no clips until there is room", free, self._folder)

    def _files(self, name: str) -> list[tuple[int, float, Path]]:
        """Size, time of the last change and path of what we wrote, oldest first."""
        found = []
        for path in (self._folder / name).glob(PATTERNS[name]):
            facts = path.stat()
            found.append((facts.st_size, facts.st_mtime, path))
        return sorted(found, key=lambda one: one[1])
