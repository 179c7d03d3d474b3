"""What is alike an event that a person called normal: the same place, about the same hour."""

import pytest

from tlae.scoring.alike import alike, overlap, shares_of
from tlae.scoring.events import Box, Event
from tlae.scoring.things import LASTING, LIGHT, PASSING, RECURRING

SIZE_HW = (300, 400)
PLACE = (100, 100, 40, 40)


def event(started: str | None, ended: str | None, what: str, box: Box = PLACE) -> Event:
    at = [None if when is None else f"2026-06-{when}:00" for when in (started, ended)]
    times = (0.0, 0.0, at[0], at[1])
    return Event("E1", "scene", None, "c", 0, 0, *times, 0, 2.0, None, 1.0, box, what=what)


def are_alike(one: Event, answered: Event) -> bool:
    place = shares_of(one.box, SIZE_HW)
    return alike(one, place, answered, shares_of(answered.box, SIZE_HW))


VISIT = event("13T09:00", "13T09:30", LASTING)


@pytest.mark.parametrize(
    ("started", "ended", "expected"),
    [
        ("20T09:10", "20T09:20", True),
        ("20T08:00", "20T10:30", True),  # an hour more on either side
        ("20T07:59", "20T09:20", False),
        ("20T09:10", "20T10:31", False),
        ("20T21:00", "20T21:10", False),
        ("20T09:00", "22T09:30", False),  # it stood for two days
        (None, None, True),  # the place alone decides
    ],
)
def test_a_visit_is_alike_at_about_its_hour(
    started: str | None, ended: str | None, expected: bool
) -> None:
    assert are_alike(event(started, ended, LASTING), VISIT) is expected


def test_hours_go_round_midnight() -> None:
    late = event("13T23:30", "14T00:10", LASTING)
    assert are_alike(event("20T00:20", "20T01:00", PASSING), late)
    assert are_alike(event("20T22:31", "20T23:00", PASSING), late)
    assert not are_alike(event("20T02:00", "20T02:10", PASSING), late)


def test_what_recurs_has_the_hours_of_its_visits() -> None:
    daily = event("13T14:00", "18T13:40", RECURRING)
    assert are_alike(daily, daily)
    assert are_alike(event("25T14:50", "25T14:50", PASSING), daily)
    assert are_alike(event("25T12:45", "27T14:10", RECURRING), daily)
    assert not are_alike(event("25T12:30", "25T12:35", PASSING), daily)
    assert not are_alike(event("25T13:50", "26T16:00", LASTING), daily)


def test_what_stood_for_half_a_day_is_alike_at_any_hour() -> None:
    stood = event("13T14:00", "14T02:00", LASTING)
    assert are_alike(event("20T05:00", "29T06:00", LASTING), stood)
    assert are_alike(event("20T05:00", "20T05:00", PASSING), stood)


def test_an_answer_about_light_hides_light_alone() -> None:
    light = event("13T09:00", "13T09:30", LIGHT)
    assert are_alike(light, light)
    assert not are_alike(VISIT, light)
    assert are_alike(light, VISIT)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((100, 100, 40, 40), True),
        ((110, 110, 40, 40), True),  # 900 of 2300 pixels
        ((120, 110, 40, 40), False),  # 600 of 2600
        ((100, 100, 20, 40), True),
        ((110, 110, 15, 15), False),  # a small thing before a large one
        ((0, 0, 400, 300), False),
        ((200, 100, 40, 40), False),
        ((0, 0, 0, 0), False),
    ],
)
def test_places_are_alike_where_their_boxes_overlap(box: Box, expected: bool) -> None:
    one = event("20T09:10", "20T09:20", LASTING, box)
    assert are_alike(one, VISIT) is expected
    assert are_alike(VISIT, one) is expected


def test_overlap_is_that_of_pixels_whatever_the_resolution() -> None:
    one, other = shares_of((10, 20, 30, 40), (100, 200)), shares_of((20, 40, 60, 80), (200, 400))
    assert overlap(one, other) == pytest.approx(1)
    grid = [[False] * 8 for _ in range(8)]
    both = sum(1 <= x < 4 and 2 <= x < 8 for x in range(8)) * len(grid[0])
    either = sum(1 <= x < 4 or 2 <= x < 8 for x in range(8)) * len(grid[0])
    left, right = shares_of((1, 0, 3, 8), (8, 8)), shares_of((2, 0, 6, 8), (8, 8))
    assert overlap(left, right) == pytest.approx(both / either)
