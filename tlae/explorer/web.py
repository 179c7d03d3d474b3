"""What every local server of ours has: an application that asks no other site, and its page."""

from collections.abc import Sequence
from importlib.resources import files

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import HTMLResponse, JSONResponse

from tlae import __version__
from tlae.explorer.api_page import api_page

PAGE_FILES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
MOST_SHOWN = 60  # characters of a name that there is not


def local_app(title: str, summary: str, package: str, *, shown: Sequence[str] = ()) -> FastAPI:
    """An application with the page of a package and the description of its API.

    Args:
        title: of the API.
        summary: of the API.
        package: whose folder ``page`` holds index.html and what it loads.
        shown: ids of elements that the page hides otherwise.
    """
    app = FastAPI(
        title=title,
        version=__version__,
        summary=summary,
        docs_url=None,  # FastAPI's own loads scripts from another site
        redoc_url=None,
    )
    app.include_router(_page_routes(app, package, shown))
    return app


def _page_routes(app: FastAPI, package: str, shown: Sequence[str]) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    folder = files(package) / "page"
    kinds = {
        entry.name: PAGE_FILES[suffix]
        for entry in folder.iterdir()
        if (suffix := entry.name.rpartition(".")[2]) in PAGE_FILES
    }

    @router.get("/")
    def page() -> HTMLResponse:
        text = (folder / "index.html").read_text(encoding="utf-8")
        for element in shown:
            text = text.replace(f'id="{element}" hidden', f'id="{element}"')
        return HTMLResponse(text)

    @router.get("/page/{name}")
    def part(name: str) -> Response:
        if name not in kinds:
            return JSONResponse({"error": f"the page has no file {name[:MOST_SHOWN]!r}"}, 404)
        text = (folder / name).read_text(encoding="utf-8")
        return Response(text, media_type=kinds[name], headers={"Cache-Control": "no-cache"})

    @router.get("/docs")
    def docs() -> HTMLResponse:
        return HTMLResponse(api_page(app.openapi()))

    return router
