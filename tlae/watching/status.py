"""How a watch is doing: ``status.json`` for programs, one line for people."""

import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tlae.live.score import LiveScore
from tlae.plain_values import finite_or_none
from tlae.watching.arrival import Counts
from tlae.whole_file import write_json

FILE = "status.json"
LATENCIES = 1024  # of the last frames

MOST_LISTED = 50  # events that go on
LISTED = (  # of each
    *("id", "what", "told_by", "started_at", "start_s", "ended_at", "end_s"),
    *("still_so", "over_at", "hidden_by"),
)

logger = logging.getLogger(__name__)


class EventCounts(NamedTuple):
    """Events of a watch.

    Attributes:
        shown: how many go on that are shown.
        all: how many there were so far.
        hidden: how many of all the user's answers hide.
        going_on: those that go on, hidden ones included, the newest first; see ``Event.as_json``.
    """

    shown: int
    all: int
    hidden: int
    going_on: Sequence[Mapping[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Plain values; an event that goes on was last seen at its end."""
        listed = [{name: one.get(name) for name in LISTED} for one in self.going_on[:MOST_LISTED]]
        counts = {"open": self.shown, "all": self.all, "hidden": self.hidden}
        return counts | {"going_on": listed}


class Status:
    """Facts of a running watch.

    Args:
        facts: that stay: camera, model and so on.
        counts: of the source.
        stalled_s: a camera whose last frame is older is not online [s]; 0: that says nothing.
    """

    def __init__(self, facts: dict[str, Any], counts: Counts, stalled_s: float) -> None:
        self._facts, self._counts, self._stalled_s = facts, counts, stalled_s
        self._since = datetime.now(UTC)
        self._latencies_s: deque[float] = deque(maxlen=LATENCIES)
        self._last: LiveScore | None = None
        self._is_unwritten = False
        self.scored = 0

    def scored_one(self, verdict: LiveScore, arrived_s: float) -> None:
        """Count a frame that arrived then, by ``time.monotonic``."""
        self.scored += 1
        self._last = verdict
        self._latencies_s.append(time.monotonic() - arrived_s)

    @property
    def age_s(self) -> float | None:
        """Age of the last frame [s]; None: there was none."""
        at_s = self._counts.last_at_s
        return None if at_s is None else time.monotonic() - at_s

    @property
    def is_lost(self) -> bool:
        """Whether frames came, and none has for long."""
        return bool(self._stalled_s) and self.age_s is not None and self.age_s > self._stalled_s

    @property
    def is_online(self) -> bool:
        """Whether frames come."""
        return not self._counts.trouble and not self.is_lost

    def as_json(
        self,
        events: EventCounts,
        odd_times: Mapping[str, int],
        sinks: Mapping[str, dict[str, Any]],
    ) -> dict[str, Any]:
        """Plain values of ``status.json``.

        Args:
            events: so far.
            odd_times: since the start, see ``Live.odd_times``.
            sinks: what became of messages, by sink.
        """
        counts, last, age_s = self._counts, self._last, self.age_s
        return {
            **self._facts,
            "state": "online" if self.is_online else "offline",
            "trouble": counts.trouble,
            "since": self._since.isoformat(timespec="seconds"),
            "updated_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "frames": {
                "read": counts.read,
                "scored": self.scored,
                "dropped": counts.dropped,
                "skipped": counts.skipped,
                "unreadable": counts.unreadable,
            },
            "last_frame_age_s": None if age_s is None else round(age_s, 3),
            "reconnects": counts.reconnects,
            "latency_s": self._latency(),
            "score": None if last is None else _score(last),
            "clock": dict(odd_times),
            "events": events.as_json(),
            "sinks": sinks,
        }

    def write(self, folder: Path, facts: dict[str, Any]) -> None:
        """Write ``status.json``, all or nothing; a disk that does not take it is logged once."""
        try:
            write_json(folder / FILE, facts)
        except OSError as error:
            if not self._is_unwritten:
                logger.warning("%s cannot be written: %s", FILE, error.strerror or error)
            self._is_unwritten = True
        else:
            self._is_unwritten = False

    def line(self, events: EventCounts, waiting: int) -> str:
        """One line for a terminal."""
        counts, last = self._counts, self._last
        parts = [f"{self.scored:,} scored"]
        if counts.dropped:
            parts.append(f"{counts.dropped:,} dropped")
        if last is not None:
            parts.append(f"score {last.raw:.4g} of {last.threshold:.4g}")
        latency = self._latency()["p50"]
        if latency is not None:
            parts.append(f"{1000 * latency:.0f} ms")
        if events.shown:
            parts.append(f"{events.shown} open")
        if events.hidden:
            parts.append(f"{events.hidden} hidden by your answers")
        if waiting:
            parts.append(f"{waiting} to send")
        if not self.is_online:
            age = "" if self.age_s is None else f", last frame {self.age_s:.0f} s ago"
            parts.append(f"offline{age}")
        return " | ".join(parts)

    def _latency(self) -> dict[str, float | None]:
        """From arrival to verdict [s], over the last frames."""
        if not self._latencies_s:
            return {"p50": None, "p99": None}
        p50, p99 = np.quantile(list(self._latencies_s), (0.5, 0.99))
        return {"p50": round(float(p50), 4), "p99": round(float(p99), 4)}


def _score(verdict: LiveScore) -> dict[str, Any]:
    names = ("raw", "score", "threshold")
    return {
        **{name: finite_or_none(getattr(verdict, name)) for name in names},
        "alarm": verdict.alarm,
        "health": verdict.health,
        "mode": verdict.mode,
        "state": verdict.state,
    }
