"""The explorer over HTTP: its page, and the same actions for programs."""

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse

from tlae.errors import UserError
from tlae.explorer import explorer as actions
from tlae.explorer.export import export_html
from tlae.explorer.guard import Guard
from tlae.explorer.job_store import Job, Labeling
from tlae.explorer.messages import Chosen, ClusteringMessage, Export, Move, Names
from tlae.explorer.pictures import PER_SHEET, SHEET_SIDE, TILE_PX, jpeg, placeholder
from tlae.explorer.regroup import methods, parameters_of
from tlae.explorer.sheets import Sheets
from tlae.explorer.web import local_app
from tlae.footage.images import Unreadable
from tlae.image_sets.cluster_methods import METHODS
from tlae.image_sets.maps import MAPS

LARGEST_PICTURE_PX = 2048
Answers = dict[int | str, dict[str, Any]]
BINARY: Answers = {200: {"content": {"application/octet-stream": {}}}}
LATER: Answers = {
    202: {"description": "not known yet: the job that computes it; ask again when it is done"}
}


def explorer_app(
    explorer: actions.Explorer, sheets: Sheets, host: str | None = "127.0.0.1"
) -> FastAPI:
    """The application.

    Args:
        explorer: what is explored.
        sheets: thumbnails of its items.
        host: that the server listens on, see ``Guard``; None: it is a part of an application that
            is guarded.
    """
    app = local_app("tlae explore", "Map, cluster and list a set of pictures.", "tlae.explorer")
    if host is not None:
        app.add_middleware(Guard, host=host)
    app.add_exception_handler(UserError, _refuse)
    app.include_router(_collection_routes(explorer, sheets), tags=["collection"])
    app.include_router(_picture_routes(explorer, sheets), tags=["pictures"])
    app.include_router(_labeling_routes(explorer), tags=["labelings"])
    app.include_router(_job_routes(explorer), tags=["jobs"])
    app.include_router(_file_routes(explorer), tags=["files"])
    return app


def _refuse(request: Request, error: Exception) -> JSONResponse:
    status = 404 if isinstance(error, actions.NotFound) else 422
    return JSONResponse({"error": str(error)}, status)


def _collection_routes(explorer: actions.Explorer, sheets: Sheets) -> APIRouter:
    router = APIRouter(prefix="/api")
    collection = explorer.collection

    @router.get("/collection", summary="What is explored, and what can be done with it")
    def describe() -> dict[str, Any]:
        return _facts(explorer, sheets)

    @router.get("/columns/{name}", summary="A column: float32, one per item", responses=BINARY)
    def column(name: str) -> Response:
        if name not in collection.columns:
            raise actions.NotFound(
                f"no column is called {name!r}; known: {', '.join(collection.columns)}"
            )
        return _binary(collection.columns[name])

    @router.get(
        "/maps/{method}",
        summary="Coordinates: float32, dimensions per item, in [-1, 1], NaN: not on the map",
        responses={**BINARY, **LATER},
    )
    def coordinates(method: str, dimensions: int = 2) -> Response:
        found = explorer.map(method, dimensions)
        return _later(found) if isinstance(found, Job) else _binary(found)

    @router.get("/items/{row}", summary="What is known of one item")
    def item(row: int) -> dict[str, Any]:
        explorer.rows([row])
        return collection.item(row)

    return router


def _facts(explorer: actions.Explorer, sheets: Sheets) -> dict[str, Any]:
    collection = explorer.collection
    return {
        "name": explorer.folder.name,
        "descriptor": collection.descriptors.name,
        "count": collection.count,
        "dimensions": int(collection.descriptors.values.shape[1]),
        "columns": list(collection.columns),
        "maps": [_map_facts(explorer, name) for name in MAPS],
        "methods": [
            {
                "name": name,
                "title": title,
                "available": METHODS[name].available,
                "install": METHODS[name].install,
                "parameters": list(map(asdict, parameters_of(name))),
            }
            for name, title in methods().items()
        ],
        "labelings": [asdict(labeling) for labeling in explorer.labelings()],
        "start": explorer.start,
        "notes": explorer.notes,
        "sheets": {"count": sheets.count, "tile_px": TILE_PX, "side": SHEET_SIDE},
    }


def _map_facts(explorer: actions.Explorer, name: str) -> dict[str, Any]:
    method = MAPS[name]
    known = [dimensions for dimensions in (2, 3) if explorer.has_map(name, dimensions)]
    return {
        "name": name,
        "title": method.title,
        "available": method.available,
        "install": method.install,
        "known": known,
    }


