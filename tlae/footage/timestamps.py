"""When a still was taken: EXIF, then the file name, then frame number times a nominal interval.

A video's own time stamps are trusted more than any of these; they are read in ``sources/video.py``.
"""

import io
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from math import isfinite

from PIL import Image as Pillow

from tlae.errors import FootageError
from tlae.footage.frames import TimeSource

AUTO = "auto"
CHOICES = (AUTO, TimeSource.EXIF, TimeSource.FILENAME, TimeSource.INTERVAL)
EARLIEST_YEAR = 1990  # before digital cameras: an unset clock, or a number that is no date

_EXIF_BLOCK, _TAKEN, _TAKEN_FRACTION = 0x8769, 0x9003, 0x9291  # DateTimeOriginal, SubSec of it

# 2023-06-13T03_11_46, 20230613_031146, 2023-06-13_03-11-46-123, 20230613031146123, 2023-06-13 03.11
_COMMON = re.compile(
    r"(?=(?<!\d)((?:19|20)\d\d)[-_.:]?(\d\d)[-_.:]?(\d\d)(?:[-_. T]{0,3}| at )"
    r"(\d\d)[-_.:h]?(\d\d)(?:[-_.:m]?(\d\d)(?:s?[-_.,]?(\d{6}|\d{3}))?)?(?!\d))",
    re.ASCII,
)

_DIRECTIVES = {
    "Y": r"\d{4}",
    "y": r"\d{2}",
    "j": r"\d{3}",
    "f": r"\d{1,6}",
    "b": r"[^\W\d_]+\.?",
    "B": r"[^\W\d_]+",
    "p": r"[AaPp][Mm]",
    "%": "%",
    **dict.fromkeys("mdHIMS", r"\d{1,2}"),
}


@dataclass(frozen=True)
class Timing:
    """How the times of stills are to be found.

    Attributes:
        interval_s: time between frames where nothing better is known.
        source: ``auto``, or one of ``exif``, ``filename``, ``interval`` for every clip.
        pattern: strptime form of the date and time in file names, None for the common ones. Giving
            one is asking for file names.
    """

    interval_s: float = 0.1
    source: str = AUTO
    pattern: str | None = None

    def __post_init__(self) -> None:
        if not (isfinite(self.interval_s) and self.interval_s > 0):
            raise FootageError(
                f"footage.interval_s must be > 0 seconds, got {self.interval_s}; "
                "give the time between two frames"
            )
        if self.source not in CHOICES:
            near = get_close_matches(self.source, CHOICES, 1, 0.4)
            raise FootageError(
                f"footage.time_source must be one of {', '.join(CHOICES)}, got {self.source!r}"
                + (f"; did you mean {near[0]}?" if near else "")
            )
        if self.pattern is not None:
            _search_form(self.pattern)

    @property
    def asked(self) -> str:
        """``source``, where a pattern without a source means file names."""
        return TimeSource.FILENAME if self.source == AUTO and self.pattern else self.source


def parse_filename_time(name: str, pattern: str | None = None) -> datetime | None:
    """Find a date with a time in a file name.

    Args:
        name: file name, with or without suffix.
        pattern: strptime form, found anywhere in the name; None tries the common forms, year first.

    Returns:
        The first plausible match, or None. A bare number or a bare date is no match.
    """
    if pattern is not None:
        return _parse_with(name, pattern)
    for match in _COMMON.finditer(name):
        *fields, fraction = match.groups("0")
        year, month, day, hour, minute, second = map(int, fields)
        try:
            time = datetime(year, month, day, hour, minute, second, int(fraction.ljust(6, "0")))
        except ValueError:  # month 13
            continue
        if year >= EARLIEST_YEAR:
            return time
    return None


