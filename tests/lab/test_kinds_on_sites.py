"""Kinds of things on drawn sites, whose truth is known."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tlae.lab.sites.options import SiteOptions, SiteView
from tlae.lab.sites.planted import PlantedThing, ThingKind, plan_things
from tlae.lab.sites.render import Renderer
from tlae.scoring.events import Box, Event
from tlae.scoring.places import Change, View
from tlae.scoring.thing_kinds import GONE, NEW, Later, told, until_words
from tlae.scoring.things import LASTING

SIZE_HW = (192, 256)
SMALLEST_PX, EACH = 60, 2  # things of each kind that are looked at
KINDS = {ThingKind.NEW_OBJECT: (NEW, "left by noon"), ThingKind.GONE: (GONE, "back by noon")}


def box_of(owners: np.ndarray) -> Box:
    rows, columns = np.flatnonzero(owners.any(axis=1)), np.flatnonzero(owners.any(axis=0))
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def told_of(renderer: Renderer, thing: PlantedThing) -> Event | None:
    """What is told of a thing that comes at ten and is over at noon; None: hardly to be seen."""
    _, owners = renderer.still(10, [thing.change])
    if (owners > 0).sum() < SMALLEST_PX:
        return None
    box = box_of(owners > 0)
    view = View.of(box, SIZE_HW)

    def cutting(frame: int, *, there: bool) -> np.ndarray:
        seen = view.of_picture(renderer.still(frame, [thing.change] if there else [])[0])
        assert seen is not None
        return seen

    found = Change.between(cutting(9, there=False), cutting(10, there=True), view)
    after = [cutting(11, there=True), cutting(12, there=False), cutting(13, there=False)]
    times = zip((11, 12, 13), ("eleven", "noon", "one"), after, strict=True)
    later = [Later(3600.0 * hour, name, found.shows(seen)) for hour, name, seen in times]
    event = Event("E1", "scene", None, "c", 10, 10, 0, 0, None, None, 10, 2.0, None, 1.0, box)
    return told(replace(event, what=LASTING), found, later)


@pytest.mark.parametrize(("view", "seed"), [(SiteView.CARPARK, 0), (SiteView.GARDEN, 1)])
def test_what_came_and_what_went_is_told_on_a_site(view: SiteView, seed: int) -> None:
    options = SiteOptions(view, 1, 2, 8.0, 60, "2024-06-01", SIZE_HW, seed=seed)
    renderer = Renderer(options)
    looked: Counter[ThingKind] = Counter()
    wrong = []
    for thing in plan_things(renderer.site, options):
        if thing.kind not in KINDS or looked[thing.kind] == EACH:
            continue
        if (event := told_of(renderer, thing)) is not None:
            looked[thing.kind] += 1
            if (found := (event.what, until_words(event))) != KINDS[thing.kind]:
                wrong.append((thing.kind, thing.what, *found))
    assert len(looked) == len(KINDS)
    assert len(wrong) <= 1, wrong  # of four
    assert not any(what in (NEW, GONE) for _, _, what, _ in wrong), wrong  # never the contrary
