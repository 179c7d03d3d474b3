"""HTTP: the live page, the description of the API, health and counts."""

from importlib.resources import files

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import HTMLResponse

from tlae.explorer.api_page import api_page
from tlae.serving.messages import Facts
from tlae.serving.metrics import CONTENT_TYPE
from tlae.serving.refusals import Refused
from tlae.serving.service import Service

PARTS = {
    "live.css": "text/css",
    "live.js": "text/javascript",
    "chart.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


def page_routes(app: FastAPI, service: Service) -> APIRouter:
    """Routes of the page, and those for who runs the server."""
    router = APIRouter()
    folder = files("tlae.serving") / "page"

    @router.get("/", include_in_schema=False)
    def page() -> HTMLResponse:
        return HTMLResponse((folder / "index.html").read_text(encoding="utf-8"))

    @router.get("/page/{name}", include_in_schema=False)
    def part(name: str) -> Response:
        if name not in PARTS:
            raise Refused(404, f"the page has no file {name[:60]!r}")
        text = (folder / name).read_text(encoding="utf-8")
        return Response(text, media_type=PARTS[name], headers={"Cache-Control": "no-cache"})

    @router.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(api_page(app.openapi()))

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
