"""Look at the places of things in the footage, so that their kinds can be given in words."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tlae.errors import FootageError
from tlae.footage.frames import Clip, Image
from tlae.progress import progress
from tlae.scoring.areas import modes_of
from tlae.scoring.events import CAMERA, Event, moment_text, seen_rows, source_hw_of
from tlae.scoring.interest import interest
from tlae.scoring.places import SINCE, Change, Plane, Rows, View, rows_before
from tlae.scoring.thing_kinds import NEXT, TOLD, Later, told
from tlae.table import Table, first_rows, groups
from tlae.workflows.named_footage import file_stem

MOST_LOOKED_AT = 200  # things, the most interesting
SPREAD = 200  # pictures of a clip, of which those after a thing tell until when it was there
SAME_TIME_S = 1e-3

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class _Asked:
    """A thing, and the rows of the table whose pictures tell of it."""

    event: Event
    view: View
    before: Rows
    since: Rows
    later: Rows
    seen: dict[int, Plane] = field(default_factory=dict)
    shows: list[Later] = field(default_factory=list)
    change: Change | None = None

    @property
    def told(self) -> Event:
        """The event with what the pictures tell."""
        return told(self.event, self.change, self.shows)

    def see_later(self, seen: Plane, at_s: float, when: str | float) -> None:
        """A picture after its last sighting."""
        assert self.change is not None
        self.shows.append(Later(at_s, when, self.change.shows(seen)))

    def compare(self) -> None:
        """Find what changed at the place; its pictures are not needed any more."""
        since = [self.seen[row] for row in self.since if row in self.seen]
        before = [self.seen[row] for row in self.before if row in self.seen]
        self.seen = {}
        self.change = Change.of_pictures(before, since, self.view)


def tell_kinds(events: Sequence[Event], table: Table, clips: Mapping[str, Clip]) -> list[Event]:
    """Events with their kinds, as far as the pictures tell them.

    Args:
        events: of a scored footage.
        table: its score table.
        clips: of the footage by name; things of others are told by the map alone.
    """
    asked = _asked(events, table, clips)
    with progress("looking at things", 2 * len(asked), "things") as advance:
        for name in dict.fromkeys(one.event.clip for one in asked):
            ours = [one for one in asked if one.event.clip == name]
            _look(ours, table, clips[name], later=False)
            for one in ours:
                one.compare()
            advance(len(ours))
            _look([one for one in ours if one.change is not None], table, clips[name], later=True)
            advance(len(ours))
    told_of = {one.event.id: one.told for one in asked}
    return [told_of.get(event.id) or told(event, None, []) for event in events]


def _look(asked: Sequence[_Asked], table: Table, clip: Clip, *, later: bool) -> None:
    """Show things the pictures of one clip that tell of them: before and since, or later ones."""
    wanted: dict[int, list[_Asked]] = defaultdict(list)
    for one in asked:
        for row in one.later if later else [*one.before, *one.since]:
            wanted[int(row)].append(one)
    for row, image in _pictures(table, clip, wanted):
        for one in wanted[row]:
            if (seen := one.view.of_picture(image)) is None:
                continue
            if later:
                at_s = float(table.column("time_s")[row])
                one.see_later(seen, at_s, moment_text(table, row))
            else:
                one.seen[row] = seen


def _asked(events: Sequence[Event], table: Table, clips: Mapping[str, Clip]) -> list[_Asked]:
    """The most interesting things of which pictures may tell more, with their rows."""
    things = [event for event in events if event.what in TOLD and event.kind != CAMERA]
    things = [event for event in things if event.clip in clips]
    things = sorted(things, key=interest, reverse=True)[:MOST_LOOKED_AT]
    if not things:
        return []
    usable = seen_rows(table)
    modes = modes_of(table)
    rows_of = groups(table["clip"])
    time_s = table["time_s"]
    asked = []
    for event in things:
        rows = rows_of[event.clip]
        first, last, peak = (
            int(rows[0]) + frame
            for frame in (event.first_frame, event.last_frame, event.peak_frame)
        )
        known = rows[usable[rows]]
        alike = known[modes[known] == modes[peak]]
        during = alike[(alike >= first) & (alike <= last)]
        since = during[np.argsort(abs(during - peak), kind="stable")[:SINCE]]
        before = rows_before(alike[alike < first], time_s, float(time_s[first]))
        after = known[known > last]
        step = max(1, len(rows) // SPREAD)
        later = np.unique([*after[:NEXT], *after[(after - rows[0]) % step == 0]]).astype(np.int64)
        view = View.of(event.box, source_hw_of(table, peak))
        asked.append(_Asked(event, view, before, since, later))
    return asked


def _pictures(table: Table, clip: Clip, rows: Mapping[int, object]) -> Iterator[tuple[int, Image]]:
    """Pictures of some rows of one clip, in order, without those of files that were not scored."""
    if not rows:
        return
    first = first_rows(table.column("clip"))[clip.name]
    times = np.sort(table.column("time_s")[list(rows)])
    stems = (
        [file_stem(path) for path in table.column("path")[list(rows)]] if "path" in table else []
    )
    stem_of = dict(zip(rows, stems, strict=False))

    def wanted(time_s: float, taken_at: object) -> bool:
        near = np.searchsorted(times, time_s - SAME_TIME_S)
        return bool(near < len(times) and times[near] <= time_s + SAME_TIME_S)

    try:
        for frame in clip.frames(start=min(rows) - first, wanted=wanted):
            row = first + frame.frame
            if row > max(rows):
                return
            stem = file_stem(frame.path)
            is_scored = row in rows and stem_of.get(row, stem) == stem
            if is_scored and frame.image is not None:
                yield row, frame.image
    except FootageError as error:
        logger.warning(f"note: kinds of things are determined without pictures: {error}")
