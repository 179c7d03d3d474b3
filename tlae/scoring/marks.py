"""What people said of events, and two files of it.

``marks.json``, which `tlae serve` writes and `tlae calibrate` reads: a mark brings the scores of
its event along, so that a calibration needs no footage for it. ``answers.json``, see
``answers.py``: things of stills that are not shown again.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tlae.errors import UserError
from tlae.plain_values import from_plain, known_fields
from tlae.scoring.calibrate import Calibration
from tlae.scoring.events import SCENE, Event

NORMAL, WANTED = MARKS = ("normal", "wanted")
UNFIT = (ValueError, TypeError, KeyError, AttributeError)  # of values that nobody of us wrote


@dataclass(frozen=True)
class EventScores:
    """Scores of the frames of an event, and of some before it.

    Attributes:
        interval_s: median time between frames [s].
        lead: how many of the first ones come before the event: smoothing in time needs them.
        instant: before smoothing in time, in the order of the frames.
        frame_mean: mean of each frame's whole map.
        mode: of the camera.
    """

    interval_s: float
    lead: int = 0
    instant: list[float] = field(default_factory=list)
    frame_mean: list[float] = field(default_factory=list)
    mode: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        columns = (self.instant, self.frame_mean, self.mode)
        if any(not isinstance(one, list) or len(one) != len(self.instant) for one in columns):
            raise ValueError("scores must have one mean and mode for each frame")
        numbers = [*self.instant, *self.frame_mean]
        if numbers and not np.isfinite(np.array(numbers, np.float64)).all():
            raise ValueError("scores must be finite numbers")
        if not (self.interval_s > 0 and 0 <= self.lead <= len(self.instant)):
            raise ValueError("interval_s must be > 0, and lead at most the number of frames")

    @property
    def frames(self) -> int:
        """Frames of the event itself."""
        return len(self.instant) - self.lead


@dataclass(frozen=True)
class Mark:
    """What somebody said of an event.

    Attributes:
        key: of the session and the event, unique.
        mark: one of ``MARKS``; "": taken back.
        session: name of the camera, or of the scores folder.
        model: id of the model that found the event.
        digest: sha256 of its file.
        event: as it was.
        scores: of its frames; empty in answers.
        size_hw: of the picture that the event's box is of; None: not known.
        given_at: ISO 8601; "": not known.
    """

    key: str
    mark: str
    session: str
    model: str
    digest: str
    event: Event
    scores: EventScores
    size_hw: tuple[int, int] | None = None
    given_at: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values for ``marks.json``."""
        return asdict(self) | {"event": self.event.as_json()}

    @property
    def words(self) -> str:
        """Name of the event, for people."""
        return f"{self.event.id} of {self.session}"


def read_marks(path: Path) -> list[Mark]:
    """Read ``marks.json``.

    Raises:
        UserError: it is missing, damaged, or written by something else.
    """
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"marks must be a readable file, got {path}: {error.strerror}; "
            "`tlae serve state=FOLDER` writes FOLDER/marks.json"
        ) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "it is no JSON") from error
    if not isinstance(records, list):
        raise _damaged(path, "it is no list")
    try:
        return [mark_of(record) for record in records]
    except UNFIT as error:
        raise _damaged(path, str(error)) from error


def calibration_of_marks(marks: list[Mark], like: Calibration) -> Calibration | None:
    """The scores of events as scores of normal footage, a run for each; None: there are none.

    Args:
        marks: of events that are normal.
        like: what they are joined to; it says whether modes and means are known.
    """
    marks = [mark for mark in marks if mark.scores.instant]
    if not marks:
        return None
    lengths = [len(mark.scores.instant) for mark in marks]
    modes = np.array([mode for mark in marks for mode in mark.scores.mode], dtype=object)
    means = np.concatenate([np.array(mark.scores.frame_mean, np.float64) for mark in marks])
    return Calibration(
        np.concatenate([np.array(mark.scores.instant, np.float64) for mark in marks]),
        np.repeat(np.arange(len(marks)), lengths),
        like.interval_s,
        like.created,
        None if like.mode is None else modes,
        None if like.frame_mean is None else means,
        np.repeat([mark.scores.interval_s for mark in marks], lengths),
    )


def highest_of(marks: list[Mark]) -> dict[str, float]:
    """The highest raw score of events in each camera mode: at such a threshold none is in alarm."""
    found: dict[str, float] = {}
    for mark in marks:
        mode, peak = mark.event.mode, mark.event.peak_raw
        if peak is not None:
            found[mode] = max(peak, found.get(mode, peak))
    return found


def of_scene(marks: list[Mark]) -> list[Mark]:
    """Those of events of the scene that have a score."""
    return [one for one in marks if one.event.kind == SCENE and one.event.peak_raw is not None]


def mark_of(record: Any) -> Mark:
    """A mark as a file holds it.

    Raises:
        ValueError, TypeError: it is none.
    """
    if not isinstance(record, Mapping):
        raise ValueError("a mark must be an object")
    known = known_fields(Mark, record)
    for name in ("event", "scores"):
        if not isinstance(known.get(name), Mapping):
            raise ValueError(f"a mark must hold its {name}")
    event = from_plain(Event, known_fields(Event, known["event"]))
    scores = from_plain(EventScores, known_fields(EventScores, known["scores"]))
    size_hw = known.get("size_hw")
    if size_hw is not None:
        size_hw = int(size_hw[0]), int(size_hw[1])
    mark = Mark(**known | {"event": event, "scores": scores, "size_hw": size_hw})
    texts = (mark.key, mark.session, mark.model, mark.digest, *mark.scores.mode)
    if mark.mark not in MARKS or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"a mark must be one of {', '.join(MARKS)}, with the names of its event")
    return mark


def _damaged(path: Path, why: str) -> UserError:
    return UserError(
        f"marks must be a file that `tlae serve state=FOLDER` wrote, {path} is damaged or of "
        f"another kind: {why[:120]}; mark the events again"
    )
