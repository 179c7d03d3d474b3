"""A run of stills as one clip, and the folder on disk that holds them."""

import io
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Protocol

from tlae.footage.frames import OK, Frame, Image, TimeSource, Wanted
from tlae.footage.images import Levels, Unreadable, decode_image, further_pictures
from tlae.footage.sources.file_clock import FileClock
from tlae.footage.sources.file_order import is_disordered, order_by_time
from tlae.footage.sources.listing import join
from tlae.footage.timestamps import (
    Timing,
    choose_source,
    exif_time,
    parse_filename_time,
    probes,
)
from tlae.number_words import how_many

FRESH_S = 10.0  # a file changed since then that cannot be read is taken to be still being written

logger = logging.getLogger(__name__)

Read = Callable[[str], bytes]


class Files(Protocol):
    """Where a clip's files lie. Their names are relative to the footage's root."""

    def shown(self, name: str) -> str:
        """The path that users see and can open again."""
        ...

    def facts(self, folder: str, names: Iterable[str]) -> Iterator[str]:
        """One line per file of a folder: name and what changes with its content."""
        ...

    def age_s(self, name: str) -> float:
        """Seconds since a file was last written; infinite where that is not known."""
        ...

    def reader(self) -> AbstractContextManager[Read]:
        """Opens whatever has to be open while files are read; bad files raise ``Unreadable``."""
        ...

    def stream(self, name: str) -> AbstractContextManager[str | io.RawIOBase]:
        """A file for PyAV: its path, or an open seekable stream."""
        ...


@dataclass(frozen=True)
class FolderFiles:
    """Files below a folder on disk."""

    root: Path

    def shown(self, name: str) -> str:
        """Path on disk; bytes of a foreign encoding are replaced, so that tables can hold it."""
        return printable(str(self.root / name))

    def facts(self, folder: str, names: Iterable[str]) -> Iterator[str]:
        """Name, size in bytes, modification time in nanoseconds."""
        place = self.root / folder
        for name in names:
            yield printable(f"{join(folder, name)} {_facts(f'{place}/{name}')}")

    def age_s(self, name: str) -> float:
        """By the modification time; a clock that runs a little ahead does not matter."""
        try:
            return abs(time.time() - (self.root / name).stat().st_mtime)
        except OSError:
            return float("inf")

    @contextmanager
    def reader(self) -> Iterator[Read]:
        """Nothing stays open between files."""
        yield self._read

    @contextmanager
    def stream(self, name: str) -> Iterator[str]:
        """Path on disk."""
        yield str(self.root / name)

    def _read(self, name: str) -> bytes:
        try:
            return (self.root / name).read_bytes()
        except OSError as error:
            raise Unreadable((error.strerror or str(error)).lower()) from error


