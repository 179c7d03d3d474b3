"""One job of a fleet: a day of a camera, scored as `tlae score` does, with a note of the outcome.

The note is written last and whole, so a job that was killed has none and is done again; its scores
go on where they ended. It says what the job depended on: the model, the files and the settings.
"""

import logging
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch

from tlae.config import ScoreConfig
from tlae.errors import UserError
from tlae.folder_lock import held_folder
from tlae.footage.frames import READ
from tlae.progress import OFF, progress_as
from tlae.scoring.results import Scores
from tlae.table import is_any
from tlae.whole_file import read_facts, write_json
from tlae.workflows.score import score_named

DONE, FAILED = "done", "failed"


@dataclass(frozen=True)
class Job:
    """What is to be done.

    Attributes:
        camera: name of its folder.
        day: name of the day's folder or file.
        score: settings of `tlae score` for it; the folder of scores lies in ``score.paths.scores``.
        facts: digests of what the scores depend on: model, footage, settings.
        note: JSON file of the outcome.
        threads: of the net.
    """

    camera: str
    day: str
    score: ScoreConfig
    facts: dict[str, str]
    note: Path
    threads: int = 1

    @property
    def name(self) -> str:
        """Camera and day."""
        return f"{self.camera}/{self.day}"


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        camera: of the job.
        day: of the job.
        state: ``DONE`` or ``FAILED``.
        facts: of the job.
        frames: of the footage.
        unreadable: frames that could not be read.
        events: that were found and are shown.
        hidden: events that the user's answers hide.
        seconds: that it took.
        reason: why it failed; empty where it is done.
        notes: what was said of the footage.
    """

    camera: str
    day: str
    state: str
    facts: dict[str, str]
    frames: int = 0
    unreadable: int = 0
    events: int = 0
    hidden: int = 0
    seconds: float = 0.0
    reason: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Camera and day."""
        return f"{self.camera}/{self.day}"


def read_outcome(note: Path) -> Outcome | None:
    """What a note says; None where there is none, or it is torn."""
    try:
        return Outcome(**read_facts(note))
    except TypeError:  # other names than those of an outcome
        return None


def is_done(job: Job, outcome: Outcome | None) -> bool:
    """Whether an outcome is that of this very job, done."""
    return outcome is not None and outcome.state == DONE and outcome.facts == job.facts


def score_job(job: Job) -> Outcome:
    """Do a job unless it is done; where another process does it, wait for that.

    What cannot be scored is an outcome too. The process may die all the same: of a decoder's fault.
    """
    with held_folder(job.note.with_suffix(""), None):
        before = read_outcome(job.note)
        if before is not None and is_done(job, before):
            return before
        outcome = _scored(job)
        write_json(job.note, asdict(outcome))
        return outcome


def given_up(job: Job, reason: str) -> Outcome:
    """Note that a job failed whose process cannot say so."""
    outcome = Outcome(job.camera, job.day, FAILED, job.facts, reason=reason)
    job.note.parent.mkdir(parents=True, exist_ok=True)
    write_json(job.note, asdict(outcome))
    return outcome


def _scored(job: Job) -> Outcome:
    started = time.monotonic()
    torch.set_num_threads(job.threads)
    outcome = Outcome(job.camera, job.day, FAILED, job.facts)
    with _collected_log() as notes, progress_as(OFF):
        try:
            outcome = _with_counts(outcome, score_named(job.score).scores)
            shutil.rmtree(Path(job.score.paths.cache).expanduser(), ignore_errors=True)
        except Exception as error:  # a fault of one job must not end the others
            reason = str(error) if isinstance(error, UserError) else _kind_and_text(error)
            outcome = replace(outcome, state=FAILED, reason=reason)
    return replace(outcome, seconds=round(time.monotonic() - started, 1), notes=notes)


def _with_counts(outcome: Outcome, scores: Scores) -> Outcome:
    state = scores.stored["state"]
    unreadable = int((~is_any(state, READ)).sum())
    return replace(
        outcome,
        state=DONE,
        frames=len(state),
        unreadable=unreadable,
        events=len(scores.event_records),
        hidden=len(scores.hidden_records),
    )


def _kind_and_text(error: Exception) -> str:
    """An error that is no fault of the user, on one line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'} (process {os.getpid()})"


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(record.getMessage().strip())


@contextmanager
def _collected_log() -> Iterator[list[str]]:
    """Warnings of the library within, in place of lines on a console that many jobs share."""
    log, collector = logging.getLogger("tlae"), _Collector()
    propagates = log.propagate
    log.addHandler(collector)
    log.propagate = False
    try:
        yield collector.lines
    finally:
        log.removeHandler(collector)
        log.propagate = propagates
