"""Types, defaults and units of every setting; the files in ``configs/`` say only what differs."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from tlae.config_models import MODEL_SCHEMAS
from tlae.config_outliers import OUTLIER_SCHEMAS
from tlae.setting_rules import LARGE, one_of, require_device, share, within

TIME_SOURCES = ("auto", "exif", "filename", "interval")
COMPUTES = ("float32", "float32+channels_last", "bfloat16", "bfloat16+channels_last")


@dataclass
class PathsConfig:
    """Where results go."""

    checkpoints: str = "checkpoints"  # train writes <checkpoints>/<name>/
    scores: str = "scores"  # score writes <scores>/<name>/
    cache: str = "~/.cache/tlae"  # decoded frames; safe to delete


@dataclass
class FootageConfig:
    """What to read, and where its times come from."""

    path: str = MISSING  # folder of images, clip tree, video, zip or glob; `footage=PATH` is short
    interval_s: float | None = None  # time between frames where nothing better is known; null: 0.1
    time_source: str = "auto"  # auto (most trusted that is there), exif, filename, interval
    time_pattern: str | None = None  # strptime pattern of the time in names or paths; null: common
    time_zone: str | None = None  # of the camera's clock, e.g. Europe/Zurich; null: this machine's
    every: str | None = None  # first frame at or after each step of this grid, e.g. 30s, 10min, 2h
    start: str | None = None  # from this date or date-time on (inclusive), by the camera's clock
    end: str | None = None  # before this date-time (exclusive); of a date, that day is included
    hours: str | None = None  # of the day: 6-20, 20-6, 6-9,16-20; the last hour is exclusive
    exclude: str | None = None  # glob patterns of files that are no footage: *_thumb.jpg,night/*

    def __post_init__(self) -> None:
        """Refuse what no footage can have."""
        within("footage.interval_s", self.interval_s, 0, open_low=True)
        one_of("footage.time_source", self.time_source, TIME_SOURCES)


@dataclass
class TrainFootageConfig(FootageConfig):
    """What the net sees of the footage; kept in the model file for scoring."""

    size_hw: tuple[int, int] = (128, 192)  # frames are stretched to this height, width [px]
    channels: int = 1  # 1 grey, 3 RGB
    window_frames: int = 1  # frames a net sees at once
    strides: list[int] = field(default_factory=lambda: [1])  # every n-th frame; several: all
    holdout: float = 0.15  # share of time blocks kept out of training, for stopping and calibration
    gap_factor: float = 5.0  # an interval this many times the usual one is a gap; windows end there
    mask: str | None = None  # ignored places: PNG (black = ignored) or YAML of polygons

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


@dataclass
class PlantedConfig:
    """Shares of the training clips of a net that segments, in which something is planted.

    Set to 0 what is normal at your camera, and the net is not taught to report it.
    """

    fast: float = 0.33  # plays too fast
    reversed: float = 0.0  # plays backwards
    pasted: float = 0.17  # at another place and in another size
    still: float = 0.0  # stands where things walk
    odd: float = 0.0  # stretched and stiff, at the usual speed: a cyclist among walkers
    mixed: float = 0.15  # of all clips: things of another moment join in, which is normal
    light: float = 0.1  # of all clips: the light changes, which is normal

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        for name, value in vars(self).items():
            within(f"training.planted.{name}", value, 0, 1)


@dataclass
class TrainingConfig:
    """How the net is fitted."""

    batch_size: int = 16  # windows
    learning_rate: float = 2e-3  # peak, after the warm-up
    warmup: float = 0.1  # share of all steps in which the rate rises
    weight_decay: float = 1e-2  # of AdamW
    optimizer: str = "adamw"  # adamw, adam
    loss: str = "squared"  # squared, absolute
    windows_per_epoch: int = 2500  # an epoch is the unit of validation and of resuming
    keep: str = "best"  # weights of the epoch with the lowest held-out loss (best), or of the last
    patience: int = 0  # epochs without a better held-out loss before stopping; 0: run all epochs
    compute: str = "auto"  # auto: the fastest of a few timed steps; or precision[+channels_last]
    workers: int = 0  # loader processes; the frame store is fast enough for 0
    pictures: int = 4  # frames in TensorBoard's grid
    planted: PlantedConfig = field(default_factory=PlantedConfig)

    def __post_init__(self) -> None:
        """Refuse what no training can do."""
        within("training.batch_size", self.batch_size, 1, 65_536)
        within("training.learning_rate", self.learning_rate, 0, math.inf, open_low=True)
        within("training.warmup", self.warmup, 0, 0.999)
        within("training.weight_decay", self.weight_decay, 0)
        one_of("training.optimizer", self.optimizer, ("adamw", "adam"))
        one_of("training.loss", self.loss, ("squared", "absolute"))
        within("training.windows_per_epoch", self.windows_per_epoch, 1)
        one_of("training.keep", self.keep, ("best", "last"))
        within("training.patience", self.patience, 0)
        one_of("training.compute", self.compute, ("auto", *COMPUTES))
        within("training.workers", self.workers, 0, 1024)
        within("training.pictures", self.pictures, 0, 1024)


@dataclass
class CameraConfig:
    """What is learnt of the camera itself; kept in the model file, and done when scoring too."""

    modes: bool = False  # tell day, night, infrared apart, by what frames look like
    light: bool = False  # give every frame the light of the background it looks most like
    light_reach: float = 0.25  # larger patches of light are evened out too [frame heights]; 0: none
    register: bool = False  # undo shake, up to 4 % of the frame height
    local_contrast: bool = False  # divide by the local contrast
    difference: bool = False  # show the net the difference to the background, around middle grey
    health: bool = False  # no alarms from frozen, black, saturated, covered, blurred, moved frames

    def __post_init__(self) -> None:
        """Refuse what no light can reach."""
        within("camera.light_reach", self.light_reach, 0, 1)


@dataclass
class AlarmConfig:
    """What makes an alarm; null means: as the model was made."""

    threshold: float | None = None  # fixed alarm level in raw units; wins over the budgets
    false_alarm_rate: float | None = None  # share of normal frames that may alarm
    alarms_per_day: float | None = None  # alarms (runs of frames) a day of normal footage may give

    def __post_init__(self) -> None:
        """Refuse what no budget can be."""
        within("scoring.threshold", self.threshold, -LARGE)
        share("scoring.false_alarm_rate", self.false_alarm_rate)
        within("scoring.alarms_per_day", self.alarms_per_day, 0, open_low=True)

    def require_consistent(self) -> None:
        """Refuse a fixed threshold beside a budget, which would have no effect."""
        budgets = {
            "scoring.false_alarm_rate": self.false_alarm_rate,
            "scoring.alarms_per_day": self.alarms_per_day,
        }
        given = [name for name, value in budgets.items() if value is not None]
        if self.threshold is not None and given:
            raise ValueError(
                f"scoring.threshold={self.threshold:g} leaves nothing for {' and '.join(given)} to "
                "decide; give one of them"
            )


@dataclass
class EventRuleConfig:
    """When alarms are one event; all times are of the footage. See docs/events.md."""

    min_duration_s: float = 0.0  # shorter events are left out; a frame lasts until the next one
    merge_s: float | None = None  # calm pause within an event; null: 1 s, or two frame intervals
    cooldown_s: float = 0.0  # no event begins in a zone so soon after one ended there
    low: float = 0.8  # an event goes on above this share of the way from usual to threshold; 1: off
    accept_after_h: float | None = None  # what stays so long is declared normal [h]; null: never

    def __post_init__(self) -> None:
        """Refuse what no event can be."""
        for name in ("min_duration_s", "merge_s", "cooldown_s"):
            within(name, getattr(self, name), 0)
        within("low", self.low, 0, 1, open_low=True)
        within("accept_after_h", self.accept_after_h, 0, open_low=True)


@dataclass
class ScoringConfig(AlarmConfig):
    """From error to alarm. When scoring, null means: as the model was calibrated."""

    error: str | None = None  # absolute, squared
    match_light: bool | None = None  # brightness and contrast of the whole frame are no error
    background: bool | None = None  # weigh down places whose error is large in normal footage
    kernel: str | None = None  # box_mean, box_sum, gaussian
    kernel_fraction: float | None = None  # size of the kernel, in frame heights
    kernel_px: int | None = None  # size in pixels of the net's picture; wins over the fraction
    kernel_frames: int | None = None  # maps that the kernel averages in time, unless causal
    unit: float | None = None  # value of a full-scale difference: 1, or 255 in published rules
    reduction: str | None = None  # maximum, mean: from map to frame score
    causal: bool | None = None  # use only the past; false: both sides, for finished footage
    smooth_frames: float | None = None  # smoothing in time: time constant (or sigma); 0: none

    def __post_init__(self) -> None:
        """Refuse what no rule can be."""
        from tlae.scoring.rule import ScoringRule

        super().__post_init__()
        ScoringRule().changed_by(vars(self))


@dataclass
class TrainConfig:
    """`tlae train`."""

    footage: TrainFootageConfig = field(default_factory=TrainFootageConfig)
    name: str | None = None  # run folder; null: <footage>-<model>
    suffix: str = ""  # added to the name; --multirun sets it
    model: Any = MISSING
    model_name: str = ""  # the choice made by model=...; set by the command line
    training: TrainingConfig = field(default_factory=TrainingConfig)
    camera: CameraConfig = field(default_factory=CameraConfig)
    scoring: ScoringConfig = field(default_factory=ScoringConfig)
    trainer: dict[str, Any] = field(default_factory=dict)  # passed on to Lightning's Trainer
    paths: PathsConfig = field(default_factory=PathsConfig)
    seed: int = 0
    overwrite: bool = False  # replace a run of the same name that has other settings

    def __post_init__(self) -> None:
        """Refuse what no generator takes, and a budget that has no effect."""
        within("seed", self.seed, 0, 2**32 - 1)
        if self.scoring.threshold is not None:  # a rate stands in the defaults, days do not
            replace(self.scoring, false_alarm_rate=None).require_consistent()


@dataclass
class ScoreConfig:
    """`tlae score`."""

    model_file: str = MISSING
    footage: FootageConfig = field(default_factory=FootageConfig)
    name: str | None = None  # results folder; null: <model's run>-<footage>
    suffix: str = ""  # added to the name; --multirun sets it
    scoring: ScoringConfig = field(default_factory=ScoringConfig)
    events: EventRuleConfig = field(default_factory=EventRuleConfig)
    batch_frames: int = 16
    device: str = "auto"  # auto, cpu, cuda, cuda:1, mps
    precision: str = "calibrated"  # calibrated (as in the model file), float32, bfloat16
    keep_rebuilt: bool = True  # store what the net expected, for layout=side_by_side
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
    """`tlae calibrate`."""

    model_file: str = MISSING
    footage: FootageConfig = field(default_factory=FootageConfig)
    out: str | None = None  # new model file; null: <model file>-<footage>.safetensors beside it
    add: bool = False  # keep the scores that the model was calibrated on, and add these
    scoring: AlarmConfig = field(default_factory=AlarmConfig)
    device: str = "auto"  # auto, cpu, cuda, cuda:1, mps
    paths: PathsConfig = field(default_factory=PathsConfig)
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse what no calibration can do."""
        require_device(self.device)
        self.scoring.require_consistent()


