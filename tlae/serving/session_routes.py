"""HTTP: cameras that are watched, frame by frame."""

import time
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response

from tlae.errors import UserError
from tlae.serving.messages import (
    BudgetMessage,
    Facts,
    MarkMessage,
    NewSession,
    OtherModel,
    event_facts,
    session_events,
)
from tlae.serving.pictures import read_picture
from tlae.serving.refusals import Refused
from tlae.serving.seen_frames import Shown
from tlae.serving.service import PICTURE_BODY, WRONG, Service, body_of, map_answer
from tlae.serving.sessions import Session

MOST_POINTS = 2000  # of one answer
LARGEST_S = 1e12
EARLIEST_YEAR, LATEST_YEAR = 1970, 2200
FRESH = {"Cache-Control": "no-store"}


def session_routes(service: Service) -> APIRouter:
    """Routes under /api/sessions that change sessions."""
    router = APIRouter(prefix="/api/sessions", tags=["sessions"], responses=WRONG)
    sessions = service.sessions

    @router.post("", status_code=201, summary="Begin to watch a camera")
    def create(asked: NewSession) -> Facts:
        shelved = service.shelf.get(asked.model)
        name = asked.name or shelved.id
        session = Session(shelved, name, asked.budget(), asked.interval_s, service.device)
        sessions.add(session)
        service.keep(session)
        return session.facts()

    @router.get("", summary="All sessions")
    def every() -> list[Facts]:
        return [session.facts() for session in sessions.all()]

    @router.get("/{session}", summary="One session")
    def one(session: str) -> Facts:
        return sessions.get(session).facts()

    @router.patch("/{session}", summary="Alarm by another threshold or budget from now on")
    def change(session: str, asked: BudgetMessage) -> Facts:
        found = sessions.get(session)
        found.change_budget(asked.budget())
        service.keep(found)
        return found.facts()

    @router.put("/{session}/model", summary="Score by another model from the next frame on")
    def change_model(session: str, asked: OtherModel) -> Facts:
        found = sessions.get(session)
        found.change_model(service.shelf.get(asked.model))
        service.keep(found)
        return found.facts()

    @router.delete("/{session}", summary="End a session; answers with the events that went on")
    def close(session: str) -> Facts:
        found = sessions.remove(session)
        ended = found.close()
        service.metrics.events.inc(len(ended))
        return found.facts() | {"ended": [event_facts(event) for event in ended]}

    @router.post("/{session}/frames", summary="Score the next frame", openapi_extra=PICTURE_BODY)
    def push(
        session: str,
        data: Annotated[bytes, Depends(body_of)],
        time_s: Annotated[
            float | None, Query(ge=-LARGEST_S, le=LARGEST_S, description="seconds")
        ] = None,
        taken_at: Annotated[datetime | None, Query(description="wall-clock time")] = None,
    ) -> Facts:
        found, counts = sessions.get(session), service.metrics.frames
        when = _when(time_s, taken_at)
        try:
            wanted = found.shelved.of_camera.preprocessing
            sent = read_picture(data, service.most_pixels, wanted.levels, wanted.size_hw)
            point, event, ended = found.push(sent, when)
            service.keep(found, ended)
        except UserError:
            counts.labels("refused").inc()
            raise
        counts.labels("scored" if point.state == "ok" else point.state).inc()
        service.metrics.events.inc(len(ended))
        return asdict(point) | {
            "event": None if event is None else event_facts(event),
            "ended": [event_facts(one) for one in ended],
        }

    _add_views(router, service)
    return router


def _add_views(router: APIRouter, service: Service) -> None:
    """Routes that show what is known of a session."""
    sessions = service.sessions

    @router.get("/{session}/points", summary="The score curve, oldest frame first")
    def points(
        session: str, after: Annotated[int, Query(ge=-1, le=2**53, description="frame")] = -1
    ) -> Facts:
        found = sessions.get(session)
        newer = [asdict(point) for point in list(found.points) if point.frame > after]
        return {"now": time.time(), "points": newer[-MOST_POINTS:]} | found.facts()

    @router.get("/{session}/events", summary="Events, the newest first")
    def events(session: str) -> list[Facts]:
        return session_events(sessions.get(session))

    @router.put("/{session}/events/{event}/mark", summary="Say what an event was")
    def mark(session: str, event: str, asked: MarkMessage) -> list[Facts]:
        found = sessions.get(session)
        found.mark(event, asked.mark)
        service.keep(found)
        if service.store is not None:
            service.store.write_marks(sessions)
        return session_events(found)

    @router.get(
        "/{session}/events/{event}/snapshot",
        summary="JPEG of the worst frame of an event",
        response_class=Response,
    )
    def snapshot(session: str, event: str) -> Response:
        found = sessions.get(session).snapshot(event)
        return Response(found, media_type="image/jpeg", headers=FRESH)

    @router.get("/{session}/picture", summary="JPEG of the newest frame", response_class=Response)
    def picture(session: str, heat: bool = True) -> Response:
        shown = _shown(sessions.get(session))
        headers = FRESH | {"X-Frame": str(shown.frame)}
        return Response(shown.picture(heat=heat), media_type="image/jpeg", headers=headers)

    @router.get("/{session}/map", summary="Map of the newest frame", response_class=Response)
    def map_of(session: str, form: Literal["png", "npy"] = "png") -> Response:
        seen = _shown(sessions.get(session)).seen
        return map_answer(seen.map, seen.threshold, form)


def _when(time_s: float | None, taken_at: datetime | None) -> datetime | float | None:
    """Time of a frame, if one is given."""
    if time_s is not None and taken_at is not None:
        raise Refused(422, "time_s and taken_at must not both be given; give one")
    if taken_at is not None and not EARLIEST_YEAR <= taken_at.year <= LATEST_YEAR:
        raise Refused(
            422, f"taken_at must be in {EARLIEST_YEAR} to {LATEST_YEAR}, got {taken_at.year}"
        )
    return taken_at if time_s is None else time_s


def _shown(session: Session) -> Shown:
    if session.shown is None:
        raise Refused(404, f"session {session.id} has no frame yet; push one to .../frames")
    return session.shown
