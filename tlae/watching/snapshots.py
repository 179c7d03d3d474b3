"""A picture of each event at its worst moment, with the heat on it."""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import cv2

from tlae.footage.frames import OK, Image
from tlae.live.score import LiveScore
from tlae.rendering.heatmap import FloatMap, HeatScale, Mask, RecentMaps, without_trail
from tlae.rendering.marks import Caption, reason_of_alarm
from tlae.rendering.overlay import draw_overlay
from tlae.rendering.strength import times_threshold
from tlae.rendering.text import clock_text
from tlae.scoring.events import Event
from tlae.watching.messages import OpenEvent, key_of
from tlae.watching.room import SNAPSHOTS
from tlae.whole_file import whole_file

SUFFIX = ".jpg"
QUALITY = 90

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Look:
    """A frame as it is drawn.

    Attributes:
        whole: gives the picture, RGB (H, W, 3).
        when: it was taken, or seconds since its clip began.
        place: name of the camera or clip.
        verdict: what was said of it.
        before: maps of the frames before, see ``RecentMaps``.
    """

    whole: Callable[[], Image]
    when: datetime | float
    place: str
    verdict: LiveScore
    before: tuple[FloatMap, ...] = ()


class Snapshots:
    """The folder of snapshots.

    Args:
        folder: of the watch; paths are relative to it.
        watched: (h, w), False where changes are ignored; None: watched everywhere.
        local: whether an error says something of a place.
    """

    def __init__(self, folder: Path, watched: Mask | None, *, local: bool) -> None:
        self._folder, self._watched, self._local = folder, watched, local
        self._is_unwritten = False

    def write(self, name: str, look: Look) -> str | None:
        """Draw a frame; returns the path, relative to the folder of the watch, or None.

        A disk that takes no picture is logged once, and no reason to lose the event.
        """
        path = f"{SNAPSHOTS}/{name}{SUFFIX}"
        try:
            target = self._folder / path
            target.parent.mkdir(exist_ok=True)
            picture = cv2.cvtColor(self._drawn(look), cv2.COLOR_RGB2BGR)
            _, data = cv2.imencode(SUFFIX, picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
            with whole_file(target) as temporary:
                temporary.write_bytes(data.tobytes())
        except OSError as error:
            if not self._is_unwritten:
                logger.warning("%s cannot be written: %s", path, error.strerror or error)
            self._is_unwritten = True
            return None
        self._is_unwritten = False
        return path

    def _drawn(self, look: Look) -> Image:
        verdict = look.verdict
        level = verdict.threshold if self._local else math.inf
        is_timed = isinstance(look.when, datetime)
        clock = clock_text(0.0, look.when) if is_timed else clock_text(look.when)  # type: ignore[arg-type]
        return draw_overlay(
            look.whole(),
            without_trail(verdict.map, look.before),
            level,
            HeatScale.of_map(verdict.map, level),
            alarm=verdict.alarm,
            watched=self._watched,
            caption=Caption(clock, look.place, reason_of_alarm(verdict.alarm, verdict.reason)),
            strength=times_threshold(verdict.raw, verdict.threshold),
            legend=True,
        )


class PeakPictures:
    """Hold each event's worst frame until a message about it is written.

    Args:
        snapshots: where they are written.
    """

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._peaks: dict[str, int] = {}  # frame of the highest score of each event so far
        self._looks: dict[str, Look] = {}  # what is not yet drawn
        self._recent = RecentMaps()

    def see(self, going_on: Sequence[Event], look: Look) -> None:
        """Take a frame for the events that are at their worst in it."""
        verdict = look.verdict
        if verdict.state == OK:
            before = self._recent.before(verdict.frame, verdict.time_s, verdict.map)
            look = replace(look, before=before)
        keys = {key_of(event): event.peak_frame for event in going_on}
        for key, peak in keys.items():
            if self._peaks.get(key) != peak:
                self._looks[key] = look
        self._peaks = keys

    def draw(self, known: OpenEvent, event: Event) -> str | None:
        """Write the snapshot of an event, if it got worse; see ``messages.Picture``."""
        look = self._looks.pop(key_of(event), None)
        return None if look is None else self._snapshots.write(known.id, look)
