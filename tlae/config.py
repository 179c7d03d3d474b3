"""Settings of the camera's commands; the files in ``configs/`` say only what differs.

See ``schema.py`` for how a dataclass becomes settings.
"""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from omegaconf import MISSING

from tlae.budget import Budget
from tlae.camera.options import CameraOptions
from tlae.scoring.event_options import EventRule
from tlae.scoring.rule import ScoringRule
from tlae.setting_rules import LARGE, one_of, require_device, share, within
from tlae.training.options import FitOptions, Planting

TIME_SOURCES = ("auto", "exif", "filename", "interval")
LEAST_SAMPLES = 20  # of a mask: fewer say nothing about how often a place changes
COMPUTES = ("float32", "float32+channels_last", "bfloat16", "bfloat16+channels_last")


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


@dataclass
class TrainFootageConfig(FootageConfig):
    """What the net sees of the footage; kept in the model file for scoring.

    Attributes:
        size_hw: frames are stretched to this height, width [px].
        channels: 1 grey, 3 RGB.
        window_frames: frames a net sees at once.
        strides: every n-th frame; several: all.
        holdout: share of time blocks kept out of training, for stopping and calibration.
        gap_factor: an interval this many times the usual one is a gap; windows end there.
        mask: ignored places: PNG (black = ignored) or YAML of polygons.
    """

    size_hw: tuple[int, int] = (128, 192)
    channels: int = 1
    window_frames: int = 1
    strides: list[int] = field(default_factory=lambda: [1])
    holdout: float = 0.15
    gap_factor: float = 5.0
    mask: str | None = None

    def __post_init__(self) -> None:
        """Refuse what no net can see."""
        super().__post_init__()
        for side in self.size_hw:
            within("footage.size_hw", side, 4, 8192)
        one_of("footage.channels", str(self.channels), ("1", "3"))
        within("footage.window_frames", self.window_frames, 1, 10_000)
        if not self.strides:
            raise ValueError("footage.strides must hold at least one number, got none")
        for stride in self.strides:
            within("footage.strides", stride, 1, 10_000)
        within("footage.holdout", self.holdout, 0, 0.5, open_low=True)
        within("footage.gap_factor", self.gap_factor, 0)


@dataclass(frozen=True)
class TrainingConfig(FitOptions):
    """How the net is fitted.

    Attributes:
        batch_size: windows.
        windows_per_epoch: an epoch is the unit of validation and of resuming.
        keep: weights of the epoch with the lowest held-out loss (best), or of the last.
        patience: epochs without a better held-out loss before stopping; 0: run all epochs.
        compute: auto: the fastest of a few timed steps; or precision[+channels_last].
        workers: loader processes; the frame store is fast enough for 0.
        pictures: frames in TensorBoard's grid.
        planted: shares of the clips into which something is planted.
    """

    batch_size: int = 16
    windows_per_epoch: int = 2500
    keep: str = "best"
    patience: int = 0
    compute: str = "auto"
    workers: int = 0
    pictures: int = 4
    planted: Planting = field(default_factory=Planting)

    def __post_init__(self) -> None:
        """Refuse what no training can do."""
        super().__post_init__()
        within("training.batch_size", self.batch_size, 1, 65_536)
        within("training.windows_per_epoch", self.windows_per_epoch, 1)
        one_of("training.keep", self.keep, ("best", "last"))
        within("training.patience", self.patience, 0)
        one_of("training.compute", self.compute, ("auto", *COMPUTES))
        within("training.workers", self.workers, 0, 1024)
        within("training.pictures", self.pictures, 0, 1024)


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