def _picture_routes(explorer: actions.Explorer, sheets: Sheets) -> APIRouter:
    router = APIRouter(prefix="/api")
    kept = {"Cache-Control": "private, max-age=3600"}
    picture_kind: Answers = {200: {"content": {"image/jpeg": {}}}}

    @router.get(
        "/items/{row}/picture",
        summary="Picture of an item; a hatched square with X-Missing where it cannot be read",
        responses=picture_kind,
        response_class=Response,
    )
    def picture(row: int, px: int = 512) -> Response:
        explorer.rows([row])
        px = min(max(px, 16), LARGEST_PICTURE_PX)
        try:
            image = explorer.pictures.read(row, px)
        except Unreadable as problem:
            headers = {"X-Missing": problem.reason.encode("ascii", "replace").decode()}
            return Response(
                jpeg(placeholder(min(px, 256))), media_type="image/jpeg", headers=headers
            )
        return Response(jpeg(image), media_type="image/jpeg", headers=kept)

    @router.get(
        "/sheets/{number}",
        summary=f"Thumbnails of items {PER_SHEET} x number and following",
        responses={**picture_kind, 202: {"description": "not made yet: it is made next"}},
        response_class=Response,
    )
    def sheet(number: int) -> Response:
        found = sheets.sheet(number) if 0 <= number < sheets.count else None
        if found is None:
            return JSONResponse({"ready": False}, 202 if 0 <= number < sheets.count else 404)
        return Response(found, media_type="image/jpeg", headers=kept)

    @router.get("/sheets", summary="Which sheets are made, and how many pictures were not readable")
    def ready() -> dict[str, Any]:
        return {"count": sheets.count, "ready": sheets.ready(), "missing": sheets.missing()}

    return router


def _labeling_routes(explorer: actions.Explorer) -> APIRouter:
    router = APIRouter(prefix="/api")

    @router.get("/labelings", summary="All labelings of these items, oldest first")
    def labelings() -> list[Labeling]:
        return explorer.labelings()

    @router.get(
        "/labelings/{key}/labels",
        summary="Cluster of every item: int32, -1 for outliers",
        responses=BINARY,
    )
    def labels(key: str) -> Response:
        return _binary(explorer.labels(key))

    @router.patch("/labelings/{key}", summary="Name a labeling and its clusters")
    def rename(key: str, names: Names) -> Labeling:
        return explorer.rename(key, names.name, names.clusters)

    @router.post(
        "/clusterings",
        summary="Cluster items: the labeling at once if it is known, else a job",
        responses=LATER,
        response_model=Labeling,
    )
    def cluster(asked: ClusteringMessage) -> Any:
        found = explorer.cluster(actions.Request(**asked.model_dump()))
        return _later(found) if isinstance(found, Job) else found

    return router


def _job_routes(explorer: actions.Explorer) -> APIRouter:
    router = APIRouter(prefix="/api")

    @router.get("/jobs", summary="The newest jobs")
    def jobs() -> list[Job]:
        return explorer.store.jobs()

    @router.get("/jobs/{key}", summary="How far a job is")
    def job(key: str) -> Job:
        return explorer.job(key)

    @router.delete("/jobs/{key}", summary="Cancel a job")
    def cancel(key: str) -> Job:
        return explorer.cancel(key)

    return router


def _file_routes(explorer: actions.Explorer) -> APIRouter:
    router = APIRouter(prefix="/api")

    @router.post(
        "/files", summary="CSV of items with their cluster", response_class=PlainTextResponse
    )
    def table(chosen: Chosen) -> PlainTextResponse:
        text = explorer.files(chosen.rows, chosen.labeling)
        return PlainTextResponse(text, media_type="text/csv")

    @router.post(
        "/move-plan",
        summary="A script or table that would move files into a folder per cluster; moves nothing",
        response_class=PlainTextResponse,
    )
    def move_plan(move: Move) -> PlainTextResponse:
        plan = explorer.move_plan(move.rows, move.labeling, move.target)
        headers = {"X-Files": str(plan.files), "X-Left-Out": str(len(plan.left_out))}
        text = plan.as_script() if move.form == "sh" else plan.as_csv()
        return PlainTextResponse(text, headers=headers)

    @router.post(
        "/export",
        summary="One HTML page with map, clusters and samples",
        responses=LATER,
        response_class=HTMLResponse,
    )
    def export(asked: Export) -> Response:
        found = explorer.map(asked.map, asked.dimensions)
        if isinstance(found, Job):
            return _later(found)
        return HTMLResponse(export_html(explorer, asked.labeling, found, asked.map))

    return router


def _binary(array: npt.NDArray[Any]) -> Response:
    """Numbers in little-endian order, row after row."""
    kind = "<i4" if array.dtype.kind == "i" else "<f4"
    shape = {"X-Shape": ",".join(map(str, array.shape))}
    content = np.ascontiguousarray(array, kind).tobytes()
    return Response(content, media_type="application/octet-stream", headers=shape)


def _later(job: Job) -> JSONResponse:
    return JSONResponse({"job": asdict(job)}, 202)
