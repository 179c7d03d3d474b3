"""Uploaded videos, scored one after the other in the background, as `tlae score` scores them."""

import logging
import os
import secrets
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tlae import api
from tlae.errors import FootageError, UserError
from tlae.footage.sources import open_footage
from tlae.footage.sources.video import VideoClip
from tlae.progress import progress_heard
from tlae.scoring.results import Scores
from tlae.serving.refusals import Refused, not_found
from tlae.serving.shelf import Shelved

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"
FINISHED = (DONE, FAILED, CANCELLED)
HOUR_S = 3600
# FFmpeg opens text files that name other files and addresses; only containers of pictures pass.
CONTAINERS = {  # suffix, and marks of the content: any of the lines, all of a line
    "mp4": [[(4, mark)] for mark in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")],
    "mkv": [[(0, b"\x1a\x45\xdf\xa3")]],  # WebM too
    "avi": [[(0, b"RIFF"), (8, b"AVI ")]],
    "mpg": [[(0, b"\x00\x00\x01\xba")]],
    "ts": [[(0, b"\x47"), (188, b"\x47")]],
}
HEAD_BYTES = 189  # of a file, that say which container it is

logger = logging.getLogger(__name__)


@dataclass
class Job:
    """One uploaded video.

    Attributes:
        id: of the job.
        shelved: the model that was there when it was uploaded.
        folder: with the video, then with the result.
        created_at: seconds since 1970.
        state: one of ``WAITING`` and what follows it.
        stage: what is being done.
        done, total: frames of that stage; None: not known.
        error: why it failed.
        scores: the result.
    """

    id: str
    shelved: Shelved
    folder: Path
    created_at: float
    state: str = WAITING
    stage: str = ""
    done: int = 0
    total: int | None = None
    error: str = ""
    scores: Scores | None = None

    def facts(self) -> dict[str, Any]:
        """What a client may know."""
        names = ("id", "created_at", "state", "stage", "done", "total", "error")
        return {name: getattr(self, name) for name in names} | {"model": self.shelved.id}

    @property
    def result(self) -> Scores:
        """The scores.

        Raises:
            Refused: 409, it is not done.
        """
        if self.scores is None:
            raise Refused(409, f"job {self.id} has no result, it is {self.state}; ask again later")
        return self.scores


class _Cancelled(Exception):
    """Ends the work on a job."""


class VideoJobs:
    """A queue of jobs with one worker; a context manager that ends it.

    Args:
        folder: of the server alone; videos and results lie in it while their jobs are kept.
        most: jobs that are kept; finished ones make room, the oldest first.
        most_pixels: of a frame.
        device: see ``tlae.score``.
    """

    def __init__(self, folder: Path, most: int, most_pixels: float, device: str = "auto") -> None:
        self._folder, self._most, self._most_pixels = folder, most, most_pixels
        self._device = device
        self._known: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="video-jobs", daemon=True)

    def __enter__(self) -> "VideoJobs":
        self._thread.start()
        return self

    def __exit__(self, *reason: object) -> None:
        for job in self.all():
            job.state = CANCELLED
        self._queue.put(None)
        self._thread.join(timeout=30)

    @property
    def alive(self) -> bool:
        """Whether jobs are worked on."""
        return self._thread.is_alive()

    def all(self) -> list[Job]:
        """The oldest first."""
        with self._lock:
            return list(self._known.values())

    def get(self, key: str) -> Job:
        """A job.

        Raises:
            Refused: 404, there is none of that id.
        """
        with self._lock:
            if key in self._known:
                return self._known[key]
        raise not_found("job", key)

    def begin(self, shelved: Shelved) -> Job:
        """A place for a video to be uploaded to: ``upload`` in its folder.

        Raises:
            Refused: 429, all places are taken by jobs that are not finished.
        """
        _ = shelved.of_camera
        with self._lock:
            finished = [job for job in self._known.values() if job.state in FINISHED]
            if len(self._known) >= self._most and not finished:
                raise Refused(
                    429, f"there may be at most {self._most} jobs; cancel one, or wait for it"
                )
            gone = finished[0] if len(self._known) >= self._most else None
            job = Job(secrets.token_hex(4), shelved, self._folder, time.time())
            job.folder = self._folder / job.id
            self._known[job.id] = job
        if gone is not None:
            self.remove(gone.id)
        job.folder.mkdir()
        return job

    def submit(self, job: Job) -> Job:
        """Queue a job whose video is there.

        Raises:
            Refused: 415, it is no video; 422, one that cannot be read.
        """
        try:
            named = _named_by_content(job.folder / "upload")
            self._require_frames(named)
        except BaseException:
            self.remove(job.id)
            raise
        self._queue.put(job)
        return job

    def remove(self, key: str) -> Job:
        """Cancel a job if it is not finished, and forget it."""
        job = self.get(key)
        with self._lock:
            self._known.pop(key, None)
            running = job.state == RUNNING
            if job.state not in FINISHED:
                job.state = CANCELLED
        if not running:  # else the worker does it
            shutil.rmtree(job.folder, ignore_errors=True)
        return job

    def _require_frames(self, path: Path) -> None:
        """Decode up to the first whole frame; the size is looked at before."""
        try:
            (clip,) = open_footage(str(path)).clips
            assert isinstance(clip, VideoClip)
            size = clip.size_hw()
        except FootageError as error:
            raise Refused(422, str(error).replace(str(path), "the body")) from error
        if size[0] * size[1] > self._most_pixels:
            raise Refused(
                413,
                f"frames must have at most {self._most_pixels / 1e6:g} megapixels, got "
                f"{size[1]} x {size[0]}; send a smaller video",
            )
        reason = "no frame"
        for frame in clip.frames():
            if frame.image is not None:
                return
            reason = frame.state
        raise Refused(422, f"the body must be a video with frames, got: {reason}")

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            with self._lock:
                if job.state != WAITING:
                    continue
                job.state = RUNNING
            try:
                self._score(job)
                outcome, error = DONE, ""
            except _Cancelled:
                outcome, error = CANCELLED, ""
            except UserError as problem:
                outcome, error = FAILED, str(problem).replace(str(job.folder), "the upload")
            except Exception as problem:  # a fault of ours must not end the worker
                logger.exception("job %s failed", job.id)
                outcome, error = FAILED, f"the server failed: {type(problem).__name__}"
            with self._lock:
                kept = job.id in self._known
                job.error, job.stage = error, ""
                job.state = outcome if kept else CANCELLED
            if not kept or outcome != DONE:
                shutil.rmtree(job.folder, ignore_errors=True)

    def _score(self, job: Job) -> None:
        def heard(label: str, done: int, total: int | None) -> None:
            if job.state != RUNNING:
                raise _Cancelled
            job.stage, job.done, job.total = label.split()[0], done, total

        (video,) = job.folder.glob("video.*")
        places = {"paths.cache": str(job.folder / "cache"), "device": self._device}
        with progress_heard(heard):
            scores = api.score(
                job.shelved.of_camera, video, out=job.folder / "result", settings=places
            )
        shutil.rmtree(job.folder / "cache", ignore_errors=True)
        video.unlink()
        job.scores = scores


def _named_by_content(upload: Path) -> Path:
    """Give an upload the name that its content deserves.

    Raises:
        Refused: 415, it is no container of video.
    """
    with upload.open("rb") as file:
        head = file.read(HEAD_BYTES)
    for suffix, kinds in CONTAINERS.items():
        if any(all(head.startswith(mark, at) for at, mark in marks) for marks in kinds):
            path = upload.with_name(f"video.{suffix}")
            upload.replace(path)
            whole = time.time() - HOUR_S  # else it would be taken for one that is being written
            os.utime(path, (whole, whole))
            return path
    raise Refused(415, f"the body must be a video ({', '.join(CONTAINERS)}), this is none")