@dataclass
class EventsConfig(EventRuleConfig):
    """`tlae events`."""

    scores: str = MISSING  # folder written by score
    zones: str | None = None  # YAML of places to watch and to ignore; null: the whole picture
    scoring: AlarmConfig = field(default_factory=AlarmConfig)  # null: as it was scored
    normal: str | None = None  # scores of normal footage to calibrate on; null: as the model was
    model_file: str | None = None  # where the model is now, if it moved since
    clips: bool = False  # cut out a video and a still of each event
    padding_s: float | None = None  # shown around an event; null: 2 s, or three frame intervals
    most_clips: int = 100  # cut out the events of the highest peaks only
    footage: str | None = None  # where the pictures are now, if they moved since
    coco: bool = False  # also write the boxes as COCO annotations

    def __post_init__(self) -> None:
        """Refuse what no clip can be."""
        super().__post_init__()
        within("padding_s", self.padding_s, 0)
        within("most_clips", self.most_clips, 1)
        self.scoring.require_consistent()


@dataclass
class MaskConfig:
    """`tlae mask`."""

    footage: FootageConfig = field(default_factory=FootageConfig)
    out: str = MISSING  # zones file to write, ending in .yaml
    samples: int = 240  # frames looked at, spread over the footage
    restless: float = 0.7  # share of the time that a place changes, above which it is proposed
    overwrite: bool = False  # replace a file of that name

    def __post_init__(self) -> None:
        """Refuse what proposes nothing."""
        within("samples", self.samples, 1, 100_000)
        within("restless", self.restless, 0, 1, open_low=True)


