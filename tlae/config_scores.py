"""Settings of the camera's commands that read scores; see ``config.py``."""

from dataclasses import dataclass, field

from omegaconf import MISSING

from tlae.budget import Budget
from tlae.scoring.event_options import EventRule
from tlae.setting_rules import LARGE, one_of, within


@dataclass(frozen=True)
class EventsConfig(EventRule):
    """`tlae events`.

    Attributes:
        scores: folder written by score.
        zones: YAML of places to watch and to ignore; null: the whole picture.
        scoring: null: as it was scored.
        normal: events that are normal, by their ids, E0012,E0031; what is alike is hidden from now
            on. Takes no settings that find events anew.
        take_back: answers that hold no longer, by their keys or by the ids of what they hide.
        answers: hide what your answers call normal; false: show all.
        normal_scores: scores of normal footage to calibrate on; null: as the model was.
        model_file: where the model is now, if it moved since.
        clips: cut out a video and a still of each event.
        padding_s: shown around an event; null: 2 s, or three frame intervals.
        most_clips: cut out the events of the highest peaks only.
        footage: where the pictures are now, if they moved since.
        coco: also write the boxes as COCO annotations.
    """

    scores: str = MISSING
    zones: str | None = None
    scoring: Budget = field(default_factory=Budget)
    normal: str | None = None
    take_back: str | None = None
    answers: bool = True
    normal_scores: str | None = None
    model_file: str | None = None
    clips: bool = False
    padding_s: float | None = None
    most_clips: int = 100
    footage: str | None = None
    coco: bool = False

    def __post_init__(self) -> None:
        """Refuse what no clip can be."""
        super().__post_init__()
        within("padding_s", self.padding_s, 0)
        within("most_clips", self.most_clips, 1)
        self.scoring.require_consistent()


@dataclass
class RenderConfig:
    """`tlae render`.

    Attributes:
        scores: folder written by score.
        footage: where the pictures are now, if they moved since.
        layout: overlay, side_by_side, timelapse.
        clips: names of clips; empty: all.
        fps: of the video; null: as filmed, 12 for time-lapse.
        speed: 2 shows every second frame.
        start_s: from here, in seconds of clip time.
        end_s: to here, in seconds of clip time.
        only_events: show events alone.
        padding_s: around events; null: 10 frames, in a time-lapse 2.
        hours_per_s: time-lapse: footage time a second; null: a minute for all.
        slow: time-lapse: so many times slower near events.
        frames: PNGs of these frames of each clip, no video.
        top: events on the contact sheet, else the most anomalous frames; 0: no sheet.
    """

    scores: str = MISSING
    footage: str | None = None
    layout: str = "overlay"
    clips: list[str] = field(default_factory=list)
    fps: float | None = None
    speed: float = 1.0
    start_s: float | None = None
    end_s: float | None = None
    only_events: bool = False
    padding_s: float | None = None
    hours_per_s: float | None = None
    slow: float = 4.0
    frames: list[int] = field(default_factory=list)
    top: int = 12

    def __post_init__(self) -> None:
        """Refuse what no video can be."""
        one_of("layout", self.layout, ("overlay", "side_by_side", "timelapse"))
        within("fps", self.fps, 0, open_low=True)
        within("start_s", self.start_s, -LARGE)
        within("end_s", self.end_s, -LARGE)
        within("speed", self.speed, 0, 1e6, open_low=True)
        within("padding_s", self.padding_s, 0)
        within("hours_per_s", self.hours_per_s, 0, 1e6, open_low=True)
        within("slow", self.slow, 1, 1e6)
        within("top", self.top, 0)
        for frame in self.frames:
            within("frames", frame, 0)
        if self.start_s is not None and self.end_s is not None and self.start_s > self.end_s:
            raise ValueError(f"start_s must be <= end_s, got {self.start_s:g} > {self.end_s:g}")


@dataclass
class ReportConfig:
    """`tlae report`.

    Attributes:
        scores: folder written by score.
        footage: where the pictures are now, if they moved since.
        out: HTML file; null: <scores>/report.html.
        top: events with pictures, the strongest; the others get a line each.
        keogram: reads every frame once more.
    """

    scores: str = MISSING
    footage: str | None = None
    out: str | None = None
    top: int = 24
    keogram: bool = True

    def __post_init__(self) -> None:
        """Refuse what no page can hold."""
        within("top", self.top, 0)


@dataclass
class EvaluateConfig:
    """`tlae evaluate`.

    Attributes:
        scores: folder written by score, or a CSV or Parquet table.
        labels: see docs/datasets.md; null: the table's own column `label`.
        column: of the score; null: raw, score, error or anomaly_score.
        interval_s: time between frames of a table without a column time_s.
        out: null: <scores>/evaluation, or <table>-evaluation beside the table.
        maps: pixel and region figures, where maps and regions are known.
        footage: where the pictures are now, if they moved since.
        pictures: of each kind in the report; 0: none.
    """

    scores: str = MISSING
    labels: str | None = None
    column: str | None = None
    interval_s: float | None = None
    out: str | None = None
    maps: bool = True
    footage: str | None = None
    pictures: int = 6

    def __post_init__(self) -> None:
        """Refuse what no report can hold."""
        within("interval_s", self.interval_s, 0, open_low=True)
        within("pictures", self.pictures, 0, 1000)
