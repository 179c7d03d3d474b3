"""The application of `tlae serve` without its socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from tlae.serving.app import serving_app
from tlae.serving.limits import Limit
from tlae.serving.metrics import Metrics
from tlae.serving.serve import kept_sessions
from tlae.serving.service import Service
from tlae.serving.settings import ServeConfig
from tlae.serving.shelf import ModelShelf
from tlae.serving.video_jobs import VideoJobs


@contextmanager
def service_of(
    models: Path,
    folder: Path,
    *,
    token: str | None = None,
    most_mb: float = 64.0,
    requests_per_s: float = 1e6,
    most_sessions: int = 4,
    idle_s: float = 600.0,
    most_jobs: int = 2,
    state: Path | None = None,
    explorer: FastAPI | None = None,
) -> Iterator[FastAPI]:
    """The application, with a worker for its jobs."""
    folder.mkdir(exist_ok=True)
    shelf = ModelShelf(models)
    limit = Limit(token, 1e6 * most_mb, 1e6 * most_mb, requests_per_s)
    kept = ServeConfig(
        most_sessions=most_sessions, idle_s=idle_s, state=state and str(state), device="cpu"
    )
    with (
        kept_sessions(kept, shelf) as (sessions, store),
        VideoJobs(folder, most_jobs, 34e6, "cpu") as jobs,
    ):
        metrics = Metrics(shelf, sessions, jobs)
        service = Service(shelf, sessions, jobs, metrics, 34e6, "cpu", store)
        yield serving_app(service, limit, explorer=explorer)


def session_of(client: Any, model: str = "gate", **asked: Any) -> str:
    """The id of a new session."""
    answer = client.post("/api/sessions", json={"model": model, **asked})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
