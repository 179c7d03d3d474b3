"""Settings of the camera's commands that read footage; ``configs/`` says only what differs.

See ``schema.py`` for how a dataclass becomes settings.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from omegaconf import MISSING

from tlae.budget import Budget
from tlae.camera.options import CameraOptions
from tlae.config_parts import PRECISIONS, FootageConfig, PathsConfig, ScoringConfig
from tlae.scoring.event_options import EventRule
from tlae.setting_rules import one_of, require_device, share, within
from tlae.training.options import FitOptions, Planting

LEAST_SAMPLES = 20  # of a mask: fewer say nothing about how often a place changes
COMPUTES = ("float32", "float32+channels_last", "bfloat16", "bfloat16+channels_last")


@dataclass
class TrainFootageConfig(FootageConfig):
    """What the net sees of the footage; kept in the model file for scoring.

    Attributes:
        size_hw: frames are stretched to this height, width [px].
        channels: 1 grey, 3 RGB.
        window_frames: frames a net sees at once.
        strides: every n-th frame; several: all.
        holdout: share of time blocks kept out of training, for stopping and calibration.
        gap_factor: an interval this many times the median one is a gap; windows end there.
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
        answers: hide events that your answers call normal; false: show all.
        batch_frames: frames that the net answers for at once; 128 suits a GPU.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: calibrated (as in the model file), float32, bfloat16.
        compile: compile the net first; takes some seconds and pays for long footage on a GPU.
        keep_rebuilt: store what the net expected, for layout=side_by_side.
        skip_calm: spare the net on a CPU where nothing happens; false: never.
        paths: where results go.
        overwrite: replace what lies there already.
    """

    model_file: str = MISSING
    footage: FootageConfig = field(default_factory=FootageConfig)
    name: str | None = None
    suffix: str = ""
    scoring: ScoringConfig = field(default_factory=ScoringConfig)
    events: EventRule = field(default_factory=EventRule)
    answers: bool = True
    batch_frames: int = 16
    device: str = "auto"
    precision: str = PRECISIONS[0]
    compile: bool = False
    keep_rebuilt: bool = True
    skip_calm: bool = True
    paths: PathsConfig = field(default_factory=PathsConfig)
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse what no scoring can do."""
        within("batch_frames", self.batch_frames, 1, 4096)
        one_of("precision", self.precision, PRECISIONS)
        require_device(self.device)
        self.scoring.require_consistent()


@dataclass
class NormalFootageConfig(FootageConfig):
    """Normal footage, which may be left away.

    Attributes:
        path: of normal footage, as for score; `footage=PATH` is short; not needed with marks.
    """

    path: str = ""


@dataclass
class CalibrateConfig:
    """`tlae calibrate`.

    Attributes:
        model_file: written by `tlae train`.
        footage: what to read, and where its times come from.
        out: new model file; null: <model file>-<footage>.safetensors beside it.
        add: keep the scores that the model was calibrated on, and add these.
        marks: marks.json of `tlae serve state=FOLDER`; events marked normal count as normal.
        scoring: from error to alarm.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: calibrated (as in the model file), float32 (for `tlae export`), bfloat16.
        paths: where results go.
        overwrite: replace what lies there already.
    """

    model_file: str = MISSING
    footage: NormalFootageConfig = field(default_factory=NormalFootageConfig)
    out: str | None = None
    add: bool = False
    marks: str | None = None
    scoring: Budget = field(default_factory=Budget)
    device: str = "auto"
    precision: str = PRECISIONS[0]
    paths: PathsConfig = field(default_factory=PathsConfig)
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Refuse what no calibration can do."""
        require_device(self.device)
        one_of("precision", self.precision, PRECISIONS)
        self.scoring.require_consistent()
        if self.add and self.precision != PRECISIONS[0]:
            raise ValueError(
                f"precision must be calibrated with add=true, got {self.precision}: scores of one "
                "calibration have one precision; leave one of the two out"
            )


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