@dataclass
class RenderConfig:
    """`tlae render`."""

    scores: str = MISSING  # folder written by score
    footage: str | None = None  # where the pictures are now, if they moved since
    layout: str = "overlay"  # overlay, side_by_side, timelapse
    clips: list[str] = field(default_factory=list)  # names of clips; empty: all
    fps: float | None = None  # of the video; null: as filmed, 12 for time-lapse
    speed: float = 1.0  # 2 shows every second frame
    start_s: float | None = None  # from here, in seconds of clip time
    end_s: float | None = None
    only_events: bool = False
    padding_s: float | None = None  # around events; null: 10 frames, in a time-lapse 2
    hours_per_s: float | None = None  # time-lapse: footage time a second; null: a minute for all
    slow: float = 4.0  # time-lapse: so many times slower near events
    frames: list[int] = field(default_factory=list)  # PNGs of these frames of each clip, no video
    top: int = 12  # most anomalous frames on the contact sheet; 0: no sheet

    def __post_init__(self) -> None:
        """Refuse what no video can be."""
        one_of("layout", self.layout, ("overlay", "side_by_side", "timelapse"))
        within("fps", self.fps, 0, open_low=True)
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
    """`tlae report`."""

    scores: str = MISSING  # folder written by score
    footage: str | None = None  # where the pictures are now, if they moved since
    out: str | None = None  # HTML file; null: <scores>/report.html
    top: int = 24  # events with pictures, the strongest; the others get a line each
    keogram: bool = True  # reads every frame once more

    def __post_init__(self) -> None:
        """Refuse what no page can hold."""
        within("top", self.top, 0)


