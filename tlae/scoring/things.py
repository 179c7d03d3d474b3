"""Things: what is unusual at one place, followed through time; one event each, however long.

A thing begins with a connected region of the map whose peak is over the threshold, and goes on
where a later region above the lower level lies at its place: over pauses, gaps and nights up to
``EventRule.unseen_s``, and for two days at about the same hour of the day. What changes in many
places or in a large share of the picture at once is light or weather: one event, in which no thing
begins. Memory is bounded: of each thing only its first, last and worst sighting are kept.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from tlae.footage.zones import Mask
from tlae.scoring.event_rule import HOUR_S, EventRule
from tlae.scoring.events import SCENE, Event, box_of, iso_of
from tlae.scoring.regions import Region, is_light, regions_of, widened
from tlae.scoring.standing import LEAST_FRAMES, MOST
from tlae.scoring.stored_maps import rounded
from tlae.scoring.stretch import Moment

PASSING, LASTING, LIGHT, RECURRING = "passing", "lasting", "light", "recurring"

DAY_S = 24 * HOUR_S
RETURN_S = 2 * DAY_S + HOUR_S  # a thing that comes daily may miss one day
SAME_HOUR_S = HOUR_S
OTHER_DAY_S = DAY_S / 2  # visits closer than this are of one day
RECURRENCES = 2  # returns on further days make a thing a recurring one
LIGHT_PAUSE_S = HOUR_S  # a twilight is one event
MATCH_SHARE = 0.3  # of the smaller one of two places, that they share
MOST_THINGS = 500  # followed at once; the one unseen for longest is ended

ScoreOf = Callable[[float, str], float]  # calibrated score of a raw value in a camera mode


@dataclass
class Thing:
    """What is known of one thing so far; plain values and arrays.

    Attributes:
        id: as of its event.
        what: ``LIGHT``, or "" for a thing at a place.
        first, last: of its frames: clip, frame, time_s, taken_at (ISO 8601).
        first_at_s, last_at_s: on the clock of all clips [s].
        peak: facts of the event at the highest value.
        worst_place: (h, w), where it was then.
        late_place: (h, w), where it was last.
        frames: in which it was seen.
        looks: frames of the scene since it began.
        looks_seen: the same, up to its last sighting.
        returns: further days on which it came.
        visits_at_s: when it came on each of the latest days [s].
    """

    id: str
    what: str
    first: dict[str, Any]
    last: dict[str, Any]
    first_at_s: float
    last_at_s: float
    peak: dict[str, Any]
    worst_place: Mask
    late_place: Mask
    frames: int = 0
    looks: int = 0
    looks_seen: int = 0
    returns: int = 0
    visits_at_s: list[float] = field(default_factory=list)

    @property
    def place(self) -> Mask:
        """(h, w), where it is looked for."""
        return widened(self.worst_place | self.late_place)

    def see(self, moment: Moment, region: Region, peak: dict[str, Any]) -> None:
        """Another sighting."""
        if not self.visits_at_s or moment.at_s - self.last_at_s > OTHER_DAY_S:
            self.returns += bool(self.visits_at_s)
            self.visits_at_s = [*self.visits_at_s[-1:], moment.at_s]
        self.last, self.last_at_s, self.late_place = _frame_of(moment), moment.at_s, region.place
        self.frames, self.looks_seen = self.frames + 1, self.looks
        if peak["peak_raw"] > self.peak["peak_raw"]:
            self.peak, self.worst_place = peak, region.place

    def may_return(self, at_s: float, unseen_s: float) -> bool:
        """Whether a sighting at a time can be of it."""
        since_s = at_s - self.last_at_s
        if since_s <= unseen_s or self.what == LIGHT:
            return since_s <= (LIGHT_PAUSE_S if self.what == LIGHT else unseen_s)
        if since_s > RETURN_S:
            return False
        off = [(at_s - visit + DAY_S / 2) % DAY_S - DAY_S / 2 for visit in self.visits_at_s]
        return any(abs(one) <= SAME_HOUR_S for one in off)

    def event(self) -> Event:
        """The event as it stands."""
        what = self.what or (PASSING if self.frames == 1 else LASTING)
        if not self.what and self.returns >= RECURRENCES:
            what = RECURRING
        stays = not self.what and self.frames >= max(LEAST_FRAMES, MOST * self.looks_seen)
        return Event(
            id=self.id,
            kind=SCENE,
            zone=None,
            clip=self.first["clip"],
            first_frame=self.first["frame"],
            last_frame=self.last["frame"],
            start_s=self.first["time_s"],
            end_s=self.last["time_s"],
            started_at=self.first["taken_at"],
            ended_at=self.last["taken_at"],
            stays=stays,
            what=what,
            frames=self.frames,
            returns=self.returns,
            **self.peak | {"box": tuple(self.peak["box"])},
        )


class Things:
    """Follow the things of one area.

    Args:
        rule: what makes one event.
        interval_s: median time between frames [s].
        score_of: calibrated score of a place.
        next_id: of an event that begins.
    """

    def __init__(
        self, rule: EventRule, interval_s: float, score_of: ScoreOf, next_id: Callable[[], str]
    ) -> None:
        self._rule, self._interval_s = rule, interval_s
        self._score_of, self._next_id = score_of, next_id
        self._open: list[Thing] = []
        self._at_s, self._clip = -np.inf, ""

    def push(
        self,
        moment: Moment,
        over: bool,
        above: bool,
        counts: bool,
        cut: bool,
        forget: bool,
    ) -> list[Event]:
        """Take the next frame; arguments as of ``Stretch.push``.

        A thing outlasts a gap, but neither its clip nor a clock that was set back.
        """
        anew = forget or moment.clip != self._clip or moment.at_s < self._at_s
        ended = self.close() if anew else self._end_old(moment.at_s)
        self._at_s, self._clip = moment.at_s, moment.clip
        if not counts or np.isnan(moment.raw) or moment.map is None:
            return ended
        error = rounded(moment.map[None])[0]
        regions = regions_of(error, moment.low, moment.threshold, in_alarm=over)
        for thing in self._open:
            thing.looks += 1
        if is_light(regions, error):
            self._see_light(moment, regions)
        else:
            self._follow(moment, regions)
        return ended + self._end_surplus()

    def so_far(self) -> list[Event]:
        """Events that go on, as they stand."""
        return [thing.event() for thing in self._open if self._is_long(thing)]

    def followed(self) -> list[Event]:
        """The same, with those that are too short for an event so far."""
        return [thing.event() for thing in self._open]

    def close(self) -> list[Event]:
        """End all things."""
        events, self._open = self.so_far(), []
        return events

    def state(self) -> dict[str, Any]:
        """All that goes on, for ``restore``."""
        things = {str(number): asdict(thing) for number, thing in enumerate(self._open)}
        return {"things": things, "at_s": self._at_s, "clip": self._clip}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        self._open = [Thing(**values) for values in state["things"].values()]
        self._at_s, self._clip = state["at_s"], state["clip"]

    def _follow(self, moment: Moment, regions: list[Region]) -> None:
        """Give each region to the thing at its place, or let one begin."""
        known = [one for one in self._open if one.what != LIGHT]
        known = [one for one in known if one.may_return(moment.at_s, self._rule.unseen_s)]
        places = [(thing, thing.place) for thing in known]
        for number, region in enumerate(regions):
            thing = _thing_at(region, places)
            if thing is None and region.over is None:
                continue
            peak = self._peak(moment, region, worst=number == 0)
            if thing is None:
                thing = self._begin(moment, region, peak, "")
                places.append((thing, thing.place))
            thing.see(moment, region, peak)

    def _see_light(self, moment: Moment, regions: list[Region]) -> None:
        over = [region for region in regions if region.over is not None]
        place = np.logical_or.reduce([region.place for region in over])
        region = Region(place, over[0].peak, place)
        peak = self._peak(moment, region, worst=True)
        light = next((one for one in self._open if one.what == LIGHT), None)
        if light is None:
            light = self._begin(moment, region, peak, LIGHT)
        light.see(moment, region, peak)

    def _begin(self, moment: Moment, region: Region, peak: dict[str, Any], what: str) -> Thing:
        facts = _frame_of(moment)
        thing = Thing(
            self._next_id(),
            what,
            *(facts, facts, moment.at_s, moment.at_s),
            *(peak, region.place, region.place),
            looks=1,
        )
        self._open.append(thing)
        return thing

    def _peak(self, moment: Moment, region: Region, *, worst: bool) -> dict[str, Any]:
        """What an event says of its peak, if it is here; the reason is of the worst place."""
        over = region.place if region.over is None else region.over
        score = self._score_of(region.peak, moment.mode)
        return {
            "peak_frame": moment.frame,
            "peak_raw": region.peak,
            "peak_score": None if np.isnan(score) else score,
            "threshold": moment.threshold if np.isfinite(moment.threshold) else None,
            "box": box_of(over, moment.source_hw),
            "mode": moment.mode,
            "reason": moment.reason if worst else "",
        }

    def _is_long(self, thing: Thing) -> bool:
        lasts_s = thing.last_at_s - thing.first_at_s + self._interval_s
        return lasts_s >= self._rule.min_duration_s

    def _end_old(self, at_s: float) -> list[Event]:
        def is_over(thing: Thing) -> bool:
            longest_s = max(RETURN_S, self._rule.unseen_s)
            return at_s - thing.last_at_s > (LIGHT_PAUSE_S if thing.what == LIGHT else longest_s)

        return self._end([thing for thing in self._open if is_over(thing)])

    def _end_surplus(self) -> list[Event]:
        surplus = max(0, len(self._open) - MOST_THINGS)
        return self._end(sorted(self._open, key=lambda thing: thing.last_at_s)[:surplus])

    def _end(self, things: list[Thing]) -> list[Event]:
        over = {id(thing) for thing in things}
        self._open = [thing for thing in self._open if id(thing) not in over]
        return [thing.event() for thing in things if self._is_long(thing)]


def _thing_at(region: Region, places: list[tuple[Thing, Mask]]) -> Thing | None:
    """The thing whose place shares most with a region; None: none shares enough."""
    best, most = None, MATCH_SHARE
    size = int(region.place.sum())
    for thing, place in places:
        share = int((place & region.place).sum()) / min(size, int(place.sum()))
        if share > most:
            best, most = thing, share
    return best


def _frame_of(moment: Moment) -> dict[str, Any]:
    return {
        "clip": moment.clip,
        "frame": moment.frame,
        "time_s": moment.time_s,
        "taken_at": iso_of(moment.taken_at),
    }
