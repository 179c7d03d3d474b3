"""Settings that several commands of the camera share; see ``schema.py``."""

from dataclasses import dataclass
from typing import ClassVar

from omegaconf import MISSING

from tlae.budget import Budget
from tlae.scoring.rule import ScoringRule
from tlae.setting_rules import one_of, within

PRECISIONS = ("calibrated", "float32", "bfloat16")  # the first: that of the model file
TIME_SOURCES = ("auto", "exif", "filename", "interval")


@dataclass
class PathsConfig:
    """Where results go.

    Attributes:
        checkpoints: train writes <checkpoints>/<name>/.
        scores: score writes <scores>/<name>/.
        cache: decoded frames; safe to delete.
    """

    checkpoints: str = "checkpoints"
    scores: str = "scores"
    cache: str = "~/.cache/tlae"


@dataclass
class FootageConfig:
    """What to read, and where its times come from.

    Attributes:
        path: folder of images, clip tree, video, zip or glob; `footage=PATH` is short.
        interval_s: time between frames where nothing better is known; null: 0.1.
        time_source: auto (most trusted that is there), exif, filename, interval.
        time_pattern: strptime pattern of the time in names or paths; null: common.
        time_zone: of the camera's clock, e.g. Europe/Zurich; null: this machine's.
        every: first frame at or after each step of this grid, e.g. 30s, 10min, 2h.
        start: from this date or date-time on (inclusive), by the camera's clock.
        end: before this date-time (exclusive); of a date, that day is included.
        hours: of the day: 6-20, 20-6, 6-9,16-20; the last hour is exclusive.
        exclude: glob patterns of files that are no footage: *_thumb.jpg,night/*.
    """

    path: str = MISSING
    interval_s: float | None = None
    time_source: str = "auto"
    time_pattern: str | None = None
    time_zone: str | None = None
    every: str | None = None
    start: str | None = None
    end: str | None = None
    hours: str | None = None
    exclude: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no footage can have."""
        within("footage.interval_s", self.interval_s, 0, open_low=True)
        one_of("footage.time_source", self.time_source, TIME_SOURCES)


@dataclass(frozen=True)
class ScoringConfig(Budget):
    """From error to alarm. When scoring, null means: as the model was calibrated.

    The names are those of ``ScoringRule``, which explains them.
    """

    explained_by: ClassVar[type] = ScoringRule

    error: str | None = None
    match_light: bool | None = None
    background: bool | None = None
    kernel: str | None = None
    kernel_fraction: float | None = None
    kernel_px: int | None = None
    kernel_frames: int | None = None
    unit: float | None = None
    reduction: str | None = None
    causal: bool | None = None
    smooth_frames: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no rule can be."""
        super().__post_init__()
        ScoringRule().changed_by(vars(self))
