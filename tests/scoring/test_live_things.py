"""Things that go on are looked at in bounded memory, and told alike after a restart."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from tests.scoring.test_thing_kinds import BOX, SIZE_HW, THING, ground, with_thing
from tlae.live.state import pack, unpack
from tlae.scoring import live_things
from tlae.scoring.live_things import LiveThings
from tlae.scoring.stretch import Moment
from tlae.scoring.thing_kinds import NEW, NEXT
from tlae.scoring.things import LASTING, PASSING, RECURRING, RETURN_S

STEP_S = 300.0
MAP = np.zeros((4, 4), np.float32)
STARTED = datetime(2026, 6, 13)
SEEN = range(20, 23)  # frames


def moment(frame: int, clip: str = "c", health: str = "ok") -> Moment:
    time_s = frame * STEP_S
    return Moment(
        *(clip, frame, time_s, time_s, STARTED + timedelta(seconds=time_s)),
        *(1.0, np.nan, 0.5, 0.4, "", health, MAP, "", SIZE_HW),
    )


def thing(frame: int, name: str = "E0001") -> list:
    if frame < SEEN[0]:
        return []
    last = min(frame, SEEN[-1])
    what = PASSING if last == SEEN[0] else LASTING
    facts = {"first_frame": SEEN[0], "last_frame": last, "peak_frame": SEEN[0], "what": what}
    times = {"start_s": SEEN[0] * STEP_S, "end_s": last * STEP_S}
    return [replace(THING, id=name, frames=last - SEEN[0] + 1, **facts, **times)]


def picture(frame: int) -> np.ndarray:
    return with_thing(ground(frame)) if frame in SEEN else ground(frame)


def test_a_thing_is_told_and_its_memory_is_bounded() -> None:
    things = LiveThings(None)
    count = SEEN[0] + int(RETURN_S / STEP_S)
    sizes = []
    for frame in range(count):
        things.see(moment(frame), picture(frame), thing(frame))
        if frame == SEEN[0]:
            now = things.told(thing(frame)[0])
            assert (now.what, now.still_so) == (NEW, True)
        if frame == SEEN[-1] + 2:  # the second picture without it
            left = things.told(thing(frame)[0])
            assert (left.still_so, left.over_at) == (False, "2026-06-13T01:55:00")
        if frame % 50 == 49:
            state = pack(things.state(), {})
            sizes.append(len(state))
            things = LiveThings(None)
            things.restore(unpack(state)[0])
    (event,) = thing(count)
    assert things.told(event).over_at == left.over_at
    laters = things.state()["known"]["E0001"]["later"]
    assert len(laters) <= NEXT + RETURN_S / live_things.LATER_EVERY_S + 1
    assert max(sizes) < 2e6
    things.see(moment(0, clip="d"), picture(0), [])
    assert (len(things.state()["known"]), len(things.state()["recent"])) == (0, 1)


def test_what_cannot_be_looked_at_has_the_kinds_of_the_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_things, "MOST_LOOKED_AT", 1)
    things = LiveThings(None)
    for frame in range(SEEN[0] + 2):
        both = [*thing(frame, "E0001"), *thing(frame, "E0002")]
        things.see(moment(frame), picture(frame), both)
    told = [things.told(event).what for event in both]
    assert told == [NEW, LASTING]
    recurring = [replace(both[0], what=RECURRING), both[1]]
    things.see(moment(SEEN[0] + 2), picture(SEEN[0] + 2), recurring)
    assert things.state()["known"]["E0001"]["planes"] == {}  # its kind needs no pictures

    first = LiveThings(None)  # nothing was seen before it
    first.see(moment(SEEN[0]), picture(SEEN[0]), thing(SEEN[0]))
    assert first.told(thing(SEEN[0])[0]).told_by == "it was seen in one frame alone"
    covered = moment(SEEN[0] + 1, health="covered")
    first.see(covered, picture(0), thing(SEEN[0] + 1))
    assert len(first.state()["recent"]) == 1
    assert first.told(thing(SEEN[0])[0]).box == BOX
