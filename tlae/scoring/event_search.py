"""The events of a whole table: things followed through time, or stretches of alarm."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tlae.footage.frames import OK
from tlae.footage.windows import readable
from tlae.scoring.areas import Area
from tlae.scoring.event_rule import Clock, EventRule
from tlae.scoring.events import (
    Event,
    camera_stretches,
    find_stretches,
    in_alarm,
    moment_text,
    numbered,
    reason_of,
    shows_scene,
    source_hw_of,
)
from tlae.scoring.interest import ranked
from tlae.scoring.stored_maps import StoredMaps
from tlae.scoring.stretch import Moment
from tlae.scoring.things import Things
from tlae.table import Table, first_rows

FACTS = ("clip", "frame", "time_s", "taken_at", "mode", "health")  # of a moment, from the table


def find_events(
    table: Table,
    areas: Sequence[Area],
    stored: StoredMaps,
    rule: EventRule,
    interval_s: float,
    gap_s: float,
) -> list[Event]:
    """Events of the scene in every area, and those of the camera.

    Args:
        table: score table, rows in order.
        areas: what to watch, see ``accept_standing``.
        stored: maps of the same rows.
        rule: what makes one event.
        interval_s: median time between frames [s].
        gap_s: neighbouring frames further apart belong to different stretches; 0: none are.

    Raises:
        UserError: things are to be followed, but scores tell nothing of places.
    """
    if not rule.follows_things(interval_s, stored.rule.reduction):
        return ranked(find_stretches(table, areas, stored, rule, interval_s, gap_s))
    clock = Clock.of_table(table, interval_s, gap_s)
    found = camera_stretches(table, clock, rule)
    first_row = first_rows(table.column("clip"))
    for area in areas:
        for event in _things_of(table, area, stored, rule, clock):
            found.append((first_row[event.clip] + event.first_frame, event))
    return ranked(numbered(found))


def _things_of(
    table: Table, area: Area, stored: StoredMaps, rule: EventRule, clock: Clock
) -> list[Event]:
    """Things of one area."""
    things = Things(rule, clock.interval_s, area.score_of, lambda: "")
    counts = shows_scene(table)
    over = in_alarm(table, area.counted, area.threshold)
    read = readable(table)
    events = []
    for moment, row in _moments(table, area, stored, clock):
        cut = bool(row) and bool(clock.ends[row - 1])
        forget = not clock.shared and bool(row) and clock.clip[row] != clock.clip[row - 1]
        if read[row] or not np.isnan(moment.raw):
            alarm = bool(over[row])
            events += things.push(moment, alarm, alarm, bool(counts[row]), cut, forget)
    events += things.close()
    events = [replace(event, zone=area.name) for event in events]
    return _accepted(table, area, events)


def _moments(
    table: Table, area: Area, stored: StoredMaps, clock: Clock
) -> Iterator[tuple[Moment, int]]:
    """Each row as a frame, with its number."""
    known = table.only([name for name in FACTS if name in table])
    told = not (area.name or area.accepted)  # a reason is of the worst place of the whole picture
    for begin, block in stored.blocks(0, area.inside, area.accepted):
        for row, error in enumerate(block, start=begin):
            facts = known.row(row)
            moment = Moment(
                clip=str(facts["clip"]),
                frame=int(facts["frame"]),
                time_s=float(facts["time_s"]),
                at_s=float(clock.time_s[row]),
                taken_at=facts["taken_at"],
                raw=float(area.counted[row]),
                score=float(area.score[row]),
                threshold=float(area.threshold[row]),
                low=float(area.low[row]),
                mode=str(facts.get("mode", "")),
                health=str(facts.get("health", OK)),
                map=error,
                reason=reason_of(table, row) if told else "",
                source_hw=source_hw_of(table, row),
            )
            yield moment, row


def _accepted(table: Table, area: Area, events: list[Event]) -> list[Event]:
    """Events with the time at which what stayed was accepted as normal."""
    first_row = first_rows(table.column("clip"))
    for mute in area.accepted:
        begun = [
            (first_row[event.clip] + event.first_frame, number)
            for number, event in enumerate(events)
            if first_row[event.clip] + event.first_frame < mute.first_row
            and _touches(event, mute.place, source_hw_of(table, mute.first_row))
        ]
        if begun:
            number = max(begun)[1]
            when = moment_text(table, mute.first_row)
            events[number] = replace(events[number], accepted_at=when)
    return events


def _touches(event: Event, place: np.ndarray, source_hw: tuple[int, int]) -> bool:
    """Whether an event's box touches a place of the map."""
    left, top, width, height = event.box
    across, down = place.shape[1] / source_hw[1], place.shape[0] / source_hw[0]
    rows = slice(int(top * down), max(int(top * down) + 1, int(np.ceil((top + height) * down))))
    columns = slice(
        int(left * across), max(int(left * across) + 1, int(np.ceil((left + width) * across)))
    )
    return bool(place[rows, columns].any())
