"""When a still was taken: EXIF, then the file name, then frame number times a nominal interval.

A video's own time stamps are trusted more than any of these; they are read in ``sources/video.py``.
"""

import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from math import isfinite
from numbers import Real
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from PIL import Image as Pillow

from tlae.errors import FootageError
from tlae.footage.frames import TimeSource

ASSUMED_INTERVAL_S = 0.1  # where nothing says the pace, and nothing that is asked for needs it
AUTO = "auto"
CHOICES = (AUTO, TimeSource.EXIF, TimeSource.FILENAME, TimeSource.INTERVAL)
PROBES = 15  # files of a clip whose EXIF data say whether the clip has any
EARLIEST_YEAR = 1990  # before digital cameras: an unset clock, or a number that is no date

_EXIF_BLOCK, _TAKEN, _TAKEN_FRACTION = 0x8769, 0x9003, 0x9291  # DateTimeOriginal, SubSec of it

# 2023-06-13T03_11_46, 20230613_031146, 2023-06-13_03-11-46-123, 20230613031146123, 2023-06-13 03.11
_COMMON = re.compile(
    r"(?=(?<!\d)((?:19|20)\d\d)[-_.:]?(\d\d)[-_.:]?(\d\d)(?:[-_. T]{0,3}| at )"
    r"(\d\d)[-_.:h]?(\d\d)(?:[-_.:m]?(\d\d)(?:s?[-_.,]?(\d{6}|\d{3}))?)?(?!\d))",
    re.ASCII,
)

_DATE_FOLDER = r"(?:^|/)(?:[^/]*\D)?((?:19|20)\d\d)[-_./]?(\d\d)[-_./]?(\d\d)/"
_IN_FOLDERS = (  # the date is in folders, and the file name begins with the rest of the time
    # 2023-06-13/03/cam1/11.46.mp4
    re.compile(_DATE_FOLDER + r"(\d\d)/(?:[^/]*/)?(\d\d)[-_.:m](\d\d)(?!\d)[^/]*$", re.ASCII),
    # 2023/06/13/03-11-46.jpg, 20230613/cam1/03_11_46.jpg; six digits alone are rather a counter
    re.compile(_DATE_FOLDER + r"(?:[^/]*/)?(\d\d)[-_.:h](\d\d)[-_.:m](\d\d)(?!\d)[^/]*$", re.ASCII),
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
        pace_s: time between frames where nothing better is known; None: nobody said it.
        source: ``auto``, or one of ``exif``, ``filename``, ``interval`` for every clip.
        pattern: strptime form of the date and time in file names, with "/" in the last parts of
            paths; None for the common ones. Giving one is asking for file names.
        time_zone: of the camera's clock, e.g. ``Europe/Zurich``, for times that videos hold in UTC;
            None: this machine's.
    """

    pace_s: float | None = None
    source: str = AUTO
    pattern: str | None = None
    time_zone: str | None = None

    def __post_init__(self) -> None:
        pace = self.interval_s
        if not (isinstance(pace, Real) and isfinite(pace) and pace > 0):
            raise FootageError(
                f"footage.interval_s must be > 0 seconds, got {pace!r}; "
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
        if self.time_zone is not None:
            _zone(self.time_zone)

    @property
    def interval_s(self) -> float:
        """``pace_s``, or what is assumed where nobody said it."""
        return ASSUMED_INTERVAL_S if self.pace_s is None else self.pace_s

    def on_camera_clock(self, moment: datetime) -> datetime:
        """A moment that bears a zone, as the camera's clock showed it; one without stays."""
        if moment.tzinfo is None:
            return moment
        zone = None if self.time_zone is None else _zone(self.time_zone)
        return moment.astimezone(zone).replace(tzinfo=None)

    @property
    def asked(self) -> str:
        """``source``, where a pattern without a source means file names."""
        return TimeSource.FILENAME if self.source == AUTO and self.pattern else self.source


def parse_filename_time(path: str, pattern: str | None = None) -> datetime | None:
    """Find a date with a time in a file name, or in the folders above it and its name together.

    Args:
        path: file name with or without suffix, after its folders ("/"-separated) where there are
            any.
        pattern: strptime form, found anywhere in the name; one with "/" in as many last parts of
            the path. None tries the common forms, year first: in the name, then in the folders.

    Returns:
        The first plausible match, or None. A bare number or a bare date is no match.
    """
    if pattern is not None:
        parts = path.split("/")[-1 - pattern.count("/") :]
        return _parse_with("/".join(parts), pattern)
    for match in _COMMON.finditer(path.rpartition("/")[2]):
        if time := _moment_of(match):
            return time
    for form in _IN_FOLDERS:
        match_in_folders = form.search(path)
        if match_in_folders and (time := _moment_of(match_in_folders)):
            return time
    return None


def _moment_of(match: re.Match[str]) -> datetime | None:
    """Year, month, day, hour, minute, second and perhaps a fraction, where they are a moment."""
    numbers = match.groups("0")
    fraction = numbers[6].ljust(6, "0") if len(numbers) > 6 else "0"
    try:
        year, month, day, hour, minute, second = map(int, numbers[:6])
        time = datetime(year, month, day, hour, minute, second, int(fraction))
    except ValueError:  # month 13
        return None
    return time if time.year >= EARLIEST_YEAR else None


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
    timing: Timing, clip: str, paths: Sequence[str], read: Callable[[str], bytes | None]
) -> TimeSource:
    """Settle on one source of time for a whole clip, so that clocks are never mixed in it.

    It is the most trusted that more than half of the files have, with times that are not all equal.
    File names are all looked at; of EXIF data, those of ``PROBES`` files.

    Args:
        timing: what was asked for.
        clip: name of the clip, for messages.
        paths: of the files relative to the footage's root, in order; at least one.
        read: content of a file, None where it cannot be read.

    Raises:
        FootageError: the source asked for is not there.
    """
    finders: dict[TimeSource, tuple[Sequence[str], Callable[[str], datetime | None]]] = {
        TimeSource.EXIF: (probes(paths), lambda path: exif_time(read(path) or b"")),
        TimeSource.FILENAME: (paths, lambda path: parse_filename_time(path, timing.pattern)),
    }
    for source, (asked_of, find) in finders.items():
        if timing.asked not in (AUTO, source):
            continue
        if _most_are_dated(asked_of, find):
            return source
        if timing.asked == source:
            raise FootageError(_missing(timing, clip, paths[0]))
    return TimeSource.INTERVAL


