"""Which frames of a footage are read: by time, by date, by hour of day."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from tlae.errors import FootageError
from tlae.footage.frames import Clip, Frame, TimeSource, Wanted
from tlae.footage.hours import Hours, in_hours, parse_hours
from tlae.number_words import how_many

UNITS_S = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
MICROSECONDS = 1_000_000  # times are compared as whole microseconds, so 0.3 s is three times 0.1 s


@dataclass(frozen=True)
class Sampling:
    """What is read of a footage; everything where nothing is set.

    Attributes:
        every_s: the first frame at or after each step of a grid of this spacing [s], which begins
            at the first frame that start, end and hours leave in a clip; None: every frame.
        start: earliest wall-clock time, inclusive.
        end: frames before this wall-clock time only.
        hours: of the day, from (inclusive) and to (exclusive), e.g. ``((20.0, 6.0),)`` for nights.
    """

    every_s: float | None = None
    start: datetime | None = None
    end: datetime | None = None
    hours: tuple[Hours, ...] = ()

    @property
    def by_clock(self) -> bool:
        """Whether wall-clock times decide."""
        return self.start is not None or self.end is not None or bool(self.hours)

    def __bool__(self) -> bool:
        return self.every_s is not None or self.by_clock

    def picker(self) -> Wanted:
        """A new judge of one clip's frames, to be asked about each of them in order."""
        every = None if self.every_s is None else round(self.every_s * MICROSECONDS)
        first: int | None = None
        last_step = -1

        def wanted(time_s: float, taken_at: datetime | None) -> bool:
            nonlocal first, last_step
            if self.by_clock and not self._holds(taken_at):
                return False
            if every is None:
                return True
            time = round(time_s * MICROSECONDS)
            first = time if first is None else first
            step = (time - first) // every
            if last_step - 1 <= step <= last_step:
                return False  # a clock set back by more than a step goes on from there
            last_step = step
            return True

        return wanted

    def _holds(self, taken_at: datetime | None) -> bool:
        if taken_at is None:
            return False
        if self.start is not None and taken_at < self.start:
            return False
        if self.end is not None and taken_at >= self.end:
            return False
        return not self.hours or in_hours(taken_at, self.hours)


def parse_sampling(
    every: str | None = None,
    start: str | None = None,
    end: str | None = None,
    hours: str | None = None,
) -> Sampling:
    """Read the settings of a command line.

    Args:
        every: a number with its unit: 500ms, 30s, 10min, 2h, 1d.
        start: date or date with time, ISO 8601; inclusive.
        end: the same; a date with time is exclusive, a bare date includes that whole day.
        hours: ranges of hours of the day, "6-20", "20-6", "6-9,16-20:30"; the end is exclusive.

    Raises:
        FootageError: one of them is not of that form, or nothing can lie between start and end.
    """
    begin, stop = _moment("start", start), _moment("end", end)
    if stop is not None and end is not None and _is_date(end):
        stop += timedelta(days=1)
    if begin is not None and stop is not None and stop <= begin:
        raise FootageError(
            f"footage.end must be later than footage.start={start}, got {end}; exchange them"
        )
    return Sampling(_seconds(every), begin, stop, parse_hours(hours, "footage.hours"))


@dataclass(frozen=True)
class SampledClip:
    """The frames of a clip that a sampling leaves, numbered from 0 on; see ``Clip``."""

    clip: Clip
    sampling: Sampling

    @property
    def name(self) -> str:
        """Name of the whole clip."""
        return self.clip.name

    @cached_property
    def length(self) -> int | None:
        """Number of frames left, where times are known without opening the files."""
        if self.time_source in (TimeSource.CONTAINER, TimeSource.EXIF):
            return None
        picks, count = self.sampling.picker(), 0

        def look(time_s: float, taken_at: datetime | None) -> bool:
            nonlocal count
            count += picks(time_s, taken_at)
            return False

        _ask_all(self.clip, look)
        return count

    @property
    def time_source(self) -> TimeSource:
        """Of the whole clip."""
        return self.clip.time_source

    @property
    def has_wall_clock(self) -> bool:
        """Of the whole clip."""
        return self.clip.has_wall_clock

    def fingerprint(self) -> Iterator[str]:
        """That of the whole clip, and the sampling."""
        lines = self.clip.fingerprint()
        yield f"{next(lines)} {self.sampling}"
        yield from lines

    def settled(self) -> tuple["SampledClip | None", list[str]]:
        """See ``Clip``."""
        clip, left = self.clip.settled()
        return None if clip is None else replace(self, clip=clip), left

    def frames(
        self, start: int = 0, min_hw: tuple[int, int] | None = None, wanted: Wanted | None = None
    ) -> Iterator[Frame]:
        """Read forward; what the sampling leaves out is neither opened nor converted."""
        picks = self.sampling.picker()
        number = -1  # of the latest frame in the sample
        chose = False

        def chosen(time_s: float, taken_at: datetime | None) -> bool:
            nonlocal number, chose
            if not picks(time_s, taken_at):
                return False
            number += 1
            chose = number >= start and (wanted is None or wanted(time_s, taken_at))
            return chose

        for frame in self.clip.frames(min_hw=min_hw, wanted=chosen):
            number += not chose  # no one was asked of the frame that says what a video lost
            chose = False
            if number >= start:
                yield replace(frame, frame=number)


