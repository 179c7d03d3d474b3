"""What pictures and the user's answers say of things while frames arrive, in bounded memory.

The kinds are those of ``thing_kinds.py``, told by the pictures that are there by then: of before
from the first sighting on, of afterwards as they come. So a kind may be corrected later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tlae.footage.frames import Image
from tlae.scoring.current_answers import CurrentAnswers
from tlae.scoring.event_rule import HOUR_S
from tlae.scoring.events import Box, Event, iso_of
from tlae.scoring.places import SINCE, Change, Plane, View
from tlae.scoring.recent_pictures import RecentPictures, reduced
from tlae.scoring.stretch import Moment
from tlae.scoring.thing_kinds import NEXT, TOLD, Later, told

MOST_LOOKED_AT = 100  # things at once; others are told by the map alone
LATER_EVERY_S = HOUR_S / 4  # between pictures without a thing that are asked, after the next ones


@dataclass(eq=False)
class _Known:
    """What is known of a thing that goes on, besides its event.

    Attributes:
        size_hw: of the picture that its box is of [px].
        mode: of the camera then.
        box, picture_hw: of the view, in the pictures that are kept.
        calm: cutting of before; None: there is none.
        since: cuttings that show it.
        later: what pictures after its last sighting show.
        change: of its place; None: no pictures tell of it.
    """

    size_hw: tuple[int, int]
    mode: str = ""
    box: Box = (0, 0, 0, 0)
    picture_hw: tuple[int, int] = (0, 0)
    calm: Plane | None = None
    since: list[Plane] = field(default_factory=list)
    later: list[Later] = field(default_factory=list)
    change: Change | None = None

    @property
    def view(self) -> View:
        """Where the place is cut out."""
        return View.of(self.box, self.picture_hw)

    def compare(self) -> None:
        """Find what differs at the place, by the cuttings."""
        if self.calm is not None:
            self.change = Change.of_pictures([self.calm], self.since, self.view)

    def show(self, picture: Image) -> None:
        """Take another picture that shows it."""
        if self.calm is not None and (seen := self.view.of_picture(picture)) is not None:
            self.since.append(seen)
            self.compare()

    def miss(self, picture: Image, moment: Moment) -> None:
        """Take a picture after its last sighting; after the next ones some are enough."""
        is_due = len(self.later) < NEXT
        is_due = is_due or moment.time_s - self.later[-1].at_s >= LATER_EVERY_S
        if self.change is None or not is_due:
            return
        if (seen := self.view.of_picture(picture)) is not None:
            when = iso_of(moment.taken_at) or moment.time_s
            self.later.append(Later(moment.time_s, when, self.change.shows(seen)))

    def forget(self) -> None:
        """Its kind needs no pictures."""
        self.calm, self.since, self.later, self.change = None, [], [], None

    def state(self) -> dict[str, Any]:
        """Plain values and arrays."""
        planes = [] if self.calm is None else [self.calm, *self.since]
        return {
            **{name: getattr(self, name) for name in ("size_hw", "mode", "box", "picture_hw")},
            "later": [[one.at_s, one.when, one.shows] for one in self.later],
            "planes": {str(number): plane for number, plane in enumerate(planes)},
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> "_Known":
        """As it was."""
        calm, since = None, list(state["planes"].values())
        if since:
            calm, *since = since
        known = cls(
            *(tuple(state["size_hw"]), state["mode"], tuple(state["box"])),
            *(tuple(state["picture_hw"]), calm, since),
            [Later(*one) for one in state["later"]],
        )
        known.compare()
        return known


class LiveThings:
    """Follow the places of things.

    Args:
        answers: of the user; None: nothing is hidden.
    """

    def __init__(self, answers: CurrentAnswers | None) -> None:
        self._answers = answers
        self._recent = RecentPictures()
        self._known: dict[str, _Known] = {}
        self._clip, self._time_s, self._size_hw = "", -np.inf, (1, 1)

    def see(self, moment: Moment, picture: Image, followed: Sequence[Event]) -> None:
        """Take a frame.

        Args:
            moment: of it.
            picture: (H, W, 3), as the camera took it or reduced.
            followed: all things that go on after it.
        """
        if moment.clip != self._clip or moment.time_s < self._time_s:
            self._recent.clear()
        self._clip, self._time_s, self._size_hw = moment.clip, moment.time_s, moment.source_hw
        ids = {event.id for event in followed}
        self._known = {name: one for name, one in self._known.items() if name in ids}
        if not moment.shows_scene or np.isnan(moment.raw):
            return
        picture = reduced(picture)
        for event in followed:
            self._look(event, moment, picture)
        self._recent.add(picture, moment.time_s, moment.mode)

    def told(self, event: Event, *, so_far: bool = True) -> Event:
        """An event with its kind, and with the answer that hides it; see ``thing_kinds.told``."""
        known = self._known.get(event.id) if event.what else None
        change, later = (None, []) if known is None else (known.change, known.later)
        event = told(event, change, later, so_far=so_far)
        return self._judged(event, self._size_hw if known is None else known.size_hw)

    def state(self) -> dict[str, Any]:
        """All that goes on, for ``restore``."""
        return {
            "known": {name: one.state() for name, one in self._known.items()},
            "recent": self._recent.state(),
            "at": [self._clip, self._time_s, self._size_hw],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        self._known = {name: _Known.of_state(one) for name, one in state["known"].items()}
        self._recent.restore(state["recent"])
        self._clip, self._time_s, size_hw = state["at"]
        self._size_hw = (size_hw[0], size_hw[1])

    def _judged(self, event: Event, size_hw: tuple[int, int]) -> Event:
        """With the answer that hides it."""
        key = "" if self._answers is None else self._answers.of(event, size_hw)
        return replace(event, hidden_by=key) if key else event

    def _look(self, event: Event, moment: Moment, picture: Image) -> None:
        """Look at the place of a thing in a frame."""
        known = self._known.setdefault(event.id, _Known(moment.source_hw))
        is_seen = event.last_frame == moment.frame
        if event.what not in TOLD:
            known.forget()
        elif event.peak_frame == moment.frame:
            self._begin(known, event, moment, picture)
        elif is_seen and len(known.since) < SINCE and moment.mode == known.mode:
            known.show(picture)
        elif not is_seen:
            known.miss(picture, moment)
        if is_seen:
            known.later = []
        if event.peak_frame == moment.frame:
            known.size_hw = moment.source_hw

    def _begin(self, known: _Known, event: Event, moment: Moment, picture: Image) -> None:
        """Look at a thing where it is at its worst, if there are pictures of before."""
        others = sum(one.calm is not None for one in self._known.values() if one is not known)
        if others >= MOST_LOOKED_AT:
            return
        box = _scaled(event.box, moment.source_hw, picture.shape[:2])
        view = View.of(box, picture.shape[:2])
        before = self._recent.before(event.start_s, moment.mode)
        cuttings = [one for one in map(view.of_picture, before) if one is not None]
        seen = view.of_picture(picture)
        if not cuttings or seen is None:  # what was looked at before counts on
            return
        change = Change.of_pictures(cuttings, [seen], view)
        assert change is not None
        known.mode, known.box, known.picture_hw = moment.mode, box, picture.shape[:2]
        known.calm, known.since, known.change = change.before, [seen], change


def _scaled(box: Box, source_hw: tuple[int, int], picture_hw: tuple[int, int]) -> Box:
    """A box in the pixels of another resolution."""
    down, across = picture_hw[0] / source_hw[0], picture_hw[1] / source_hw[1]
    left, top = int(box[0] * across), int(box[1] * down)
    right, bottom = round((box[0] + box[2]) * across), round((box[1] + box[3]) * down)
    return left, top, max(1, right - left), max(1, bottom - top)
