"""What a thing of stills is, in words, told by pictures of its place before, since and after.

The search for things knows the map alone (``things.py``): what passed, lasted or recurred, and what
was light. Pictures tell more: whether something came or went, whether the place is another one for
good, and whether the thing is still there at the end. All thresholds of that stand here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tlae.number_words import how_many
from tlae.scoring.event_rule import HOUR_S
from tlae.scoring.events import CAMERA, Event
from tlae.scoring.places import Change
from tlae.scoring.things import LASTING, LIGHT, PASSING, RECURRING

NEW, GONE, CHANGED = "new object", "object gone", "changed for good"
TOLD = (LASTING, PASSING)  # kinds that pictures make more exact

CAME = 0.55  # outline (``Change.outline``) from which on a thing came
WENT = 0.40  # and up to which one went
SHOWS = 0.10  # a picture shows a thing, or its place as before, from so much on (``Change.shows``)
NEXT = 4  # pictures after a thing, of which the first clear one tells whether it passed
AWAY = 2  # pictures without it, at least, before it is said to have left
FEWEST = 0.05  # share of the place that must differ
SAME_BUILD = 0.85  # correlation from which on only the light differs
FOR_GOOD_S = 24 * HOUR_S  # what stands otherwise for so long, up to the end, does so for good


@dataclass(frozen=True)
class Later:
    """Whether a later picture shows a thing.

    Attributes:
        at_s: time in the clip [s].
        when: the same for people: ISO 8601, or clip time.
        shows: see ``Change.shows``.
    """

    at_s: float
    when: str | float
    shows: float


def told(
    event: Event, change: Change | None, later: Sequence[Later], *, so_far: bool = False
) -> Event:
    """An event with its kind, the reason for it, and until when its place was so.

    Args:
        event: as the search found it.
        change: of its place; None: there are no pictures of before, or of another size.
        later: pictures after its last sighting, in order.
        so_far: it goes on: until the next clear picture nothing has passed.
    """
    if event.kind == CAMERA:
        return replace(event, told_by=f"the picture of the camera is {event.health}")
    if event.what == LIGHT:
        return replace(event, told_by="many places or much of the picture differ at once")
    if event.what == RECURRING:
        return replace(
            event, told_by=f"it came back on {how_many(event.returns, 'further day')} at this hour"
        )
    if event.what not in TOLD:
        return event
    if change is None:
        return replace(event, told_by=_by_map(event))
    if change.share < FEWEST and change.alike >= SAME_BUILD:
        words = f"its structure is as before (correlation {change.alike:.2f})"
        return replace(event, what=LIGHT, told_by=words)
    if event.what == PASSING and not _stayed(later, so_far=so_far):
        return replace(event, told_by=_by_map(event))
    over = _over(later)
    still_so = over is None if over is not None or _still(later) else None
    event = replace(event, still_so=still_so, over_at=None if over is None else over.when)
    end_s = later[-1].at_s if later else event.end_s
    for_good = bool(still_so) and end_s - event.start_s >= FOR_GOOD_S
    what, words = _of_outline(change, for_good, "so far" if so_far else "up to the end")
    return replace(event, what=what, told_by=words)


def until_words(event: Event, *, so_far: bool = False) -> str:
    """Whether the place of a thing is still so at the end: "still there", "back by ..."; or "".

    Args:
        event: with its kind.
        so_far: it goes on.
    """
    still, over = {NEW: ("still there", "left"), GONE: ("still gone", "back")}.get(
        event.what, ("still so", "as before")
    )
    if event.still_so is None:
        return ""
    if event.still_so:
        return still if so_far else f"{still} at the end"
    when = event.over_at if isinstance(event.over_at, str) else f"{event.over_at:.1f} s"
    return f"{over} by {when}"


def _of_outline(change: Change, for_good: bool, until: str) -> tuple[str, str]:
    """The kind that an outline tells, and why."""
    since = min(max(change.outline, 0.01), 0.99)
    times = max(since, 1 - since) / min(since, 1 - since)
    if since >= CAME:
        words = "something stands out where nothing did before"
        return NEW, f"{words}; its outline is {times:.1f} times as strong as before"
    if since <= WENT:
        words = "what stood out there before does no longer"
        return GONE, f"{words}; its outline was {times:.1f} times as strong as since"
    words = "the place differs, nothing clearly came or went"
    return (CHANGED, f"{words}, and it is so {until}") if for_good else (LASTING, words)


def _by_map(event: Event) -> str:
    if event.what == PASSING:
        return "it was seen in one frame alone"
    return f"it was seen in {how_many(event.frames, 'frame')}, and no pictures of before tell more"


def _stayed(later: Sequence[Later], *, so_far: bool) -> bool:
    """Whether what the map showed in one frame is still there in the next clear picture."""
    clear = [one.shows for one in later[:NEXT] if abs(one.shows) >= SHOWS]
    return clear[0] > 0 if clear else so_far


def _over(later: Sequence[Later]) -> Later | None:
    """The picture that best divides those with the thing from those of the place as before.

    Of all clear pictures, the fewest are on the wrong side of it: people may stand before a thing,
    and snow lie on it. None: fewer than ``AWAY`` pictures come after.
    """
    clear = [one for one in later if abs(one.shows) >= SHOWS]
    without = np.array([one.shows < 0 for one in clear], bool)
    wrong = np.append(0, np.cumsum(without)) + (~without).sum() - np.append(0, np.cumsum(~without))
    first = len(clear) - int(wrong[::-1].argmin())
    return clear[first] if first <= len(clear) - AWAY else None


def _still(later: Sequence[Later]) -> bool:
    """Whether the last clear picture shows the thing; its last sighting, where none is later."""
    clear = [one.shows for one in later if abs(one.shows) >= SHOWS]
    return clear[-1] > 0 if clear else not later