def require_wall_clock(clips: tuple[Clip, ...], sampling: Sampling) -> None:
    """Refuse dates and hours for clips that have no wall-clock time.

    Raises:
        FootageError: a clip has none.
    """
    if not sampling.by_clock:
        return
    blind = [clip.name for clip in clips if not clip.has_wall_clock]
    if blind:
        raise FootageError(
            "footage.start, end and hours need wall-clock times, got none in "
            f"{len(blind)} of {how_many(len(clips), 'clip')}, e.g. {blind[0]}; give "
            "footage.time_pattern, or use footage.every alone"
        )


def left_by_sampling(clips: tuple[Clip, ...], frames: int) -> int:
    """Number of stills that a sampling left out; 0 with videos, whose frames are not counted.

    Args:
        clips: of a footage.
        frames: in the sample.
    """
    sampled = any(isinstance(clip, SampledClip) for clip in clips)
    if not sampled or any(clip.time_source == TimeSource.CONTAINER for clip in clips):
        return 0
    whole = [clip.clip.length if isinstance(clip, SampledClip) else clip.length for clip in clips]
    return max(sum(length or 0 for length in whole) - frames, 0)


def nothing_left(spec: str, clips: tuple[Clip, ...]) -> str:
    """Message for a sampling that leaves no frame: what there would have been."""
    frames = 0
    ends: list[datetime] = []

    def look(_: float, taken_at: datetime | None) -> bool:
        nonlocal frames, ends
        frames += 1
        if taken_at is not None:
            ends = [min([taken_at, *ends]), max([taken_at, *ends])]
        return False

    for clip in clips:
        _ask_all(clip.clip if isinstance(clip, SampledClip) else clip, look)
    span = f", taken from {ends[0]:%Y-%m-%dT%H:%M} to {ends[1]:%Y-%m-%dT%H:%M}" if ends else ""
    return (
        f"footage.start, end and hours must leave at least one frame of {spec}, got none of "
        f"{frames:,}{span}; widen them"
    )


def _ask_all(clip: Clip, look: Wanted) -> None:
    """Ask about every frame of a clip; no picture is decoded while ``look`` says no."""
    for _ in clip.frames(wanted=look):
        pass


def _seconds(every: str | None) -> float | None:
    if every is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)\s*", every)
    seconds = float(match[1]) * UNITS_S[match[2]] if match else 0.0
    if round(seconds * MICROSECONDS) < 1:
        raise FootageError(
            f"footage.every must be a time > 0 with its unit ({', '.join(UNITS_S)}), got "
            f"{every!r}; an example is 10min"
        )
    return seconds


def _is_date(text: str) -> bool:
    """Whether it is a date without a time, in any spelling that ``_moment`` reads."""
    try:
        date.fromisoformat(text.strip())
    except ValueError:
        return False
    return True


def _moment(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise FootageError(
            f"footage.{name} must be a date or a date with time, got {text!r} ({error}); examples "
            "are 2023-06-13 and 2023-06-13T06:00"
        ) from error
    if moment.tzinfo is not None:
        raise FootageError(
            f"footage.{name} must be a time of the camera's own clock, without a zone, got "
            f"{text!r}; leave {moment:%z} out"
        )
    return moment