@dataclass
class DemoConfig:
    """`tlae demo`."""

    out: str = "demo"  # everything goes here, unless paths.* say otherwise
    name: str = "street"  # of the run and its results
    paths: PathsConfig = field(default_factory=PathsConfig)
    model: str = "segmenter"  # any choice of `tlae train`
    train: list[str] = field(default_factory=list)  # further settings of `tlae train`
    seed: int = 0


@dataclass
class SceneConfig:
    """`tlae scene`."""

    out: str = MISSING  # new folder; the same scene found there is left alone
    view: str = "side"  # side (a plaza from a roof), deep (along a street: near people are large)
    train_clips: int = 1  # without anomalies
    train_frames: int = 2400  # in each of them; fewer are the beginning of more
    test_clips: int = 10  # with anomalies; they do not depend on the training clips
    test_frames: int = 200  # in each of them
    size_hw: tuple[int, int] = (240, 360)  # height, width [px], even
    fps: float = 10.0
    walkers: float | None = None  # people on their way; null: 9 at the side, 14 deep
    noise_sigma: float = 2.0  # of the sensor, in grey levels of 255
    seed: int = 0


@dataclass
class EvaluateConfig:
    """`tlae evaluate`."""

    scores: str = MISSING  # folder written by score, or a CSV or Parquet table
    labels: str | None = None  # see docs/datasets.md; null: the table's own column `label`
    column: str | None = None  # of the score; null: raw, score, error or anomaly_score
    interval_s: float | None = None  # time between frames of a table without a column time_s
    out: str | None = None  # null: <scores>/evaluation, or <table>-evaluation beside the table
    maps: bool = True  # pixel and region figures, where maps and regions are known
    footage: str | None = None  # where the pictures are now, if they moved since
    pictures: int = 6  # of each kind in the report; 0: none

    def __post_init__(self) -> None:
        """Refuse what no report can hold."""
        within("interval_s", self.interval_s, 0, open_low=True)
        within("pictures", self.pictures, 0, 1000)


