"""Ranges of hours of the day."""

import re
from datetime import datetime

from tlae.errors import FootageError

Hours = tuple[float, float]
"""From (inclusive) and to (exclusive), as hours of the day; they may go over midnight."""


def parse_hours(hours: str | None, name: str) -> tuple[Hours, ...]:
    """Ranges of hours of the day: "6-20", "20-6", "6-9,16-20:30"; the end is exclusive.

    Args:
        hours: as the user gave them; None: none.
        name: of the setting.

    Raises:
        FootageError: they are no such ranges.
    """
    return () if hours is None else tuple(_span(text, hours, name) for text in hours.split(","))


def in_hours(when: datetime, spans: tuple[Hours, ...]) -> bool:
    """Whether a time of day lies in one of the ranges."""
    hour = (when - datetime.combine(when, datetime.min.time(), when.tzinfo)).total_seconds() / 3600
    return any(_within(hour, span) for span in spans)


def _span(text: str, hours: str, name: str) -> Hours:
    match = re.fullmatch(r"\s*(\d{1,2})(?::(\d\d))?\s*-\s*(\d{1,2})(?::(\d\d))?\s*", text)
    if match:
        begin, end = (int(match[n]) + int(match[n + 1] or 0) / 60 for n in (1, 3))
        minutes = [int(match[n] or 0) for n in (2, 4)]
        if begin < 24 and end <= 24 and begin != end and max(minutes) < 60:
            return begin, end
    raise FootageError(
        f"{name} must be ranges of two different hours of the day within 0..24, got {hours!r}; "
        "examples are 6-20, 20-6 and 6-9,16-20:30"
    )


def _within(hour: float, span: Hours) -> bool:
    begin, end = span
    return begin <= hour < end if begin < end else hour >= begin or hour < end
