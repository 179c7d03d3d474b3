"""What is changed while a watch runs, and kept over restarts: alarms on or off, the threshold."""

import logging
import math
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tlae.footage.hours import Hours, in_hours
from tlae.scoring.events import CAMERA, Event

logger = logging.getLogger(__name__)


class Controls:
    """Switches of one watch; any thread may use them.

    Args:
        state: what ``state`` returned in an earlier run; empty: there was none.
        quiet: hours of the day in which alarms are off.
        threshold: as the settings say, in raw units.
    """

    def __init__(
        self, state: Mapping[str, Any], quiet: tuple[Hours, ...], threshold: float = math.inf
    ) -> None:
        self._lock, self._quiet = threading.Lock(), quiet
        self._alarms_on = bool(state.get("alarms_on", True))
        self._fixed: float | None = state.get("threshold")
        self._now = threshold if self._fixed is None else self._fixed
        self._is_new = self._fixed is not None
        self._listeners: list[Callable[[], None]] = []

    @property
    def alarms_on(self) -> bool:
        """Whether messages about events of the scene go to receivers."""
        return self._alarms_on

    @property
    def threshold(self) -> float:
        """Of the last frame, in raw units; infinite where none is known."""
        return self._now

    def state(self) -> dict[str, Any]:
        """Plain values to go on from."""
        return {"alarms_on": self._alarms_on, "threshold": self._fixed}

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this after each change."""
        self._listeners.append(listener)

    def switch_alarms(self, *, on: bool) -> None:
        """Let messages about events go to receivers, or not."""
        self._change(on, self._fixed)

    def fix_threshold(self, threshold: float | None) -> None:
        """Alarm above a raw score from the next frame on; None: as the settings say."""
        self._change(self._alarms_on, threshold)

    def see(self, threshold: float) -> None:
        """Take note of the threshold of a frame."""
        if threshold != self._now and math.isfinite(threshold):
            self._now = threshold
            self._tell()

    def take_change(self) -> tuple[bool, float | None]:
        """Whether something was changed since the last call, and the threshold that is fixed."""
        with self._lock:
            is_new, self._is_new = self._is_new, False
            return is_new, self._fixed

    def is_quiet(self, event: Event) -> bool:
        """Whether nobody is to be told of an event that begins; troubles of cameras always are."""
        if event.kind == CAMERA:
            return False
        at = event.started_at
        when = datetime.now() if at is None else datetime.fromisoformat(at)
        return not self._alarms_on or in_hours(when, self._quiet)

    def _change(self, alarms_on: bool, threshold: float | None) -> None:
        with self._lock:
            self._alarms_on, self._fixed, self._is_new = alarms_on, threshold, True
            self._now = self._now if threshold is None else threshold
        text = "as the settings say" if threshold is None else f"{threshold:g}"
        logger.warning("alarms are %s, the threshold is %s", "on" if alarms_on else "off", text)
        self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
