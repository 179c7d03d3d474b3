"""What stays: a place that is anomalous for long, and, if asked, its being declared normal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from tlae.footage.zones import Mask
from tlae.scoring.event_rule import HOUR_S, Clock, EventRule, Flags
from tlae.scoring.stored_maps import Mute, StoredMaps

LEAST_FRAMES = 3  # fewer cannot tell what stays from what passes
MOST = 0.5  # of an event


@dataclass(frozen=True, eq=False)
class Place:
    """Where an event was worst.

    Attributes:
        row: of the score table, the event's peak.
        region: (h, w), connected region around the worst pixel.
        pixel: the worst pixel: row, column.
        level: error above which the place is in alarm, raw units.
    """

    row: int
    region: Mask
    pixel: tuple[int, int]
    level: float


@dataclass(frozen=True, eq=False)
class Watch:
    """What is needed to follow a place through time.

    Attributes:
        stored: maps.
        readable: (n,), rows with a map.
        clock: of the rows.
    """

    stored: StoredMaps
    readable: Flags
    clock: Clock


def stays(place: Place, span: tuple[int, int], watch: Watch, mutes: Sequence[Mute] = ()) -> bool:
    """Whether the place was in alarm for most of the event.

    Args:
        place: where the event was worst.
        span: first and last row of the event, inclusive.
        watch: maps and times.
        mutes: places that do not count for a time.
    """
    rows = slice(span[0], span[1] + 1)
    over = list(islice(_in_alarm(place, span[0], watch.stored, mutes), span[1] - span[0] + 1))
    seen = np.asarray(over)[watch.readable[rows]]
    return len(seen) >= LEAST_FRAMES and bool(seen.mean() >= MOST)


def acceptance(
    place: Place, first: int, watch: Watch, rule: EventRule, mutes: Sequence[Mute] = ()
) -> Mute | None:
    """Declare normal what stays at a place for ``rule.accept_after_h``; None if it does not.

    It counts again once the place was calm for the same time. Only a calm frame ends a stay, not a
    gap in the footage.

    Args:
        place: where an event was worst.
        first: row of the event's begin.
        watch: maps and times.
        rule: what makes one event.
        mutes: places that do not count already.
    """
    if rule.accept_after_h is None:
        return None
    needed_s = HOUR_S * rule.accept_after_h
    pause_s = rule.merge_of(watch.clock.interval_s)
    began_s = over_s = None
    for row, time_s, over in _followed(place, first, watch, mutes):
        if over:
            began_s = time_s if began_s is None else began_s
            over_s = time_s
            if row >= place.row and time_s - began_s >= needed_s:
                region = watch.stored.widened(place.region)
                return Mute(region, row, _lifted(place, row, watch, needed_s, mutes))
        elif over_s is not None and time_s - over_s > pause_s:
            if row > place.row:
                return None
            began_s = over_s = None
    return None


def _lifted(place: Place, first: int, watch: Watch, needed_s: float, mutes: Sequence[Mute]) -> int:
    """Row from which a place counts again: it was calm for long enough."""
    over_s = watch.clock.time_s[first]
    row = first
    for row, time_s, over in _followed(place, first, watch, mutes):
        if over:
            over_s = time_s
        elif time_s - over_s >= needed_s:
            return row
    return row + 1


def _followed(
    place: Place, first: int, watch: Watch, mutes: Sequence[Mute]
) -> Iterator[tuple[int, float, bool]]:
    """Row, time and alarm of the place, from a row on, as far as one clock goes."""
    clock = watch.clock
    for row, over in enumerate(_in_alarm(place, first, watch.stored, mutes), start=first):
        if not clock.shared and clock.clip[row] != clock.clip[first]:
            return
        if watch.readable[row]:
            yield row, float(clock.time_s[row]), over


def _in_alarm(
    place: Place, first: int, stored: StoredMaps, mutes: Sequence[Mute]
) -> Iterator[bool]:
    """Whether the worst pixel is above the place's level, row after row."""
    for _, block in stored.blocks(first, None, mutes):
        yield from (block[:, place.pixel[0], place.pixel[1]] > place.level).tolist()
