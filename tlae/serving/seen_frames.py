"""Frames of a session: points of its curve, and pictures that can be drawn."""

import math
from dataclasses import dataclass

import numpy as np

from tlae.explorer.pictures import jpeg
from tlae.live import LiveScore
from tlae.serving.pictures import Picture, heat_picture


@dataclass(frozen=True)
class Point:
    """One frame on the score curve.

    Attributes:
        frame: 0-based in the session.
        received_at: seconds since 1970.
        raw, score, threshold: see ``LiveScore``; None: not known, or infinite.
        alarm: whether the frame is in alarm.
        health: of the camera.
        mode: of the camera.
        state: "ok" or "warm-up".
        reason: why the worst place is unusual, a clause that follows "it".
    """

    frame: int
    received_at: float
    raw: float | None
    score: float | None
    threshold: float | None
    alarm: bool
    health: str
    mode: str
    state: str
    reason: str


@dataclass(frozen=True, eq=False)
class Shown:
    """A frame that can be drawn: the newest one, or the worst of the event that goes on."""

    frame: int
    image: Picture
    seen: LiveScore

    def picture(self, *, heat: bool = True) -> bytes:
        """JPEG, with heat and boxes where asked for."""
        seen = self.seen
        error = seen.map if heat else np.zeros_like(seen.map)
        threshold = seen.threshold if heat else math.inf
        return jpeg(heat_picture(self.image, error, threshold, alarm=heat and seen.alarm))
