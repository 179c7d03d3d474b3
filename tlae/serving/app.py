"""The HTTP application: routes, limits, and what a wrong request is answered."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from tlae.errors import UserError
from tlae.explorer.guard import Guard
from tlae.explorer.web import local_app
from tlae.serving.job_routes import job_routes
from tlae.serving.limits import EXPLORER, Limit, Limits
from tlae.serving.model_routes import model_routes
from tlae.serving.refusals import Refused
from tlae.serving.server_routes import server_routes
from tlae.serving.service import Service
from tlae.serving.session_routes import session_routes


def serving_app(
    service: Service, limit: Limit, host: str = "127.0.0.1", explorer: FastAPI | None = None
) -> FastAPI:
    """The application.

    Args:
        service: what is served.
        limit: what requests must keep to.
        host: that the server listens on, see ``Guard``.
        explorer: of a set of pictures, at ``EXPLORER``; None: there is none.
    """
    summary = "Score pictures, cameras and videos with models of tlae."
    app = local_app("tlae serve", summary, "tlae.serving", shown=["explore"] if explorer else [])
    app.add_middleware(Limits, limit=limit, metrics=service.metrics)
    app.add_middleware(Guard, host=host)  # outermost
    app.add_exception_handler(UserError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_shape)
    app.add_exception_handler(HTTPException, _refuse_route)
    for router in (
        server_routes(service),
        model_routes(service),
        session_routes(service),
        job_routes(service),
    ):
        app.include_router(router)
    if explorer is not None:
        app.mount(EXPLORER, explorer)
    return app


def _refuse(request: Request, error: Exception) -> JSONResponse:
    """The sentence that the library has for bad input."""
    status = error.status if isinstance(error, Refused) else 422
    return JSONResponse({"error": str(error)}, status)


def _refuse_shape(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    return JSONResponse({"error": f"{place[:100]}: {first['msg']}"}, 422)


def _refuse_route(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    words = {404: "there is no such address; see /docs", 405: "the method does not fit the address"}
    said = words.get(error.status_code, str(error.detail))
    return JSONResponse({"error": said}, error.status_code, headers=error.headers)