def exif_time(data: bytes) -> datetime | None:
    """DateTimeOriginal with its fraction of a second, from a picture's header, if it is there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd EXIF
            with Pillow.open(io.BytesIO(data)) as picture:
                block = picture.getexif().get_ifd(_EXIF_BLOCK)
        taken = datetime.strptime(_text(block[_TAKEN])[:19], "%Y:%m:%d %H:%M:%S")
    except Exception:  # no EXIF, an unset date, or an error of any kind from a damaged header
        return None
    fraction = _text(block.get(_TAKEN_FRACTION, ""))
    if fraction.isdecimal():
        taken += timedelta(seconds=float(f"0.{fraction}"))
    return taken if taken.year >= EARLIEST_YEAR else None


def choose_source(
    timing: Timing, clip: str, names: Sequence[str], read: Callable[[str], bytes | None]
) -> TimeSource:
    """Settle on one source of time for a whole clip, so that sources are never mixed in it.

    The first, middle and last file must have the time, and times must not all be equal.

    Args:
        timing: what was asked for.
        clip: name of the clip, for messages.
        names: file names in order, at least one.
        read: content of a file, None where it cannot be read.

    Raises:
        FootageError: the source asked for is not there.
    """
    probes = [names[0], names[len(names) // 2], names[-1]]

    def by_name() -> Iterator[datetime | None]:
        probed = [parse_filename_time(name, timing.pattern) for name in probes]
        yield from probed
        if None not in probed and len(set(probed)) == 1:  # look on: a day may hold equal minutes
            yield from filter(None, (parse_filename_time(name, timing.pattern) for name in names))

    def by_exif() -> Iterator[datetime | None]:
        return (exif_time(read(name) or b"") for name in probes)

    times = {TimeSource.EXIF: by_exif, TimeSource.FILENAME: by_name}
    for source, find in times.items():
        if timing.asked not in (AUTO, source):
            continue
        if _usable(find(), len(names)):
            return source
        if timing.asked == source:
            raise FootageError(_missing(timing, clip, names[0]))
    return TimeSource.INTERVAL


def _usable(times: Iterator[datetime | None], frames: int) -> bool:
    """Whether all are there and, of several frames, at least two differ; stops when decided."""
    first: datetime | None = None
    differ = frames == 1
    for count, time in enumerate(times):
        if time is None:
            return False
        first = first or time
        differ = differ or time != first
        if differ and count >= 2:
            return True
    return False


def _missing(timing: Timing, clip: str, name: str) -> str:
    if timing.asked == TimeSource.EXIF:
        wanted, cure = "a DateTimeOriginal in the EXIF data of the files", "use another time_source"
    elif timing.pattern:
        wanted, cure = f"times of the form {timing.pattern!r} in file names", "mend the pattern"
    else:
        wanted, cure = "dates with times in file names", "give footage.time_pattern"
    return (
        f"footage.time_source={timing.asked} needs {wanted}, not all equal; clip {clip} has none "
        f"that serve, its first file is {name!r}; {cure} or leave time_source=auto"
    )


def _parse_with(name: str, pattern: str) -> datetime | None:
    for match in _search_form(pattern).finditer(name):
        try:
            time = datetime.strptime(match[1], pattern)
        except ValueError:
            continue
        if time.year >= EARLIEST_YEAR:
            return time.replace(tzinfo=None)
    return None


@lru_cache(maxsize=16)
def _search_form(pattern: str) -> re.Pattern[str]:
    """Regular expression that finds what strptime may then read."""
    parts = re.split(r"%(.)", pattern)
    unknown = [letter for letter in parts[1::2] if letter not in _DIRECTIVES]
    letters = set(parts[1::2])
    dated = letters & set("Yy") and ("j" in letters or (letters & set("mbB") and "d" in letters))
    if unknown or not dated or "%" in "".join(parts[::2]):
        problem = f"with the unknown %{unknown[0]}" if unknown else "without a full date"
        raise FootageError(
            f"footage.time_pattern must hold year, month and day in strptime form, "
            f"got {pattern!r} {problem}; an example is %Y%m%d_%H%M%S"
        )
    form = "".join(
        _DIRECTIVES[part] if number % 2 else re.escape(part) for number, part in enumerate(parts)
    )
    return re.compile(f"(?=({form}))")


def _text(value: object) -> str:
    text = value.decode("ascii", "ignore") if isinstance(value, bytes) else str(value)
    return text.strip("\x00 ")
