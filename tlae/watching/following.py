"""Follow one camera: a frame in; scores, messages and what the next frame goes on from out."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from tlae.budget import Budget
from tlae.footage.preprocess import same_shape
from tlae.live.live import Live
from tlae.live.score import LiveScore
from tlae.number_words import how_many
from tlae.scoring.events import CAMERA, Event, iso_of
from tlae.watching.arrival import Arrival, Counts, Progress
from tlae.watching.messages import LOST, Announcer
from tlae.watching.snapshots import Look, PeakPictures
from tlae.watching.status import EventCounts
from tlae.watching.store import Pending

CLIPS = 2  # whose names are kept: events speak of the clip that goes on and of the one before

logger = logging.getLogger(__name__)


class Following:
    """What was said of the frames so far.

    Args:
        live: nothing was pushed yet.
        announcer: makes messages of events.
        peaks: make pictures of events.

    Attributes:
        pending: what is not yet stored.
        progress: how files were dated.
    """

    def __init__(self, live: Live, announcer: Announcer, peaks: PeakPictures) -> None:
        self._live, self._announcer, self._peaks = live, announcer, peaks
        self.pending, self.progress = Pending(), Progress()
        self._clips: dict[str, str] = {}  # number of a clip, as events have it, to its name
        self._clip, self._number = "", 0
        self._shape = (0, 0)  # of the last picture [px]
        self._last: tuple[Arrival, LiveScore] | None = None
        self._outage: Event | None = None  # while the camera is lost

    @property
    def events(self) -> EventCounts:
        """Events so far."""
        announcer = self._announcer
        return EventCounts(
            announcer.open_events, announcer.total, announcer.hidden, announcer.going_on
        )

    @property
    def open_ids(self) -> set[str]:
        """Of the events that go on and that receivers were told of."""
        return self._announcer.open_ids

    @property
    def odd_times(self) -> dict[str, int]:
        """See ``Live.odd_times``."""
        return self._live.odd_times

    def facts(self) -> dict[str, Any]:
        """Plain values for ``go_on``."""
        return {
            "events": self._announcer.state(),
            "progress": asdict(self.progress),
            "clips": self._clips,
            "clip": self._clip,
            "number": self._number,
            "shape": self._shape,
            "outage": None if self._outage is None else self._outage.as_json(),
        }

    def alarm_by(self, budget: Budget) -> None:
        """Alarm by another budget from the next frame on."""
        self._live.change_budget(budget)

    def look_at_answers(self) -> bool:
        """Say what the user's answers hide now, if they changed; returns whether they did."""
        if not self._live.look_at_answers():
            return False
        outage = [] if self._outage is None else [self._outage]
        self._announce([*self._live.going_on, *outage], ())
        return True

    def state(self) -> bytes:
        """State of the scoring for ``go_on``."""
        return self._live.state()

    def go_on(self, facts: Mapping[str, Any], state: bytes | None) -> None:
        """Take up what an earlier run left.

        Args:
            facts: of that run.
            state: of the scoring; None: it does not fit this model, and its open events end.
        """
        self._announcer.restore(facts["events"])
        self.progress = Progress(**facts["progress"])
        if facts["outage"] is not None:
            self._outage = Event.of_json(facts["outage"], 1)
        if self._restored(state):
            self._clips, self._clip, self._number = facts["clips"], facts["clip"], facts["number"]
            self._shape = tuple(facts["shape"])
            return
        ended, self._outage = self._announcer.abandon(), None
        logger.warning("scoring begins anew and ends %s", how_many(len(ended), "open event"))
        self.pending.messages += ended

    def _restored(self, state: bytes | None) -> bool:
        """Whether the scoring goes on from a state."""
        if state is None:
            return False
        try:
            self._live.restore(state)
        except ValueError as error:
            logger.warning("%s; scoring begins anew", error)
            return False
        return True

    def take(self, arrival: Arrival, counts: Counts, *, keeps_all: bool) -> LiveScore | None:
        """Score a frame, and note what it leads to; None where there was no frame to score.

        Args:
            arrival: the frame.
            counts: of its source.
            keeps_all: whether it comes from files, of which other shapes are left out, as
                `tlae score` does; a live camera of another shape begins anew.
        """
        if arrival.file:
            done = arrival.frames_done, arrival.state, arrival.is_last
            self.pending.files[arrival.file] = done
        if arrival.image is None or not self._fits(arrival, counts, keeps_all=keeps_all):
            return None
        if arrival.clip != self._clip:
            self._begin_clip(arrival.clip)
        self.progress = arrival.progress or self.progress
        verdict = self._live.push(arrival.image, arrival.when, arrival.source_hw)
        going_on = self._live.going_on
        self._peaks.see(going_on, Look(arrival.whole, arrival.when, arrival.clip, verdict))
        self._announce(going_on, (*self._outage_until(arrival, verdict), *verdict.ended))
        self._last = arrival, verdict
        when = arrival.when
        self.pending.scores.append(
            (
                arrival.clip,
                when.isoformat() if isinstance(when, datetime) else str(when),
                *(verdict.raw, verdict.score, verdict.threshold, verdict.alarm),
                *(verdict.mode, verdict.health, verdict.state, arrival.file),
            )
        )
        return verdict

    def finish(self) -> None:
        """No further frame will come: what goes on ends with the last one."""
        self._announce([], tuple(self._live.finish()))

    def lose(self) -> bool:
        """No frame has come for long, which is an event of the camera; False where it is known."""
        if self._outage is not None or self._last is None:
            return False
        arrival, verdict = self._last
        at = iso_of(arrival.when if isinstance(arrival.when, datetime) else None)
        height, width = arrival.source_hw
        self._outage = Event(
            id="",
            kind=CAMERA,
            zone=None,
            clip=str(self._number),
            first_frame=verdict.frame,
            last_frame=verdict.frame,
            start_s=verdict.time_s,
            end_s=verdict.time_s,
            started_at=at,
            ended_at=at,
            peak_frame=verdict.frame,
            peak_raw=None,
            peak_score=None,
            threshold=None,
            box=(0, 0, width, height),
            mode=verdict.mode,
            health=LOST,
        )
        self._announce([*self._live.going_on, self._outage], ())
        return True

    def _outage_until(self, arrival: Arrival, verdict: LiveScore) -> Iterator[Event]:
        """The outage that ends with a frame, if there was one."""
        if self._outage is not None:
            at = iso_of(arrival.when if isinstance(arrival.when, datetime) else None)
            last = {"last_frame": verdict.frame, "end_s": verdict.time_s, "ended_at": at}
            yield replace(self._outage, **last)  # type: ignore[arg-type]
            self._outage = None

    def _announce(self, going_on: list[Event], ended: tuple[Event, ...]) -> None:
        self.pending.messages += self._announcer.messages(going_on, ended, self._clips)

    def _fits(self, arrival: Arrival, counts: Counts, *, keeps_all: bool) -> bool:
        """Whether a picture has the shape of those before it in its clip."""
        is_first = not any(self._shape) or (keeps_all and arrival.clip != self._clip)
        if is_first or same_shape(arrival.source_hw, self._shape):
            self._shape = arrival.source_hw
            return True
        sizes = [f"{width}x{height}" for height, width in (arrival.source_hw, self._shape)]
        if keeps_all:
            logger.warning("%s left out: %s pixels, those before have %s", arrival.file, *sizes)
            counts.unreadable += 1
            return False
        logger.warning("the camera sends pictures of another shape: %s pixels, before %s", *sizes)
        self._shape, self._clip = arrival.source_hw, ""
        return True

    def _begin_clip(self, name: str) -> None:
        if self._clips:
            self._live.cut()
            self._number += 1
        self._clip = name
        clips = {**self._clips, str(self._number): name}
        self._clips = dict(list(clips.items())[-CLIPS:])
