"""What the parts of the HTTP API share."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request, Response

from tlae.rendering.heatmap import FloatMap
from tlae.scoring.events import Event
from tlae.serving.metrics import Metrics
from tlae.serving.pictures import map_png, npy_bytes
from tlae.serving.refusals import Refused
from tlae.serving.session_list import Sessions
from tlae.serving.session_store import SessionStore
from tlae.serving.sessions import Session
from tlae.serving.shelf import ModelShelf
from tlae.serving.video_jobs import VideoJobs

MOST_AT_ONCE = 16  # single requests that score; the web server has threads for more
PICTURE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "a JPEG, PNG, WebP, BMP or TIFF file, or an array of numpy.save",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
WRONG: dict[int | str, dict[str, Any]] = {
    status: {"description": text}
    for status, text in {
        401: "no token, or a wrong one",
        404: "there is nothing of that id",
        413: "too large",
        415: "another kind of file",
        422: "the sentence says what is wrong",
        429: "too many at once",
    }.items()
}


@dataclass(frozen=True)
class Service:
    """One server without its sockets.

    Attributes:
        shelf: its models.
        sessions: cameras that are watched.
        jobs: uploaded videos.
        metrics: counts.
        most_pixels: of a picture.
        device: of nets, see ``Live``.
        store: keeps sessions over a restart; None: they go with the server.
    """

    shelf: ModelShelf
    sessions: Sessions
    jobs: VideoJobs
    metrics: Metrics
    most_pixels: float
    device: str = "auto"
    store: SessionStore | None = None
    _turns: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(MOST_AT_ONCE)
    )

    def keep(self, session: Session, ended: list[Event] | None = None) -> None:
        """Write a session, where they are kept; without new events and frames at once."""
        if self.store is None:
            return
        self.store.keep(session, ended or [], at_once=ended is None)
        if any(event.id in session.marks for event in ended or []):  # marked while it went on
            self.store.write_marks(self.sessions)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Score single pictures within.

        Raises:
            Refused: 429, too many requests do so.
        """
        if not self._turns.acquire(blocking=False):
            raise Refused(429, f"at most {MOST_AT_ONCE} requests may score at once; ask again")
        try:
            yield
        finally:
            self._turns.release()


async def body_of(request: Request) -> bytes:
    """The body as it was sent, whatever its type says."""
    return await request.body()


def map_answer(error: FloatMap, threshold: float, form: str) -> Response:
    """A map (h, w) as PNG or as .npy."""
    if form == "npy":
        return Response(npy_bytes(error), media_type="application/octet-stream")
    return Response(map_png(error, threshold), media_type="image/png")
