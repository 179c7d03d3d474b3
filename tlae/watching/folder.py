"""A folder that fills, and a single file: every frame once, in order.

The folder is looked at every now and then, because network shares announce nothing. What was scored
stands in a ledger of our own: a share that drops out looks empty, and comes back as a storm of new
files. A name is scored once, whatever its size or time say later.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tlae.errors import UserError
from tlae.footage.images import Unreadable
from tlae.footage.sources.listing import (
    folder_key,
    is_image,
    is_video,
    join,
    natural_key,
    unread_kind,
    walk,
)
from tlae.watching.arrival import Arrival
from tlae.watching.files import FileReader, no_frame
from tlae.watching.pacing import pauses
from tlae.watching.settings import CameraConfig

MOST_KNOWN = 200_000  # names kept in mind; the ledger knows all
TRY_EVERY_S = 10.0  # whether a file that rests decodes by now
GIVE_UP_S = 60.0  # a file that rests so long and does not decode is damaged

FramesDone = Callable[[str], int | None]
"""Frames of a file that were scored; None: it is done with. 0 for a file that is not known."""

logger = logging.getLogger(__name__)


@dataclass
class _Candidate:
    """A file that may still be growing."""

    size: int
    written_ns: int
    since_s: float  # of this size and time
    tried_s: float = -math.inf  # when it last did not decode


class FileSource:
    """One video file.

    Args:
        path: of it.
        reader: of files in its folder.
        frames_done: see ``FramesDone``.
        fast: as fast as possible, not at its own pace.
    """

    keeps_all = True

    def __init__(
        self, path: Path, reader: FileReader, frames_done: FramesDone, *, fast: bool
    ) -> None:
        self.counts, self._fast = reader.counts, fast
        self._path, self._reader, self._frames_done = path, reader, frames_done

    def frames(self, stop: threading.Event) -> Iterator[Arrival | None]:
        """Frames to the end of the file; see ``Source``."""
        done = self._frames_done(self._path.name)
        if done is None:
            return
        clip, paced = self._path.stem, not self._fast
        try:
            yield from self._reader.video(self._path.name, clip, done, stop, paced=paced)
        except Unreadable as problem:
            raise UserError(
                f"camera must be a video that can be read, got {self._path}: {problem.reason}"
            ) from problem


class FolderSource:
    """Pictures and videos that appear in a folder and in folders below it.

    Args:
        root: the folder.
        cfg: how often to look, and when a file is whole.
        reader: of its files.
        frames_done: see ``FramesDone``.
        leave_out: what lies there already is not scored.
    """

    keeps_all = True

    def __init__(
        self,
        root: Path,
        cfg: CameraConfig,
        reader: FileReader,
        frames_done: FramesDone,
        *,
        leave_out: bool,
    ) -> None:
        self.counts = reader.counts
        self._root, self._cfg, self._reader = root, cfg, reader
        self._frames_done, self._leave_out = frames_done, leave_out
        self._known: set[str] = set()  # files that are done with
        self._unlisted: set[str] = set()  # folders that cannot be listed
        self._growing: dict[str, _Candidate] = {}

    def frames(self, stop: threading.Event) -> Iterator[Arrival | None]:
        """Frames of files as they become whole; see ``Source``."""
        if self._leave_out:
            for name in self._listed():
                yield no_frame(name, state="was there before")
                self._known.add(name)
        while not stop.is_set():
            for name in self._whole_files():
                yield from self._of_file(name, stop)
                if stop.is_set():
                    return
            yield from pauses(stop, self._cfg.poll_s)

    def _listed(self) -> list[str]:
        """Files of footage, in order; nothing where the folder is away."""
        try:
            tree = walk(self._root, known=self._unlisted)
        except OSError as error:
            trouble = (
                f"folder {self._root} cannot be read: {(error.strerror or str(error)).lower()}"
            )
            if trouble != self.counts.trouble:
                logger.warning("%s; trying again", trouble)
                self.counts.reconnects += 1
            self.counts.trouble = trouble
            return []
        if self.counts.trouble:
            logger.warning("folder %s is back", self._root)
            self.counts.trouble = ""
        folders = sorted(tree, key=folder_key)
        return [join(one, name) for one in folders for name in sorted(tree[one], key=natural_key)]

    def _whole_files(self) -> Iterator[str]:
        """New files that rest, in order; one that grows holds back those after it in its folder."""
        names = self._listed()
        if self.counts.trouble:
            return
        if len(self._known) > MOST_KNOWN:
            self._known &= set(names)
        self._growing = {name: self._growing[name] for name in names if name in self._growing}
        held_back = set[str]()
        for name in names:
            if name in self._known:
                continue
            if name not in self._growing and self._frames_done(name) is None:
                self._known.add(name)
                continue
            folder = name.rpartition("/")[0]
            if not self._rests(name):
                held_back.add(folder)
            elif folder not in held_back and self._is_due(name):
                yield name

    def _rests(self, name: str) -> bool:
        """Whether size and time of a file have not changed for a while."""
        now_s = time.monotonic()
        try:
            facts = (self._root / name).stat()
        except OSError:  # gone again
            return False
        before = self._growing.get(name)
        if before is None or (before.size, before.written_ns) != (facts.st_size, facts.st_mtime_ns):
            self._growing[name] = _Candidate(facts.st_size, facts.st_mtime_ns, now_s)
        return now_s - self._growing[name].since_s >= self._cfg.rest_s

    def _is_due(self, name: str) -> bool:
        """Whether a file that rests is tried now, which may have failed before."""
        return time.monotonic() - self._growing[name].tried_s >= TRY_EVERY_S

    def _of_file(self, name: str, stop: threading.Event) -> Iterator[Arrival | None]:
        """Frames of a file, once it decodes; one that never does is done with after a while."""
        try:
            if unread_kind(name) is not None:
                raise Unreadable("of a kind that is not read")
            if is_video(name):
                clip, done = name.rpartition(".")[0], self._frames_done(name) or 0
                yield from self._reader.video(name, clip, done, stop, paced=False)
                if stop.is_set():
                    return
            elif is_image(name):
                clip = name.rpartition("/")[0] or self._root.name
                yield self._reader.picture(name, clip)
        except Unreadable as problem:
            growing, now_s = self._growing[name], time.monotonic()
            growing.tried_s = now_s
            if now_s - growing.since_s < GIVE_UP_S + self._cfg.rest_s:
                return
            logger.warning("%s left out: %s", self._root / name, problem.reason)
            self.counts.unreadable += 1
            yield no_frame(name, state=problem.reason)
        self._known.add(name)
        self._growing.pop(name, None)
