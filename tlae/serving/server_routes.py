"""HTTP: health and counts, for who runs the server."""

from fastapi import APIRouter, Response

from tlae.serving.messages import Facts
from tlae.serving.metrics import CONTENT_TYPE
from tlae.serving.service import Service


def server_routes(service: Service) -> APIRouter:
    """Routes for who runs the server."""
    router = APIRouter()

    @router.get("/health", tags=["server"], summary="Whether the server runs")
    async def health() -> Facts:
        return {"status": "ok"}

    @router.get(
        "/ready",
        tags=["server"],
        summary="Whether it can score: a model is loaded, jobs are worked on",
        responses={503: {"description": "not now"}},
    )
    def ready(response: Response) -> Facts:
        models, jobs = len(service.shelf.loaded()), service.jobs.alive
        response.status_code = 200 if models and jobs else 503
        return {"ready": bool(models and jobs), "models": models}

    @router.get(
        "/metrics", tags=["server"], summary="Counts for Prometheus", response_class=Response
    )
    def metrics() -> Response:
        return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    return router
