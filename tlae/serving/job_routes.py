"""HTTP: videos that are uploaded, scored in the background, and asked about."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from tlae.scoring.events import iso_of
from tlae.serving.messages import Facts, plain
from tlae.serving.refusals import Refused
from tlae.serving.service import WRONG, Service, map_answer

VIDEO_BODY = {
    "requestBody": {
        "required": True,
        "description": "a video file: MP4, MOV, MKV, WebM, AVI, MPEG",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
HIDDEN = ("path", "clip")  # columns that name places on this machine
MOST_ROWS = 10_000  # of one answer


def job_routes(service: Service) -> APIRouter:
    """Routes under /api/jobs."""
    router = APIRouter(prefix="/api/jobs", tags=["jobs"], responses=WRONG)
    jobs = service.jobs

    @router.post(
        "",
        status_code=202,
        summary="Upload a video; it is scored in the background",
        openapi_extra=VIDEO_BODY,
    )
    async def upload(
        request: Request, model: Annotated[str, Query(max_length=200, description="id")]
    ) -> Facts:
        shelved = await run_in_threadpool(service.shelf.get, model)
        job = await run_in_threadpool(jobs.begin, shelved)
        try:
            with (job.folder / "upload").open("wb") as file:
                async for chunk in request.stream():
                    await run_in_threadpool(file.write, chunk)
        except OSError as error:
            jobs.remove(job.id)
            raise Refused(
                413, f"the server has no place for this video: {error.strerror}"
            ) from error
        except BaseException:
            jobs.remove(job.id)
            raise
        return (await run_in_threadpool(jobs.submit, job)).facts()

    @router.get("", summary="All jobs, the oldest first")
    def every() -> list[Facts]:
        return [job.facts() for job in jobs.all()]

    @router.get("/{job}", summary="How far a job is")
    def one(job: str) -> Facts:
        return jobs.get(job).facts()

    @router.delete("/{job}", summary="Cancel a job, or forget its result")
    def remove(job: str) -> Facts:
        return jobs.remove(job).facts()

    @router.get("/{job}/table", summary="One row per frame: raw, score, threshold, alarm, ...")
    def table(
        job: str,
        first: Annotated[int, Query(ge=0, le=2**53)] = 0,
        rows: Annotated[int, Query(ge=1, le=MOST_ROWS)] = MOST_ROWS,
    ) -> Facts:
        whole = jobs.get(job).result.columns
        part = whole.only([name for name in whole if name not in HIDDEN])
        numbers = range(first, min(first + rows, len(whole)))
        lines = [line | {"taken_at": iso_of(line["taken_at"])} for line in map(part.row, numbers)]
        return {"rows_in_all": len(whole), "rows": plain(lines)}

    @router.get("/{job}/events", summary="Events, as in events.json")
    def events(job: str) -> list[Facts]:
        result = jobs.get(job).result
        return [plain(record) for record in (*result.event_records, *result.hidden_records)]

    @router.get("/{job}/maps/{row}", summary="Map of a frame", response_class=Response)
    def map_of(
        job: str, row: Annotated[int, Path(ge=0, le=2**53)], form: Literal["png", "npy"] = "png"
    ) -> Response:
        scores = jobs.get(job).result
        if row >= len(scores.columns):
            raise Refused(404, f"row must be below {len(scores.columns)}, got {row}")
        threshold = float(scores.columns["threshold"][row])
        return map_answer(scores.map_of(row), threshold, form)

    return router
