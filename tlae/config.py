"""Types, defaults and units of every setting; the files in ``configs/`` say only what differs."""

from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from tlae.config_models import MODEL_SCHEMAS
from tlae.config_outliers import OUTLIER_SCHEMAS


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
    interval_s: float = 0.1  # time between frames where nothing better is known
    time_source: str = "auto"  # auto (most trusted that is there), exif, filename, interval
    time_pattern: str | None = None  # strptime pattern of the time in file names; null: common ones


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


@dataclass
class PlantedConfig:
    """Shares of the training clips of a net that judges, in which something is planted.

    Set to 0 what is normal at your camera, and the net is not taught to report it.
    """

    fast: float = 0.33  # plays too fast
    reversed: float = 0.0  # plays backwards
    pasted: float = 0.17  # at another place and in another size
    still: float = 0.0  # stands where things walk
    mixed: float = 0.15  # of all clips: things of another moment join in, which is normal
    light: float = 0.1  # of all clips: the light changes, which is normal


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


@dataclass
class ScoringConfig:
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
    threshold: float | None = None  # fixed alarm level in raw units; wins over the budgets
    false_alarm_rate: float | None = None  # share of normal frames that may alarm
    alarms_per_day: float | None = None  # alarms (runs of frames) a day of normal footage may give


@dataclass
class TrainConfig:
    """`tlae train`."""

    footage: TrainFootageConfig = field(default_factory=TrainFootageConfig)
    name: str | None = None  # run folder; null: <footage>-<model>
    suffix: str = ""  # added to the name; --multirun sets it
    model: Any = MISSING
    model_name: str = ""  # the choice made by model=...; set by the command line
    training: TrainingConfig = field(default_factory=TrainingConfig)
    scoring: ScoringConfig = field(default_factory=ScoringConfig)
    trainer: dict[str, Any] = field(default_factory=dict)  # passed on to Lightning's Trainer
    paths: PathsConfig = field(default_factory=PathsConfig)
    seed: int = 0
    overwrite: bool = False  # replace a run of the same name that has other settings


@dataclass
class ScoreConfig:
    """`tlae score`."""

    model_file: str = MISSING
    footage: FootageConfig = field(default_factory=FootageConfig)
    name: str | None = None  # results folder; null: <model's run>-<footage>
    suffix: str = ""  # added to the name; --multirun sets it
    scoring: ScoringConfig = field(default_factory=ScoringConfig)
    batch_frames: int = 16
    device: str = "auto"  # auto, cpu, cuda, cuda:1, mps
    precision: str = "calibrated"  # calibrated (as in the model file), float32, bfloat16
    keep_rebuilt: bool = True  # store what the net expected, for layout=side_by_side
    paths: PathsConfig = field(default_factory=PathsConfig)
    seed: int = 0
    overwrite: bool = False


@dataclass
class RenderConfig:
    """`tlae render`."""

    scores: str = MISSING  # folder written by score
    footage: str | None = None  # where the pictures are now, if they moved since
    layout: str = "overlay"  # overlay, side_by_side
    clips: list[str] = field(default_factory=list)  # names of clips; empty: all
    fps: float | None = None  # of the video; null: as filmed, 12 for time-lapse
    speed: float = 1.0  # 2 shows every second frame
    start_s: float | None = None  # from here, in seconds of clip time
    end_s: float | None = None
    only_events: bool = False
    padding_s: float | None = None  # around events; null: 10 frames
    frames: list[int] = field(default_factory=list)  # PNGs of these frames of each clip, no video
    top: int = 12  # most anomalous frames on the contact sheet; 0: no sheet


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


@dataclass
class BenchmarkConfig(TrainConfig):
    """`tlae benchmark`: the settings of `tlae train`, and what to test on."""

    train_split: str = "Train"  # normal footage, in the folder given as footage
    test_split: str = "Test"
    labels: str | None = None  # see `tlae evaluate`; null: they lie in the test split
    out: str = "benchmarks"  # writes <out>/<name>/; name null: as the footage is called


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


@dataclass
class DescribeConfig:
    """`tlae describe`."""

    images: str | None = None  # folder, picture, video, zip file or glob pattern
    out: str = MISSING  # descriptor store; further descriptors of the same images join it
    descriptor: str = "colour_histogram"  # see `tlae describe --help`
    name: str | None = None  # of the descriptor in the store; null: as the descriptor is called
    weights: str = "random"  # local file (.safetensors, .pth), name on the hub (DEFAULT), random
    download: bool = False  # whether weights may be fetched from the hub
    image_size: int | None = None  # side of the net's square input [px]; null: as published
    fit: str = "stretch"  # show the net the whole picture (stretch), or its centre (crop)
    bins: tuple[int, int, int] = (4, 6, 3)  # of the colour histogram: hue, saturation, value
    clip_model: str = "ViT-B-32"  # of OpenCLIP
    model_file: str | None = None  # written by `tlae train`; for descriptor=model, error
    pool: int = 4  # their maps are averaged over so many places down and across
    tiles: int | None = None  # cut every picture into n x n tiles; null: whole pictures
    tiles_hw: tuple[int, int] | None = None  # cut into so many down and across; wins over tiles
    from_file: str | None = None  # import descriptors: .npy, .npz, .csv, .parquet, .pkl
    ids: str | None = None  # their names, one per row: .txt, .csv, .parquet, .npy
    id_column: str | None = None  # column of names; null: the first of text
    dtype: str = "float32"  # of the stored numbers: float32, float16 (half the space)
    batch_size: str = "auto"  # pictures at once; auto: as many as memory allows
    device: str = "auto"  # auto, cpu, cuda, cuda:1, mps
    precision: str = "float32"  # of a net's arithmetic: float32, bfloat16
    time_pattern: str | None = None  # strptime pattern of the time in file names
    seed: int = 0  # of random weights
    overwrite: bool = False  # replace a descriptor of the same name with other settings


SCHEMAS: dict[str, type] = {
    "train_schema": TrainConfig,
    "score_schema": ScoreConfig,
    "render_schema": RenderConfig,
    "demo_schema": DemoConfig,
    "scene_schema": SceneConfig,
    "benchmark_schema": BenchmarkConfig,
    "evaluate_schema": EvaluateConfig,
    "plant_schema": PlantConfig,
    "describe_schema": DescribeConfig,
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
