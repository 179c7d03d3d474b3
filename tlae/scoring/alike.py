"""Whether an event is alike one that a person called normal: the same place, about the same hour.

The rule is strict on purpose, for what is alike is not shown again:

- Place: the intersection over union of the boxes is at least ``LEAST_OVERLAP``, so that a small
  thing before a large one is none of its kind.
- Light: what was answered as light hides light alone.
- Hour: an answer about what recurs, or was there for less than half a day, holds at about the same
  hour of the day. The event must lie within its hours, ``SAME_HOUR_S`` more on either side. What
  stood for half a day and more has no hour. Without a wall clock the place alone decides.

An answer that was given while a thing went on hides that thing to its end: what began at the same
moment, and touches its place, is the same.
"""

from datetime import datetime

from tlae.scoring.events import Box, Event
from tlae.scoring.things import DAY_S, LIGHT, OTHER_DAY_S, RECURRING, SAME_HOUR_S

LEAST_OVERLAP = 0.3  # intersection over union of two boxes at one place

Shares = tuple[float, float, float, float]  # left, top, right, bottom, 0 to 1 of the picture


def alike(event: Event, of: Shares, answered: Event, place: Shares) -> bool:
    """Whether an event is what was called normal.

    Args:
        event: that was found.
        of: where it is.
        answered: the event that a person called normal.
        place: where that was.
    """
    same_kind = answered.what != LIGHT or event.what == LIGHT
    shared = overlap(of, place)
    if event.started_at is not None and event.started_at == answered.started_at:
        return same_kind and shared > 0
    return same_kind and shared >= LEAST_OVERLAP and _same_hour(event, answered)


def shares_of(box: Box, size_hw: tuple[int, int]) -> Shares:
    """A box in shares of its picture, so that another resolution makes no difference."""
    left, top, width, height = box
    tall, wide = size_hw
    return left / wide, top / tall, (left + width) / wide, (top + height) / tall


def overlap(one: Shares, other: Shares) -> float:
    """Intersection over union of two boxes; 0 where one of them is empty."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = ((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width * height / (sum(areas) - width * height)


def _same_hour(event: Event, answered: Event) -> bool:
    if None in (event.started_at, event.ended_at, answered.started_at, answered.ended_at):
        return True
    hours, asked = _hours(answered), _hours(event)
    if hours is None:
        return True
    if asked is None:
        return False
    late_s = (asked[0] - hours[0] + DAY_S / 2) % DAY_S - DAY_S / 2
    return late_s >= -SAME_HOUR_S and late_s + asked[1] <= hours[1] + SAME_HOUR_S


def _hours(event: Event) -> tuple[float, float] | None:
    """Time of day at which an event begins, and how long it lasts [s]; None: any hour."""
    assert event.started_at is not None
    assert event.ended_at is not None
    start, end = datetime.fromisoformat(event.started_at), datetime.fromisoformat(event.ended_at)
    lasts_s = (end - start).total_seconds()
    if event.what == RECURRING:  # from the time of its first visit to that of its last
        lasts_s = (lasts_s + DAY_S / 2) % DAY_S - DAY_S / 2
        start, lasts_s = (end, -lasts_s) if lasts_s < 0 else (start, lasts_s)
    if not 0 <= lasts_s < OTHER_DAY_S:
        return None
    return start.hour * 3600 + start.minute * 60 + start.second, lasts_s