@dataclass
class TrainConfig:
    """`tlae train`.

    Attributes:
        footage: what to read, and where its times come from.
        name: run folder; null: <footage>-<model>.
        suffix: added to the name; --multirun sets it.
        model: net: the choice of model=..., and its arguments as model.*.
        model_name: the choice made by model=...; set by the command line.
        training: how the net is fitted.
        camera: what is learnt of the camera itself.
        scoring: from error to alarm.
        trainer: passed on to Lightning's Trainer.
        paths: where results go.
        seed: of all chance.
        overwrite: replace a run of the same name that has other settings.
    """

    footage: TrainFootageConfig = field(default_factory=TrainFootageConfig)
    name: str | None = None
    suffix: str = ""
    model: Any = MISSING
    model_name: str = ""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    camera: CameraOptions = field(default_factory=CameraOptions)
    scoring: ScoringConfig = field(default_factory=ScoringConfig)
    trainer: dict[str, Any] = field(default_factory=dict)
    paths: PathsConfig = field(default_factory=PathsConfig)
    seed: int = 0
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse what no generator takes, and a budget that has no effect."""
        within("seed", self.seed, 0, 2**32 - 1)
        if self.scoring.threshold is not None:  # a rate stands in the defaults, days do not
            replace(self.scoring, false_alarm_rate=None).require_consistent()


@dataclass
class ScoreConfig:
    """`tlae score`.

    Attributes:
        model_file: written by `tlae train`.
        footage: what to read, and where its times come from.
        name: results folder; null: <model's run>-<footage>.
        suffix: added to the name; --multirun sets it.
        scoring: from error to alarm.
        events: when alarms are one event.
        batch_frames: frames that the net answers for at once.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: calibrated (as in the model file), float32, bfloat16.
        keep_rebuilt: store what the net expected, for layout=side_by_side.
        paths: where results go.
        overwrite: replace what lies there already.
    """

    model_file: str = MISSING
    footage: FootageConfig = field(default_factory=FootageConfig)
    name: str | None = None
    suffix: str = ""
    scoring: ScoringConfig = field(default_factory=ScoringConfig)
    events: EventRule = field(default_factory=EventRule)
    batch_frames: int = 16
    device: str = "auto"
    precision: str = "calibrated"
    keep_rebuilt: bool = True
    paths: PathsConfig = field(default_factory=PathsConfig)
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse what no scoring can do."""
        within("batch_frames", self.batch_frames, 1, 4096)
        one_of("precision", self.precision, ("calibrated", "float32", "bfloat16"))
        require_device(self.device)
        self.scoring.require_consistent()


@dataclass
class CalibrateConfig:
    """`tlae calibrate`.

    Attributes:
        model_file: written by `tlae train`.
        footage: what to read, and where its times come from.
        out: new model file; null: <model file>-<footage>.safetensors beside it.
        add: keep the scores that the model was calibrated on, and add these.
        scoring: from error to alarm.
        device: auto, cpu, cuda, cuda:1, mps.
        paths: where results go.
        overwrite: replace what lies there already.
    """

    model_file: str = MISSING
    footage: FootageConfig = field(default_factory=FootageConfig)
    out: str | None = None
    add: bool = False
    scoring: Budget = field(default_factory=Budget)
    device: str = "auto"
    paths: PathsConfig = field(default_factory=PathsConfig)
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse what no calibration can do."""
        require_device(self.device)
        self.scoring.require_consistent()


@dataclass(frozen=True)
class EventsConfig(EventRule):
    """`tlae events`.

    Attributes:
        scores: folder written by score.
        zones: YAML of places to watch and to ignore; null: the whole picture.
        scoring: null: as it was scored.
        normal: scores of normal footage to calibrate on; null: as the model was.
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
class MaskConfig:
    """`tlae mask`.

    Attributes:
        footage: what to read, and where its times come from.
        out: zones file to write, ending in .yaml.
        samples: frames looked at, spread over the footage.
        restless: share of the time that a place changes, above which it is proposed.
        overwrite: replace a file of that name.
    """

    footage: FootageConfig = field(default_factory=FootageConfig)
    out: str = MISSING
    samples: int = 240
    restless: float = 0.7
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse what proposes nothing."""
        within("samples", self.samples, LEAST_SAMPLES, 100_000)
        share("restless", self.restless)


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
        top: most anomalous frames on the contact sheet; 0: no sheet.
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
