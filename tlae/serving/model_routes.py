"""HTTP: list, load and swap models; score single pictures and batches."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, File, Response, UploadFile

from tlae.exported.model import ExportedModel
from tlae.live.live import Live
from tlae.live.score import LiveScore
from tlae.plain_values import finite_or_none
from tlae.serving.messages import Facts, verdict_facts
from tlae.serving.pictures import Picture, SentPicture, read_picture
from tlae.serving.refusals import Refused
from tlae.serving.service import PICTURE_BODY, WRONG, Service, body_of, map_answer
from tlae.serving.shelf import Shelved

if TYPE_CHECKING:
    from tlae.image_sets.picture_judge import PictureJudge

MOST_PICTURES = 256  # of a batch


def model_routes(service: Service) -> APIRouter:
    """Routes under /api/models."""
    router = APIRouter(prefix="/api/models", tags=["models"], responses=WRONG)

    @router.get("", summary="Models of the folder, loaded or not")
    def models() -> list[Facts]:
        loaded = service.shelf.loaded()
        return [
            _facts(loaded[name]) if name in loaded else {"id": name, "loaded": False}
            for name in service.shelf.files()
        ]

    @router.get("/{model}", summary="One model; loads it if need be")
    def model(model: str) -> Facts:
        return _facts(service.shelf.get(model))

    @router.post(
        "/{model}/load",
        summary="Read a model's file anew; requests and sessions keep the one they began with",
    )
    def load(model: str) -> Facts:
        return _facts(service.shelf.load(model))

    @router.post("/{model}/score", summary="Score pictures; in order, as one clip of a camera")
    def score(
        model: str, images: Annotated[list[UploadFile], File(description="pictures")]
    ) -> dict[str, Any]:
        shelved = service.shelf.get(model)
        if not 1 <= len(images) <= MOST_PICTURES:
            raise Refused(422, f"images must be 1 to {MOST_PICTURES} pictures, got {len(images)}")
        pictures = (_read(service, shelved, image.file.read()) for image in images)
        with service.turn():
            if shelved.judge is not None:
                results = _judged(shelved.judge, [picture.scored for picture in pictures])
            else:
                live = Live(shelved.of_camera, device=service.device)
                results = [verdict_facts(_pushed(live, picture)) for picture in pictures]
        service.metrics.frames.labels("scored").inc(len(results))
        return {"model": shelved.id, "digest": shelved.digest, "results": results}

    @router.post(
        "/{model}/map",
        summary="Map of one picture, by a model that needs no earlier frames",
        openapi_extra=PICTURE_BODY,
        response_class=Response,
    )
    def map_of(
        model: str, data: Annotated[bytes, Depends(body_of)], form: Literal["png", "npy"] = "png"
    ) -> Response:
        shelved = service.shelf.get(model)
        live = Live(shelved.of_camera, device=service.device)
        with service.turn():
            seen = _pushed(live, _read(service, shelved, data))
        service.metrics.frames.labels("scored").inc()
        return map_answer(seen.map, seen.threshold, form)

    return router


def _read(service: Service, shelved: Shelved, data: bytes) -> SentPicture:
    try:
        if shelved.judge is not None:
            sent = read_picture(data, service.most_pixels, min_hw=shelved.judge.min_hw)
            _require_rgb(sent.scored)
            return sent
        wanted = shelved.of_camera.preprocessing
        return read_picture(data, service.most_pixels, wanted.levels, wanted.size_hw)
    except Refused:
        service.metrics.frames.labels("refused").inc()
        raise


def _require_rgb(picture: Picture) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise Refused(422, "pictures must be (H, W, 3) uint8 for this model; convert them")


def _pushed(live: Live, sent: SentPicture) -> LiveScore:
    return live.push(sent.scored, source_hw=(sent.whole.shape[0], sent.whole.shape[1]))


def _judged(judge: "PictureJudge", pictures: list[Picture]) -> list[Facts]:
    from tlae.image_sets.verdicts import INLIER, OUTLIER  # brings pandas

    return [
        {
            "raw": finite_or_none(score),
            "threshold": finite_or_none(judge.threshold),
            "verdict": INLIER if score <= judge.threshold else OUTLIER,
        }
        for score in judge.scores(pictures).tolist()
    ]


def _facts(shelved: Shelved) -> Facts:
    facts = {
        "id": shelved.id,
        "loaded": True,
        "kind": shelved.kind,
        "digest": shelved.digest,
        "loaded_at": shelved.loaded_at,
    }
    if (judge := shelved.judge) is not None:
        return facts | {"method": judge.judge.method, "threshold": finite_or_none(judge.threshold)}
    model = shelved.of_camera
    if isinstance(model, ExportedModel):
        net, window_frames = model.facts.net, model.facts.step.window_frames
    else:
        net, window_frames = model.detector.net_config, model.detector.window_frames
    return facts | {
        "net": str(net.get("_target_", "")).rpartition(".")[2],
        "exported": isinstance(model, ExportedModel),
        "size_hw": list(model.preprocessing.size_hw),
        "window_frames": window_frames,
        "interval_s": finite_or_none(model.calibration.interval_s),
        "budget": model.budget.given(),
    }
