"""Frames pushed into ``Live``, compared with what `tlae score` wrote of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tlae.budget import Budget
from tlae.config_scores import EventsConfig
from tlae.footage.sources import open_footage
from tlae.live.live import Live
from tlae.live.score import LiveScore
from tlae.scoring.events import Event
from tlae.workflows.events import find_anew

COLUMNS = ("raw", "score", "threshold", "alarm", "state", "mode", "health")


def push_all(live: Live, footage: Path, **reading: object) -> tuple[list[LiveScore], list[Event]]:
    """Verdicts of all frames, and all events."""
    verdicts: list[LiveScore] = []
    for number, clip in enumerate(open_footage(str(footage), **reading).clips):  # type: ignore[arg-type]
        if number:
            live.cut()
        for frame in clip.frames():
            assert frame.image is not None
            when = frame.time_s if frame.taken_at is None else frame.taken_at
            verdicts.append(live.push(frame.image, when))
    events = [event for verdict in verdicts for event in verdict.ended]
    return verdicts, events + live.finish()


def require_equal(
    live: Live, footage: Path, scores: Path, budget: Budget | None = None, **reading: object
) -> None:
    """Equal on raw, score, threshold, alarm, state, mode, health, map and events.

    Args:
        live: nothing was pushed yet.
        footage: that was scored, frame by frame.
        scores: of it, by causal scoring.
        budget: of ``live``, by which events are found anew in the scores; None: as scored.
        reading: how the footage is read.
    """
    settings = EventsConfig(scores=str(scores), scoring=budget or Budget())
    offline = find_anew(settings).scores
    verdicts, events = push_all(live, footage, **reading)
    for column in COLUMNS:
        mine = [getattr(verdict, column) for verdict in verdicts]
        np.testing.assert_array_equal(mine, offline.table[column].to_numpy(), err_msg=column)
    for row, verdict in enumerate(verdicts):
        np.testing.assert_allclose(verdict.map, offline.map_of(row), rtol=1 / 4096, atol=1e-7)
    assert len(events) == len(offline.events)
    for mine_, theirs in zip(_in_order(events), _in_order(offline.events), strict=True):
        # A clip has a number here; whether a thing stayed takes all maps of an event, its rank all
        # events, and its kind in words pictures of before and after.
        same: dict[str, Any] = {"id": "", "clip": "", "stays": False, "rank": 0}
        same |= {"what": "", "told_by": "", "still_so": None, "over_at": None}
        assert replace(mine_, **same) == replace(theirs, **same)  # type: ignore[arg-type]


def _in_order(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda event: (event.first_frame, event.kind, event.health))
