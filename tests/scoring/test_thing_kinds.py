"""Kinds of things, told by small drawn pictures of their place."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tlae.scoring.events import CAMERA, SCENE, Event
from tlae.scoring.places import Change, View
from tlae.scoring.thing_kinds import (
    CAME,
    CHANGED,
    FOR_GOOD_S,
    GONE,
    NEW,
    SHOWS,
    WENT,
    Later,
    told,
    until_words,
)
from tlae.scoring.things import LASTING, LIGHT, PASSING, RECURRING

SIZE_HW = (96, 128)
BOX = (50, 40, 24, 16)
VIEW = View.of(BOX, SIZE_HW)
THING = Event(
    *("E0001", SCENE, None, "c", 4, 6, 3600.0, 5400.0, None, None, 5, 2.0, None, 1.0, BOX),
    what=LASTING,
    frames=3,
)


def ground(seed: int = 0, light: float = 1.0) -> np.ndarray:
    """A mottled ground that gets brighter to the right, with the noise of a sensor."""
    mottled = np.random.default_rng(7).normal(0, 12, (*SIZE_HW, 1))
    mottled = cv2.GaussianBlur(mottled, (0, 0), 2)[..., None] * 4
    ramp = np.linspace(80, 130, SIZE_HW[1])[None, :, None]
    noise = np.random.default_rng(seed).normal(0, 1, (*SIZE_HW, 3))
    return np.clip(light * (ramp + mottled) + noise, 0, 255).astype(np.uint8)


def with_thing(picture: np.ndarray, colour: tuple[int, ...] = (190, 60, 40)) -> np.ndarray:
    picture = picture.copy()
    picture[42:54, 54:70] = colour
    return picture


def change(before: np.ndarray, since: np.ndarray) -> Change:
    cuttings = [VIEW.of_picture(picture) for picture in (before, since)]
    assert cuttings[0] is not None
    assert cuttings[1] is not None
    return Change.between(cuttings[0], cuttings[1], VIEW)


def later(found: Change, *pictures: np.ndarray) -> list[Later]:
    cuttings = [VIEW.of_picture(picture) for picture in pictures]
    return [
        Later(7200.0 + 3600 * hour, f"{hour} h", found.shows(cutting))
        for hour, cutting in enumerate(cuttings)
        if cutting is not None
    ]


@pytest.mark.parametrize("light", [0.7, 1.0, 1.4])
def test_what_came_is_a_new_object_and_what_went_is_gone_in_any_light(light: float) -> None:
    came = change(ground(), with_thing(ground(1, light)))
    assert came.outline > CAME
    assert told(THING, came, []).what == NEW
    went = change(with_thing(ground()), ground(1, light))
    assert went.outline < WENT
    assert told(THING, went, []).what == GONE


def test_a_dark_thing_on_a_mottled_ground_is_new_as_well() -> None:
    came = change(ground(), with_thing(ground(1), (30, 30, 35)))
    assert told(THING, came, []).what == NEW


def test_what_is_rebuilt_is_changed_for_good_if_it_is_so_for_a_day_up_to_the_end() -> None:
    green = (40, 150, 60)
    rebuilt = change(with_thing(ground()), with_thing(ground(1), green))
    assert WENT < rebuilt.outline < CAME
    still = later(rebuilt, *(with_thing(ground(n), green) for n in range(2, 5)))
    assert told(THING, rebuilt, still).what == LASTING
    long_ago = replace(THING, start_s=7200.0 - FOR_GOOD_S)
    event = told(long_ago, rebuilt, still)
    assert (event.what, until_words(event)) == (CHANGED, "still so at the end")
    back = later(rebuilt, *(with_thing(ground(n)) for n in range(2, 5)))
    assert until_words(told(long_ago, rebuilt, back)) == "as before by 0 h"


@pytest.mark.parametrize("light", [0.6, 1.3])
def test_light_alone_is_light(light: float) -> None:
    dimmed = change(ground(), ground(1, light))
    assert dimmed.share < 0.05
    assert told(THING, dimmed, []).what == LIGHT


def test_it_has_left_where_two_pictures_show_the_place_as_before() -> None:
    came = change(ground(), with_thing(ground(1)))
    there, away = with_thing(ground(2, 0.8)), ground(3, 1.2)
    event = told(THING, came, later(came, there, away, there, away, away))
    assert (event.still_so, event.over_at) == (False, "3 h")  # one picture alone may be wrong
    assert until_words(event) == "left by 3 h"
    event = told(THING, came, later(came, there, there))
    assert (event.still_so, event.over_at) == (True, None)
    assert until_words(event) == "still there at the end"
    assert told(THING, came, []).still_so  # it was seen in the last picture
    night = later(came, *[np.zeros((*SIZE_HW, 3), np.uint8)] * 3)
    assert told(THING, came, night).still_so is None
    assert until_words(told(THING, came, night)) == ""


def test_what_is_back_says_when() -> None:
    went = change(with_thing(ground()), ground(1))
    back = later(went, ground(2), with_thing(ground(3)), with_thing(ground(4)))
    assert until_words(told(THING, went, back)) == "back by 1 h"
    assert until_words(told(THING, went, back[:1])) == "still gone at the end"


def test_what_the_map_saw_once_passed_unless_the_next_picture_shows_it() -> None:
    came = change(ground(), with_thing(ground(1)))
    once = replace(THING, what=PASSING, frames=1)
    assert told(once, came, later(came, ground(2), ground(3))).what == PASSING
    assert told(once, came, later(came, with_thing(ground(2)), ground(3))).what == NEW
    assert told(once, came, []).what == PASSING


def test_other_kinds_have_their_reason_and_older_events_stay_as_they_are() -> None:
    assert "4 further days" in told(replace(THING, what=RECURRING, returns=4), None, []).told_by
    assert "many places" in told(replace(THING, what=LIGHT), None, []).told_by
    covered = replace(THING, kind=CAMERA, what="", health="covered")
    assert told(covered, None, []).told_by == "the picture of the camera is covered"
    assert told(THING, None, []).what == LASTING
    assert "no pictures of before" in told(THING, None, []).told_by
    stretch = replace(THING, what="")
    assert told(stretch, None, []) == stretch


@pytest.mark.parametrize("box", [(0, 0, 128, 96), (0, 0, 2, 2), (120, 90, 8, 6), (0, 0, 0, 0)])
def test_any_box_can_be_looked_at(box: tuple[int, int, int, int]) -> None:
    view = View.of(box, SIZE_HW)
    before, since = view.of_picture(ground()), view.of_picture(with_thing(ground(1)))
    assert before is not None
    assert since is not None
    found = Change.between(before, since, view)
    assert np.isfinite([found.outline, found.share, found.alike, found.shows(since)]).all()
    assert view.of_picture(ground()[:50]) is None
    assert view.of_picture(ground()[..., :1]) is not None


def test_another_resolution_of_the_view_tells_as_well_and_another_shape_nothing() -> None:
    found = change(ground(), with_thing(ground(1)))
    small = cv2.resize(with_thing(ground(2)), (64, 48), interpolation=cv2.INTER_AREA)
    assert [one.shows > SHOWS for one in later(found, small)] == [True]
    assert VIEW.of_picture(small[:, :40]) is None


def test_what_goes_on_is_told_by_what_came_until_a_picture_lacks_it() -> None:
    found = change(ground(), with_thing(ground(1)))
    passing = replace(THING, what=PASSING, frames=1)
    assert told(passing, found, []).what == PASSING
    now = told(passing, found, [], so_far=True)
    assert (now.what, now.still_so, until_words(now, so_far=True)) == (NEW, True, "still there")
    assert told(passing, found, later(found, ground(2)), so_far=True).what == PASSING
    changed = replace(found, outline=0.5)
    long = replace(THING, start_s=0.0, end_s=2 * FOR_GOOD_S)
    assert told(long, changed, [], so_far=True).told_by.endswith("so far")


def test_pictures_of_before_in_other_light_tell_nothing() -> None:
    """Of five pictures, the one in like light shows that nothing came: the lamp went on."""
    lit = np.repeat(np.where(np.arange(SIZE_HW[1]) < 62, 1.9, 0.7)[None, :, None], 3, axis=2)
    in_the_dark = [VIEW.of_picture(ground(seed, 0.3)) for seed in range(4)]
    since, alike = (VIEW.of_picture((ground(seed) * lit).astype(np.uint8)) for seed in (5, 6))
    found = Change.of_pictures([*in_the_dark, alike], [since], VIEW)
    assert found is not None
    assert told(THING, found, []).what == LIGHT