@dataclass
class StillsConfig:
    """Objects and nuisances that `tlae benchmark planted=true` plants into a time-lapse."""

    split: list[float] = field(default_factory=lambda: [8, 1, 3])  # days: train, calibrate, test
    rounds: int = 4  # times that the test days are planted, each time with other objects
    sizes: list[float] = field(default_factory=lambda: [0.015, 0.03, 0.06, 0.12])  # frame heights
    contrasts: list[float] = field(default_factory=lambda: [0.1, 0.25, 0.5])  # of the brightness
    stands: list[int] = field(default_factory=lambda: [1, 3])  # frames in which an object stands
    pause_frames: int = 1  # without an object between two
    height_px: int = 384  # pictures are shrunk to this height first


@dataclass
class BenchmarkConfig(TrainConfig):
    """`tlae benchmark`: the settings of `tlae train`, and what to test on."""

    train_split: str = "Train"  # normal footage, in the folder given as footage
    test_split: str = "Test"
    labels: str | None = None  # see `tlae evaluate`; null: they lie in the test split
    out: str = "benchmarks"  # writes <out>/<name>/; name null: as the footage is called
    planted: bool = False  # stills of many days: split by days, plant objects and nuisances
    stills: StillsConfig = field(default_factory=StillsConfig)  # how, with planted=true


@dataclass
class PlantConfig:
    """`tlae plant`."""

    footage: FootageConfig = field(default_factory=FootageConfig)
    out: str = MISSING  # a new folder
    parts: int = 1  # of the footage's time, each of which is split in two as follows
    train_share: float = 0.6  # of the frames, from the first on; the rest is for testing
    train_frames: int | None = 300  # only the last so many training frames; null: all
    clips: int = 16  # test clips; a quarter of them stays normal
    clip_frames: int = 90  # frames in each; an event takes about a third
    size_hw: tuple[int, int] | None = None  # shrink to this height, width [px]; null: as filmed
    seed: int = 0


SCHEMAS: dict[str, type] = {
    "train_schema": TrainConfig,
    "score_schema": ScoreConfig,
    "calibrate_schema": CalibrateConfig,
    "render_schema": RenderConfig,
    "report_schema": ReportConfig,
    "demo_schema": DemoConfig,
    "scene_schema": SceneConfig,
    "benchmark_schema": BenchmarkConfig,
    "evaluate_schema": EvaluateConfig,
    "plant_schema": PlantConfig,
    "events_schema": EventsConfig,
    "mask_schema": MaskConfig,
    "scoring/scoring_schema": ScoringConfig,
    **MODEL_SCHEMAS,
    **OUTLIER_SCHEMAS,
}


def register_schemas() -> None:
    """Make the dataclasses known to Hydra under the names that the YAML files use."""
    store = ConfigStore.instance()
    for path, schema in SCHEMAS.items():
        group, _, name = path.rpartition("/")
        store.store(group=group or None, name=name, node=schema)