@dataclass(frozen=True)
class ImageClip:
    """Stills of one folder in their order.

    Attributes:
        name: see ``Clip``.
        files: where they lie.
        folder: relative to the footage's root, "" for the root itself.
        names: file names in it, in natural order; frames come in the order of their times.
        timing: how their times are found.
        levels: see ``decode_image``.
    """

    name: str
    files: Files
    folder: str
    names: tuple[str, ...]
    timing: Timing
    levels: Levels | None = None

    @property
    def length(self) -> int:
        """Number of files."""
        return len(self.names)

    @cached_property
    def time_source(self) -> TimeSource:
        """Settled on first use; see ``choose_source``."""
        with self.files.reader() as read:
            return choose_source(
                *(self.timing, self.name, [join(self.folder, name) for name in self.names]),
                lambda member: _content(read, member),
            )

    @cached_property
    def ordered(self) -> tuple[str, ...]:
        """File names in the order of time; of EXIF data, all are read if some show disorder."""
        if self.time_source == TimeSource.INTERVAL:
            return self.names
        with self.files.reader() as read:
            for some in (probes(self.names), self.names):
                members = [join(self.folder, name) for name in some]
                by_exif = self.time_source == TimeSource.EXIF
                times = [
                    self._taken_at(member, _content(read, member) if by_exif else None)
                    for member in members
                ]
                if by_exif and some is not self.names and not is_disordered(some, times):
                    return self.names
        return tuple(self.names[place] for place in order_by_time(self.names, times))

    @property
    def has_wall_clock(self) -> bool:
        """Unless frames are only counted."""
        return self.time_source != TimeSource.INTERVAL

    def fingerprint(self) -> Iterator[str]:
        """How times are found, then one line per file."""
        yield f"{self.time_source} {self.timing.interval_s} {self.timing.pattern}"
        yield from self.files.facts(self.folder, self.ordered)

    def settled(self) -> "tuple[ImageClip | None, list[str]]":
        """Without the last files where they are fresh and give no whole picture."""
        names, left = list(self.ordered), list[str]()
        with self.files.reader() as read:
            while names and self._is_being_written(read, names[-1]):
                left.append(names.pop())
        if not left:
            return self, []
        kept = tuple(name for name in self.names if name not in left)
        paths = [self.files.shown(join(self.folder, name)) for name in reversed(left)]
        return (replace(self, names=kept) if kept else None), paths

    def frames(
        self, start: int = 0, min_hw: tuple[int, int] | None = None, wanted: Wanted | None = None
    ) -> Iterator[Frame]:
        """Read forward; a bad file becomes a frame without an image and is counted in the log."""
        reasons, further = Counter[str](), Counter[str]()
        with self.files.reader() as read:
            clock = self._clock(read, start)
            for index in range(start, len(self.names)):
                frame = self._frame(read, clock, index, min_hw, wanted, further)
                if frame is None:
                    continue
                if frame.image is None:
                    reasons[frame.state] += 1
                yield frame
        if reasons:
            listed = ", ".join(f"{reason}: {count}" for reason, count in reasons.most_common())
            logger.warning(
                "clip %s: %d of %s unreadable (%s)",
                *(self.name, reasons.total(), how_many(len(self.names) - start, "frame"), listed),
            )
        if further:
            logger.warning(
                "clip %s: not read: %s (animations, pages) in %s, the first is %s; make a video or "
                "single pictures of them",
                *(self.name, how_many(further.total(), "further picture")),
                *(how_many(len(further), "file"), next(iter(further))),
            )

    def _frame(
        self,
        read: Read,
        clock: FileClock,
        index: int,
        min_hw: tuple[int, int] | None,
        wanted: Wanted | None,
        further: Counter[str],
    ) -> Frame | None:
        """One frame, None where it is not wanted; read only if wanted or needed for its time.

        Counts in ``further`` what a file holds beside its first picture.
        """
        member = join(self.folder, self.ordered[index])
        by_exif = self.time_source == TimeSource.EXIF
        content = _load(read, member) if by_exif else None
        taken_at = self._taken_at(member, content if isinstance(content, bytes) else None)
        time_s = clock.tick(index, taken_at)
        if wanted is not None and not wanted(time_s, taken_at):
            return None
        path = self.files.shown(member)
        content = _load(read, member) if content is None else content
        image, source_hw, state = _decoded(content, min_hw, self.levels)
        if isinstance(content, bytes) and (more := further_pictures(content)):
            further[path] = more
        if image is None:
            logger.info("%s: %s", path, state)
        return Frame(self.name, index, time_s, taken_at, path, image, state, source_hw)

    def _is_being_written(self, read: Read, name: str) -> bool:
        member = join(self.folder, name)
        fresh = self.files.age_s(member) < FRESH_S
        return fresh and _decoded(_load(read, member), (1, 1), self.levels)[0] is None

    def _taken_at(self, member: str, data: bytes | None) -> datetime | None:
        """Time of one file under the clip's source; ``data`` is its content, if readable."""
        if self.time_source == TimeSource.FILENAME:
            return parse_filename_time(member, self.timing.pattern)
        if self.time_source == TimeSource.EXIF:
            return exif_time(data or b"")
        return None

    def _clock(self, read: Read, start: int) -> FileClock:
        """The clock before frame ``start``: as if all frames from the first had been read."""
        clock = FileClock(self.timing.interval_s)
        if self.time_source == TimeSource.INTERVAL or start == 0:
            return clock

        def time_of(index: int) -> datetime | None:
            with_content = self.time_source == TimeSource.EXIF
            member = join(self.folder, self.ordered[index])
            return self._taken_at(member, _content(read, member) if with_content else None)

        for index in range(min(start, len(self.names))):
            taken_at = time_of(index)
            clock.tick(index, taken_at)
            if taken_at is not None:
                break
        for index in range(min(start, len(self.names)) - 1, 0, -1):
            if (taken_at := time_of(index)) is not None:
                clock.tick(index, taken_at)
                break
        return clock


def _content(read: Read, member: str) -> bytes | None:
    try:
        return read(member)
    except Unreadable:
        return None


def _load(read: Read, member: str) -> bytes | Unreadable:
    """Content of a file, or why there is none."""
    try:
        return read(member)
    except Unreadable as problem:
        return problem


def _decoded(
    content: bytes | Unreadable, min_hw: tuple[int, int] | None, levels: Levels | None
) -> tuple[Image | None, tuple[int, int] | None, str]:
    """Picture, size of the whole picture where it was reduced, state."""
    try:
        if isinstance(content, Unreadable):
            raise content
        return *decode_image(content, min_hw, levels), OK
    except Unreadable as problem:
        return None, None, problem.reason


def _facts(path: str) -> str:
    try:
        found = os.stat(path)  # noqa: PTH116 -- a million files: no Path for each
    except OSError:  # gone since, or a link to nowhere
        return "missing"
    return f"{found.st_size} {found.st_mtime_ns}"


def printable(text: str) -> str:
    """Names of a foreign encoding as text that files can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
