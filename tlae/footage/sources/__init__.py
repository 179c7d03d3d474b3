"""All kinds of footage behind one door: ``open_footage``."""

import hashlib
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tlae.errors import FootageError
from tlae.footage.frames import Clip, Frame, TimeSource
from tlae.footage.images import IMAGE_SUFFIXES, Levels
from tlae.footage.sampling import SampledClip, parse_sampling, require_wall_clock
from tlae.footage.sources.archive import list_archive, own_folder
from tlae.footage.sources.arrays import ArrayClip
from tlae.footage.sources.clip_folder import clips_of
from tlae.footage.sources.exclusion import left_out_line, parse_exclude, without_excluded
from tlae.footage.sources.image_folder import Files, FolderFiles, ImageClip
from tlae.footage.sources.listing import VIDEO_SUFFIXES, Tree, is_footage, walk
from tlae.footage.sources.lookup import has_wildcard, match, nothing_there, nothing_usable
from tlae.footage.sources.video import VideoClip
from tlae.footage.timestamps import Timing

ARCHIVE_SUFFIX = ".zip"
IN_MEMORY = "frames in memory"  # spec of such footage

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Footage:
    """Clips of one camera.

    Attributes:
        spec: what the user named.
        clips: in natural order of their names.
        waiting: paths of files that were still being written, and are left for the next time.
        reading: arguments of ``open_footage`` that it was opened with, by name.
    """

    spec: str
    clips: tuple[Clip, ...]
    waiting: tuple[str, ...] = ()
    reading: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Short name for run folders: the last part of ``spec`` that is no pattern or suffix."""
        path = _fixed_part(_at_home(self.spec))
        known = path.suffix.lower() in {*IMAGE_SUFFIXES, *VIDEO_SUFFIXES, ARCHIVE_SUFFIX}
        leaf = path.stem if known else path.name
        if leaf in ("", ".", ".."):
            leaf = path.resolve().name
        return re.sub(r"[^\w.-]+", "_", leaf).strip("._") or "footage"

    def fingerprint(self) -> str:
        """Changes with any file's name, size or modification time, not with the place of the root.

        Returns:
            sha256, 64 hexadecimal digits.
        """
        digest = hashlib.sha256()
        for clip in self.clips:
            for line in (f"clip {clip.name}", *clip.fingerprint()):
                digest.update(f"{line}\n".encode())
        return digest.hexdigest()

    def settled(self) -> "Footage":
        """Without what is still being written; as it is where nothing else would remain.

        Looks at the last file of each clip; may wait a moment to see whether a video grows.
        """
        parts = [clip.settled() for clip in self.clips]
        clips = tuple(clip for clip, _ in parts if clip is not None)
        if not clips:
            return self
        return replace(self, clips=clips, waiting=tuple(path for _, left in parts for path in left))

    def with_levels(self, levels: Levels | None) -> "Footage":
        """The same, with stills of 16 bits or floating-point numbers mapped by these levels."""
        return replace(self, clips=tuple(_with_levels(clip, levels) for clip in self.clips))

    def frames(self, min_hw: tuple[int, int] | None = None) -> Iterator[Frame]:
        """Read all clips forward, one after the other; see ``Clip.frames``."""
        for clip in self.clips:
            yield from clip.frames(min_hw=min_hw)


def open_footage(
    spec: str,
    *,
    interval_s: float | None = None,
    time_source: str = "auto",
    time_pattern: str | None = None,
    time_zone: str | None = None,
    every: str | None = None,
    start: str | None = None,
    end: str | None = None,
    hours: str | None = None,
    exclude: str | None = None,
) -> Footage:
    """Find the clips that ``spec`` names. Nothing is decoded yet.

    Args:
        spec: a folder (of pictures, videos and folders of them, at any depth), a picture, a video,
            a zip file of any of these, or a glob pattern; ``~`` is the home folder.
        interval_s: time between frames where nothing better is known; None: 0.1 s, unless
            something asked for needs to know it.
        time_source: where the times of stills come from: ``auto`` (the most trusted that a clip has
            throughout), ``exif``, ``filename`` or ``interval``. A video has its own, unless
            ``interval`` is asked for.
        time_pattern: strptime form of date and time in file names;
            with "/", of the last
            parts of paths. None tries the common ones.
        time_zone: of the camera's clock, for times that videos hold in UTC; None: this machine's.
        every: time between the frames that are read, see ``sampling.parse_sampling`` for all four.
        start: first moment that is read.
        end: end of what is read.
        hours: of the day that are read.
        exclude: patterns of files that are no footage, see ``exclusion.parse_exclude``.

    Raises:
        FootageError: nothing usable is there, or an argument is wrong.
    """
    timing = Timing(interval_s, time_source, time_pattern, time_zone)
    sampling = parse_sampling(every, start, end, hours)
    if not spec.strip():
        raise FootageError("footage.path must name a folder, file or glob pattern, got nothing")
    try:
        clips = _find_clips(spec, timing, exclude)
    except OSError as error:
        raise FootageError(
            f"footage.path must be readable, got {spec!r}: {error.strerror or error}; "
            "check its name and its permissions"
        ) from error
    if len(clips) == 1 and isinstance(clips[0], VideoClip):
        clips[0].require_readable()
    if timing.asked in (TimeSource.EXIF, TimeSource.FILENAME):
        for clip in clips:
            _ = clip.time_source  # raises where it is not there
    if sampling.every_s is not None:
        require_pace(clips, "footage.every")
    if sampling:
        require_wall_clock(clips, sampling)
        clips = tuple(SampledClip(clip, sampling) for clip in clips)
    reading = {
        "interval_s": interval_s,
        "time_source": time_source,
        "time_pattern": time_pattern,
        "time_zone": time_zone,
        "every": every,
        "start": start,
        "end": end,
        "hours": hours,
        "exclude": exclude,
    }
    return Footage(spec, clips, reading=reading)


def array_footage(
    frames: npt.NDArray[np.generic] | Iterable[npt.NDArray[np.generic]],
    interval_s: float | None = None,
    started_at: datetime | None = None,
) -> Footage:
    """Footage of frames in memory.

    Args:
        frames: (N, H, W) grey or (N, H, W, 3) RGB, uint8; or an iterable of such frames, which is
            read into memory: long footage is better named by its path, or pushed into ``Live``.
        interval_s: time between frames [s]; None: 0.1, unless something needs to know it.
        started_at: wall-clock time of the first frame.

    Raises:
        FootageError: there are no frames, or they are of another type or shape.
    """
    try:
        images = frames if isinstance(frames, np.ndarray) else _stacked(list(frames))
    except ValueError as error:
        raise FootageError(f"frames must be arrays of one shape, got: {error}") from error
    except TypeError as error:
        raise FootageError(f"footage must be a path or frames, got {frames!r}") from error
    if images.dtype != np.uint8:
        raise FootageError(f"frames must be of type uint8, got {images.dtype}; convert them")
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim == 3:
        images = np.repeat(images[..., None], 3, axis=-1)
    if images.ndim != 4 or images.shape[-1] != 3 or not images.size:
        raise FootageError(
            f"frames must be (N, H, W) or (N, H, W, 3) with N >= 1, got {images.shape}"
        )
    if started_at is not None and not isinstance(started_at, datetime):
        raise FootageError(f"started_at must be a datetime, got {started_at!r}")
    timing = Timing(interval_s, TimeSource.INTERVAL, None, None)
    return Footage(IN_MEMORY, (ArrayClip(images.astype(np.uint8, copy=False), timing, started_at),))


def _stacked(frames: list[npt.NDArray[np.generic]]) -> npt.NDArray[np.generic]:
    return np.stack(frames) if frames else np.empty(0, np.uint8)  # refused by its shape


def require_pace(clips: Iterable[Clip], asking: str) -> None:
    """Refuse what is counted in seconds or days for stills whose pace nobody said.

    Args:
        clips: of a footage.
        asking: the setting that needs to know it.

    Raises:
        FootageError: a clip of several frames has no times, and no interval was given.
    """
    for sampled in clips:
        clip = sampled.clip if isinstance(sampled, SampledClip) else sampled
        if (
            isinstance(clip, ImageClip | VideoClip | ArrayClip)
            and clip.timing.pace_s is None
            and clip.time_source == TimeSource.INTERVAL
            and clip.length != 1
        ):
            raise FootageError(
                f"{asking} needs the time between frames, clip {clip.name} has no times and "
                "footage.interval_s is not given; give it in seconds, or footage.time_pattern"
            )


def _with_levels(clip: Clip, levels: Levels | None) -> Clip:
    if isinstance(clip, SampledClip):
        return replace(clip, clip=_with_levels(clip.clip, levels))
    return replace(clip, levels=levels) if isinstance(clip, ImageClip) else clip


def _find_clips(spec: str, timing: Timing, exclude: str | None) -> tuple[Clip, ...]:
    parse_exclude(exclude)  # refuse it before a large tree is listed
    path = _at_home(spec).absolute()
    tree, files = _listed(spec, path)
    tree, left_out = without_excluded(tree, exclude)
    if not tree:
        raise FootageError(nothing_usable(spec, path, left_out))
    if left_out:
        logger.warning("%s: %s", path, left_out_line(left_out))
    own = own_folder(tree, path) if path.suffix.lower() == ARCHIVE_SUFFIX else ""
    return clips_of(tree, files, Footage(spec, ()).name, timing, own)


def _listed(spec: str, path: Path) -> tuple[Tree, Files]:
    """All files of the kinds of footage that ``spec`` names, and where they lie."""
    if path.is_dir():
        return walk(path), FolderFiles(path)
    if path.is_file() and path.suffix.lower() == ARCHIVE_SUFFIX:
        return list_archive(path)
    if path.is_file():
        return ({"": [path.name]} if is_footage(path.name) else {}), FolderFiles(path.parent)
    if not has_wildcard(spec):
        raise FootageError(nothing_there(spec, path))
    root = _fixed_part(path)
    if not root.is_dir():
        raise FootageError(nothing_there(spec, root))
    return match(path, root), FolderFiles(root)


def _at_home(spec: str) -> Path:
    """``~`` and ``~user`` replaced, where there is such a user."""
    try:
        return Path(spec).expanduser()
    except RuntimeError:
        return Path(spec)


def _fixed_part(path: Path) -> Path:
    """The folders before the first pattern; the path itself where it is none."""
    if path.exists():
        return path
    parts = path.parts
    fixed = next((n for n, part in enumerate(parts) if has_wildcard(part)), len(parts))
    return Path(*parts[:fixed])
