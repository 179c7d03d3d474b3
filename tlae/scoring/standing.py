"""Persistent anomalies: places anomalous for long, on request accepted as normal."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np

from tlae.footage.zones import Mask
from tlae.lazy_column import Values
from tlae.scoring.event_rule import HOUR_S, Clock, EventRule, Flags
from tlae.scoring.stored_maps import FloatMap, Mute, StoredMaps

LEAST_FRAMES, LEAST_S = 3, 2.0  # shorter events cannot tell what stays from what passes
MOST = 0.5  # of an event


@dataclass(frozen=True, eq=False)
class Watch:
    """What is needed to follow places through time.

    Attributes:
        stored: maps.
        seen: (n,), rows with a map of the scene.
        clock: of the rows.
    """

    stored: StoredMaps
    seen: Flags
    clock: Clock

    def rows(
        self, first: int, inside: Mask | None = None, mutes: Sequence[Mute] = ()
    ) -> Iterator[tuple[int, FloatMap]]:
        """Number and map (h, w) of each row from ``first`` on."""
        for begin, block in self.stored.blocks(first, inside, mutes):
            yield from enumerate(block, start=begin)


def stays(
    pixel: tuple[int, int],
    level: float,
    span: tuple[int, int],
    watch: Watch,
    mutes: Sequence[Mute] = (),
) -> bool:
    """Whether a place was in alarm for most of an event.

    Args:
        pixel: the event's worst place: row, column of the map.
        level: error above which the place is in alarm, raw units.
        span: first and last row of the event, inclusive.
        watch: maps and times.
        mutes: places that do not count for a time.
    """
    if watch.clock.lasts_s(*span) < LEAST_S:
        return False
    rows = islice(watch.rows(span[0], None, mutes), span[1] - span[0] + 1)
    over = [bool(smoothed[pixel] > level) for row, smoothed in rows if watch.seen[row]]
    return len(over) >= LEAST_FRAMES and sum(over) >= MOST * len(over)


@dataclass
class _Accepted:
    """A place that is declared normal."""

    place: Mask
    row: int
    over_s: float  # when it was last above the level


def accepted_places(
    watch: Watch, level: Values, rule: EventRule, inside: Mask | None = None
) -> list[Mute]:
    """Accept as normal what stays above a level at one place for ``rule.accept_after_h``.

    The place, with all that the smoothing kernel mixes into it, counts again once it was below
    for the same time. Only a frame below ends a stay, not a gap in the footage.

    Args:
        watch: maps and times.
        level: (n,), of each row, raw units.
        rule: what makes one event.
        inside: (h, w), True where changes count; None: everywhere.
    """
    needed_s = HOUR_S * (math.inf if rule.accept_after_h is None else rule.accept_after_h)
    pause_s = rule.merge_of(watch.clock.interval_s)
    since_s, over_s = (np.full(watch.stored.size_hw, bad) for bad in (np.nan, -np.inf))
    active: list[_Accepted] = []
    mutes: list[Mute] = []
    row = -1
    for row, smoothed in watch.rows(0, inside):
        if row and not watch.clock.shared and watch.clock.clip[row] != watch.clock.clip[row - 1]:
            since_s[:], over_s[:] = np.nan, -np.inf
            mutes += [Mute(one.place, one.row, row) for one in active]
            active = []
        if not watch.seen[row]:
            continue
        now_s = float(watch.clock.time_s[row])
        over = smoothed > level[row]
        over_s[over] = now_s
        since_s[over & np.isnan(since_s)] = now_s
        since_s[~over & (now_s - over_s > pause_s)] = np.nan
        for one in active:
            one.over_s = now_s if over[one.place].any() else one.over_s
        lifted = [one for one in active if now_s - one.over_s >= needed_s]
        mutes += [Mute(one.place, one.row, row) for one in lifted]
        active = [one for one in active if now_s - one.over_s < needed_s]
        ripe = over & (now_s - since_s >= needed_s)
        for one in active:
            ripe &= ~one.place
        if ripe.any():
            place = watch.stored.widened(_regions_with(ripe, over))
            active.append(_Accepted(place, row, now_s))
    return sorted(
        mutes + [Mute(one.place, one.row, row + 1) for one in active],
        key=lambda mute: mute.first_row,
    )


def _regions_with(some: Mask, over: Mask) -> Mask:
    """Connected regions of ``over`` that hold some of the given pixels."""
    _, labels = cv2.connectedComponents(over.astype(np.uint8))
    return np.isin(labels, np.unique(labels[some]))