def probes(paths: Sequence[str]) -> list[str]:
    """Some files of a clip, evenly spread; the first and the last are among them."""
    last = len(paths) - 1
    places = {round(last * number / (PROBES - 1)) for number in range(PROBES)}
    return [paths[place] for place in sorted(places)]


def _most_are_dated(paths: Sequence[str], find: Callable[[str], datetime | None]) -> bool:
    """Whether more than half have a time and, of several times, at least two differ."""
    times = set[datetime]()
    dated = 0
    for looked_at, path in enumerate(paths, start=1):
        time = find(path)
        if time is not None:
            dated += 1
            times.add(time)
        if 2 * (looked_at - dated) >= len(paths):
            return False
    return len(times) > 1 or len(paths) == 1


def _missing(timing: Timing, clip: str, name: str) -> str:
    if timing.asked == TimeSource.EXIF:
        wanted, cure = "a DateTimeOriginal in the EXIF data of the files", "use another time_source"
    elif timing.pattern:
        wanted = f"times of the form {timing.pattern!r} in file names"
        cure = "mend the pattern"
    else:
        wanted, cure = "dates with times in file names", "give footage.time_pattern"
    return (
        f"footage.time_source={timing.asked} needs {wanted}, not all equal and in most files; clip "
        f"{clip} has none that serve, its first file is {name!r}; {cure} or leave time_source=auto"
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


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise FootageError(
            f"footage.time_zone must be the name of a time zone, got {name!r}; examples are UTC "
            "and Europe/Zurich"
        ) from error


def _text(value: object) -> str:
    text = value.decode("ascii", "ignore") if isinstance(value, bytes) else str(value)
    return text.strip("\x00 ")
